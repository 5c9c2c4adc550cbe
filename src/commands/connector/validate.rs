//! `confluent ebs connector validate`.

use std::path::PathBuf;

use serde::Serialize;

use super::args::SecretArgs;
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::{
        definition,
        request::{self, ConfigValidationError},
        selectors,
    },
    error::Error,
    render::{Block, Cell, Table, Viewable},
    session::ConnectorSession,
    text,
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
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorValidateOutput>, Error> {
        let read = definition::read(&self.config_file)?;
        let session = ConnectorSession::open(&ctx.run)?;
        selectors::reject_foreign_names(session.department.as_ref(), &[read.name().to_owned()])?;
        let mut file = read.lint(&ctx.run, session.department.as_ref())?;
        request::reject_masked(&file.config, |_| false)?;
        let (validation, class) = ctx.block_on(async {
            let mut added = match &session.department {
                Some(_) => request::apply_defaults(&session, &mut file).await?,
                None => Vec::new(),
            };
            request::resolve_secrets(
                &ctx.run,
                &|question| ctx.ui.ask_secret(question).ok(),
                &session,
                &file.class,
                &mut file.config,
                self.secrets.secrets_dir.as_deref(),
            )
            .await?;
            let mut validation = request::validate_with_service(&session, &file.class, file.config.clone()).await?;
            let before = added.len();
            if let Some(first) = &validation {
                request::drop_unknown_default(&mut file.config, &mut added, first);
            }
            if added.len() != before {
                validation = request::validate_with_service(&session, &file.class, file.config.clone()).await?;
            }
            Ok((validation, file.class.clone()))
        })?;
        let Some(validation) = validation else {
            let list = ctx.run.options.suggest("connector plugin list");
            return Err(Error::failed(format!(
                "plugin `{class}` is unknown to the validation of Confluent Cloud"
            ))
            .with_hint(format!("List plugins with `{list}`.")));
        };
        let validated = ConnectorValidateOutput {
            name: file.name.clone(),
            plugin: class,
            error_count: validation.error_count,
            errors: request::validation_errors(&validation),
        };
        let error = (validated.error_count > 0 || !validated.errors.is_empty()).then(|| {
            Error::failed(format!(
                "invalid configuration of connector `{}`: {}",
                validated.name,
                text::count_noun(validated.errors.len(), "key")
                    .replace("keys", "keys are wrong")
                    .replace("1 key", "1 key is wrong")
            ))
        });
        let report = CommandOutput::new(validated);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// Validation result.
#[derive(Debug, Serialize)]
pub(super) struct ConnectorValidateOutput {
    name: String,
    plugin: String,
    error_count: u32,
    errors: Vec<ConfigValidationError>,
}

impl Viewable for ConnectorValidateOutput {
    fn view(&self) -> Vec<Block> {
        if self.errors.is_empty() && self.error_count == 0 {
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
