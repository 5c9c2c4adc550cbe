//! Whether a department may have what it asks for, with the numbers, and what would make it fit (dossier `quotas.md` §5.1,
//! §5.3).

use std::fmt;

use serde::Serialize;

use super::usage::{ClusterUse, Usage};
use crate::model::DepartmentQuota;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Connectors of the department.
    Connectors,
    /// Tasks of the department.
    Tasks,
    /// `tasks.max` of one connector.
    TasksPerConnector,
    /// Plugins that may be used.
    Plugins,
    /// Tasks of the whole cluster.
    ClusterTasks,
}

impl Dimension {
    /// What it is called in sentences and tables.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Connectors => "connectors",
            Self::Tasks => "tasks",
            Self::TasksPerConnector => "tasks per connector",
            Self::Plugins => "plugins",
            Self::ClusterTasks => "tasks of the cluster",
        }
    }
}

/// How many tasks the whole cluster runs, and how many of them are kept free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Ceiling {
    /// The service's limit for the cluster (250: dossier `quotas.md` §1.1).
    pub tasks: u32,
    /// The share that is kept free, in percent.
    pub reserve_percent: u32,
}

impl Ceiling {
    /// How many tasks departments may have together.
    #[must_use]
    pub fn allocatable(self) -> u32 {
        let share = u64::from(self.tasks) * u64::from(100 - self.reserve_percent.min(100)) / 100;
        u32::try_from(share).unwrap_or(u32::MAX)
    }
}

/// The connector that is there already, when one is changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Current {
    /// The tasks it counts for.
    pub tasks: u32,
    /// Its plugin.
    pub plugin: String,
}

/// A connector that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its plugin.
    pub plugin: &'a str,
    /// Its `tasks.max`.
    pub tasks: u32,
    /// What it is now; nothing when it is new.
    pub current: Option<Current>,
}

impl Request<'_> {
    /// By how many tasks the department's use grows; negative when it shrinks.
    fn growth(&self) -> i64 {
        let now = self.current.as_ref().map_or(0, |current| current.tasks);
        i64::from(self.tasks) - i64::from(now)
    }
}

/// One limit with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Room {
    /// What is limited.
    pub dimension: Dimension,
    /// What is used; nothing when that is not known.
    pub used: Option<u32>,
    /// What is asked for on top.
    pub requested: i64,
    /// The limit.
    pub limit: u32,
}

impl Room {
    /// What is left, the request not counted.
    #[must_use]
    pub fn left(&self) -> Option<u32> {
        self.used.map(|used| self.limit.saturating_sub(used))
    }

    fn fits(&self) -> bool {
        // Less is always allowed, also above the limit (dossier `quotas.md` §5.2).
        self.requested <= 0
            || self
                .used
                .is_none_or(|used| i64::from(used) + self.requested <= i64::from(self.limit))
    }
}

/// Why it is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Denial {
    /// What is exceeded.
    pub dimension: Dimension,
    /// What was asked for on top: a number of things, or 1 for a plugin.
    pub requested: i64,
    /// What is used, where it is known.
    pub used: Option<u32>,
    /// The limit, where it is a number.
    pub limit: Option<u32>,
    /// All of it in one sentence fragment.
    pub message: String,
    /// What would make it pass, whole sentences.
    pub remedies: Vec<String>,
}

impl fmt::Display for Denial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether it may be done.
    pub allowed: bool,
    /// The limits with their numbers.
    pub rooms: Vec<Room>,
    /// Why not.
    pub denials: Vec<Denial>,
    /// What is not known, or only nearly exceeded, in whole sentences.
    pub notes: Vec<String>,
}

/// Who can raise a limit of ours.
const ASK: &str = "A higher limit is the platform team's to give: it stands in the department's file, and in the profile \
                   that is handed over after it.";

