//! Log lines for programs: rows with the fields of the Confluent CLI.

use serde::Serialize;

use crate::api::logs::LogEntry;

/// Machine-readable log line: the fields of the Confluent CLI (docs/reference/cli.md#tables) and the connector.
#[derive(Clone, Debug, Serialize)]
pub(super) struct LogRow {
    timestamp: String,
    level: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    task_id: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<LogException>,
    connector: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
}

#[derive(Clone, Debug, Serialize)]
struct LogException {
    stacktrace: String,
}

impl LogRow {
    pub(super) fn new(connector: &str, line: &LogEntry) -> Self {
        Self {
            timestamp: line.timestamp.clone(),
            level: line.level.clone(),
            task_id: line.task_id.clone(),
            message: line.message.clone(),
            exception: line.exception.as_ref().map(|exception| LogException {
                stacktrace: exception.stacktrace.clone(),
            }),
            connector: connector.to_owned(),
            id: line.id.clone(),
        }
    }
}

/// Log line in a file, in the format of the Confluent CLI, where the stack trace is a string
/// (docs/reference/cli.md#log-command).
#[derive(Debug, Serialize)]
pub(super) struct LogFileRow<'a> {
    timestamp: &'a str,
    level: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    task_id: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    exception: &'a str,
    connector: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    id: &'a str,
}

impl<'a> LogFileRow<'a> {
    pub(super) fn new(connector: &'a str, line: &'a LogEntry) -> Self {
        Self {
            timestamp: &line.timestamp,
            level: &line.level,
            task_id: &line.task_id,
            message: &line.message,
            exception: line.trace(),
            connector,
            id: &line.id,
        }
    }
}
