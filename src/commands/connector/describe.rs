//! `confluent ebs connector describe`.

use serde::Serialize;

use super::{DepartmentSession, names, show};
use crate::{
    commands::{Ctx, Report},
    error::Error,
    render::{Block, Cell, Record, Table, Viewable},
    resources::connector::{Cause, find},
};

/// Describe a connector.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe a connector by its name.

  $ confluent ebs connector describe claims-orders --profile claims-operator

Read its state in a script.

  $ confluent ebs connector describe lcc-123456 -o json")]
pub(super) struct Describe {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
}

impl Describe {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Description>, Error> {
        let session = DepartmentSession::open(ctx)?;
        let written = [self.connector];
        let list = ctx.block_on(async { Ok(session.connectors.look(&written).await?) })?;
        let seen = find(&list, &written[0]).ok_or_else(|| names::not_found(&list, &written))?;
        let mut tasks: Vec<TaskRow> = seen
            .now
            .status
            .tasks
            .iter()
            .map(|task| TaskRow {
                task: task.id,
                state: task.state.clone(),
            })
            .collect();
        tasks.sort_by_key(|task| task.task);
        let configs = seen.now.info.config.iter().map(|(key, value)| ConfigRow {
            config: key.clone(),
            value: show::value(key, value),
        });
        Ok(Report::new(Description {
            connector: Head {
                id: seen.id().to_owned(),
                name: seen.name.clone(),
                status: seen.state().to_owned(),
                direction: seen.direction().to_owned(),
                trace: show::trace(&seen),
            },
            tasks,
            configs: configs.collect(),
            cause: show::why(&seen),
        }))
    }
}

/// The connector, in the stock CLI's three parts, and why it does not run.
#[derive(Debug, Serialize)]
pub(super) struct Description {
    connector: Head,
    tasks: Vec<TaskRow>,
    configs: Vec<ConfigRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<Cause>,
}

#[derive(Debug, Serialize)]
struct Head {
    id: String,
    name: String,
    status: String,
    #[serde(rename = "type")]
    direction: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<String>,
}

#[derive(Debug, Serialize)]
struct TaskRow {
    task: u32,
    state: String,
}

#[derive(Debug, Serialize)]
struct ConfigRow {
    config: String,
    value: String,
}

impl Viewable for Description {
    fn view(&self) -> Vec<Block> {
        let head = &self.connector;
        let record = Record::new()
            .field("ID", head.id.clone())
            .field("Name", head.name.clone())
            .field("Status", head.status.clone())
            .field("Type", head.direction.clone())
            .optional("Trace", head.trace.clone());
        let mut tasks = Table::new(["Task", "State"]);
        for task in &self.tasks {
            tasks.push([task.task.into(), Cell::text(&task.state)]);
        }
        let mut configs = Table::new(["Config", "Value"]);
        for row in &self.configs {
            configs.push([Cell::text(&row.config), Cell::text(&row.value)]);
        }
        let mut blocks = vec![
            Block::titled("Connector Details", [Block::Record(record)]),
            Block::titled("Task Level Details", [Block::Table(tasks)]),
            Block::titled("Configuration Details", [Block::Table(configs)]),
        ];
        if let Some(cause) = &self.cause {
            blocks.push(Block::titled("Cause", [show::cause_lines(cause)]));
        }
        blocks
    }
}
