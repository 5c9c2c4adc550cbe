//! Observed fleet by stage, department and connector; pure.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    cause_text::shorten,
    condition::{ConditionCounts, ConnectorCondition},
};
use crate::{
    api::connect::{ClusterPath, ExpandedConnector},
    error::{Error, ErrorKind},
    hint::Hint,
    model::{DepartmentCode, DepartmentQuota, Prefix},
    quota::{ClusterTaskLimit, counted_tasks, is_counted, tasks_max},
    redact::TextRedactor,
    resources::connector::{FailureCause, LiveConnector, diagnosis::DiagnosisRule, find_cause},
};

/// Department with its prefix and quota.
#[derive(Clone, Debug)]
pub struct OwnerDepartment {
    /// Code of the department.
    pub code: DepartmentCode,
    /// Display name; the code if only a profile is available.
    pub name: String,
    /// Prefix of its names.
    pub prefix: Prefix,
    /// Quota.
    pub quota: DepartmentQuota,
}

/// Connectors of all stages at one point in time.
#[derive(Clone, Debug, Serialize)]
pub struct Fleet {
    /// Time of the observation.
    pub taken_at: Timestamp,
    /// Selected department; `None` for all departments.
    pub department: Option<DepartmentCode>,
    /// Worst condition of all connectors.
    pub condition: Option<ConnectorCondition>,
    /// Reason why the lags of sinks are unknown, if they were requested.
    pub lag_unknown: Option<String>,
    /// Reason of a failed refresh; the other fields are from an earlier observation then.
    #[serde(skip)]
    pub stale: Option<StaleReason>,
    /// Stages.
    pub stages: Vec<StageView>,
}

/// Reason of a failed refresh.
#[derive(Clone, Debug)]
pub struct StaleReason {
    /// Kind of the error, which determines the exit code.
    pub kind: ErrorKind,
    /// Error message.
    pub reason: String,
    /// Suggestions.
    pub hints: Vec<Hint>,
}

/// Observed connectors of a cluster.
#[derive(Clone, Debug, Serialize)]
pub struct StageView {
    /// Name of the stage.
    pub stage: String,
    /// Environment and cluster.
    #[serde(flatten)]
    pub location: ClusterLocation,
    /// Reason why the cluster could not be observed; all following fields are unknown then.
    pub unknown: Option<String>,
    /// Number of connectors per condition.
    pub counts: ConditionCounts,
    /// Tasks of the whole cluster; `None` for a single department.
    pub cluster_tasks: Option<ClusterTasks>,
    /// Departments, those with unhealthy connectors first.
    pub departments: Vec<FleetDepartmentRow>,
    /// Unowned connectors; `None` for a single department.
    pub unowned: Option<ConnectorSummary>,
    /// Connectors, unhealthy ones first.
    pub connectors: Vec<FleetConnectorRow>,
}

/// Location of a stage.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterLocation {
    environment: String,
    /// Kafka cluster.
    pub cluster: String,
}

/// Tasks of a whole cluster.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClusterTasks {
    /// Tasks that count.
    pub used: u32,
    /// Tasks that all departments may use together.
    pub allocatable: u32,
    /// Reserved tasks.
    pub reserved: u32,
    /// Whether the task counts of all connectors are known; otherwise `used` is a lower bound.
    pub complete: bool,
}

impl ClusterTasks {
    /// Returns a summary such as `at least 12 of 225`.
    pub fn summary(self) -> String {
        format!(
            "{}{} of {}",
            at_least_prefix(self.complete),
            self.used,
            self.allocatable
        )
    }
}

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

/// Department with its connectors and limits.
#[derive(Clone, Debug, Serialize)]
pub struct FleetDepartmentRow {
    /// Code of the department.
    pub department: DepartmentCode,
    /// Display name.
    pub name: String,
    /// Prefix of its names.
    pub prefix: Prefix,
    /// Limit of connectors.
    pub connectors_limit: u32,
    /// Limit of tasks.
    pub tasks_limit: u32,
    /// Summary of its connectors.
    #[serde(flatten)]
    pub summary: ConnectorSummary,
}

/// Summary of a group of connectors.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ConnectorSummary {
    /// Worst condition; `None` without connectors.
    pub condition: Option<ConnectorCondition>,
    /// Number of connectors per condition.
    pub counts: ConditionCounts,
    /// Counted tasks.
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
    /// Name.
    pub name: String,
    /// Department; `None` for an unowned connector.
    pub department: Option<DepartmentCode>,
    /// Condition.
    pub condition: ConnectorCondition,
    /// State as reported by Confluent Cloud.
    pub status: String,
    /// `source` or `sink`.
    #[serde(rename = "type")]
    pub direction: String,
    /// Plugin.
    pub plugin: String,
    /// Running tasks.
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
    pub owner: Option<&'static str>,
    #[serde(skip)]
    tasks: u32,
    #[serde(skip)]
    has_task_count: bool,
}

