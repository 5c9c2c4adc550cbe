//! `confluent ebs quota describe`.

use serde::Serialize;

use super::DepartmentSession;
use crate::{
    commands::{Ctx, Report},
    error::Error,
    model::DepartmentCode,
    quota::{Ceiling, ClusterUse, Usage},
    render::{Block, Cell, Record, Table, Viewable},
};

/// Describe the quota of a department, and what each connector uses of it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe the quota of the profile's department.

  $ confluent ebs quota describe --profile claims-operator

Describe that of \"claims\" as the platform team.

  $ confluent ebs quota describe --department claims --sandbox")]
pub(super) struct Describe {}

impl Describe {
    pub(super) fn run(ctx: &mut Ctx) -> Result<Report<QuotaView>, Error> {
        let session = DepartmentSession::open(ctx)?;
        let tenant = session.tenant()?;
        let list = ctx.block_on(async { Ok(session.connectors.list().await?) })?;
        Ok(Report::new(QuotaView {
            department: tenant.code.clone(),
            prefix: tenant.prefix.to_string(),
            stage: session.stage.clone(),
            cluster: session.connectors.place.cluster.to_string(),
            limits: Limits {
                connectors: tenant.quota.connectors,
                tasks: tenant.quota.tasks,
                tasks_per_connector: tenant.quota.tasks_per_connector,
                plugins: tenant.quota.plugins.clone(),
            },
            usage: Usage::of(&list, &tenant.prefix),
            cluster_use: ClusterUse::of(&list, &tenant.prefix, session.sees_all),
            ceiling: session.ceiling,
            as_of: tenant.issued,
        }))
    }
}

/// The quota with its use.
#[derive(Debug, Serialize)]
pub(super) struct QuotaView {
    department: DepartmentCode,
    prefix: String,
    stage: String,
    cluster: String,
    limits: Limits,
    usage: Usage,
    cluster_use: ClusterUse,
    ceiling: Ceiling,
    #[serde(skip_serializing_if = "Option::is_none")]
    as_of: Option<jiff::civil::Date>,
}

#[derive(Debug, Serialize)]
struct Limits {
    connectors: u32,
    tasks: u32,
    tasks_per_connector: u32,
    plugins: Vec<String>,
}

impl Viewable for QuotaView {
    fn view(&self) -> Vec<Block> {
        let (limits, usage) = (&self.limits, &self.usage);
        let left = |limit: u32, used: u32| match limit.checked_sub(used) {
            Some(left) => format!("{used} of {limit} used, {left} left"),
            None => format!("{used} of {limit} used, {} too many", used - limit),
        };
        let least = if usage.unreadable.is_empty() { "" } else { "at least " };
        let allocatable = self.ceiling.allocatable();
        let whole = match self.cluster_use {
            ClusterUse::Known(used) => left(allocatable, used),
            ClusterUse::Unknown => format!("not known to this key, of {allocatable}"),
        };
        let record = Record::new()
            .field("Department", self.department.to_string())
            .field("Stage", format!("{} ({})", self.stage, self.cluster))
            .field("Connectors", left(limits.connectors, usage.connectors))
            .field("Tasks", format!("{least}{}", left(limits.tasks, usage.tasks)))
            .field("Tasks per Connector", format!("at most {}", limits.tasks_per_connector))
            .field("Plugins", limits.plugins.join(", "))
            .field(
                "Cluster Tasks",
                format!(
                    "{whole} ({} less {} % in reserve)",
                    self.ceiling.tasks, self.ceiling.reserve_percent
                ),
            )
            .optional("As of", self.as_of.map(|day| format!("profile of {day}")));
        let mut table = Table::new(["Name", "Tasks"]);
        for (name, tasks) in &usage.tasks_by_connector {
            table.push([Cell::text(name), (*tasks).into()]);
        }
        vec![
            Block::titled("Quota Details", [Block::Record(record)]),
            Block::titled("Counted Connectors", [Block::Table(table)]),
        ]
    }
}
