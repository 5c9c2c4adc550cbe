//! Why a connector does not run, read out of its status.

use serde::Serialize;

use crate::api::connect::Status;

/// Why a connector does not run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// What is wrong with the configuration: key and text, each text once.
    pub validation_errors: Vec<ValidationError>,
    /// What went wrong, the most telling first; each once.
    pub messages: Vec<String>,
    /// Who can do something about it.
    pub owner: Option<&'static str>,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValidationError {
    /// The keys that the service names for it: Debezium names all of them for one cause.
    pub configs: Vec<String>,
    /// What is wrong.
    pub message: String,
}

impl Cause {
    /// The cause in one line.
    #[must_use]
    pub fn words(&self) -> String {
        match (self.validation_errors.first(), self.messages.first()) {
            (Some(error), _) => format!("{}: {}", error.configs.join(", "), error.message),
            (None, Some(message)) => message.lines().next().unwrap_or_default().to_owned(),
            (None, None) => "the service does not say why".to_owned(),
        }
    }
}

/// Reads the cause out of a status: first what is wrong with the configuration, then traces, then summaries (dossier
/// `connect.md` §2.9, §3.3).
#[must_use]
pub fn cause(status: &Status) -> Cause {
    let mut cause = Cause::default();
    for error in status.validation_errors.iter().flatten() {
        let (key, message) = error.split_once(':').unwrap_or(("", error));
        let (key, message) = (key.trim().to_owned(), message.trim().to_owned());
        match cause
            .validation_errors
            .iter_mut()
            .find(|known| known.message == message)
        {
            Some(known) => known.configs.push(key),
            None => cause.validation_errors.push(ValidationError {
                configs: vec![key],
                message,
            }),
        }
    }
    let mut say = |text: &str| {
        let text = text.trim();
        if !text.is_empty() && !cause.messages.iter().any(|known| known == text) {
            cause.messages.push(text.to_owned());
        }
    };
    say(status.override_message.as_deref().unwrap_or_default());
    for error in status.trace_errors() {
        say(&error);
    }
    say(status.error_summary.as_deref().unwrap_or_default());
    say(&status.connector.trace);
    for task in &status.tasks {
        say(&task.msg);
        say(root_of(task.trace.as_deref().unwrap_or_default()));
    }
    // Dossier `connect.md` §3.1.
    cause.owner = if status.tasks.iter().any(|task| task.state == "USER_ACTIONABLE_ERROR")
        || !cause.validation_errors.is_empty()
    {
        Some("department")
    } else if status.tasks.iter().any(|task| task.state == "SYSTEM_ERROR") {
        Some("ebs")
    } else {
        None
    };
    cause
}

/// The innermost cause of a Java stack trace, else its first line.
fn root_of(trace: &str) -> &str {
    let mut causes = trace.lines().filter_map(|line| line.trim().strip_prefix("Caused by: "));
    causes.next_back().or_else(|| trace.lines().next()).unwrap_or_default()
}
