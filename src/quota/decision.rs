//! Decision whether a department's request fits its quota, with the numbers and suggestions
//! (docs/reference/quotas.md#counting-connectors and docs/reference/quotas.md#sharing-a-cluster).

use std::fmt;

use serde::Serialize;

use super::usage::{ClusterUsage, DepartmentUsage};
use crate::model::{DepartmentQuota, PlatformTeam};

/// Note of a decision for a key that cannot see the whole cluster, which is true of every department.
pub const CLUSTER_USAGE_UNKNOWN: &str = "The tasks used on the whole cluster are unknown to this key; the service \
                                         rejects the request if the cluster is full.";

/// Limited quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum QuotaDimension {
    /// Connectors of the department.
    Connectors,
    /// Tasks of the department.
    Tasks,
    /// `tasks.max` of one connector.
    TasksPerConnector,
    /// Allowed plugins.
    Plugins,
    /// Tasks of the whole cluster.
    ClusterTasks,
}

impl QuotaDimension {
    /// Returns the name in sentences and tables.
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

/// Task limit of a cluster and the share that is reserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClusterTaskLimit {
    /// Limit of the service for the cluster (250: docs/reference/quotas.md#cluster-limits).
    pub tasks: u32,
    /// Reserved share in percent.
    pub reserve_percent: u32,
}

impl ClusterTaskLimit {
    /// Returns the number of reserved tasks.
    #[must_use]
    pub fn reserved(self) -> u32 {
        self.tasks - self.allocatable()
    }

    /// Returns the number of tasks available to all departments together.
    #[must_use]
    pub fn allocatable(self) -> u32 {
        let share = u64::from(self.tasks) * u64::from(100 - self.reserve_percent.min(100)) / 100;
        u32::try_from(share).unwrap_or(u32::MAX)
    }
}

/// Existing connector that a request changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurrentConnector {
    /// Tasks that it counts for.
    pub tasks: u32,
    /// Plugin.
    pub plugin: String,
}

/// Request for a new or changed connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRequest<'a> {
    /// Connector name.
    pub name: &'a str,
    /// Plugin.
    pub plugin: &'a str,
    /// Requested `tasks.max`.
    pub tasks: u32,
    /// Existing connector; `None` for a new one.
    pub current: Option<CurrentConnector>,
}

impl QuotaRequest<'_> {
    /// Returns the increase of the department's tasks; negative for a decrease.
    fn added_tasks(&self) -> i64 {
        i64::from(self.tasks) - i64::from(self.current_tasks())
    }

    /// Returns the tasks that the connector counts for now.
    fn current_tasks(&self) -> u32 {
        self.current.as_ref().map_or(0, |current| current.tasks)
    }
}

/// One limit with its usage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LimitUsage {
    /// Limited quantity.
    pub dimension: QuotaDimension,
    /// Used number; `None` if unknown.
    pub used: Option<u32>,
    /// Requested increase.
    pub requested: i64,
    /// Limit.
    pub limit: u32,
    /// Number reserved by the platform team, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reserved: Option<u32>,
}

impl LimitUsage {
    /// Returns the available number before the request.
    #[must_use]
    pub fn available(&self) -> Option<u32> {
        self.used.map(|used| self.limit.saturating_sub(used))
    }

    fn fits(&self) -> bool {
        // A decrease is always allowed, even above the limit (docs/reference/quotas.md#counting-connectors).
        self.requested <= 0
            || self
                .used
                .is_none_or(|used| i64::from(used) + self.requested <= i64::from(self.limit))
    }
}

/// Denial by one limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuotaDenial {
    /// Limited quantity.
    pub dimension: QuotaDimension,
    /// Requested increase; 1 for a plugin.
    pub requested: i64,
    /// Used number, if known.
    pub used: Option<u32>,
    /// Limit, if it is a number.
    pub limit: Option<u32>,
    /// Explanation, a sentence fragment.
    pub message: String,
    /// Suggestions, whole sentences.
    pub remedies: Vec<String>,
}