/// Function that returns since when a connector has been observed in a condition.
pub type ConditionSince<'a> = &'a mut dyn FnMut(&str, ConnectorCondition) -> Option<Timestamp>;

impl FleetConnectorRow {
    fn new(observed: &LiveConnector, owner: Option<&OwnerDepartment>, since: ConditionSince<'_>) -> Self {
        let now = &observed.expanded;
        let condition = ConnectorCondition::from_status(&now.status);
        let config = &now.info.config;
        let cause = condition.is_trouble().then(|| find_cause(&now.status));
        let cause = cause.filter(|cause| *cause != FailureCause::default());
        let running = now.status.tasks.iter().filter(|task| task.state == "RUNNING").count();
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            department: owner.map(|owner| owner.code.clone()),
            condition,
            status: observed.state().to_owned(),
            direction: observed.direction().to_owned(),
            plugin: observed.class().to_owned(),
            tasks_running: running,
            tasks_max: (!config.is_empty()).then(|| tasks_max(config).ok()).flatten(),
            lag_records: None,
            observed_since: since(observed.id(), condition),
            // Error messages can contain an address with a password.
            cause: cause
                .as_ref()
                .map(|cause| TextRedactor::default().redact(&cause.summary()).into_owned()),
            rule: cause.as_ref().and_then(|cause| cause.rule),
            fix: cause.as_ref().and_then(|cause| cause.fix),
            owner: cause.and_then(|cause| cause.rule.map(|rule| rule.owner.as_str()).or(cause.owner)),
            tasks: counted_tasks(config, now.status.tasks.len()),
            has_task_count: has_task_count(now),
        }
    }

    /// Returns the cause of a failure, shortened to about `most` characters.
    pub fn reason(&self, most: usize) -> Option<String> {
        match (&self.cause, self.condition) {
            (Some(cause), _) => Some(shorten(cause, most)),
            (None, ConnectorCondition::Unknown) if self.status.is_empty() => Some("no state reported".to_owned()),
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
        match self.status.as_str() {
            "" => "no state",
            state => state,
        }
    }

    /// Returns running tasks and task limit, such as `1 of 2`.
    pub fn tasks_text(&self) -> String {
        let most = self.tasks_max.map_or("?".to_owned(), |most| most.to_string());
        format!("{} of {most}", self.tasks_running)
    }

    fn sort_key(&self) -> impl Ord + use<> {
        (
            Reverse(self.condition),
            self.observed_since.unwrap_or(Timestamp::MAX),
            self.name.clone(),
        )
    }
}

impl ConnectorSummary {
    fn from_rows<'a>(rows: impl Iterator<Item = &'a FleetConnectorRow>) -> Self {
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

/// Result of listing the connectors of a cluster.
pub struct ClusterListing<'a> {
    pub(crate) stage: &'a str,
    pub(crate) cluster_path: &'a ClusterPath,
    pub(crate) ceiling: ClusterTaskLimit,
    /// Connectors, or why they could not be listed.
    pub list: Result<&'a BTreeMap<String, ExpandedConnector>, String>,
}

impl StageView {
    /// Groups the connectors of a cluster by department. For a single department, no data of other departments are
    /// kept, not even sums.
    pub fn from_listing(
        area: ClusterListing<'_>,
        owners: &[OwnerDepartment],
        alone: bool,
        since: ConditionSince<'_>,
    ) -> Self {
        let (list, unknown) = match area.list {
            Ok(list) => (Some(list), None),
            Err(why) => (None, Some(why)),
        };
        let counted = list.into_iter().flatten().filter(|(_, now)| is_counted(now));
        let mut all: Vec<FleetConnectorRow> = counted
            .filter_map(|(name, now)| {
                let owner = owners.iter().find(|owner| owner.prefix.owns(name));
                let observed = || LiveConnector {
                    name: name.clone(),
                    expanded: now.clone(),
                };
                (owner.is_some() || !alone).then(|| FleetConnectorRow::new(&observed(), owner, since))
            })
            .collect();
        all.sort_by_cached_key(FleetConnectorRow::sort_key);
        let share = |code: Option<&DepartmentCode>| {
            ConnectorSummary::from_rows(all.iter().filter(|row| row.department.as_ref() == code))
        };
        let departments = owners.iter().map(|owner| FleetDepartmentRow {
            department: owner.code.clone(),
            name: owner.name.clone(),
            prefix: owner.prefix.clone(),
            connectors_limit: owner.quota.connectors,
            tasks_limit: owner.quota.tasks,
            summary: share(Some(&owner.code)),
        });
        let mut departments: Vec<FleetDepartmentRow> = departments.collect();
        departments.sort_by_cached_key(|row| {
            let worst = row.summary.condition.filter(|condition| condition.is_trouble());
            (Reverse(worst), row.department.clone())
        });
        let whole = ConnectorSummary::from_rows(all.iter());
        Self {
            stage: area.stage.to_owned(),
            location: ClusterLocation {
                environment: area.cluster_path.environment.to_string(),
                cluster: area.cluster_path.cluster.to_string(),
            },
            counts: whole.counts,
            cluster_tasks: (!alone && unknown.is_none()).then(|| ClusterTasks {
                used: whole.tasks,
                allocatable: area.ceiling.allocatable(),
                reserved: area.ceiling.reserved(),
                complete: whole.complete,
            }),
            unowned: (!alone && unknown.is_none()).then(|| share(None)),
            departments: if unknown.is_some() { Vec::new() } else { departments },
            unknown,
            connectors: all,
        }
    }
}

