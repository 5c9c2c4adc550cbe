//! `confluent ebs connector describe`.

use serde::Serialize;

use super::show;
use crate::{
    api::connect::TaskStatus,
    catalog::KeyGroup,
    commands::{CommandOutput, Ctx},
    connectors::selectors,
    error::Error,
    quota::tasks_max,
    render::{Block, Cell, Record, Table, Viewable},
    resources::connector::FailureCause,
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
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorDescribeOutput>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let written = [self.connector];
        let list = ctx.block_on(async { Ok(session.connectors.list_selected(&written).await?) })?;
        let observed = selectors::select_one(&session, &list, &written[0])?;
        let class = observed.class();
        let mut tasks: Vec<ConnectorTaskRow> = observed
            .expanded
            .status
            .tasks
            .iter()
            .map(ConnectorTaskRow::new)
            .collect();
        tasks.sort_by_key(|task| task.task);
        let mut configs: Vec<ConfigRow> = observed
            .expanded
            .info
            .config
            .iter()
            .map(|(key, value)| ConfigRow {
                config: key.clone(),
                value: crate::connectors::view::redact_value(class, key, value),
                group: KeyGroup::classify(class, key),
            })
            .collect();
        // Sorted by key, as in the Confluent CLI.
        configs.sort_by(|a, b| a.config.cmp(&b.config));
        Ok(CommandOutput::new(ConnectorDescribeOutput {
            connector: ConnectorDetails {
                id: observed.id().to_owned(),
                name: observed.name.clone(),
                status: observed.state().to_owned(),
                direction: observed.direction().to_owned(),
                trace: crate::connectors::view::error_trace(&observed),
                plugin: class.to_owned(),
                tasks_running: crate::connectors::view::running_tasks(&observed),
                tasks_max: tasks_max(&observed.expanded.info.config).ok(),
                service_account: observed.expanded.info.config.get("kafka.service.account.id").cloned(),
            },
            tasks,
            configs,
            cause: crate::connectors::view::visible_cause(&observed),
        }))
    }
}

/// Connector in the three parts of the Confluent CLI, followed by the cause of a failure.
#[derive(Debug, Serialize)]
pub(super) struct ConnectorDescribeOutput {
    connector: ConnectorDetails,
    tasks: Vec<ConnectorTaskRow>,
    configs: Vec<ConfigRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<FailureCause>,
}

#[derive(Debug, Serialize)]
struct ConnectorDetails {
    id: String,
    name: String,
    status: String,
    #[serde(rename = "type")]
    direction: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
    plugin: String,
    tasks_running: usize,
    /// Limit of tasks; `None` if the configuration is not readable or holds no number.
    tasks_max: Option<u32>,
    /// Service account of the connector, if it runs as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    service_account: Option<String>,
}

#[derive(Debug, Serialize)]
struct ConnectorTaskRow {
    task: u32,
    state: String,
    /// Message of the service about the task.
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

impl ConnectorTaskRow {
    fn new(task: &TaskStatus) -> Self {
        Self {
            task: task.id,
            state: task.state.clone(),
            message: task.msg.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
struct ConfigRow {
    config: String,
    value: String,
    group: KeyGroup,
}

impl ConnectorDescribeOutput {
    fn tasks(&self) -> Block {
        let said = self.tasks.iter().any(|task| !task.message.is_empty());
        let mut table = match said {
            true => Table::new(["Task", "State", "Message"]),
            false => Table::new(["Task", "State"]),
        };
        for task in &self.tasks {
            let mut cells = vec![task.task.into(), Cell::text(&task.state)];
            if said {
                cells.push(Cell::text(&task.message));
            }
            table.push(cells);
        }
        Block::titled("Task Level Details", [Block::Table(table)])
    }

    /// Returns the configuration, one table per group of keys.
    fn configs(&self) -> impl Iterator<Item = Block> {
        let of = |group: KeyGroup| self.configs.iter().filter(move |row| row.group == group);
        let groups = KeyGroup::ALL
            .into_iter()
            .filter(move |group| of(*group).next().is_some());
        let mut tables: Vec<Block> = groups
            .map(|group| {
                let mut table = Table::new(["Config", "Value"]);
                for row in of(group) {
                    table.push([Cell::text(&row.config), Cell::text(&row.value)]);
                }
                let title = format!("Configuration Details: {}", group.title());
                Block::titled(title, [Block::Table(table)])
            })
            .collect();
        if tables.is_empty() {
            tables.push(Block::titled("Configuration Details", [Block::Empty]));
        }
        tables.into_iter()
    }
}

impl Viewable for ConnectorDescribeOutput {
    fn view(&self) -> Vec<Block> {
        let head = &self.connector;
        let record = Record::new()
            .field("ID", head.id.clone())
            .field("Name", head.name.clone())
            .field("Status", head.status.clone())
            .field("Type", head.direction.clone())
            .field("Plugin", head.plugin.clone())
            .field("Tasks", show::tasks_text(head.tasks_running, head.tasks_max))
            .optional("Runs As", head.service_account.clone())
            .optional("Trace", head.trace.clone().map(Cell::Multiline));
        let mut blocks = vec![Block::titled("Connector Details", [Block::Record(record)])];
        if let Some(cause) = &self.cause {
            blocks.push(Block::titled("Cause", [show::cause_lines(&head.id, &head.name, cause)]));
        }
        blocks.push(self.tasks());
        blocks.extend(self.configs());
        blocks
    }
}
