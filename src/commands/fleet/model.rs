//! What was seen of all departments: by stage, department and connector. Pure.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    condition::{Condition, Counts},
    wording::few_words,
};
use crate::{
    api::connect::{Expanded, Place},
    client::scrub::Scrubber,
    error::{Error, ErrorKind},
    hint::Hint,
    model::{DepartmentCode, DepartmentQuota, Prefix},
    quota::{Ceiling, counts, metered, tasks_max},
    resources::connector::{Cause, Seen, cause, diagnosis::Rule},
};

/// A department, as far as its connectors are concerned.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Owner {
    /// Its code.
    pub(in crate::commands) code: DepartmentCode,
    /// Its name; the code where only a profile is at hand.
    pub(in crate::commands) name: String,
    /// The beginning of its names.
    pub(in crate::commands) prefix: Prefix,
    /// What it may use.
    pub(in crate::commands) quota: DepartmentQuota,
}

/// Everything that was seen at one moment.
#[derive(Clone, Debug, Serialize)]
pub(in crate::commands) struct Fleet {
    /// When.
    pub(in crate::commands) taken_at: Timestamp,
    /// The one department that was asked about; nothing for all of them.
    pub(in crate::commands) department: Option<DepartmentCode>,
    /// The worst of all connectors.
    pub(in crate::commands) condition: Option<Condition>,
    /// Why it is not known how far sinks are behind, where somebody asked.
    pub(in crate::commands) lag_unknown: Option<String>,
    /// What went wrong when somebody looked again; then all of this is from before.
    #[serde(skip)]
    pub(in crate::commands) outdated: Option<Outdated>,
    /// By stage.
    pub(in crate::commands) stages: Vec<StageView>,
}

/// Why nobody could look again.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Outdated {
    /// How a command ends for it.
    pub(in crate::commands) kind: ErrorKind,
    /// What went wrong.
    pub(in crate::commands) why: String,
    /// What to do.
    pub(in crate::commands) hints: Vec<Hint>,
}

/// What was seen of one cluster.
#[derive(Clone, Debug, Serialize)]
pub(in crate::commands) struct StageView {
    /// The stage.
    pub(in crate::commands) stage: String,
    /// Its environment and cluster.
    #[serde(flatten)]
    pub(in crate::commands) place: PlaceView,
    /// Why nothing could be seen; then all that follows is not known.
    pub(in crate::commands) unknown: Option<String>,
    /// How many connectors are how.
    pub(in crate::commands) counts: Counts,
    /// The tasks of the whole cluster; not for one department alone.
    pub(in crate::commands) cluster_tasks: Option<ClusterTasks>,
    /// The departments, those with trouble first.
    pub(in crate::commands) departments: Vec<DepartmentRow>,
    /// What belongs to no department; not for one department alone.
    pub(in crate::commands) unmanaged: Option<Share>,
    /// Every connector, those with trouble first.
    pub(in crate::commands) connectors: Vec<ConnectorRow>,
}

/// Where a stage lives.
#[derive(Clone, Debug, Serialize)]
pub(in crate::commands) struct PlaceView {
    environment: String,
    /// The Kafka cluster.
    pub(in crate::commands) cluster: String,
}

/// The tasks of a whole cluster.
#[derive(Clone, Copy, Debug, Serialize)]
pub(in crate::commands) struct ClusterTasks {
    /// Those that count.
    pub(in crate::commands) used: u32,
    /// How many departments may have together.
    pub(in crate::commands) allocatable: u32,
    /// How many are kept free besides.
    pub(in crate::commands) reserved: u32,
    /// Whether it is known of all connectors how many tasks count; if not, those that count are a lower bound.
    pub(in crate::commands) complete: bool,
}

impl ClusterTasks {
    /// `at least 12 of 225`.
    pub(in crate::commands) fn words(self) -> String {
        format!("{}{} of {}", at_least(self.complete), self.used, self.allocatable)
    }
}

/// What stands before a number that is a lower bound if not all is known.
pub(in crate::commands) const fn at_least(complete: bool) -> &'static str {
    if complete { "" } else { "at least " }
}

/// Whether a configuration tells how many tasks count: it may be read, and what it says is a number of tasks (dossier
/// `quotas.md` §5.2).
pub(in crate::commands) fn tells_tasks(now: &Expanded) -> bool {
    let config = &now.info.config;
    !config.is_empty() && tasks_max(config).is_ok()
}

