//! `confluent ebs quota describe`.

use serde::Serialize;

use super::{ConnectorSession, limits_source};
use crate::{
    api::connect::ExpandedConnector,
    commands::{CommandOutput, Ctx},
    error::Error,
    model::DepartmentCode,
    quota::{ADVISORY, ClusterTaskLimit, ClusterUsage, DepartmentUsage, counted_tasks, tasks_max},
    render::{Block, Cell, Record, Table, TextLine, Viewable},
    text,
};

/// Describe the quota of a department and its usage by connector
///
/// Every connector counts, in any state, with the larger of its task limit and its running tasks.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe your quota.

  $ confluent ebs quota describe --profile claims-operator

Describe the quota of the department \"claims\" as the platform team.

  $ confluent ebs quota describe --department claims --sandbox")]
pub(super) struct QuotaDescribeArgs {}

impl QuotaDescribeArgs {
    pub(super) fn run(ctx: &mut Ctx) -> Result<CommandOutput<QuotaDescribeOutput>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let department = session.require_department()?;
        let list = ctx.block_on(async { Ok(session.connectors.list().await?) })?;
        let usage = DepartmentUsage::from_connectors(&list, &department.prefix);
        let counted = usage.tasks_by_connector.keys();
        Ok(CommandOutput::new(QuotaDescribeOutput {
            department: department.code.clone(),
            prefix: department.prefix.to_string(),
            stage: session.stage.clone(),
            cluster: session.connectors.cluster_path.cluster.to_string(),
            limits: QuotaLimits {
                connectors: department.quota.connectors,
                tasks: department.quota.tasks,
                tasks_per_connector: department.quota.tasks_per_connector,
                plugins: department.quota.plugins.clone(),
            },
            connectors: counted
                .filter_map(|name| Some(CountedConnector::new(name, list.get(name)?)))
                .collect(),
            usage,
            cluster_use: ClusterUsage::from_connectors(&list, &department.prefix, session.is_platform_scope),
            ceiling: session.task_ceiling,
            as_of: department.quota_issued,
            source: limits_source(&session),
        }))
    }
}

/// Quota with its usage.
#[derive(Debug, Serialize)]
pub(super) struct QuotaDescribeOutput {
    department: DepartmentCode,
    prefix: String,
    stage: String,
    cluster: String,
    limits: QuotaLimits,
    usage: DepartmentUsage,
    connectors: Vec<CountedConnector>,
    cluster_use: ClusterUsage,
    ceiling: ClusterTaskLimit,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<jiff::civil::Date>,
    /// Source of the limits.
    source: String,
}

#[derive(Debug, Serialize)]
struct QuotaLimits {
    connectors: u32,
    tasks: u32,
    tasks_per_connector: u32,
    plugins: Vec<String>,
}

/// Usage of one connector.
#[derive(Debug, Serialize)]
struct CountedConnector {
    name: String,
    status: String,
    /// Task limit; `None` if the configuration is not readable or holds no number.
    tasks_max: Option<u32>,
    tasks_running: usize,
    tasks_counted: u32,
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
    fn is_over_limit(&self) -> bool {
        let running = u32::try_from(self.tasks_running).unwrap_or(u32::MAX);
        self.tasks_max.is_some_and(|most| running > most)
    }
}

impl QuotaDescribeOutput {
    fn record(&self) -> Record {
        let (limits, usage) = (&self.limits, &self.usage);
        let left = |limit: u32, used: u32| match limit.checked_sub(used) {
            Some(left) => format!("{used} of {limit} used, {left} left"),
            None => format!("{used} of {limit} used, {} over", used - limit),
        };
        let least = if usage.unreadable.is_empty() { "" } else { "at least " };
        let allocatable = self.ceiling.allocatable();
        let whole = match self.cluster_use {
            ClusterUsage::Known(used) => left(allocatable, used),
            ClusterUsage::Unknown => format!("unknown to this key, of {allocatable}"),
        };
        let reserve = match self.ceiling.reserved() {
            0 => String::new(),
            reserved => format!(" ({} less {reserved} reserved)", self.ceiling.tasks),
        };
        let plugins = match &limits.plugins[..] {
            [] => "none".to_owned(),
            [all] if all == "*" => "all".to_owned(),
            some => some.join(", "),
        };
        Record::new()
            .field("Department", self.department.to_string())
            .field("Stage", format!("{} ({})", self.stage, self.cluster))
            .field("Connectors", left(limits.connectors, usage.connectors))
            .field("Tasks", format!("{least}{}", left(limits.tasks, usage.tasks)))
            .field("Tasks per Connector", format!("at most {}", limits.tasks_per_connector))
            .field("Plugins", plugins)
            .field("Cluster Tasks", format!("{whole}{reserve}"))
            .field("Limits From", self.source.clone())
    }

    fn notes(&self) -> Block {
        let mut lines = Vec::new();
        if !self.usage.unreadable.is_empty() {
            lines.push(TextLine::from(format!(
                "The configuration of {} is not readable, so the number of tasks is unknown and additional tasks are refused.",
                text::join_code(&self.usage.unreadable)
            )));
        }
        let exceeding = self.connectors.iter().filter(|counted| counted.is_over_limit());
        lines.extend(exceeding.map(|counted| {
            let name = &counted.name;
            TextLine::from(format!(
                "`{name}` runs more tasks than its `tasks.max`. Report this to the platform team."
            ))
        }));
        lines.push(ADVISORY.into());
        Block::Lines(lines)
    }
}

impl Viewable for QuotaDescribeOutput {
    fn view(&self) -> Vec<Block> {
        let mut table = Table::new(["Name", "Status", "Tasks Max", "Tasks", "Counted"]);
        for counted in &self.connectors {
            table.push([
                Cell::text(&counted.name),
                Cell::text(&counted.status),
                counted.tasks_max.into(),
                counted.tasks_running.into(),
                counted.tasks_counted.into(),
            ]);
        }
        vec![
            Block::titled("Quota Details", [Block::Record(self.record()), self.notes()]),
            Block::titled("Counted Connectors", [Block::Table(table)]),
        ]
    }
}
