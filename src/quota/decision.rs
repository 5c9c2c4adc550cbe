//! Whether a department may have what it asks for, with the numbers, and what would make it fit
//! (docs/reference/quotas.md#counting-connectors and docs/reference/quotas.md#sharing-a-cluster).

use std::fmt;

use serde::Serialize;

use super::usage::{ClusterUsage, DepartmentUsage};
use crate::model::DepartmentQuota;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaDimension {
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

impl QuotaDimension {
    /// What it is called in sentences and tables.
    #[must_use]
    pub const fn label(self) -> &'static str {
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
pub struct ClusterTaskLimit {
    /// The service's limit for the cluster (250: docs/reference/quotas.md#cluster-limits).
    pub tasks: u32,
    /// The share that is kept free, in percent.
    pub reserve_percent: u32,
}

impl ClusterTaskLimit {
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
pub struct CurrentConnector {
    /// The tasks it counts for.
    pub tasks: u32,
    /// Its plugin.
    pub plugin: String,
}

/// A connector that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRequest<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its plugin.
    pub plugin: &'a str,
    /// Its `tasks.max`.
    pub tasks: u32,
    /// What it is now; nothing when it is new.
    pub current: Option<CurrentConnector>,
}

impl QuotaRequest<'_> {
    /// By how many tasks the department's use grows; negative when it shrinks.
    fn added_tasks(&self) -> i64 {
        i64::from(self.tasks) - i64::from(self.current_tasks())
    }

    /// The tasks that it counts for now.
    fn current_tasks(&self) -> u32 {
        self.current.as_ref().map_or(0, |current| current.tasks)
    }
}

/// One limit with its numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitUsage {
    /// What is limited.
    pub dimension: QuotaDimension,
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

impl LimitUsage {
    /// What is left, the request not counted.
    #[must_use]
    pub fn available(&self) -> Option<u32> {
        self.used.map(|used| self.limit.saturating_sub(used))
    }

    fn fits(&self) -> bool {
        // Less is always allowed, also above the limit (docs/reference/quotas.md#counting-connectors).
        self.requested <= 0
            || self
                .used
                .is_none_or(|used| i64::from(used) + self.requested <= i64::from(self.limit))
    }
}

/// Why it is refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuotaDenial {
    /// What is exceeded.
    pub dimension: QuotaDimension,
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

impl fmt::Display for QuotaDenial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuotaDecision {
    /// Whether it may be done.
    pub allowed: bool,
    /// The largest `tasks.max` that would be allowed; nothing when there is none.
    pub max_allowed_tasks: Option<u32>,
    /// The limits with their numbers.
    pub limits: Vec<LimitUsage>,
    /// Why not.
    pub denials: Vec<QuotaDenial>,
    /// What is not known, or only nearly exceeded, in whole sentences.
    pub notes: Vec<String>,
}

/// Who can raise a limit of ours.
const ASK_PLATFORM_TEAM: &str = "A higher limit is the platform team's to give: it stands in the department's file, and in the profile \
                   that is handed over after it.";

/// Who can help when the whole cluster is full, whether we or the service said so.
pub const ASK_FOR_CLUSTER: &str =
    "The cluster is shared: ask the platform team, who can free tasks or open another cluster.";

/// What the limits are worth (docs/reference/quotas.md#no-quota-per-department).
pub const ADVISORY: &str = "Confluent Cloud does not know these limits: this program keeps them, and whoever may create \
                            connectors can go round it.";

/// Decides on `request` of a department that may use `limits` and uses `usage`.
#[must_use]
pub fn decide(
    limits: &DepartmentQuota,
    usage: &DepartmentUsage,
    cluster: ClusterUsage,
    cluster_limit: ClusterTaskLimit,
    request: &QuotaRequest<'_>,
) -> QuotaDecision {
    let growth = request.added_tasks();
    let is_new = request.current.is_none();
    let mut denials = Vec::new();
    let mut notes = Vec::new();

    let connectors = LimitUsage {
        dimension: QuotaDimension::Connectors,
        used: Some(usage.connectors),
        requested: i64::from(is_new),
        limit: limits.connectors,
        reserved: None,
    };
    let tasks = LimitUsage {
        dimension: QuotaDimension::Tasks,
        used: usage.unreadable.is_empty().then_some(usage.tasks),
        requested: growth,
        limit: limits.tasks,
        reserved: None,
    };
    let whole = LimitUsage {
        dimension: QuotaDimension::ClusterTasks,
        used: match cluster {
            ClusterUsage::Known(used) => Some(used),
            ClusterUsage::Unknown => None,
        },
        requested: growth,
        limit: cluster_limit.allocatable(),
        reserved: Some(cluster_limit.reserved()),
    };

    let changes_plugin = request
        .current
        .as_ref()
        .is_none_or(|current| current.plugin != request.plugin);
    let may_plugin = !changes_plugin || limits.allows_plugin(request.plugin);
    let fits = match may_plugin && connectors.fits() {
        true => largest_allowed(limits, usage, &tasks, &whole, request),
        false => None,
    };
    let smaller = fits.filter(|fits| *fits < request.tasks);
    let smaller = smaller.map(|fits| format!("Set `tasks.max` to {fits} or less."));
    if !may_plugin {
        denials.push(QuotaDenial {
            dimension: QuotaDimension::Plugins,
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
        denials.push(QuotaDenial {
            dimension: QuotaDimension::TasksPerConnector,
            requested: i64::from(request.tasks),
            used: None,
            limit: Some(limits.tasks_per_connector),
            message: format!(
                "tasks per connector: {} requested, {} allowed",
                request.tasks, limits.tasks_per_connector
            ),
            remedies: smaller.iter().cloned().chain([ASK_PLATFORM_TEAM.to_owned()]).collect(),
        });
    }
    if !connectors.fits() {
        denials.push(over_quota_denial(&connectors, Vec::new()));
    }
    if growth > 0 && !usage.unreadable.is_empty() {
        denials.push(QuotaDenial {
            dimension: QuotaDimension::Tasks,
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
        denials.push(over_quota_denial(&tasks, smaller.iter().cloned().collect()));
    }
    if !whole.fits() {
        denials.push(over_quota_denial(&whole, smaller.iter().cloned().collect()));
    } else if whole.used.is_none() && growth > 0 {
        notes.push(
            "How many tasks the whole cluster uses is not known to this key; the service refuses when there is no room left."
                .to_owned(),
        );
    }
    if let (true, Some(used)) = (tasks.fits() && growth > 0, tasks.used) {
        let after = i64::from(used) + growth;
        // The last notice before a refusal (docs/reference/quotas.md#sharing-a-cluster).
        if after * 10 >= i64::from(limits.tasks) * 9 {
            notes.push(format!("After this {after} of {} tasks are used.", limits.tasks));
        }
    }
    QuotaDecision {
        allowed: denials.is_empty(),
        max_allowed_tasks: fits,
        limits: vec![connectors, tasks, whole],
        denials,
        notes,
    }
}

fn over_quota_denial(room: &LimitUsage, mut remedies: Vec<String>) -> QuotaDenial {
    let (used, left) = (room.used.unwrap_or_default(), room.available().unwrap_or_default());
    let others: &[&str] = match room.dimension {
        QuotaDimension::ClusterTasks => &[ASK_FOR_CLUSTER],
        _ => &[
            "Delete a connector that is not needed: paused and failed ones count, too.",
            ASK_PLATFORM_TEAM,
        ],
    };
    remedies.extend(others.iter().map(|&remedy| remedy.to_owned()));
    QuotaDenial {
        dimension: room.dimension,
        requested: room.requested,
        used: room.used,
        limit: Some(room.limit),
        message: format!(
            "{}: {} requested, {used} of {} used, {left} left",
            room.dimension.label(),
            room.requested,
            room.limit
        ),
        remedies,
    }
}

/// The largest number of tasks that would be allowed. What is there already stays allowed, however much it is
/// (docs/reference/quotas.md#counting-connectors).
fn largest_allowed(
    limits: &DepartmentQuota,
    usage: &DepartmentUsage,
    tasks: &LimitUsage,
    whole: &LimitUsage,
    request: &QuotaRequest<'_>,
) -> Option<u32> {
    let now = request.current_tasks();
    let room = |room: &LimitUsage| now.saturating_add(room.available().unwrap_or(u32::MAX));
    let may = match usage.unreadable.is_empty() {
        true => limits.tasks_per_connector.min(room(tasks)).min(room(whole)),
        false => 0,
    };
    Some(may.max(now)).filter(|largest| *largest > 0)
}