/// One department.
#[derive(Clone, Debug, Serialize)]
pub(in crate::commands) struct DepartmentRow {
    /// Its code.
    pub(in crate::commands) department: DepartmentCode,
    /// Its name.
    pub(in crate::commands) name: String,
    /// The beginning of its names.
    pub(in crate::commands) prefix: Prefix,
    /// How many connectors it may have.
    pub(in crate::commands) connectors_limit: u32,
    /// How many tasks.
    pub(in crate::commands) tasks_limit: u32,
    /// What it has.
    #[serde(flatten)]
    pub(in crate::commands) share: Share,
}

/// Some of the connectors of a cluster, summed up.
#[derive(Clone, Debug, Default, Serialize)]
pub(in crate::commands) struct Share {
    /// The worst of them; nothing where there are none.
    pub(in crate::commands) condition: Option<Condition>,
    /// How many are how.
    pub(in crate::commands) counts: Counts,
    /// The tasks that they count for.
    pub(in crate::commands) tasks: u32,
    /// Whether it is known of all of them how many tasks count; if not, tasks are a lower bound.
    pub(in crate::commands) complete: bool,
    /// The connector that is worst, the one that is so for longest.
    pub(in crate::commands) worst: Option<String>,
    /// Since when something fails, as far as it has been seen.
    pub(in crate::commands) failing_since: Option<Timestamp>,
}

/// One connector.
#[derive(Clone, Debug, Serialize)]
pub(in crate::commands) struct ConnectorRow {
    /// Its id, or its name where the service tells no id.
    pub(in crate::commands) id: String,
    /// Its name.
    pub(in crate::commands) name: String,
    /// Whose it is; nothing when it is nobody's.
    pub(in crate::commands) department: Option<DepartmentCode>,
    /// How it is.
    pub(in crate::commands) condition: Condition,
    /// The same in the service's word.
    pub(in crate::commands) status: String,
    /// `source` or `sink`.
    #[serde(rename = "type")]
    pub(in crate::commands) direction: String,
    /// Its plugin.
    pub(in crate::commands) plugin: String,
    /// Tasks that run.
    pub(in crate::commands) tasks_running: usize,
    /// Tasks that may run; nothing when the configuration may not be read.
    pub(in crate::commands) tasks_max: Option<u32>,
    /// How many records a sink is behind, a few minutes ago; nothing when nobody was asked, or nobody knows.
    pub(in crate::commands) lag_records: Option<u64>,
    /// Since when it has been seen so.
    pub(in crate::commands) seen_since: Option<Timestamp>,
    /// Why it does not run, in one line.
    pub(in crate::commands) cause: Option<String>,
    /// The rule that explains it, where one is met: its section in `docs/causes.md`.
    pub(in crate::commands) rule: Option<&'static Rule>,
    /// What helps, in one sentence.
    pub(in crate::commands) fix: Option<&'static str>,
    /// Who can do something about it, when the rule or the service's answer tells.
    pub(in crate::commands) owner: Option<&'static str>,
    #[serde(skip)]
    tasks: u32,
    #[serde(skip)]
    told: bool,
}

/// Since when a connector has been seen in a condition.
pub(super) type Since<'a> = &'a mut dyn FnMut(&str, Condition) -> Option<Timestamp>;

impl ConnectorRow {
    fn of(seen: &Seen, owner: Option<&Owner>, since: Since<'_>) -> Self {
        let now = &seen.now;
        let condition = Condition::of(&now.status);
        let config = &now.info.config;
        let cause = condition.is_trouble().then(|| cause(&now.status));
        let cause = cause.filter(|cause| *cause != Cause::default());
        let running = now.status.tasks.iter().filter(|task| task.state == "RUNNING").count();
        Self {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
            department: owner.map(|owner| owner.code.clone()),
            condition,
            status: seen.state().to_owned(),
            direction: seen.direction().to_owned(),
            plugin: seen.class().to_owned(),
            tasks_running: running,
            tasks_max: (!config.is_empty()).then(|| tasks_max(config).ok()).flatten(),
            lag_records: None,
            seen_since: since(seen.id(), condition),
            // Texts of others can hold an address with its password.
            cause: cause
                .as_ref()
                .map(|cause| Scrubber::default().scrub(&cause.words()).into_owned()),
            rule: cause.as_ref().and_then(|cause| cause.rule),
            fix: cause.as_ref().and_then(|cause| cause.fix),
            owner: cause.and_then(|cause| cause.rule.map(|rule| rule.owner.word()).or(cause.owner)),
            tasks: metered(config, now.status.tasks.len()),
            told: tells_tasks(now),
        }
    }

