//! `confluent ebs connector list`.

use serde::Serialize;

use super::{
    DepartmentSession, Tenant, names,
    show::{running, trace, why},
};
use crate::{
    commands::{Ctx, Report},
    error::Error,
    quota::{Usage, tasks_max},
    render::{Block, Cell, Format, Line, Table, Viewable},
    resources::connector::Seen,
};

/// List connectors.
///
/// One call answers for all of them. Since when a connector is in its state the service does not tell.
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
        if let (Some(tenant), Format::Human) = (&session.tenant, ctx.ui.format()) {
            ctx.ui.note(&quota_line(tenant, &Usage::of(&list, &tenant.prefix)));
        }
        // One after the other: a list may be long, and each row is a small part of what was read.
        let own = names::own(session.tenant.as_ref(), list);
        let mut rows: Vec<ConnectorRow> = own.map(|seen| ConnectorRow::of(&seen)).collect();
        rows.sort_by(|a, b| (&a.id, &a.name).cmp(&(&b.id, &b.name)));
        if ctx.ui.format() == Format::Human && rows.iter().any(|row| row.cause.is_some()) {
            // Without a department "all" is refused: it would reach everybody's without anybody having said so.
            let which = if session.tenant.is_some() { "--all" } else { "'*'" };
            ctx.ui.note(&format!(
                "What to do about those that do not run: `confluent ebs connector explain {which}{}`.",
                ctx.globals.typed()
            ));
        }
        Ok(Report::new(Listing { rows, wide: self.wide }))
    }
}

/// What is used of the department's quota, in one sentence.
fn quota_line(tenant: &Tenant, usage: &Usage) -> String {
    let least = if usage.unreadable.is_empty() { "" } else { "at least " };
    format!(
        "Department \"{}\" uses {} of {} connectors and {least}{} of {} tasks.",
        tenant.code, usage.connectors, tenant.quota.connectors, usage.tasks, tenant.quota.tasks
    )
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
    /// Why it does not run, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<String>,
}

impl ConnectorRow {
    fn of(seen: &Seen) -> Self {
        Self {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
            status: seen.state().to_owned(),
            direction: seen.direction().to_owned(),
            trace: trace(seen),
            plugin: seen.class().to_owned(),
            tasks_running: running(seen),
            tasks_max: tasks_max(&seen.now.info.config).ok(),
            cause: why(seen).map(|cause| cause.words()),
        }
    }

    /// Why it does not run, else how its trace begins: what fits into a cell. `describe` shows all of it.
    fn short_trace(&self) -> Option<&str> {
        let first = || self.trace.as_ref()?.lines().next();
        self.cause.as_deref().or_else(first)
    }
}

impl Viewable for Listing {
    fn view(&self) -> Vec<Block> {
        let mut table = match self.wide {
            true => Table::new(["ID", "Name", "Status", "Type", "Plugin", "Tasks"]),
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
            } else {
                cells.push(row.short_trace().into());
            }
            table.push(cells);
        }
        let mut blocks = vec![Block::Table(table)];
        // No room is left for them in the table.
        let said = self.rows.iter().filter(|_| self.wide);
        let said: Vec<Line> = said
            .filter_map(|row| {
                Some(Line::from(format!("{} is {}: {}", row.name, row.status, row.short_trace()?)).hang(2))
            })
            .collect();
        if !said.is_empty() {
            blocks.push(Block::Lines(said));
        }
        blocks
    }
}
