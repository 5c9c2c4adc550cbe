//! `confluent ebs connector update`.

use std::{path::PathBuf, time::Duration};

use super::{
    args::{BackupArgs, SecretArgs, WaitArgs},
    show,
};
use crate::{
    commands::{CommandOutput, Ctx, duration::parse_duration},
    connectors::{
        change::ChangeOptions,
        definition::{self, ConfigOverrides},
        selectors,
        update::{UpdateSource, UpdatedConnector, plan_update},
    },
    error::Error,
    render::{Block, ChangeMark, Viewable},
    resources::connector::WaitGoal,
    session::ConnectorSession,
};

/// Update a connector's configuration
///
/// A file replaces the whole configuration and sends its secrets; --config and --unset change single keys. Stored secrets
/// are readable only as masks: with --config, the masks of other keys are sent back, as the Confluent CLI does. The
/// current configuration is backed up first. Confluent Cloud accepts a configuration before it tries it, so the command watches the connector before it reports
/// success.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Replace the configuration of a connector, and wait until it is running.

  $ confluent ebs connector update claims-orders --config-file claims-orders.json

Show the change of a single key without applying it.

  $ confluent ebs connector update lcc-123456 --config tasks.max=2 --dry-run

Rotate a secret.

  $ confluent ebs connector update claims-orders --config 'connection.password=${env:EBS_SECRET_DB}'")]
pub(super) struct ConnectorUpdateArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// JSON or YAML connector configuration file.
    #[arg(long, value_name = "string", conflicts_with_all = ["config", "unset"])]
    config_file: Option<PathBuf>,
    /// A comma-separated list of "key=value" pairs to change.
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    config: Vec<String>,
    /// A comma-separated list of keys to remove.
    #[arg(long, value_name = "strings", value_delimiter = ',')]
    unset: Vec<String>,
    /// Show the changes without applying them.
    #[arg(long)]
    dry_run: bool,
    /// How long to watch the connector before reporting success.
    #[arg(long, value_name = "duration", default_value = "90s", value_parser = parse_duration, conflicts_with = "no_wait")]
    settle: Duration,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    backup: BackupArgs,
    #[command(flatten)]
    secrets: SecretArgs,
}

impl ConnectorUpdateArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<UpdatedConnector>, Error> {
        if self.config_file.is_none() && self.config.is_empty() && self.unset.is_empty() {
            // Message of the Confluent CLI (docs/reference/cli.md#connector-commands).
            return Err(Error::usage("one of --config or --config-file must be specified"));
        }
        let overrides = self.overrides()?;
        let file = self.config_file.as_deref().map(definition::read).transpose()?;
        let session = ConnectorSession::open(&ctx.run)?;
        selectors::reject_foreign_names(session.department.as_ref(), std::slice::from_ref(&self.connector))?;
        let source = match file {
            Some(file) => {
                if let Some(state) = file.state()? {
                    let text = format!("`state: {state}` is ignored: `connector pause` and `resume` set the state");
                    ctx.run.warn(text);
                }
                UpdateSource::File(file.lint(&ctx.run, session.department.as_ref())?)
            }
            None => UpdateSource::Overrides(overrides),
        };
        let options = ChangeOptions {
            dry_run: self.dry_run,
            wait: (!self.wait.no_wait).then_some(WaitGoal::Running),
            timeout: self.wait.timeout,
            settle_time: self.settle,
            backup: self.backup.policy(),
        };
        let prompt = |question: &str| ctx.ui.ask_secret(question).ok();
        ctx.block_on(async {
            let secrets = self.secrets.sources(&prompt);
            let planned = plan_update(&ctx.run, &session, secrets, &self.connector, source, &options).await?;
            let updated = &planned.connector;
            if self.dry_run || !updated.changed {
                return Ok(CommandOutput::new(planned.connector));
            }
            let diff = show::config_diff(&updated.name, ChangeMark::Change, &updated.changes);
            ctx.ui.print_message(&[diff]);
            Ok(planned.apply(&ctx.run, &session, &options).await?.into())
        })
    }

    fn overrides(&self) -> Result<ConfigOverrides, Error> {
        let parse = |pair: &String| {
            let (key, value) = pair.split_once('=').filter(|(key, _)| !key.is_empty())?;
            Some((key.to_owned(), value.to_owned()))
        };
        let set: Option<Vec<_>> = self.config.iter().map(parse).collect();
        let overrides = ConfigOverrides {
            set: set.ok_or_else(|| Error::usage("invalid value for --config: expected `key=value`"))?,
            unset: self.unset.clone(),
        };
        overrides.reject_literal_secrets()?;
        Ok(overrides)
    }
}

impl Viewable for UpdatedConnector {
    fn view(&self) -> Vec<Block> {
        if !self.changed {
            return vec![Block::line(format!("Connector `{}` is up to date.", self.shown_name))];
        }
        if self.dry_run {
            return vec![
                show::dry_run(&format!("Updated connector \"{}\".", self.shown_name)),
                show::config_diff(&self.name, ChangeMark::Change, &self.changes),
            ];
        }
        let mut blocks = vec![Block::line(format!("Updated connector \"{}\".", self.shown_name))];
        blocks.extend(
            self.cause
                .as_ref()
                .map(|cause| show::cause_lines(&self.id, &self.name, cause, &self.platform_team)),
        );
        blocks
    }
}