    /// Why it does not run, in at most about so many characters.
    pub(in crate::commands) fn why(&self, most: usize) -> Option<String> {
        match (&self.cause, self.condition) {
            (Some(cause), _) => Some(few_words(cause, most)),
            (None, Condition::Unknown) if self.status.is_empty() => Some("the service tells no state".to_owned()),
            (None, Condition::Unknown) => Some("this state is not known here".to_owned()),
            (None, condition) => condition
                .is_trouble()
                .then(|| "the service does not say why".to_owned()),
        }
    }

    /// Whether somebody should read about it.
    pub(in crate::commands) fn is_noteworthy(&self) -> bool {
        self.condition.is_trouble() || self.condition == Condition::Unknown
    }

    /// Its state in the service's word.
    pub(in crate::commands) fn state(&self) -> &str {
        match self.status.as_str() {
            "" => "no state",
            state => state,
        }
    }

    /// `1 of 2`; the second number is what may run.
    pub(in crate::commands) fn tasks(&self) -> String {
        let most = self.tasks_max.map_or("?".to_owned(), |most| most.to_string());
        format!("{} of {most}", self.tasks_running)
    }

    fn order(&self) -> impl Ord + use<> {
        (
            Reverse(self.condition),
            self.seen_since.unwrap_or(Timestamp::MAX),
            self.name.clone(),
        )
    }
}

impl Share {
    fn of<'a>(rows: impl Iterator<Item = &'a ConnectorRow>) -> Self {
        let mut share = Self {
            complete: true,
            ..Self::default()
        };
        for row in rows {
            share.counts.add(row.condition);
            share.tasks = share.tasks.saturating_add(row.tasks);
            share.complete &= row.told;
            // The rows come with the worst first, and of those the oldest.
            if share.worst.is_none() && row.condition.is_trouble() {
                share.worst = Some(row.name.clone());
            }
            if row.condition == Condition::Failed {
                let since = row.seen_since;
                share.failing_since = share.failing_since.map_or(since, |known| since.map(|at| at.min(known)));
            }
        }
        share.condition = share.counts.worst();
        share
    }
}

/// One cluster, and what its list said.
pub(super) struct Area<'a> {
    pub(super) stage: &'a str,
    pub(super) place: &'a Place,
    pub(super) ceiling: Ceiling,
    /// The connectors, or why they could not be listed.
    pub(super) list: Result<&'a BTreeMap<String, Expanded>, String>,
}

impl StageView {
    /// Sorts the connectors of a cluster by `owners`. For one department alone nothing of others is kept, not even a sum.
    pub(super) fn of(area: Area<'_>, owners: &[Owner], alone: bool, since: Since<'_>) -> Self {
        let (list, unknown) = match area.list {
            Ok(list) => (Some(list), None),
            Err(why) => (None, Some(why)),
        };
        let counted = list.into_iter().flatten().filter(|(_, now)| counts(now));
        let mut all: Vec<ConnectorRow> = counted
            .filter_map(|(name, now)| {
                let owner = owners.iter().find(|owner| owner.prefix.owns(name));
                let seen = || Seen {
                    name: name.clone(),
                    now: now.clone(),
                };
                (owner.is_some() || !alone).then(|| ConnectorRow::of(&seen(), owner, since))
            })
            .collect();
        all.sort_by_cached_key(ConnectorRow::order);
        let share = |code: Option<&DepartmentCode>| Share::of(all.iter().filter(|row| row.department.as_ref() == code));
        let departments = owners.iter().map(|owner| DepartmentRow {
            department: owner.code.clone(),
            name: owner.name.clone(),
            prefix: owner.prefix.clone(),
            connectors_limit: owner.quota.connectors,
            tasks_limit: owner.quota.tasks,
            share: share(Some(&owner.code)),
        });
        let mut departments: Vec<DepartmentRow> = departments.collect();
        departments.sort_by_cached_key(|row| {
            let worst = row.share.condition.filter(|condition| condition.is_trouble());
            (Reverse(worst), row.department.clone())
        });
        let whole = Share::of(all.iter());
        Self {
            stage: area.stage.to_owned(),
            place: PlaceView {
                environment: area.place.environment.to_string(),
                cluster: area.place.cluster.to_string(),
            },
            counts: whole.counts,
            cluster_tasks: (!alone && unknown.is_none()).then(|| ClusterTasks {
                used: whole.tasks,
                allocatable: area.ceiling.allocatable(),
                reserved: area.ceiling.reserved(),
                complete: whole.complete,
            }),
            unmanaged: (!alone && unknown.is_none()).then(|| share(None)),
            departments: if unknown.is_some() { Vec::new() } else { departments },
            unknown,
            connectors: all,
        }
    }
}

