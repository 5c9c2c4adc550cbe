//! Quotas of departments on one cluster, and their usage.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    connector_row::has_task_count,
    model::ClusterTasks,
    quota_state::{QuotaState, is_complete},
};
use crate::{
    api::connect::ExpandedConnector,
    error::Error,
    model::{ConnectorState, DepartmentCode, DepartmentQuota, PlatformTeam, Prefix, Throughput},
    quota::{ClusterTaskLimit, ClusterUsage, DepartmentUsage, counted_tasks, is_counted, tasks_max},
    session::{self, ConnectorSession, RunContext},
};

/// Quota of a department and its usage.
#[derive(Debug, Serialize)]
pub struct QuotaRow {
    /// Code of the department.
    pub department: DepartmentCode,
    /// Number of connectors of the department, in any state.
    pub connectors: u32,
    /// Limit of connectors.
    pub connectors_limit: u32,
    /// Number of tasks that count, over all connectors of the department.
    pub tasks: u32,
    /// Limit of tasks.
    pub tasks_limit: u32,
    /// Limit of tasks of one connector.
    pub tasks_per_connector_limit: u32,
    /// Whether the task counts of all connectors are known; otherwise `tasks` is a lower bound.
    pub complete: bool,
    /// State of the quota.
    pub state: QuotaState,
}

impl QuotaRow {
    fn new(
        code: &DepartmentCode,
        prefix: &Prefix,
        quota: &DepartmentQuota,
        list: &BTreeMap<String, ExpandedConnector>,
    ) -> Self {
        let usage = DepartmentUsage::from_connectors(list, prefix);
        let complete = is_complete(&usage, list);
        Self {
            department: code.clone(),
            connectors: usage.connectors,
            connectors_limit: quota.connectors,
            tasks: usage.tasks,
            tasks_limit: quota.tasks,
            tasks_per_connector_limit: quota.tasks_per_connector,
            complete,
            state: QuotaState::for_department(&usage, quota, complete),
        }
    }
}

/// Tasks of a cluster, and how many of them are unowned (docs/reference/quotas.md#counting-connectors).
#[derive(Clone, Copy, Debug)]
pub struct ClusterTaskUsage {
    /// Tasks of the whole cluster.
    pub tasks: ClusterTasks,
    /// Tasks of unowned connectors.
    pub unowned: u32,
    /// Whether the task counts of all unowned connectors are known; otherwise `unowned` is a lower bound.
    pub unowned_complete: bool,
}

impl ClusterTaskUsage {
    fn new(list: &BTreeMap<String, ExpandedConnector>, prefixes: &[&Prefix], limit: ClusterTaskLimit) -> Self {
        let is_owned = |name: &str| prefixes.iter().any(|prefix| prefix.owns(name));
        let sum = |all: bool| {
            let counted = list
                .iter()
                .filter(|(name, connector)| is_counted(connector) && (all || !is_owned(name)));
            counted.fold((0_u32, true), |(tasks, complete), (_, connector)| {
                let more = counted_tasks(&connector.info.config, connector.status.tasks.len());
                (tasks.saturating_add(more), complete && has_task_count(connector))
            })
        };
        let (used, complete) = sum(true);
        let (unowned, unowned_complete) = sum(false);
        Self {
            tasks: ClusterTasks {
                used,
                allocatable: limit.allocatable(),
                reserved: limit.reserved(),
                complete,
            },
            unowned,
            unowned_complete,
        }
    }
}

/// Lists the quota of the session's department, or those of all departments with the usage of the cluster.
pub async fn list_quotas(
    run: &RunContext,
    session: &ConnectorSession,
) -> Result<(Vec<QuotaRow>, Option<ClusterTaskUsage>), Error> {
    let list = session.connectors.list().await?;
    if let Some(department) = &session.department {
        let row = QuotaRow::new(&department.code, &department.prefix, &department.quota, &list);
        return Ok((vec![row], None));
    }
    let workspace = session::load_workspace(run, run.options.is_sandbox())?.workspace;
    let departments: Vec<_> = workspace.departments_in(&session.stage).collect();
    let prefixes: Vec<&Prefix> = departments.iter().map(|department| &department.prefix).collect();
    let cluster = ClusterTaskUsage::new(&list, &prefixes, session.task_ceiling);
    let rows = departments.iter().map(|department| {
        let quota = department.quota_in(&session.stage);
        QuotaRow::new(&department.code, &department.prefix, quota, &list)
    });
    Ok((rows.collect(), Some(cluster)))
}

