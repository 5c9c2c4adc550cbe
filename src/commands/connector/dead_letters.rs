//! `confluent ebs connector dead-letters`.

use crate::{
    commands::{CommandOutput, Ctx},
    connectors::dead_letters::{DeadLetters, describe_dead_letters},
    error::Error,
    render::{Block, Cell, Record, Style, Table, TextLine, Viewable},
    session::ConnectorSession,
};

/// Show where a sink writes records that it cannot process
///
/// Shows the dead letter topic, the number of its records of the last 24 hours if the key may read metrics, the headers that
/// explain each record, and the command of the Confluent CLI that reads them. That command requires an API key of the
/// Kafka cluster whose account may read the topic.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show the dead letters of a sink.

  $ confluent ebs connector dead-letters claims-archive --profile claims-operator")]
pub(super) struct ConnectorDeadLettersArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
}

impl ConnectorDeadLettersArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<DeadLetters>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let found = ctx.block_on_reading(describe_dead_letters(&ctx.run, &session, &self.connector))?;
        Ok(CommandOutput::new(found))
    }
}

impl Viewable for DeadLetters {
    fn view(&self) -> Vec<Block> {
        if self.topics.is_empty() {
            return vec![Block::line(format!(
                "Connector `{}` has no dead letter topic: it fails at the first record that it cannot process.",
                self.name
            ))];
        }
        let records = match (self.records, &self.records_unknown) {
            (Some(records), _) => records.to_string(),
            (None, Some(reason)) => format!("unknown: {reason}"),
            (None, None) => "unknown: there are no metrics yet".to_owned(),
        };
        let topics: Vec<&str> = self.topics.iter().map(|topic| topic.topic.as_str()).collect();
        let record = Record::new()
            .field("ID", self.id.clone())
            .field("Name", self.name.clone())
            .field("Topics", topics.join("\n"))
            .field("Records in 24 h", records);
        let mut headers = Table::new(["Header", "Meaning"]);
        for header in self.headers {
            headers.push([Cell::text(header.header), Cell::text(header.meaning)]);
        }
        let command = |text: &str| {
            TextLine::new()
                .with_styled_text(Style::Hint, text)
                .with_hanging_indent(2)
        };
        let mut lines = vec![TextLine::from(
            "Read the records with an API key of the Kafka cluster whose account may read the topic:",
        )];
        lines.extend(self.topics.iter().map(|topic| command(&topic.command)));
        vec![
            Block::Record(record),
            Block::titled("Headers", [Block::Table(headers)]),
            Block::titled("Commands", [Block::Lines(lines)]),
        ]
    }
}