impl fmt::Display for QuotaDenial {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

/// Decision on a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuotaDecision {
    /// Whether the request is allowed.
    pub allowed: bool,
    /// Largest `tasks.max` that would be allowed, if any.
    pub max_allowed_tasks: Option<u32>,
    /// Limits with their usage.
    pub limits: Vec<LimitUsage>,
    /// Denials.
    pub denials: Vec<QuotaDenial>,
    /// Unknown and nearly exhausted limits, whole sentences.
    pub notes: Vec<String>,
}

/// Returns the suggestion for limits of the platform.
fn ask_for_limit(platform_team: &PlatformTeam) -> String {
    format!("Ask {platform_team} for a higher limit; it takes effect with the next profile of the department.")
}

/// Returns the suggestion for an exhausted cluster, as decided here or by the service.
#[must_use]
pub fn ask_for_cluster(platform_team: &str) -> String {
    format!("The cluster is shared: ask {platform_team} to free tasks or to provide another cluster.")
}

/// Note on the enforcement of the limits (docs/reference/quotas.md#no-quota-per-department).
pub const ADVISORY: &str = "Only this program enforces these limits, not Confluent Cloud: the right to create \
                            connectors is enough to bypass them.";

/// Decides on `request` of a department with `limits` and `usage`; denials refer to `platform_team`.
#[must_use]
pub fn decide(
    limits: &DepartmentQuota,
    usage: &DepartmentUsage,
    cluster: ClusterUsage,
    cluster_limit: ClusterTaskLimit,
    request: &QuotaRequest<'_>,
    platform_team: &PlatformTeam,
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
    let smaller = smaller.map(|fits| format!("Set `tasks.max` to at most {fits}."));
    if !may_plugin {
        denials.push(QuotaDenial {
            dimension: QuotaDimension::Plugins,
            requested: 1,
            used: None,
            limit: None,
            message: format!("plugin `{}` is not allowed", request.plugin),
            remedies: match limits.plugins.is_empty() {
                true => vec![format!("Ask {platform_team} to allow plugins.")],
                false => vec![
                    format!("Use an allowed plugin: {}.", limits.plugins.join(", ")),
                    format!("Ask {platform_team} to allow another plugin."),
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
            remedies: smaller.iter().cloned().chain([ask_for_limit(platform_team)]).collect(),
        });
    }
    if !connectors.fits() {
        denials.push(over_quota_denial(&connectors, Vec::new(), platform_team));
    }
    if growth > 0 && !usage.unreadable.is_empty() {
        denials.push(QuotaDenial {
            dimension: QuotaDimension::Tasks,
            requested: growth,
            used: None,
            limit: Some(limits.tasks),
            message: format!(
                "tasks: {growth} requested, but the used number is unknown: the API key is not allowed to read the \
                 configuration of {}",
                usage.unreadable.join(", ")
            ),
            remedies: vec![
                "Use a key that is allowed to read the configuration of all connectors of the \
                            department."
                    .to_owned(),
            ],
        });
    } else if !tasks.fits() {
        denials.push(over_quota_denial(
            &tasks,
            smaller.iter().cloned().collect(),
            platform_team,
        ));
    }
    if !whole.fits() {
        denials.push(over_quota_denial(
            &whole,
            smaller.iter().cloned().collect(),
            platform_team,
        ));
    } else if whole.used.is_none() && growth > 0 {
        notes.push(CLUSTER_USAGE_UNKNOWN.to_owned());
    }
    if let (true, Some(used)) = (tasks.fits() && growth > 0, tasks.used) {
        let after = i64::from(used) + growth;
        // Warning threshold of 90 % (docs/reference/quotas.md#sharing-a-cluster).
        if after * 10 >= i64::from(limits.tasks) * 9 {
            notes.push(format!(
                "After this request, {after} of {} tasks are used.",
                limits.tasks
            ));
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

fn over_quota_denial(room: &LimitUsage, mut remedies: Vec<String>, platform_team: &PlatformTeam) -> QuotaDenial {
    let (used, left) = (room.used.unwrap_or_default(), room.available().unwrap_or_default());
    if room.dimension == QuotaDimension::ClusterTasks {
        remedies.push(ask_for_cluster(&platform_team.to_string()));
    } else {
        remedies.push("Delete a connector that you do not need; paused and failed connectors count.".to_owned());
        remedies.push(ask_for_limit(platform_team));
    }
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

/// Returns the largest number of tasks that would be allowed. Existing tasks stay allowed even above the limit
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