impl Fleet {
    /// The fleet of these stages.
    pub(super) fn of(taken_at: Timestamp, department: Option<DepartmentCode>, stages: Vec<StageView>) -> Self {
        let worst = stages.iter().filter_map(|stage| stage.counts.worst()).max();
        Self {
            taken_at,
            department,
            condition: worst,
            lag_unknown: None,
            outdated: None,
            stages,
        }
    }

    /// The sinks of which the service tells an id, which is what metrics are asked for by.
    pub(super) fn sinks(&self) -> Vec<String> {
        let sinks = self.connectors().filter(|(_, row)| row.direction == "sink");
        let ids = sinks.map(|(_, row)| row.id.clone());
        ids.filter(|id| id.starts_with("lcc-")).collect()
    }

    /// Writes down how far sinks are behind, by their ids; or why nobody knows.
    pub(super) fn measured(&mut self, lags: &Result<BTreeMap<String, f64>, String>) {
        match lags {
            Ok(lags) => {
                for row in self.stages.iter_mut().flat_map(|stage| &mut stage.connectors) {
                    row.lag_records = lags.get(&row.id).and_then(|lag| whole(*lag));
                }
            }
            Err(why) => self.lag_unknown = Some(why.clone()),
        }
    }

    /// Whether it is known of any connector how far it is behind.
    pub(in crate::commands) fn knows_lag(&self) -> bool {
        self.connectors().any(|(_, row)| row.lag_records.is_some())
    }

    /// All connectors, with their stage.
    pub(in crate::commands) fn connectors(&self) -> impl Iterator<Item = (&StageView, &ConnectorRow)> {
        self.stages
            .iter()
            .flat_map(|stage| stage.connectors.iter().map(move |row| (stage, row)))
    }

    /// The department that is meant, where it is one.
    pub(in crate::commands) fn one(&self) -> Option<&DepartmentRow> {
        self.stages.iter().find_map(|stage| self.one_in(stage))
    }

    /// [`Self::one`], in a stage.
    pub(in crate::commands) fn one_in<'a>(&self, stage: &'a StageView) -> Option<&'a DepartmentRow> {
        let code = self.department.as_ref()?;
        stage.departments.iter().find(|row| row.department == *code)
    }

    /// The same, known to be from before: looking again went wrong.
    pub(in crate::commands) fn outdated_by(mut self, error: Error) -> Self {
        self.outdated = Some(Outdated {
            kind: error.kind,
            why: error.to_string(),
            hints: error.hints,
        });
        self
    }

    /// When it was seen, for people who saw it today.
    pub(in crate::commands) fn time(&self) -> String {
        self.taken_at.strftime("%H:%M:%S UTC").to_string()
    }

    /// The stages that could not be looked at, with the reason.
    pub(in crate::commands) fn unseen(&self) -> impl Iterator<Item = (&str, &str)> {
        self.stages
            .iter()
            .filter_map(|stage| Some((stage.stage.as_str(), stage.unknown.as_deref()?)))
    }

    /// Who has connectors in trouble, each once.
    pub(in crate::commands) fn troubled(&self) -> BTreeSet<&DepartmentCode> {
        let troubled = self.connectors().filter(|(_, row)| row.condition.is_trouble());
        troubled.filter_map(|(_, row)| row.department.as_ref()).collect()
    }
}

/// A number of records; metrics are floating point numbers.
fn whole(value: f64) -> Option<u64> {
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
    pub(in crate::commands) fn example(
        place: &Place,
        ceiling: Ceiling,
        list: &BTreeMap<String, Expanded>,
        owners: &[Owner],
    ) -> Self {
        let area = Area {
            stage: "prod",
            place,
            ceiling,
            list: Ok(list),
        };
        let now = Timestamp::UNIX_EPOCH;
        let stage = StageView::of(area, owners, false, &mut |_, _| Some(now));
        Self::of(now, None, vec![stage])
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