/// Decides on `request` of a department that may use `limits` and uses `usage`.
#[must_use]
pub fn decide(
    limits: &DepartmentQuota,
    usage: &Usage,
    cluster: ClusterUse,
    ceiling: Ceiling,
    request: &Request<'_>,
) -> Decision {
    let growth = request.growth();
    let is_new = request.current.is_none();
    let mut denials = Vec::new();
    let mut notes = Vec::new();

    let connectors = Room {
        dimension: Dimension::Connectors,
        used: Some(usage.connectors),
        requested: i64::from(is_new),
        limit: limits.connectors,
    };
    let tasks = Room {
        dimension: Dimension::Tasks,
        used: usage.unreadable.is_empty().then_some(usage.tasks),
        requested: growth,
        limit: limits.tasks,
    };
    let whole = Room {
        dimension: Dimension::ClusterTasks,
        used: match cluster {
            ClusterUse::Known(used) => Some(used),
            ClusterUse::Unknown => None,
        },
        requested: growth,
        limit: ceiling.allocatable(),
    };

    let changes_plugin = request
        .current
        .as_ref()
        .is_none_or(|current| current.plugin != request.plugin);
    if changes_plugin && !limits.allows_plugin(request.plugin) {
        denials.push(Denial {
            dimension: Dimension::Plugins,
            requested: 1,
            used: None,
            limit: None,
            message: format!("plugin `{}` is not among those that may be used", request.plugin),
            remedies: vec![
                format!("Use one of: {}.", limits.plugins.join(", ")),
                "Another plugin is the platform team's to allow.".to_owned(),
            ],
        });
    }
    if growth > 0 && request.tasks > limits.tasks_per_connector {
        denials.push(Denial {
            dimension: Dimension::TasksPerConnector,
            requested: i64::from(request.tasks),
            used: None,
            limit: Some(limits.tasks_per_connector),
            message: format!(
                "tasks per connector: {} requested, {} allowed",
                request.tasks, limits.tasks_per_connector
            ),
            remedies: vec![
                format!("Set `tasks.max` to {} or less.", limits.tasks_per_connector),
                ASK.to_owned(),
            ],
        });
    }
    if !connectors.fits() {
        denials.push(exceeded(&connectors, Vec::new()));
    }
    if growth > 0 && !usage.unreadable.is_empty() {
        denials.push(Denial {
            dimension: Dimension::Tasks,
            requested: growth,
            used: None,
            limit: Some(limits.tasks),
            message: format!(
                "tasks: {growth} requested, but how many are used is not known: the configuration of {} may not be read",
                usage.unreadable.join(", ")
            ),
            remedies: vec!["Use a key that may read the configuration of all connectors of the department.".to_owned()],
        });
    } else if !tasks.fits() {
        denials.push(exceeded(&tasks, smaller(&tasks, request)));
    }
    if !whole.fits() {
        denials.push(exceeded(&whole, smaller(&whole, request)));
    } else if whole.used.is_none() && growth > 0 {
        notes.push(
            "How many tasks the whole cluster uses is not known to this key; the service refuses when there is no room left."
                .to_owned(),
        );
    }
    if let (true, Some(used)) = (tasks.fits() && growth > 0, tasks.used) {
        let after = i64::from(used) + growth;
        // The last notice before a refusal (dossier `quotas.md` §5.3, thresholds).
        if after * 10 >= i64::from(limits.tasks) * 9 {
            notes.push(format!("After this {after} of {} tasks are used.", limits.tasks));
        }
    }
    Decision {
        allowed: denials.is_empty(),
        rooms: vec![connectors, tasks, whole],
        denials,
        notes,
    }
}

fn exceeded(room: &Room, mut remedies: Vec<String>) -> Denial {
    let (used, left) = (room.used.unwrap_or_default(), room.left().unwrap_or_default());
    let others: &[&str] = match room.dimension {
        Dimension::ClusterTasks => {
            &["The cluster is shared: ask the platform team, who can free tasks or open another cluster."]
        }
        _ => &[
            "Delete a connector that is not needed: paused and failed ones count, too.",
            ASK,
        ],
    };
    remedies.extend(others.iter().map(|&remedy| remedy.to_owned()));
    Denial {
        dimension: room.dimension,
        requested: room.requested,
        used: room.used,
        limit: Some(room.limit),
        message: format!(
            "{}: {} requested, {used} of {} used, {left} left",
            room.dimension.words(),
            room.requested,
            room.limit
        ),
        remedies,
    }
}

