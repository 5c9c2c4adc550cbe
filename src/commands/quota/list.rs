//! `confluent ebs quota list`.

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    fleet::{
        at_least_prefix,
        quota_usage::{ClusterTaskUsage, QuotaRow, list_quotas},
    },
    quota::ADVISORY,
    render::{Cell, Format, RowList, TableRow},
    session::ConnectorSession,
};

/// List quotas and their usage
///
/// With a department's profile, lists your department; as the platform team, lists all departments.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the quotas of all departments of the built-in example.

  $ confluent ebs quota list --sandbox")]
pub(super) struct QuotaListArgs {}

impl QuotaListArgs {
    pub(super) fn run(ctx: &mut Ctx) -> Result<CommandOutput<RowList<QuotaRow>>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let (rows, cluster) = ctx.block_on_reading(list_quotas(&ctx.run, &session))?;
        if ctx.ui.format() == Format::Human {
            if let Some(usage) = cluster {
                let cluster = &session.connectors.cluster_path.cluster;
                ctx.ui.info(&format!("Cluster `{cluster}` uses {}", usage_text(usage)));
            }
            ctx.ui.info(ADVISORY);
        }
        Ok(CommandOutput::new(RowList::new(rows)))
    }
}

fn usage_text(usage: ClusterTaskUsage) -> String {
    let unowned = match (usage.unowned, usage.unowned_complete) {
        (0, _) => String::new(),
        (unowned, true) => format!(" {unowned} of them are unowned."),
        (unowned, false) => format!(" At least {unowned} of them are unowned."),
    };
    let tasks = usage.tasks;
    format!("{} tasks; {} reserved.{unowned}", tasks.summary(), tasks.reserved)
}

impl TableRow for QuotaRow {
    const COLUMNS: &'static [&'static str] = &["Department", "Connectors", "Tasks", "Tasks per Connector", "State"];

    fn cells(&self) -> Vec<Cell> {
        let least = at_least_prefix(self.complete);
        vec![
            Cell::text(&self.department),
            Cell::Text(format!("{} of {}", self.connectors, self.connectors_limit)),
            Cell::Text(format!("{least}{} of {}", self.tasks, self.tasks_limit)),
            Cell::Text(format!("at most {}", self.tasks_per_connector_limit)),
            self.state.label().into(),
        ]
    }
}
