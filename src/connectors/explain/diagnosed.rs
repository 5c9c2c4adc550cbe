//! Diagnosis of an observed connector. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::LogErrorSummary;
use crate::{
    api::logs::LogEntry,
    connectors::logs::NewestLines,
    resources::connector::{
        LiveConnector,
        diagnosis::{
            ConnectorDiagnosis, ConnectorHealth, MatchedRule, NO_RECORDS, PROVISIONING, PROVISIONING_STUCK, diagnose,
            diagnose_text, explain_no_records, health,
        },
        root_cause_line,
    },
};

/// Time window of log lines for a failed connector.
const FAILED_LOG_WINDOW: Duration = Duration::from_hours(24);
/// Time window of log lines for a running connector: recurring errors repeat about every five minutes
/// (docs/reference/logs.md#log-lines-and-pages).
const RUNNING_LOG_WINDOW: Duration = Duration::from_mins(10);

/// Time after which a connector that has not started is stuck (docs/reference/connect.md#timing-of-states).
const LONGEST_START: Duration = Duration::from_mins(15);

/// Connector with the diagnosis of its status.
#[derive(Debug)]
pub struct DiagnosedConnector {
    /// Connector as observed.
    pub observed: LiveConnector,
    /// Health derived from the state of the connector and its tasks.
    pub health: ConnectorHealth,
    /// Matched rules and failed tasks.
    pub diagnosis: ConnectorDiagnosis,
    /// Settings that may explain why records do not arrive, one sentence each.
    pub notes: Vec<String>,
}

impl DiagnosedConnector {
    /// Diagnoses a connector. With `no_records`, a running connector is diagnosed as transferring no records.
    #[must_use]
    pub fn new(observed: LiveConnector, no_records: bool) -> Self {
        let status = &observed.expanded.status;
        let mut diagnosis = diagnose(status);
        let mut notes = Vec::new();
        if no_records && observed.state().is_running() && diagnosis.causes.is_empty() {
            diagnosis.causes.push(MatchedRule::from_state(&NO_RECORDS));
            let is_sink = observed.direction() == "sink";
            notes = explain_no_records(observed.id(), is_sink, &observed.expanded.info.config);
        }
        Self {
            health: health(status),
            diagnosis,
            notes,
            observed,
        }
    }

    /// Returns the age of the oldest log lines to read, if log lines are worth a request: when the status is
    /// inconclusive, or for a running connector that is the `only` one of interest. A connector whose configuration was
    /// rejected before a task started has no log lines (docs/reference/logs.md#log-lines-and-pages).
    pub(super) fn log_window(&self, only: bool) -> Option<Duration> {
        match self.health {
            ConnectorHealth::Unhealthy => self.diagnosis.is_generic().then_some(FAILED_LOG_WINDOW),
            _ if self.observed.state().is_running() => only.then_some(RUNNING_LOG_WINDOW),
            _ => None,
        }
    }

    /// Returns whether the connector has not started yet.
    pub(super) fn is_starting(&self) -> bool {
        self.diagnosis.causes.iter().any(|found| *found.rule == PROVISIONING)
    }

    /// Says that the connector is stuck if its last change is longer ago than any start takes.
    pub(super) fn judge_start(&mut self, changed_at: Option<Timestamp>, now: Timestamp) {
        let age = changed_at.and_then(|changed| Duration::try_from(now.duration_since(changed)).ok());
        if self.is_starting() && age.is_some_and(|age| age >= LONGEST_START) {
            self.diagnosis.causes = vec![MatchedRule::from_state(&PROVISIONING_STUCK)];
        }
    }

    /// Returns whether Confluent Cloud may have a recommendation: only for a connector that failed with a trace.
    pub(super) fn may_have_recommendations(&self) -> bool {
        let status = &self.observed.expanded.status;
        let offered = status.error_recommendation_enabled;
        self.health == ConnectorHealth::Unhealthy && offered.unwrap_or_else(|| status.connector.state.needs_attention())
    }

    /// Adds error lines of the log to the diagnosis, and summarizes the last one.
    pub(super) fn add_log_errors(&mut self, newest: &NewestLines) -> Option<LogErrorSummary> {
        let last = newest.lines.last()?;
        let same: Vec<&LogEntry> = newest
            .lines
            .iter()
            .filter(|line| root_line(line) == root_line(last))
            .collect();
        let found = diagnose_text(&format!("{}\n{}", last.message, last.trace()));
        let error = found.as_ref().and_then(|found| found.errors.first().cloned());
        // The connector is running, but may fail again.
        if self.health == ConnectorHealth::Healthy {
            self.health = ConnectorHealth::Unsettled;
        }
        if let Some(found) = found {
            self.diagnosis.causes = vec![found];
        }
        Some(LogErrorSummary {
            error: error.unwrap_or_else(|| root_line(last).to_owned()),
            times: same.len(),
            first: same.first().and_then(|line| line.parsed_timestamp()),
            last: last.parsed_timestamp(),
            more: newest.more,
        })
    }
}

/// Returns the most specific line of a log entry.
fn root_line(line: &LogEntry) -> &str {
    match root_cause_line(line.trace()) {
        "" => line.message.lines().next().unwrap_or_default(),
        root => root,
    }
}