impl Fleet {
    /// Builds the fleet from stages.
    pub fn new(taken_at: Timestamp, department: Option<DepartmentCode>, stages: Vec<StageView>) -> Self {
        let worst = stages.iter().filter_map(|stage| stage.counts.worst()).max();
        Self {
            taken_at,
            department,
            condition: worst,
            lag_unknown: None,
            stale: None,
            stages,
        }
    }

    /// Returns the ids of sinks; a sink without a known id cannot be queried for metrics.
    pub fn sink_ids(&self) -> Vec<String> {
        let sinks = self.connectors().filter(|(_, row)| row.direction == "sink");
        let ids = sinks.map(|(_, row)| row.id.clone());
        ids.filter(|id| id.starts_with("lcc-")).collect()
    }

    /// Sets the lags of sinks by id, or the reason why they are unknown.
    pub fn set_lags(&mut self, lags: &Result<BTreeMap<String, f64>, String>) {
        match lags {
            Ok(lags) => {
                for row in self.stages.iter_mut().flat_map(|stage| &mut stage.connectors) {
                    row.lag_records = lags.get(&row.id).and_then(|lag| to_record_count(*lag));
                }
            }
            Err(why) => self.lag_unknown = Some(why.clone()),
        }
    }

    /// Returns whether the lag of any connector is known.
    pub fn has_lag(&self) -> bool {
        self.connectors().any(|(_, row)| row.lag_records.is_some())
    }

    /// Returns all connectors with their stage.
    pub fn connectors(&self) -> impl Iterator<Item = (&StageView, &FleetConnectorRow)> {
        self.stages
            .iter()
            .flat_map(|stage| stage.connectors.iter().map(move |row| (stage, row)))
    }

    /// Returns the selected department, if only one is selected.
    pub fn single_department(&self) -> Option<&FleetDepartmentRow> {
        self.stages.iter().find_map(|stage| self.single_department_in(stage))
    }

    /// Returns the selected department in a stage; see [`Self::single_department`].
    pub fn single_department_in<'a>(&self, stage: &'a StageView) -> Option<&'a FleetDepartmentRow> {
        let code = self.department.as_ref()?;
        stage.departments.iter().find(|row| row.department == *code)
    }

    /// Marks the fleet as stale after a failed refresh.
    #[must_use]
    pub fn mark_stale(mut self, error: Error) -> Self {
        self.stale = Some(StaleReason {
            kind: error.kind,
            reason: error.to_string(),
            hints: error.hints,
        });
        self
    }

    /// Formats the time of the observation, without the date.
    pub fn taken_at_text(&self) -> String {
        self.taken_at.strftime("%H:%M:%S UTC").to_string()
    }

    /// Returns the stages that could not be observed, with the reason.
    pub fn unobserved_stages(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stages
            .iter()
            .filter_map(|stage| Some((stage.stage.as_str(), stage.unknown.as_deref()?)))
    }

    /// Returns the departments with unhealthy connectors, each one once.
    pub fn departments_in_trouble(&self) -> BTreeSet<&DepartmentCode> {
        let troubled = self.connectors().filter(|(_, row)| row.condition.is_trouble());
        troubled.filter_map(|(_, row)| row.department.as_ref()).collect()
    }
}

/// Converts a metric to a number of records; metrics are floating point numbers.
fn to_record_count(value: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "values are truncated to whole records within the range of the type"
    )]
    (value.is_finite() && value >= 0.0).then(|| value.round() as u64)
}

#[cfg(test)]
impl Fleet {
    /// Returns a fleet of one cluster, observed since the Unix epoch.
    pub fn example(
        place: &ClusterPath,
        ceiling: ClusterTaskLimit,
        list: &BTreeMap<String, ExpandedConnector>,
        owners: &[OwnerDepartment],
    ) -> Self {
        let area = ClusterListing {
            stage: "prod",
            cluster_path: place,
            ceiling,
            list: Ok(list),
        };
        let now = Timestamp::UNIX_EPOCH;
        let stage = StageView::from_listing(area, owners, false, &mut |_, _| Some(now));
        Self::new(now, None, vec![stage])
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
