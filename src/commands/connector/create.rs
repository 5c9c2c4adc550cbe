//! `confluent ebs connector create`.

use std::path::PathBuf;

use super::{
    args::{BackupArgs, SecretArgs, WaitArgs},
    explain::explanation_lines,
    show,
};
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::{
        change::ChangeOptions,
        creation::{CreatedConnector, plan_creation},
        definition,
        preparation::{ConnectorListing, ConnectorPreparation},
        sent_secrets::ExistingConnectorPolicy,
    },
    error::Error,
    model::ConnectorState,
    render::{Block, ChangeMark, Record, Viewable},
    resources::connector::{WaitGoal, wait::SETTLE_TIME},
    session::ConnectorSession,
};

/// Create a connector
///
/// Adds the defaults of your department to the configuration, checks name, quota and configuration, creates the
/// connector, and waits until it is running. If an identical connector exists, the command only waits for it, so you can
/// re-run it after an interruption. A file with "state: paused" pauses the new connector as --paused does.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Create a connector from a file, and wait until it is running.

  $ confluent ebs connector create --config-file claims-orders.json --profile claims-deployer

Show the request without sending it.

  $ confluent ebs connector create --config-file claims-orders.json --dry-run

Create the connector, or update an existing one.

  $ confluent ebs connector create --config-file claims-orders.json --or-update

Send the secrets of the file to an existing connector even if nothing else differs, such as after a rotation.

  $ confluent ebs connector create --config-file claims-orders.json --or-update --send-secrets")]
pub(super) struct ConnectorCreateArgs {
    /// JSON or YAML connector configuration file.
    #[arg(long, value_name = "string", required = true)]
    config_file: PathBuf,
    /// Update an existing connector of that name if it differs.
    #[arg(long)]
    or_update: bool,
    /// Send secrets to an existing connector even if nothing else differs: all of the file, or only if these keys are
    /// its secrets. Stored secrets are not readable, so they cannot be compared.
    #[arg(
        long,
        value_name = "keys",
        value_delimiter = ',',
        num_args = 0..,
        require_equals = true,
        requires = "or_update"
    )]
    send_secrets: Option<Vec<String>>,
    /// Pause the connector as soon as it runs.
    #[arg(long, conflicts_with = "no_wait")]
    paused: bool,
    /// Show the changes without applying them.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    secrets: SecretArgs,
    #[command(flatten)]
    backup: BackupArgs,
}

impl ConnectorCreateArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<CreatedConnector>, Error> {
        let file = definition::read(&self.config_file)?;
        let is_paused = self.paused || file.state()? == Some("paused");
        let session = ConnectorSession::open(&ctx.run)?;
        let definition = file.lint(&ctx.run, Some(session.require_department()?))?;
        if is_paused && self.wait.no_wait {
            return Err(Error::usage(
                "`--no-wait` cannot pause the connector, as `state: paused` in the file asks for",
            )
            .with_hint("The service can only pause a connector that runs. Omit `--no-wait`, or remove `state`."));
        }
        let goal = if is_paused { WaitGoal::Paused } else { WaitGoal::Running };
        let options = ChangeOptions {
            dry_run: self.dry_run,
            wait: (!self.wait.no_wait).then_some(goal),
            timeout: self.wait.timeout,
            settle_time: SETTLE_TIME,
            backup: self.backup.policy(),
        };
        let policy = match (self.or_update, self.send_secrets) {
            (false, _) => ExistingConnectorPolicy::Keep,
            (true, None) => ExistingConnectorPolicy::Update,
            (true, Some(keys)) => ExistingConnectorPolicy::UpdateSecrets(keys),
        };
        let prompt = |question: &str| ctx.ui.ask_secret(question).ok();
        ctx.block_on(async {
            let mut preparation = ConnectorPreparation {
                run: &ctx.run,
                session: &session,
                secrets: self.secrets.sources(&prompt),
                listing: ConnectorListing::observe(&session).await?,
            };
            let planned = plan_creation(&mut preparation, definition, &policy, &options).await?;
            let created = &planned.connector;
            if self.dry_run {
                return Ok(CommandOutput::new(planned.connector));
            }
            if !created.existed && !created.defaults.is_empty() {
                ctx.ui.info("Added to the configuration:");
                ctx.ui.print_message(&[show::added_defaults(&created.defaults)]);
            }
            if created.updated {
                let diff = show::config_diff(&created.name, ChangeMark::Change, &created.configs);
                ctx.ui.print_message(&[diff]);
            }
            Ok(planned.apply(&ctx.run, &session, &options).await?.into())
        })
    }
}

impl Viewable for CreatedConnector {
    fn view(&self) -> Vec<Block> {
        if self.dry_run {
            let (what, mark) = match (self.existed, self.updated) {
                (true, true) => ("would be updated", ChangeMark::Change),
                (true, false) => ("is up to date", ChangeMark::Change),
                (false, _) => ("would be created", ChangeMark::Add),
            };
            let mut blocks = vec![show::dry_run(&format!("Connector `{}` {what}.", self.name))];
            if !self.configs.is_empty() {
                blocks.push(show::config_diff(&self.name, mark, &self.configs));
            }
            if !self.existed && !self.defaults.is_empty() {
                blocks.push(Block::line("Added to the configuration of the file:"));
                blocks.push(show::added_defaults(&self.defaults));
            }
            let topics = self.topics.fields().into_iter();
            blocks.push(Block::Lines(
                topics
                    .map(|(label, names)| format!("{label}: {names}").into())
                    .collect(),
            ));
            return blocks;
        }
        let mut record = Record::new()
            .field("ID", self.id.clone().unwrap_or_default())
            .field("Name", self.name.clone())
            .optional("Status", self.status.as_ref().map(ConnectorState::as_str))
            .optional(
                "Error Trace",
                self.error_trace.clone().filter(|_| self.explanation.is_none()),
            );
        for (label, names) in self.topics.fields() {
            record = record.field(label, names);
        }
        let mut blocks = vec![Block::Record(record)];
        if let Some(explanation) = &self.explanation {
            blocks.push(Block::Lines(explanation_lines(explanation)));
        } else if let Some(cause) = &self.cause {
            blocks.push(show::cause_lines(
                self.id.as_deref().unwrap_or_default(),
                &self.name,
                cause,
                &self.platform_team,
            ));
        }
        blocks
    }
}