/// The smaller request that would fit, when there is one.
fn smaller(room: &Room, request: &Request<'_>) -> Vec<String> {
    let now = request.current.as_ref().map_or(0, |current| current.tasks);
    match now + room.left().unwrap_or_default() {
        0 => Vec::new(),
        fits => vec![format!("Set `tasks.max` to {fits} or less.")],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // The department of design §4.
    fn limits() -> DepartmentQuota {
        DepartmentQuota {
            connectors: 12,
            tasks: 20,
            tasks_per_connector: 4,
            plugins: vec!["PostgresSource".into(), "S3_SINK".into()],
        }
    }

    fn usage(connectors: u32, tasks: u32) -> Usage {
        Usage {
            connectors,
            tasks,
            ..Usage::default()
        }
    }

    const CEILING: Ceiling = Ceiling {
        tasks: 250,
        reserve_percent: 10,
    };

    fn new(plugin: &str, tasks: u32) -> Request<'_> {
        Request {
            name: "claims-a",
            plugin,
            tasks,
            current: None,
        }
    }

    fn change(tasks: u32, now: u32) -> Request<'static> {
        Request {
            current: Some(Current {
                tasks: now,
                plugin: "S3_SINK".into(),
            }),
            ..new("S3_SINK", tasks)
        }
    }

    fn decide_on(usage: &Usage, cluster: ClusterUse, request: &Request<'_>) -> Decision {
        decide(&limits(), usage, cluster, CEILING, request)
    }

    fn messages(decision: &Decision) -> Vec<&str> {
        decision.denials.iter().map(|denial| denial.message.as_str()).collect()
    }

    #[test]
    fn the_last_task_fits_and_the_next_does_not() {
        assert!(decide_on(&usage(5, 18), ClusterUse::Unknown, &new("S3_SINK", 2)).allowed);
        let decision = decide_on(&usage(5, 18), ClusterUse::Unknown, &new("S3_SINK", 3));
        assert_eq!(messages(&decision), ["tasks: 3 requested, 18 of 20 used, 2 left"]);
        assert_eq!(decision.denials[0].remedies[0], "Set `tasks.max` to 2 or less.");
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let decision = decide_on(&usage(12, 20), ClusterUse::Known(225), &new("HttpSink", 5));
        assert_eq!(
            messages(&decision),
            [
                "plugin `HttpSink` is not among those that may be used",
                "tasks per connector: 5 requested, 4 allowed",
                "connectors: 1 requested, 12 of 12 used, 0 left",
                "tasks: 5 requested, 20 of 20 used, 0 left",
                "tasks of the cluster: 5 requested, 225 of 225 used, 0 left",
            ]
        );
        assert!(decision.denials.iter().all(|denial| !denial.remedies.is_empty()));
    }

    // Dossier `quotas.md` §5.2: update is Δ, lowering is always allowed.
    #[test]
    fn a_change_counts_by_its_difference_and_less_is_always_allowed() {
        assert!(decide_on(&usage(12, 18), ClusterUse::Known(223), &change(4, 2)).allowed);
        assert!(!decide_on(&usage(12, 18), ClusterUse::Known(224), &change(4, 2)).allowed);
        let mut over = limits();
        over.tasks = 1;
        over.tasks_per_connector = 1;
        over.plugins = vec![];
        assert!(decide(&over, &usage(12, 18), ClusterUse::Known(999), CEILING, &change(3, 4)).allowed);
        assert!(decide(&over, &usage(12, 18), ClusterUse::Known(999), CEILING, &change(4, 4)).allowed);
    }

    #[test]
    fn unknown_is_not_zero() {
        let decision = decide_on(&usage(1, 1), ClusterUse::Unknown, &new("S3_SINK", 1));
        assert!(decision.allowed && decision.notes[0].contains("not known"));
        let mut hidden = usage(1, 1);
        hidden.unreadable = vec!["claims-x".into()];
        let decision = decide_on(&hidden, ClusterUse::Unknown, &new("S3_SINK", 1));
        assert!(!decision.allowed);
        assert!(decision.denials[0].message.contains("claims-x"));
    }

    proptest! {
        // Whatever is allowed, the numbers hold afterwards; and whatever shrinks is allowed.
        #[test]
        fn what_is_allowed_stays_within_every_limit(
            connectors in 0_u32..15, tasks in 0_u32..25, others in 0_u32..260, wanted in 1_u32..8, now in proptest::option::of(1_u32..8),
        ) {
            let request = match now {
                Some(now) => change(wanted, now),
                None => new("S3_SINK", wanted),
            };
            let tasks = tasks.max(now.unwrap_or(0));
            let decision = decide_on(&usage(connectors, tasks), ClusterUse::Known(others + tasks), &request);
            let growth = i64::from(wanted) - i64::from(now.unwrap_or(0));
            if decision.allowed && growth > 0 {
                prop_assert!(i64::from(tasks) + growth <= 20);
                prop_assert!(i64::from(others + tasks) + growth <= 225);
                prop_assert!(wanted <= 4);
            }
            if decision.allowed && now.is_none() {
                prop_assert!(connectors < 12);
            }
            if now.is_some() && growth <= 0 {
                prop_assert!(decision.allowed);
            }
        }

        // A remedy that names a number is true.
        #[test]
        fn the_smaller_request_fits(tasks in 0_u32..20, wanted in 1_u32..5) {
            let decision = decide_on(&usage(1, tasks), ClusterUse::Unknown, &new("S3_SINK", wanted));
            let fits = decision.denials.iter().flat_map(|denial| &denial.remedies).find_map(|remedy| {
                remedy.strip_prefix("Set `tasks.max` to ")?.split(' ').next()?.parse::<u32>().ok()
            });
            if let Some(fits) = fits {
                prop_assert!(decide_on(&usage(1, tasks), ClusterUse::Unknown, &new("S3_SINK", fits)).allowed);
            }
        }
    }
}
