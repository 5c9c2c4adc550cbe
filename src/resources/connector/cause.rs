//! Why a connector does not run, read out of its status.

use serde::Serialize;

use super::diagnosis::{DiagnosisRule, FaultOwner, diagnose};
use crate::api::connect::ConnectorStatus;

/// Why a connector does not run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FailureCause {
    /// What is wrong with the configuration: key and text, each text once.
    pub validation_errors: Vec<ServiceValidationError>,
    /// What went wrong, the most telling first; each once.
    pub messages: Vec<String>,
    /// Whose it is in the first place: the department's or EBS's. The rule says it more finely.
    pub owner: Option<&'static str>,
    /// The rule that explains it, where one is met that says more than that something failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static DiagnosisRule>,
    /// What helps, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<&'static str>,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceValidationError {
    /// The keys that the service names for it, if any: Debezium names all of them for one cause.
    pub configs: Vec<String>,
    /// What is wrong.
    pub message: String,
}

impl FailureCause {
    /// The cause in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        match (self.validation_errors.first(), self.messages.first()) {
            (Some(error), _) => error.summary(),
            (None, Some(message)) => message.lines().next().unwrap_or_default().to_owned(),
            (None, None) => "the service does not say why".to_owned(),
        }
    }
}

impl ServiceValidationError {
    /// The same in one line, in which what is wrong is not lost behind its keys.
    fn summary(&self) -> String {
        let message = self.message.strip_prefix(VALIDATION_PREFIX).unwrap_or(&self.message);
        match &self.configs[..] {
            [] => message.to_owned(),
            [key] => format!("{key}: {message}"),
            [key, others @ ..] => format!("{key} and {} more: {message}", others.len()),
        }
    }
}

/// What Debezium puts in front of everything (docs/reference/connect.md#status).
pub(super) const VALIDATION_PREFIX: &str = "Error while validating connector config: ";

/// Reads the cause out of a status: first what is wrong with the configuration, then traces, then summaries
/// (docs/reference/connect.md#status and docs/reference/connect.md#where-errors-are-reported).
#[must_use]
pub fn find_cause(status: &ConnectorStatus) -> FailureCause {
    let mut cause = FailureCause {
        validation_errors: validation_errors(status),
        ..FailureCause::default()
    };
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
        say(root_cause_line(task.trace.as_deref().unwrap_or_default()));
    }
    let diagnosis = diagnose(status);
    let found = diagnosis.causes.first().filter(|found| !found.rule.is_generic);
    cause.rule = found.map(|found| found.rule);
    cause.fix = found.map(|found| found.rule.fix);
    // Source: docs/reference/connect.md#connector-states
    cause.owner = match found.map(|found| found.owner) {
        Some(FaultOwner::Department | FaultOwner::Network) => Some("department"),
        Some(FaultOwner::Platform | FaultOwner::Confluent) => Some("platform"),
        None if status.tasks.iter().any(|task| task.state == "USER_ACTIONABLE_ERROR") => Some("department"),
        None if !cause.validation_errors.is_empty() => Some("department"),
        None if status.tasks.iter().any(|task| task.state == "SYSTEM_ERROR") => Some("platform"),
        None => None,
    };
    cause
}

/// What is wrong with the configuration: each text once, with all keys that the service names for it.
pub(super) fn validation_errors(status: &ConnectorStatus) -> Vec<ServiceValidationError> {
    let mut errors: Vec<ServiceValidationError> = Vec::new();
    for error in status.validation_errors.iter().flatten() {
        let (key, message) = error.split_once(':').unwrap_or(("", error));
        let (key, message) = (key.trim().to_owned(), message.trim().to_owned());
        let key = Some(key).filter(|key| !key.is_empty());
        match errors.iter_mut().find(|known| known.message == message) {
            Some(known) => known.configs.extend(key),
            None => errors.push(ServiceValidationError {
                configs: key.into_iter().collect(),
                message,
            }),
        }
    }
    errors
}

/// The innermost cause of a Java stack trace, else its first line.
pub(super) fn root_cause_line(trace: &str) -> &str {
    let mut causes = trace.lines().filter_map(|line| line.trim().strip_prefix("Caused by: "));
    causes.next_back().or_else(|| trace.lines().next()).unwrap_or_default()
}
