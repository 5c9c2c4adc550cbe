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
    /// How many tasks are kept free.
    #[must_use]
    pub fn reserved(self) -> u32 {
        self.tasks - self.allocatable()
    }

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
        i64::from(self.tasks) - i64::from(self.now())
    }

    /// The tasks that it counts for now.
    fn now(&self) -> u32 {
        self.current.as_ref().map_or(0, |current| current.tasks)
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
    /// What the platform keeps free besides, where it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved: Option<u32>,
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
    /// The largest `tasks.max` that would be allowed; nothing when there is none.
    pub fits: Option<u32>,
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

/// Who can help when the whole cluster is full, whether we or the service said so.
pub const ASK_FOR_CLUSTER: &str =
    "The cluster is shared: ask the platform team, who can free tasks or open another cluster.";

/// What the limits are worth (dossier `quotas.md` §0).
pub const ADVISORY: &str = "Confluent Cloud does not know these limits: this program keeps them, and whoever may create \
                            connectors can go round it.";

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
        reserved: None,
    };
    let tasks = Room {
        dimension: Dimension::Tasks,
        used: usage.unreadable.is_empty().then_some(usage.tasks),
        requested: growth,
        limit: limits.tasks,
        reserved: None,
    };
    let whole = Room {
        dimension: Dimension::ClusterTasks,
        used: match cluster {
            ClusterUse::Known(used) => Some(used),
            ClusterUse::Unknown => None,
        },
        requested: growth,
        limit: ceiling.allocatable(),
        reserved: Some(ceiling.reserved()),
    };

    let changes_plugin = request
        .current
        .as_ref()
        .is_none_or(|current| current.plugin != request.plugin);
    let may_plugin = !changes_plugin || limits.allows_plugin(request.plugin);
    let fits = match may_plugin && connectors.fits() {
        true => largest(limits, usage, &tasks, &whole, request),
        false => None,
    };
    let smaller = fits.filter(|fits| *fits < request.tasks);
    let smaller = smaller.map(|fits| format!("Set `tasks.max` to {fits} or less."));
    if !may_plugin {
        denials.push(Denial {
            dimension: Dimension::Plugins,
            requested: 1,
            used: None,
            limit: None,
            message: format!("plugin `{}` is not among those that may be used", request.plugin),
            remedies: match limits.plugins.is_empty() {
                true => vec!["Plugins are the platform team's to allow.".to_owned()],
                false => vec![
                    format!("Use one of: {}.", limits.plugins.join(", ")),
                    "Another plugin is the platform team's to allow.".to_owned(),
                ],
            },
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
            remedies: smaller.iter().cloned().chain([ASK.to_owned()]).collect(),
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
        denials.push(exceeded(&tasks, smaller.iter().cloned().collect()));
    }
    if !whole.fits() {
        denials.push(exceeded(&whole, smaller.iter().cloned().collect()));
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
        fits,
        rooms: vec![connectors, tasks, whole],
        denials,
        notes,
    }
}

fn exceeded(room: &Room, mut remedies: Vec<String>) -> Denial {
    let (used, left) = (room.used.unwrap_or_default(), room.left().unwrap_or_default());
    let others: &[&str] = match room.dimension {
        Dimension::ClusterTasks => &[ASK_FOR_CLUSTER],
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

/// The largest number of tasks that would be allowed. What is there already stays allowed, however much it is (dossier
/// `quotas.md` §5.2).
fn largest(limits: &DepartmentQuota, usage: &Usage, tasks: &Room, whole: &Room, request: &Request<'_>) -> Option<u32> {
    let now = request.now();
    let room = |room: &Room| now.saturating_add(room.left().unwrap_or(u32::MAX));
    let may = match usage.unreadable.is_empty() {
        true => limits.tasks_per_connector.min(room(tasks)).min(room(whole)),
        false => 0,
    };
    Some(may.max(now)).filter(|largest| *largest > 0)
}
