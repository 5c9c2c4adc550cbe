//! `confluent ebs connector list`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    connectors::details::{ListedConnector, list},
    error::Error,
    quota::DepartmentUsage,
    render::{Block, Cell, Format, Table, TextLine, Viewable},
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
        let (rows, usage) = ctx.block_on_reading(list(&session))?;
        if ctx.ui.format() == Format::Human {
            if let (Some(department), Some(usage)) = (&session.department, &usage) {
                ctx.ui.info(&quota_line(department, usage));
            }
            if rows.iter().any(|row| row.cause.is_some()) {
                // Without a department, `--all` is refused, so that it never selects all departments by accident.
                let which = if session.department.is_some() { "--all" } else { "'*'" };
                ctx.ui.info(&format!(
                    "To diagnose unhealthy connectors, run `confluent ebs connector explain {which}`."
                ));
            }
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

/// Connectors in the selected width.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct ConnectorListOutput {
    rows: Vec<ListedConnector>,
    #[serde(skip)]
    wide: bool,
}

/// Returns the cause, or the first line of the trace. `describe` shows the complete text.
fn short_trace(row: &ListedConnector) -> Option<&str> {
    let first = || row.facts.trace.as_ref()?.lines().next();
    row.cause.as_deref().or_else(first)
}

impl Viewable for ConnectorListOutput {
    fn view(&self) -> Vec<Block> {
        let mut table = if self.wide {
            Table::new(["ID", "Name", "Status", "Type", "Plugin", "Tasks"]).with_optional_columns(&["Type", "Plugin"])
        } else {
            Table::new(["ID", "Name", "Status", "Type"])
        };
        for row in &self.rows {
            let facts = &row.facts;
            let mut cells = vec![
                Cell::text(&facts.id),
                Cell::text(&facts.name),
                Cell::text(&facts.status),
                Cell::text(&facts.direction),
            ];
            if self.wide {
                let most = facts.tasks_max.map_or("?".to_owned(), |most| most.to_string());
                cells.push(Cell::text(&facts.plugin));
                cells.push(Cell::Text(format!("{}/{most}", facts.tasks_running)));
            }
            table.push(cells);
        }
        let mut blocks = vec![Block::Table(table)];
        // A column is too narrow for the causes.
        let causes = self.rows.iter().filter_map(|row| {
            let cause = short_trace(row)?;
            Some(format!("{} is {}: {cause}", row.facts.name, row.facts.status))
        });
        let causes: Vec<TextLine> = causes.map(|line| TextLine::from(line).with_hanging_indent(2)).collect();
        if !causes.is_empty() {
            blocks.push(Block::Lines(causes));
        }
        blocks
    }
}
