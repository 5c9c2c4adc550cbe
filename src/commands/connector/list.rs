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

/// List connectors
///
/// The list takes a single request. Confluent Cloud does not report when a state began.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List your connectors.

  $ confluent ebs connector list --profile claims-operator

Also show plugins and tasks.

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
        // Rows are built sequentially to drop each large list entry early.
        let own = selectors::into_department_connectors(session.department.as_ref(), list);
        let mut rows: Vec<ConnectorListRow> = own.map(|observed| ConnectorListRow::new(&observed)).collect();
        rows.sort_by(|a, b| (&a.id, &a.name).cmp(&(&b.id, &b.name)));
        if ctx.ui.format() == Format::Human && rows.iter().any(|row| row.cause.is_some()) {
            // Without a department, `--all` is refused, so that it never selects all departments by accident.
            let which = if session.department.is_some() { "--all" } else { "'*'" };
            ctx.ui.info(&format!(
                "To diagnose unhealthy connectors, run `confluent ebs connector explain {which}{}`.",
                ctx.run.options.to_flags()
            ));
        }
        Ok(CommandOutput::new(ConnectorListOutput { rows, wide: self.wide }))
    }
}

/// Returns a sentence about the quota usage of the department.
fn quota_line(department: &DepartmentContext, usage: &DepartmentUsage) -> String {
    let least = if usage.unreadable.is_empty() { "" } else { "at least " };
    format!(
        "Department `{}` uses {} of {} connectors and {least}{} of {} tasks.",
        department.code, usage.connectors, department.quota.connectors, usage.tasks, department.quota.tasks
    )
}

/// Connectors with the fields of the Confluent CLI, followed by our own.
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
    /// Cause of the failure in one line.
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

    /// Returns the cause, or the first line of the trace, for a table cell. `describe` shows the complete text.
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
        // The table is too narrow for the causes.
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
