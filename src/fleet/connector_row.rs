//! Connectors as rows of a report, and summaries of several rows; pure.

use std::cmp::Reverse;

use jiff::Timestamp;
use serde::Serialize;

use super::{ConditionCounts, ConnectorCondition, cause_text::shorten, model::OwnerDepartment};
use crate::{
    api::connect::ExpandedConnector,
    model::{ConnectorState, DepartmentCode},
    quota::{counted_tasks, tasks_max},
    resources::connector::{
        FailureCause, LiveConnector,
        diagnosis::{DiagnosisRule, FaultOwner},
        find_cause,
    },
};

/// Returns the prefix of a number that is a lower bound unless `complete`.
pub const fn at_least_prefix(complete: bool) -> &'static str {
    if complete { "" } else { "at least " }
}

/// Returns whether the number of counted tasks is known, which requires a readable configuration with a valid task
/// limit (docs/reference/quotas.md#counting-connectors).
pub fn has_task_count(now: &ExpandedConnector) -> bool {
    let config = &now.info.config;
    !config.is_empty() && tasks_max(config).is_ok()
}

/// Summary of a group of connectors.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ConnectorSummary {
    /// Worst condition; `None` without connectors.
    pub condition: Option<ConnectorCondition>,
    /// Number of connectors per condition.
    pub counts: ConditionCounts,
    /// Number of tasks that count towards the quotas, over all connectors.
    pub tasks: u32,
    /// Whether the task counts of all connectors are known; otherwise `tasks` is a lower bound.
    pub complete: bool,
    /// Connector in the worst condition; the longest observed one of several.
    pub worst: Option<String>,
    /// Start of the observed failure.
    pub failing_since: Option<Timestamp>,
}

/// Connector in the fleet.
#[derive(Clone, Debug, Serialize)]
pub struct FleetConnectorRow {
    /// Id, or the name if the id is unknown.
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// Department; `None` for an unowned connector.
    pub department: Option<DepartmentCode>,
    /// Condition derived from the state of the connector and its tasks.
    pub condition: ConnectorCondition,
    /// State as reported by Confluent Cloud.
    pub status: ConnectorState,
    /// `source` or `sink`.
    #[serde(rename = "type")]
    pub direction: String,
    /// Class of the plugin (`connector.class`).
    pub plugin: String,
    /// Number of tasks in the state `RUNNING`.
    pub tasks_running: usize,
    /// Limit of tasks; `None` if the configuration is not readable.
    pub tasks_max: Option<u32>,
    /// Lag of a sink in records, a few minutes old; `None` if not requested or unknown.
    pub lag_records: Option<u64>,
    /// Start of the observation of this condition.
    pub observed_since: Option<Timestamp>,
    /// Cause of a failure in one line.
    pub cause: Option<String>,
    /// Diagnosis rule that matches, a section of `docs/causes.md`.
    pub rule: Option<&'static DiagnosisRule>,
    /// Fix in one sentence.
    pub fix: Option<&'static str>,
    /// Responsible party, if the rule or the response determines it.
    pub owner: Option<FaultOwner>,
    #[serde(skip)]
    tasks: u32,
    #[serde(skip)]
    has_task_count: bool,
}

/// Function that returns since when a connector has been observed in a condition.
pub type ConditionSince<'a> = &'a mut dyn FnMut(&str, ConnectorCondition) -> Option<Timestamp>;

impl FleetConnectorRow {
    pub(super) fn new(observed: &LiveConnector, owner: Option<&OwnerDepartment>, since: ConditionSince<'_>) -> Self {
        let now = &observed.expanded;
        let condition = ConnectorCondition::from_status(&now.status);
        let config = &now.info.config;
        let cause = condition.is_trouble().then(|| find_cause(&now.status));
        let cause = cause.filter(|cause| *cause != FailureCause::default());
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            department: owner.map(|owner| owner.code.clone()),
            condition,
            status: observed.state().clone(),
            direction: observed.direction().to_owned(),
            plugin: observed.class().to_owned(),
            tasks_running: now.status.running_tasks(),
            tasks_max: (!config.is_empty()).then(|| tasks_max(config).ok()).flatten(),
            lag_records: None,
            observed_since: since(observed.id(), condition),
            cause: cause.as_ref().map(FailureCause::summary),
            rule: cause.as_ref().and_then(|cause| cause.rule),
            fix: cause.as_ref().and_then(|cause| cause.fix),
            owner: cause.and_then(|cause| cause.rule.map(|rule| rule.owner).or(cause.owner)),
            tasks: counted_tasks(config, now.status.tasks.len()),
            has_task_count: has_task_count(now),
        }
    }

    /// Returns the cause of a failure, shortened to about `most` characters.
    pub fn reason(&self, most: usize) -> Option<String> {
        match (&self.cause, self.condition) {
            (Some(cause), _) => Some(shorten(cause, most)),
            (None, ConnectorCondition::Unknown) if self.status == ConnectorState::Unreported => {
                Some("no state reported".to_owned())
            }
            (None, ConnectorCondition::Unknown) => Some("unknown state".to_owned()),
            (None, condition) => condition.is_trouble().then(|| "no cause reported".to_owned()),
        }
    }

    /// Returns whether the connector needs a line in a report.
    pub fn is_notable(&self) -> bool {
        self.condition.is_trouble() || self.condition == ConnectorCondition::Unknown
    }

    /// Returns the state as reported by Confluent Cloud.
    pub fn state_text(&self) -> &str {
        match &self.status {
            ConnectorState::Unreported => "no state",
            state => state.as_str(),
        }
    }

    /// Returns running tasks and task limit, such as `1 of 2`.
    pub fn tasks_text(&self) -> String {
        let most = self.tasks_max.map_or("?".to_owned(), |most| most.to_string());
        format!("{} of {most}", self.tasks_running)
    }

    pub(super) fn sort_key(&self) -> impl Ord + use<> {
        (
            Reverse(self.condition),
            self.observed_since.unwrap_or(Timestamp::MAX),
            self.name.clone(),
        )
    }
}

impl ConnectorSummary {
    pub(super) fn from_rows<'a>(rows: impl Iterator<Item = &'a FleetConnectorRow>) -> Self {
        let mut share = Self {
            complete: true,
            ..Self::default()
        };
        for row in rows {
            share.counts.add(row.condition);
            share.tasks = share.tasks.saturating_add(row.tasks);
            share.complete &= row.has_task_count;
            // Rows are sorted by condition, the worst and longest observed first.
            if share.worst.is_none() && row.condition.is_trouble() {
                share.worst = Some(row.name.clone());
            }
            if row.condition == ConnectorCondition::Failed {
                let since = row.observed_since;
                share.failing_since = share.failing_since.map_or(since, |known| since.map(|at| at.min(known)));
            }
        }
        share.condition = share.counts.worst();
        share
    }
}
