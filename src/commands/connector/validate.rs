//! `confluent ebs connector validate`.

use std::path::PathBuf;

use super::args::SecretArgs;
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::{
        definition,
        validation::{ValidatedConfiguration, validate_definition},
    },
    error::Error,
    render::{Block, Cell, Table, Viewable},
    session::ConnectorSession,
};

/// Validate a configuration with Confluent Cloud
///
/// A valid configuration can still fail: addresses and credentials are not tried before the connector runs.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Validate a file, with the defaults of your department added.

  $ confluent ebs connector validate --config-file claims-orders.json")]
pub(super) struct ConnectorValidateArgs {
    /// JSON or YAML connector configuration file.
    #[arg(long, value_name = "string", required = true)]
    config_file: PathBuf,
    #[command(flatten)]
    secrets: SecretArgs,
}

impl ConnectorValidateArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ValidatedConfiguration>, Error> {
        let file = definition::read(&self.config_file)?;
        let session = ConnectorSession::open(&ctx.run)?;
        let definition = file.lint(&ctx.run, session.department.as_ref())?;
        let prompt = |question: &str| ctx.ui.ask_secret(question).ok();
        let secrets = self.secrets.sources(&prompt);
        Ok(ctx
            .block_on_reading(validate_definition(&ctx.run, &session, secrets, definition))?
            .into())
    }
}

impl Viewable for ValidatedConfiguration {
    fn view(&self) -> Vec<Block> {
        if self.is_valid() {
            return vec![Block::line(format!(
                "The configuration of connector `{}` is valid for plugin `{}`.",
                self.name, self.plugin
            ))];
        }
        let mut table = Table::new(["Config", "Error", "Allowed Values"]);
        for complaint in &self.errors {
            table.push([
                Cell::text(&complaint.config),
                Cell::Multiline(complaint.errors.join("\n")),
                Cell::Text(complaint.recommended_values.join(", ")),
            ]);
        }
        vec![Block::Table(table)]
    }
}
