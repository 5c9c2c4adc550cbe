//! `confluent ebs connector describe`.

use super::show;
use crate::{
    catalog::KeyGroup,
    commands::{CommandOutput, Ctx},
    connectors::details::{ConfigValue, ConnectorDescription, ConnectorTask, describe},
    error::Error,
    render::{Block, Cell, Record, Table, Viewable},
    session::ConnectorSession,
};

/// Describe a connector
///
/// Shows the state, the tasks, the cause of a failure, and the configuration grouped by topic. Secrets are masked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe a connector by its name.

  $ confluent ebs connector describe claims-orders --profile claims-operator

Print the connector as JSON for a script.

  $ confluent ebs connector describe lcc-123456 -o json")]
pub(super) struct ConnectorDescribeArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
}

impl ConnectorDescribeArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorDescription>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let description = ctx.block_on_reading(describe(&session, &self.connector))?;
        Ok(CommandOutput::new(description))
    }
}

/// Returns the table of tasks.
fn task_table(tasks: &[ConnectorTask]) -> Block {
    let has_messages = tasks.iter().any(|task| !task.message.is_empty());
    let mut table = if has_messages {
        Table::new(["Task", "State", "Message"])
    } else {
        Table::new(["Task", "State"])
    };
    for task in tasks {
        let mut cells = vec![task.task.into(), Cell::text(&task.state)];
        if has_messages {
            cells.push(Cell::text(&task.message));
        }
        table.push(cells);
    }
    Block::titled("Task Level Details", [Block::Table(table)])
}

/// Returns the configuration, one table per group of keys.
fn config_tables(configs: &[ConfigValue]) -> Vec<Block> {
    let mut tables = Vec::new();
    for group in KeyGroup::ALL {
        let rows: Vec<&ConfigValue> = configs.iter().filter(|row| row.group == group).collect();
        if rows.is_empty() {
            continue;
        }
        let mut table = Table::new(["Config", "Value"]);
        for row in rows {
            table.push([Cell::text(&row.config), Cell::text(&row.value)]);
        }
        let title = format!("Configuration Details: {}", group.title());
        tables.push(Block::titled(title, [Block::Table(table)]));
    }
    if tables.is_empty() {
        tables.push(Block::titled("Configuration Details", [Block::Empty]));
    }
    tables
}

impl Viewable for ConnectorDescription {
    fn view(&self) -> Vec<Block> {
        let head = &self.connector.facts;
        let mut record = Record::new()
            .field("ID", head.id.clone())
            .field("Name", head.name.clone())
            .field("Status", head.status.as_str())
            .field("Type", head.direction.clone())
            .field("Plugin", head.plugin.clone())
            .field("Tasks", show::tasks_text(head.tasks_running, head.tasks_max))
            .optional("Runs As", self.connector.service_account.clone());
        for (label, names) in self.connector.topics.fields() {
            record = record.field(label, names);
        }
        let record = record.optional("Trace", head.trace.clone().map(Cell::Multiline));
        let mut blocks = vec![Block::titled("Connector Details", [Block::Record(record)])];
        if let Some(cause) = &self.cause {
            blocks.push(Block::titled(
                "Cause",
                [show::cause_lines(&head.id, &head.name, cause, &self.platform_team)],
            ));
        }
        blocks.push(task_table(&self.tasks));
        blocks.extend(config_tables(&self.configs));
        blocks
    }
}
