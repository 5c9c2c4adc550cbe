//! What was seen of all departments: by stage, department and connector. Pure.

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

/// A department, as far as its connectors are concerned.
#[derive(Clone, Debug)]
pub struct OwnerDepartment {
    /// Its code.
    pub code: DepartmentCode,
    /// Its name; the code where only a profile is at hand.
    pub name: String,
    /// The beginning of its names.
    pub prefix: Prefix,
    /// What it may use.
    pub quota: DepartmentQuota,
}

/// Everything that was seen at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct Fleet {
    /// When.
    pub taken_at: Timestamp,
    /// The one department that was asked about; nothing for all of them.
    pub department: Option<DepartmentCode>,
    /// The worst of all connectors.
    pub condition: Option<ConnectorCondition>,
    /// Why it is not known how far sinks are behind, where somebody asked.
    pub lag_unknown: Option<String>,
    /// What went wrong when somebody looked again; then all of this is from before.
    #[serde(skip)]
    pub stale: Option<StaleReason>,
    /// By stage.
    pub stages: Vec<StageView>,
}

/// Why nobody could look again.
#[derive(Clone, Debug)]
pub struct StaleReason {
    /// How a command ends for it.
    pub kind: ErrorKind,
    /// What went wrong.
    pub reason: String,
    /// What to do.
    pub hints: Vec<Hint>,
}

/// What was seen of one cluster.
#[derive(Clone, Debug, Serialize)]
pub struct StageView {
    /// The stage.
    pub stage: String,
    /// Its environment and cluster.
    #[serde(flatten)]
    pub location: ClusterLocation,
    /// Why nothing could be seen; then all that follows is not known.
    pub unknown: Option<String>,
    /// How many connectors are how.
    pub counts: ConditionCounts,
    /// The tasks of the whole cluster; not for one department alone.
    pub cluster_tasks: Option<ClusterTasks>,
    /// The departments, those with trouble first.
    pub departments: Vec<FleetDepartmentRow>,
    /// What belongs to no department; not for one department alone.
    pub unowned: Option<ConnectorSummary>,
    /// Every connector, those with trouble first.
    pub connectors: Vec<FleetConnectorRow>,
}

/// Where a stage lives.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterLocation {
    environment: String,
    /// The Kafka cluster.
    pub cluster: String,
}

/// The tasks of a whole cluster.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ClusterTasks {
    /// Those that count.
    pub used: u32,
    /// How many departments may have together.
    pub allocatable: u32,
    /// How many are kept free besides.
    pub reserved: u32,
    /// Whether it is known of all connectors how many tasks count; if not, those that count are a lower bound.
    pub complete: bool,
}

impl ClusterTasks {
    /// `at least 12 of 225`.
    pub fn summary(self) -> String {
        format!(
            "{}{} of {}",
            at_least_prefix(self.complete),
            self.used,
            self.allocatable
        )
    }
}

/// What stands before a number that is a lower bound if not all is known.
pub const fn at_least_prefix(complete: bool) -> &'static str {
    if complete { "" } else { "at least " }
}

/// Whether a configuration tells how many tasks count: it may be read, and what it says is a number of tasks
/// (docs/reference/quotas.md#counting-connectors).
pub fn has_task_count(now: &ExpandedConnector) -> bool {
    let config = &now.info.config;
    !config.is_empty() && tasks_max(config).is_ok()
}

/// One department.
#[derive(Clone, Debug, Serialize)]
pub struct FleetDepartmentRow {
    /// Its code.
    pub department: DepartmentCode,
    /// Its name.
    pub name: String,
    /// The beginning of its names.
    pub prefix: Prefix,
    /// How many connectors it may have.
    pub connectors_limit: u32,
    /// How many tasks.
    pub tasks_limit: u32,
    /// What it has.
    #[serde(flatten)]
    pub summary: ConnectorSummary,
}

/// Some of the connectors of a cluster, summed up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ConnectorSummary {
    /// The worst of them; nothing where there are none.
    pub condition: Option<ConnectorCondition>,
    /// How many are how.
    pub counts: ConditionCounts,
    /// The tasks that they count for.
    pub tasks: u32,
    /// Whether it is known of all of them how many tasks count; if not, tasks are a lower bound.
    pub complete: bool,
    /// The connector that is worst, the one that is so for longest.
    pub worst: Option<String>,
    /// Since when something fails, as far as it has been seen.
    pub failing_since: Option<Timestamp>,
}

