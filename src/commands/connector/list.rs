//! `confluent ebs connector list`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    connectors::{
        selectors,
        view::{error_trace, running_tasks, visible_cause},
    },
    error::Error,
    quota::{DepartmentUsage, tasks_max},
    render::{Block, Cell, Format, Table, TextLine, Viewable},
    resources::connector::LiveConnector,
    session::{ConnectorSession, DepartmentContext},
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
pub(super) struct ConnectorListArgs {
    /// Also show plugin and tasks.
    #[arg(long)]
    wide: bool,
}

impl ConnectorListArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorListOutput>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let list = ctx.block_on(async { Ok(session.connectors.list().await?) })?;
        if let (Some(department), Format::Human) = (&session.department, ctx.ui.format()) {
            ctx.ui.info(&quota_line(
                department,
                &DepartmentUsage::from_connectors(&list, &department.prefix),
            ));
        }
        // One after the other: a list may be long, and each row is a small part of what was read.
        let own = selectors::into_department_connectors(session.department.as_ref(), list);
        let mut rows: Vec<ConnectorListRow> = own.map(|observed| ConnectorListRow::new(&observed)).collect();
        rows.sort_by(|a, b| (&a.id, &a.name).cmp(&(&b.id, &b.name)));
        if ctx.ui.format() == Format::Human && rows.iter().any(|row| row.cause.is_some()) {
            // Without a department "all" is refused: it would reach everybody's without anybody having said so.
            let which = if session.department.is_some() { "--all" } else { "'*'" };
            ctx.ui.info(&format!(
                "What to do about those that do not run: `confluent ebs connector explain {which}{}`.",
                ctx.run.options.to_flags()
            ));
        }
        Ok(CommandOutput::new(ConnectorListOutput { rows, wide: self.wide }))
    }
}

/// What is used of the department's quota, in one sentence.
fn quota_line(department: &DepartmentContext, usage: &DepartmentUsage) -> String {
    let least = if usage.unreadable.is_empty() { "" } else { "at least " };
    format!(
        "Department \"{}\" uses {} of {} connectors and {least}{} of {} tasks.",
        department.code, usage.connectors, department.quota.connectors, usage.tasks, department.quota.tasks
    )
}

/// The connectors, as the stock CLI lists them; the fields it does not have come last.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct ConnectorListOutput {
    rows: Vec<ConnectorListRow>,
    #[serde(skip)]
    wide: bool,
}

#[derive(Debug, Serialize)]
struct ConnectorListRow {
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

impl ConnectorListRow {
    fn new(observed: &LiveConnector) -> Self {
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            status: observed.state().to_owned(),
            direction: observed.direction().to_owned(),
            trace: error_trace(observed),
            plugin: observed.class().to_owned(),
            tasks_running: running_tasks(observed),
            tasks_max: tasks_max(&observed.expanded.info.config).ok(),
            cause: visible_cause(observed).map(|cause| cause.summary()),
        }
    }

    /// Why it does not run, else how its trace begins: what fits into a cell. `describe` shows all of it.
    fn short_trace(&self) -> Option<&str> {
        let first = || self.trace.as_ref()?.lines().next();
        self.cause.as_deref().or_else(first)
    }
}

impl Viewable for ConnectorListOutput {
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
        let said: Vec<TextLine> = said
            .filter_map(|row| {
                Some(
                    TextLine::from(format!("{} is {}: {}", row.name, row.status, row.short_trace()?))
                        .with_hanging_indent(2),
                )
            })
            .collect();
        if !said.is_empty() {
            blocks.push(Block::Lines(said));
        }
        blocks
    }
}
