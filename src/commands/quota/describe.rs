//! `confluent ebs quota describe`.

use super::ConnectorSession;
use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    fleet::{
        at_least_prefix,
        quota_usage::{QuotaDescription, describe_quota},
    },
    quota::{ADVISORY, ClusterUsage},
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
    pub(super) fn run(ctx: &mut Ctx) -> Result<CommandOutput<QuotaDescription>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        Ok(CommandOutput::new(ctx.block_on_reading(describe_quota(&session))?))
    }
}

impl Viewable for QuotaDescription {
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
            Block::titled("Quota Details", [Block::Record(record(self)), notes(self)]),
            Block::titled("Counted Connectors", [Block::Table(table)]),
        ]
    }
}

fn record(quota: &QuotaDescription) -> Record {
    let (limits, usage) = (&quota.limits, &quota.usage);
    let left = |limit: u32, used: u32| match limit.checked_sub(used) {
        Some(left) => format!("{used} of {limit} used, {left} left"),
        None => format!("{used} of {limit} used, {} over", used - limit),
    };
    let least = at_least_prefix(usage.unreadable.is_empty());
    let allocatable = quota.ceiling.allocatable();
    let whole = match quota.cluster_use {
        ClusterUsage::Known(used) => left(allocatable, used),
        ClusterUsage::Unknown => format!("unknown to this key, of {allocatable}"),
    };
    let reserve = match quota.ceiling.reserved() {
        0 => String::new(),
        reserved => format!(" ({} less {reserved} reserved)", quota.ceiling.tasks),
    };
    let plugins = match &limits.plugins[..] {
        [] => "none".to_owned(),
        [all] if all == "*" => "all".to_owned(),
        some => some.join(", "),
    };
    let throughput = limits.throughput.map_or_else(
        || "not limited".to_owned(),
        |rates| format!("{rates} (client quota, enforced by the cluster)"),
    );
    Record::new()
        .field("Department", quota.department.to_string())
        .field("Stage", format!("{} ({})", quota.stage, quota.cluster))
        .field("Connectors", left(limits.connectors, usage.connectors))
        .field("Tasks", format!("{least}{}", left(limits.tasks, usage.tasks)))
        .field("Tasks per Connector", format!("at most {}", limits.tasks_per_connector))
        .field("Plugins", plugins)
        .field("Throughput", throughput)
        .field("Cluster Tasks", format!("{whole}{reserve}"))
        .field("Limits From", quota.source.clone())
}

fn notes(quota: &QuotaDescription) -> Block {
    let mut lines = Vec::new();
    if !quota.usage.unreadable.is_empty() {
        lines.push(TextLine::from(format!(
            "The configuration of {} is not readable, so the number of tasks is unknown and additional tasks are refused.",
            text::join_code(&quota.usage.unreadable)
        )));
    }
    let exceeding = quota.connectors.iter().filter(|counted| counted.is_over_limit());
    lines.extend(exceeding.map(|counted| {
        let name = &counted.name;
        TextLine::from(format!(
            "`{name}` runs more tasks than its `tasks.max`. Report this to {}.",
            quota.platform_team
        ))
    }));
    lines.push(ADVISORY.into());
    Block::Lines(lines)
}