/// Quota of a department with its usage by connector.
#[derive(Debug, Serialize)]
pub struct QuotaDescription {
    /// Code of the department.
    pub department: DepartmentCode,
    /// Prefix of its names.
    pub prefix: String,
    /// Name of the stage.
    pub stage: String,
    /// Id of the Kafka cluster (`lkc-…`).
    pub cluster: String,
    /// Limits of the department.
    pub limits: QuotaLimits,
    /// Number of connectors and tasks that count towards the limits.
    pub usage: DepartmentUsage,
    /// Connectors that count.
    pub connectors: Vec<CountedConnector>,
    /// Usage of the whole cluster.
    pub cluster_use: ClusterUsage,
    /// Task limit of the whole cluster.
    pub ceiling: ClusterTaskLimit,
    /// Date of the limits; `None` if they come from the platform configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_of: Option<jiff::civil::Date>,
    /// Source of the limits.
    pub source: String,
    /// Name and contact of the platform team, for messages.
    #[serde(skip)]
    pub platform_team: PlatformTeam,
}

/// Limits of a department.
#[derive(Debug, Serialize)]
pub struct QuotaLimits {
    /// Limit of connectors.
    pub connectors: u32,
    /// Limit of tasks.
    pub tasks: u32,
    /// Limit of tasks of one connector.
    pub tasks_per_connector: u32,
    /// Allowed plugins; `*` for all.
    pub plugins: Vec<String>,
    /// Maximum throughput in bytes per second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Throughput>,
}

/// Usage of one connector.
#[derive(Debug, Serialize)]
pub struct CountedConnector {
    /// Name of the connector.
    pub name: String,
    /// State as reported by Confluent Cloud.
    pub status: ConnectorState,
    /// Task limit; `None` if the configuration is not readable or holds no number.
    pub tasks_max: Option<u32>,
    /// Number of tasks in the state `RUNNING`.
    pub tasks_running: usize,
    /// Tasks that count.
    pub tasks_counted: u32,
}

impl CountedConnector {
    fn new(name: &str, connector: &ExpandedConnector) -> Self {
        let config = &connector.info.config;
        let tasks = &connector.status.tasks;
        Self {
            name: name.to_owned(),
            status: connector.status.connector.state.clone(),
            tasks_max: (!config.is_empty()).then(|| tasks_max(config).ok()).flatten(),
            tasks_running: tasks.len(),
            tasks_counted: counted_tasks(config, tasks.len()),
        }
    }

    /// Returns whether more tasks run than the configuration allows; the platform team must find the cause
    /// (docs/reference/quotas.md#counting-connectors).
    pub fn is_over_limit(&self) -> bool {
        let running = u32::try_from(self.tasks_running).unwrap_or(u32::MAX);
        self.tasks_max.is_some_and(|most| running > most)
    }
}

/// Describes the quota of the session's department.
///
/// # Errors
/// Fails if no department is selected, or if the connectors cannot be listed.
pub async fn describe_quota(session: &ConnectorSession) -> Result<QuotaDescription, Error> {
    let department = session.require_department()?;
    let list = session.connectors.list().await?;
    let usage = DepartmentUsage::from_connectors(&list, &department.prefix);
    let counted = usage.tasks_by_connector.keys();
    Ok(QuotaDescription {
        department: department.code.clone(),
        prefix: department.prefix.to_string(),
        stage: session.stage.clone(),
        cluster: session.connectors.cluster_path.cluster.to_string(),
        limits: QuotaLimits {
            connectors: department.quota.connectors,
            tasks: department.quota.tasks,
            tasks_per_connector: department.quota.tasks_per_connector,
            plugins: department.quota.plugins.clone(),
            throughput: department.quota.throughput,
        },
        connectors: counted
            .filter_map(|name| Some(CountedConnector::new(name, list.get(name)?)))
            .collect(),
        usage,
        cluster_use: ClusterUsage::from_connectors(&list, &department.prefix, session.is_platform_scope),
        ceiling: session.task_ceiling,
        as_of: department.quota_issued,
        source: limits_source(session),
        platform_team: department.platform_team.clone(),
    })
}

/// Returns the source of the limits and their age.
pub fn limits_source(session: &ConnectorSession) -> String {
    let department = session.department.as_ref();
    let Some(issued) = department.and_then(|department| department.quota_issued) else {
        return "the platform files".to_owned();
    };
    let today = session.clock().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let age = match (today - issued).get_days() {
        ..=0 => "today".to_owned(),
        1 => "1 day old".to_owned(),
        days => format!("{days} days old"),
    };
    format!("the profile of {issued} ({age})")
}
