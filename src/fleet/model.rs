//! Observed fleet by stage, department and connector; pure.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    ConditionCounts, ConnectorCondition, StageNames,
    connector_row::{ConditionSince, ConnectorSummary, FleetConnectorRow, at_least_prefix},
};
use crate::{
    api::connect::{ClusterPath, ExpandedConnector},
    client::ClientError,
    error::{Error, ErrorKind},
    hint::Hint,
    model::{DepartmentCode, DepartmentQuota, PlatformTeam, Prefix},
    quota::{ClusterTaskLimit, is_counted},
    resources::connector::LiveConnector,
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
    /// Limits of the department: connectors, tasks and plugins.
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
    /// Connectors and quota usage of each stage.
    pub stages: Vec<StageView>,
    /// Name and contact of the platform team, for messages.
    #[serde(skip)]
    pub platform_team: PlatformTeam,
}

/// Reason of a failed refresh.
#[derive(Clone, Debug)]
pub struct StaleReason {
    /// Kind of the error, which determines the exit code.
    pub kind: ErrorKind,
    /// Message of the error, without suggestions.
    pub reason: String,
    /// Suggestions of the error, in the order in which they are shown.
    pub hints: Vec<Hint>,
}

/// Observed connectors of a cluster.
#[derive(Clone, Debug, Serialize)]
pub struct StageView {
    /// Stages of the cluster.
    pub stage: StageNames,
    /// Environment and cluster.
    #[serde(flatten)]
    pub location: ClusterLocation,
    /// Reason why the cluster could not be observed; all following fields are unknown then.
    pub unknown: Option<ObservationFailure>,
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

/// Reason why a cluster could not be observed. Serialized as its text.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct ObservationFailure {
    /// Message of the error, without suggestions.
    pub reason: String,
    /// Whether the key in use has no access.
    #[serde(skip)]
    pub denied: bool,
}

impl From<&ClientError> for ObservationFailure {
    fn from(error: &ClientError) -> Self {
        Self {
            reason: error.to_string(),
            denied: error.is_forbidden() || error.is_unauthorized(),
        }
    }
}

impl fmt::Display for ObservationFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.reason)
    }
}

/// Location of a stage.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterLocation {
    environment: String,
    /// Id of the Kafka cluster (`lkc-…`).
    pub cluster: String,
}

/// Tasks of a whole cluster.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClusterTasks {
    /// Tasks that count.
    pub used: u32,
    /// Tasks that all departments may use together.
    pub allocatable: u32,
    /// Tasks of the ceiling that are reserved, so not allocated to departments.
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

/// Department with its connectors and limits.
#[derive(Clone, Debug, Serialize)]
pub struct FleetDepartmentRow {
    /// Code of the department.
    pub department: DepartmentCode,
    /// Display name of the department; its code if only a profile is available.
    pub name: String,
    /// Prefix of its names.
    pub prefix: Prefix,
    /// Limit of connectors.
    pub connectors_limit: u32,
    /// Limit of tasks.
    pub tasks_limit: u32,
    /// Whether it has more connectors or tasks than its quota allows.
    pub over_quota: bool,
    /// Summary of its connectors.
    #[serde(flatten)]
    pub summary: ConnectorSummary,
}

/// Result of listing the connectors of a cluster.
pub struct ClusterListing<'a> {
    pub(crate) stage: &'a StageNames,
    pub(crate) cluster_path: &'a ClusterPath,
    pub(crate) ceiling: ClusterTaskLimit,
    /// Connectors, or why they could not be listed.
    pub list: Result<&'a BTreeMap<String, ExpandedConnector>, ObservationFailure>,
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
        let departments = owners.iter().map(|owner| {
            let summary = share(Some(&owner.code));
            FleetDepartmentRow {
                department: owner.code.clone(),
                name: owner.name.clone(),
                prefix: owner.prefix.clone(),
                connectors_limit: owner.quota.connectors,
                tasks_limit: owner.quota.tasks,
                over_quota: summary.counts.total() > owner.quota.connectors || summary.tasks > owner.quota.tasks,
                summary,
            }
        });
        let mut departments: Vec<FleetDepartmentRow> = departments.collect();
        departments.sort_by_cached_key(|row| {
            let worst = row.summary.condition.filter(|condition| condition.is_trouble());
            (Reverse(worst), !row.over_quota, row.department.clone())
        });
        let whole = ConnectorSummary::from_rows(all.iter());
        Self {
            stage: area.stage.clone(),
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
    pub fn new(
        taken_at: Timestamp,
        department: Option<DepartmentCode>,
        stages: Vec<StageView>,
        platform_team: PlatformTeam,
    ) -> Self {
        let worst = stages.iter().filter_map(|stage| stage.counts.worst()).max();
        Self {
            taken_at,
            department,
            condition: worst,
            lag_unknown: None,
            stale: None,
            stages,
            platform_team,
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
    pub fn unobserved_stages(&self) -> impl Iterator<Item = (&StageNames, &ObservationFailure)> {
        self.stages
            .iter()
            .filter_map(|stage| Some((&stage.stage, stage.unknown.as_ref()?)))
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
            stage: &["prod"].into_iter().collect(),
            cluster_path: place,
            ceiling,
            list: Ok(list),
        };
        let now = Timestamp::UNIX_EPOCH;
        let stage = StageView::from_listing(area, owners, false, &mut |_, _| Some(now));
        Self::new(now, None, vec![stage], PlatformTeam::default())
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
