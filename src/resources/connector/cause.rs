//! Cause of a connector failure, derived from its status.

use std::borrow::Cow;

use serde::Serialize;

use super::diagnosis::{DiagnosisRule, FaultOwner, diagnose};
use crate::{api::connect::ConnectorStatus, model::TaskState, redact::TextRedactor};

/// Cause of a connector failure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FailureCause {
    /// Errors in the configuration, each text once.
    pub validation_errors: Vec<ServiceValidationError>,
    /// Error messages, the most specific first, each once.
    pub messages: Vec<String>,
    /// Owner of the fault, the department or the platform team; the rule names it in more detail.
    pub owner: Option<FaultOwner>,
    /// Matched rule, if a specific one matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<&'static DiagnosisRule>,
    /// Suggested fix, one sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<&'static str>,
    /// Error that the diagnosis rule matches.
    #[serde(skip)]
    pub specific: Option<String>,
}

/// One error in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServiceValidationError {
    /// Configuration keys that the service reports, if any; Debezium reports all of them for one error.
    pub configs: Vec<String>,
    /// Error message.
    pub message: String,
}

impl FailureCause {
    /// Returns the cause in one line.
    #[must_use]
    pub fn summary(&self) -> String {
        match (self.validation_errors.first(), self.messages.first()) {
            (Some(error), _) => error.summary(),
            (None, Some(first)) => {
                let first = first.lines().next().unwrap_or_default();
                self.specific.as_deref().map_or(first, without_class).to_owned()
            }
            (None, None) => "the service reports no reason".to_owned(),
        }
    }
}

impl ServiceValidationError {
    /// Returns the error in one line, with the message before further keys.
    fn summary(&self) -> String {
        let message = self.message.strip_prefix(VALIDATION_PREFIX).unwrap_or(&self.message);
        match &self.configs[..] {
            [] => message.to_owned(),
            [key] => format!("{key}: {message}"),
            [key, others @ ..] => format!("{key} and {} more: {message}", others.len()),
        }
    }
}

/// Prefix that Debezium adds to every error (docs/reference/connect.md#status).
pub(super) const VALIDATION_PREFIX: &str = "Error while validating connector config: ";

/// Derives the cause from a status: first configuration errors, then traces, then summaries
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
    cause.specific = found.and_then(|found| found.errors.first().cloned());
    let has_task = |state: &TaskState| status.tasks.iter().any(|task| task.state == *state);
    // Source: docs/reference/connect.md#connector-states
    cause.owner = match found
        .map(|found| found.owner)
        .filter(|owner| *owner != FaultOwner::Unknown)
    {
        Some(FaultOwner::Department | FaultOwner::Network) => Some(FaultOwner::Department),
        Some(_) => Some(FaultOwner::Platform),
        None if has_task(&TaskState::UserActionableError) => Some(FaultOwner::Department),
        None if !cause.validation_errors.is_empty() => Some(FaultOwner::Department),
        None if has_task(&TaskState::SystemError) => Some(FaultOwner::Platform),
        None => None,
    };
    // A plugin repeats addresses with passwords and values of its configuration.
    let mut redactor = TextRedactor::default();
    let messages = cause.messages.iter_mut();
    for message in messages.chain(cause.validation_errors.iter_mut().map(|error| &mut error.message)) {
        if let Cow::Owned(redacted) = redactor.redact(message) {
            *message = redacted;
        }
    }
    cause
}

/// Returns the errors in the configuration: each text once with all its keys.
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

/// Returns the innermost cause of a Java stack trace, or its first line (docs/reference/connect.md#error-messages,
/// pattern 24).
#[must_use]
pub fn root_cause_line(trace: &str) -> &str {
    let causes = || trace.lines().filter_map(|line| line.trim().strip_prefix("Caused by: "));
    let lines = || trace.lines().take(1).chain(causes());
    let line = causes().rev().find(|line| !is_nameless(line));
    let line = line.or_else(|| lines().find(|line| !is_nameless(line)));
    line.or_else(|| lines().last()).unwrap_or_default().trim()
}

/// Endings of Kafka's messages that do not name their topic: the exception of the connector around them does.
const NAMELESS: [&str; 2] = [
    "this server does not host this topic-partition",
    "unknowntopicorpartitionexception:",
];

/// Returns a message without a leading exception class.
pub(super) fn without_class(error: &str) -> &str {
    match error.split_once(": ") {
        Some((class, rest)) if class.contains('.') && !class.contains(' ') => rest,
        _ => error,
    }
}

/// Returns whether a line does not name what it is about.
pub(super) fn is_nameless(line: &str) -> bool {
    let line = line.trim().trim_end_matches('.').to_lowercase();
    NAMELESS.iter().any(|nameless| line.ends_with(nameless))
}

#[cfg(test)]
mod tests {
    use super::root_cause_line;

    #[test]
    fn the_root_cause_is_the_innermost_one() {
        for (trace, expected) in [
            (
                "X: failed\n\tat a.b(C.java)\n  Caused by: Y: outer\nCaused by: Z: inner \n\tat d.e(F.java)",
                "Z: inner",
            ),
            ("a.b.E: only\n\tat x", "a.b.E: only"),
            // The topic is named outside of Kafka's exception.
            (
                "A: Topic t is not present\nCaused by: B.UnknownTopicOrPartitionException: This server does not host \
                 this topic-partition.",
                "A: Topic t is not present",
            ),
            (
                "B: This server does not host this topic-partition.",
                "B: This server does not host this topic-partition.",
            ),
            ("", ""),
        ] {
            assert_eq!(root_cause_line(trace), expected);
        }
    }
}