/// One connector.
#[derive(Clone, Debug, Serialize)]
pub struct FleetConnectorRow {
    /// Its id, or its name where the service tells no id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Whose it is; nothing when it is nobody's.
    pub department: Option<DepartmentCode>,
    /// How it is.
    pub condition: ConnectorCondition,
    /// The same in the service's word.
    pub status: String,
    /// `source` or `sink`.
    #[serde(rename = "type")]
    pub direction: String,
    /// Its plugin.
    pub plugin: String,
    /// Tasks that run.
    pub tasks_running: usize,
    /// Tasks that may run; nothing when the configuration may not be read.
    pub tasks_max: Option<u32>,
    /// How many records a sink is behind, a few minutes ago; nothing when nobody was asked, or nobody knows.
    pub lag_records: Option<u64>,
    /// Since when it has been seen so.
    pub observed_since: Option<Timestamp>,
    /// Why it does not run, in one line.
    pub cause: Option<String>,
    /// The rule that explains it, where one is met: its section in `docs/causes.md`.
    pub rule: Option<&'static DiagnosisRule>,
    /// What helps, in one sentence.
    pub fix: Option<&'static str>,
    /// Who can do something about it, when the rule or the service's answer tells.
    pub owner: Option<&'static str>,
    #[serde(skip)]
    tasks: u32,
    #[serde(skip)]
    has_task_count: bool,
}

/// Since when a connector has been seen in a condition.
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
            // Texts of others can hold an address with its password.
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

    /// Why it does not run, in at most about so many characters.
    pub fn reason(&self, most: usize) -> Option<String> {
        match (&self.cause, self.condition) {
            (Some(cause), _) => Some(shorten(cause, most)),
            (None, ConnectorCondition::Unknown) if self.status.is_empty() => {
                Some("the service tells no state".to_owned())
            }
            (None, ConnectorCondition::Unknown) => Some("this state is not known here".to_owned()),
            (None, condition) => condition
                .is_trouble()
                .then(|| "the service does not say why".to_owned()),
        }
    }

    /// Whether somebody should read about it.
    pub fn is_notable(&self) -> bool {
        self.condition.is_trouble() || self.condition == ConnectorCondition::Unknown
    }

    /// Its state in the service's word.
    pub fn state_text(&self) -> &str {
        match self.status.as_str() {
            "" => "no state",
            state => state,
        }
    }

    /// `1 of 2`; the second number is what may run.
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
            // The rows come with the worst first, and of those the oldest.
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

/// One cluster, and what its list said.
pub struct ClusterListing<'a> {
    pub(crate) stage: &'a str,
    pub(crate) cluster_path: &'a ClusterPath,
    pub(crate) ceiling: ClusterTaskLimit,
    /// The connectors, or why they could not be listed.
    pub list: Result<&'a BTreeMap<String, ExpandedConnector>, String>,
}

impl StageView {
    /// Sorts the connectors of a cluster by `owners`. For one department alone nothing of others is kept, not even a sum.
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
    /// The fleet of these stages.
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

    /// The sinks of which the service tells an id, which is what metrics are asked for by.
    pub fn sink_ids(&self) -> Vec<String> {
        let sinks = self.connectors().filter(|(_, row)| row.direction == "sink");
        let ids = sinks.map(|(_, row)| row.id.clone());
        ids.filter(|id| id.starts_with("lcc-")).collect()
    }

    /// Writes down how far sinks are behind, by their ids; or why nobody knows.
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

    /// Whether it is known of any connector how far it is behind.
    pub fn has_lag(&self) -> bool {
        self.connectors().any(|(_, row)| row.lag_records.is_some())
    }

    /// All connectors, with their stage.
    pub fn connectors(&self) -> impl Iterator<Item = (&StageView, &FleetConnectorRow)> {
        self.stages
            .iter()
            .flat_map(|stage| stage.connectors.iter().map(move |row| (stage, row)))
    }

    /// The department that is meant, where it is one.
    pub fn single_department(&self) -> Option<&FleetDepartmentRow> {
        self.stages.iter().find_map(|stage| self.single_department_in(stage))
    }

    /// [`Self::single_department`], in a stage.
    pub fn single_department_in<'a>(&self, stage: &'a StageView) -> Option<&'a FleetDepartmentRow> {
        let code = self.department.as_ref()?;
        stage.departments.iter().find(|row| row.department == *code)
    }

    /// The same, known to be from before: looking again went wrong.
    #[must_use]
    pub fn mark_stale(mut self, error: Error) -> Self {
        self.stale = Some(StaleReason {
            kind: error.kind,
            reason: error.to_string(),
            hints: error.hints,
        });
        self
    }

    /// When it was seen, for people who saw it today.
    pub fn taken_at_text(&self) -> String {
        self.taken_at.strftime("%H:%M:%S UTC").to_string()
    }

    /// The stages that could not be looked at, with the reason.
    pub fn unobserved_stages(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stages
            .iter()
            .filter_map(|stage| Some((stage.stage.as_str(), stage.unknown.as_deref()?)))
    }

    /// Who has connectors in trouble, each once.
    pub fn departments_in_trouble(&self) -> BTreeSet<&DepartmentCode> {
        let troubled = self.connectors().filter(|(_, row)| row.condition.is_trouble());
        troubled.filter_map(|(_, row)| row.department.as_ref()).collect()
    }
}

/// A number of records; metrics are floating point numbers.
fn to_record_count(value: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "what is not in between is cut off, and there are no parts of records"
    )]
    (value.is_finite() && value >= 0.0).then(|| value.round() as u64)
}

#[cfg(test)]
impl Fleet {
    /// A fleet of one cluster, seen for the first time when time began.
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
