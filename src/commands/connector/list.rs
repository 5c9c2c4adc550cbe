//! `confluent ebs connector list`.

use serde::Serialize;

use super::{DepartmentSession, names, show::trace};
use crate::{
    commands::{Ctx, Report},
    error::Error,
    quota::{Usage, tasks_max},
    render::{Block, Cell, Format, Table, Viewable},
    resources::connector::Seen,
};

/// List connectors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the department's connectors.

  $ confluent ebs connector list --profile claims-operator

Show plugins and tasks, too.

  $ confluent ebs connector list --wide --sandbox --department claims")]
pub(super) struct ListConnectors {
    /// Also show plugin and tasks.
    #[arg(long)]
    wide: bool,
}

impl ListConnectors {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Listing>, Error> {
        let session = DepartmentSession::open(ctx)?;
        let list = ctx.block_on(async { Ok(session.connectors.list().await?) })?;
        let mut rows: Vec<ConnectorRow> = names::all(&session, &list).iter().map(ConnectorRow::of).collect();
        rows.sort_by(|a, b| (&a.id, &a.name).cmp(&(&b.id, &b.name)));
        if let (Some(tenant), Format::Human) = (&session.tenant, ctx.ui.format()) {
            let usage = Usage::of(&list, &tenant.prefix);
            ctx.ui.note(&format!(
                "Department \"{}\" uses {} of {} connectors and {} of {} tasks.",
                tenant.code, usage.connectors, tenant.quota.connectors, usage.tasks, tenant.quota.tasks
            ));
        }
        Ok(Report::new(Listing { rows, wide: self.wide }))
    }
}

/// The connectors, as the stock CLI lists them; the fields it does not have come last.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Listing {
    rows: Vec<ConnectorRow>,
    #[serde(skip)]
    wide: bool,
}

#[derive(Debug, Serialize)]
struct ConnectorRow {
    id: String,
    name: String,
    status: String,
    #[serde(rename = "type")]
    direction: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    plugin: String,
    tasks_running: usize,
    tasks_max: Option<u32>,
}

impl ConnectorRow {
    fn of(seen: &Seen) -> Self {
        let tasks = &seen.now.status.tasks;
        Self {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
            status: seen.state().to_owned(),
            direction: seen.direction().to_owned(),
            trace: trace(seen),
            plugin: seen.class().to_owned(),
            tasks_running: tasks.iter().filter(|task| task.state == "RUNNING").count(),
            tasks_max: tasks_max(&seen.now.info.config).ok(),
        }
    }
}

impl Viewable for Listing {
    fn view(&self) -> Vec<Block> {
        let mut table = match self.wide {
            true => Table::new(["ID", "Name", "Status", "Type", "Plugin", "Tasks", "Trace"]),
            false => Table::new(["ID", "Name", "Status", "Type", "Trace"]),
        };
        for row in &self.rows {
            let mut cells = vec![
                Cell::text(&row.id),
                Cell::text(&row.name),
                Cell::text(&row.status),
                Cell::text(&row.direction),
            ];
            if self.wide {
                let most = row.tasks_max.map_or("?".to_owned(), |most| most.to_string());
                cells.push(Cell::text(&row.plugin));
                cells.push(Cell::Text(format!("{}/{most}", row.tasks_running)));
            }
            cells.push(row.trace.clone().into());
            table.push(cells);
        }
        vec![Block::Table(table)]
    }
}
