//! `confluent ebs connector update`.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Serialize;

use super::{
    args::{BackupArgs, SecretArgs},
    show,
    wait_args::{WaitArgs, parse_duration},
};
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::{
        BackupFile,
        definition::{self, ConnectorDefinition},
        execution, request, selectors,
    },
    error::{Error, ErrorKind},
    hint::{connector_arg, shell_quote},
    plan::ConnectorPlan,
    quota::tasks_max,
    render::{Block, ChangeMark, Viewable},
    resources::connector::{
        DesiredConnector, FailureCause, FieldDiff, LiveConnector, WaitGoal, is_mask, is_server_key,
    },
    session::ConnectorSession,
    text,
};

/// Update a connector's configuration
///
/// A file replaces the whole configuration; --config and --unset change single keys. Stored secrets are not readable:
/// set them again by reference, or keep them with --keep-secrets. The current configuration is backed up first.
/// Confluent Cloud accepts a configuration before it tries it, so the command watches the connector before it reports
/// success.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Replace the configuration of a connector, and wait until it runs.

  $ confluent ebs connector update claims-orders --config-file claims-orders.json

Show the change of a single key without applying it.

  $ confluent ebs connector update lcc-123456 --config tasks.max=2 --keep-secrets --dry-run")]
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
    /// Keep stored secrets that are not set again.
    #[arg(long)]
    keep_secrets: bool,
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
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorUpdateOutput>, Error> {
        if self.config_file.is_none() && self.config.is_empty() && self.unset.is_empty() {
            // Message of the Confluent CLI (docs/reference/cli.md#connector-commands).
            return Err(Error::usage("one of --config or --config-file must be specified"));
        }
        let file = self.config_file.as_deref().map(definition::read).transpose()?;
        let session = ConnectorSession::open(&ctx.run)?;
        selectors::reject_foreign_names(session.department.as_ref(), std::slice::from_ref(&self.connector))?;
        let file = match file {
            Some(read) => Some(read.lint(&ctx.run, session.department.as_ref())?),
            None => None,
        };
        if file.as_ref().is_some_and(|file| file.offsets.is_some()) {
            let update = ctx.run.options.suggest("connector offset update ID");
            return Err(Error::failed(
                "offsets are not allowed in configuration file for confluent ebs connector update",
            )
            .with_hint(format!("Change offsets with `{update}`.")));
        }
        ctx.block_on(self.update(ctx, &session, file))
    }

    async fn update(
        &self,
        ctx: &Ctx,
        session: &ConnectorSession,
        file: Option<ConnectorDefinition>,
    ) -> Result<CommandOutput<ConnectorUpdateOutput>, Error> {
        let written = std::slice::from_ref(&self.connector);
        let (list, uncounted) = session.connectors.try_list_selected(written).await?;
        let observed = selectors::select_one(session, &list, &self.connector)?;
        let mut file = match file {
            Some(file) if file.name != observed.name => {
                return Err(Error::refused(format!(
                    "the file describes connector `{}`, not `{}`: a connector cannot be renamed",
                    file.name, observed.name
                ))
                .with_hint("Create a connector with the new name, then delete this one."));
            }
            Some(mut file) => {
                // Defaults that are missing in the file keep their current values.
                let added = request::apply_defaults(session, &mut file).await?;
                for line in added {
                    if let Some(now) = observed.expanded.info.config.get(&line.config) {
                        file.config.insert(line.config, now.clone());
                    }
                }
                file
            }
            None => self.apply_overrides(&observed)?,
        };
        let masked = |key: &str| {
            observed
                .expanded
                .info
                .config
                .get(key)
                .is_some_and(|value| is_mask(value))
        };
        if self.keep_secrets {
            for (key, value) in &observed.expanded.info.config {
                if is_mask(value) && !self.unset.contains(key) {
                    file.config.entry(key.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        // A mask is sent only for keys that were read as masked: the service then keeps the stored value, which the
        // Confluent CLI relies on (docs/reference/connect.md#secrets-and-masks).
        request::reject_masked(&file.config, |key| self.keep_secrets && masked(key))
            .map_err(|error| error.with_hint("Or keep the stored secrets with `--keep-secrets`."))?;
        if let Some(department) = &session.department {
            if let Some(refused) = uncounted {
                request::check_task_growth(department, &file, &observed, refused)?;
            }
            let decision = request::evaluate_quota(session, department, &list, &file, Some(&observed))?;
            request::check_quota(department, &decision)?;
            decision.notes.iter().for_each(|note| ctx.ui.info(note));
        }
        let mut secret = request::resolve_secrets(
            &ctx.run,
            &|question| ctx.ui.ask_secret(question).ok(),
            session,
            &file.class,
            &mut file.config,
            self.secrets.secrets_dir.as_deref(),
        )
        .await?;
        let asks_plugin = !file.config.values().any(|value| is_mask(value));
        let validation = match asks_plugin {
            true => request::validate_with_service(session, &file.class, file.config.clone()).await?,
            false => None,
        };
        if let Some(validation) = &validation {
            secret.extend(request::secret_keys(validation));
            request::reject_invalid(session, validation)?;
        }
        let mut config = file.config;
        // Another name in the configuration would create a second connector
        // (docs/reference/connect.md#update-a-connector).
        config.insert("name".to_owned(), observed.name.clone());
        let desired = DesiredConnector {
            name: observed.name.clone(),
            config,
            offsets: None,
            secret_keys: secret,
        };
        self.apply(ctx, session, &observed, desired).await
    }

    async fn apply(
        &self,
        ctx: &Ctx,
        session: &ConnectorSession,
        observed: &LiveConnector,
        desired: DesiredConnector,
    ) -> Result<CommandOutput<ConnectorUpdateOutput>, Error> {
        let department = session
            .department
            .as_ref()
            .map(|department_context| &department_context.code);
        // A paused connector stays paused, so its configuration is not tried.
        let rests = observed.state() == WaitGoal::Paused.state();
        let goal = (!self.wait.no_wait && !rests).then_some(WaitGoal::Running);
        let keeps = self.keep_secrets && desired.config.values().any(|value| is_mask(value));
        let mut plan = ConnectorPlan::default();
        plan.update(department, desired, observed, goal);
        let mut updated = ConnectorUpdateOutput {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            status: None,
            changed: !plan.is_empty(),
            dry_run: self.dry_run,
            changes: plan.field_diffs(&observed.name).to_vec(),
            cause: None,
            backup: None,
        };
        if self.dry_run || !updated.changed {
            return Ok(CommandOutput::new(updated));
        }
        ctx.ui
            .print_message(&[show::config_diff(&observed.name, ChangeMark::Change, &updated.changes)]);
        updated.backup = self.backup.policy().backup_current(&ctx.run, session, observed).await?;
        let execution = execution::execute(
            &ctx.run,
            &session.connectors,
            &session.journal_path,
            "connector update",
            &plan,
            self.wait.timeout,
            self.settle,
        )
        .await?;
        if !execution.has_changed(&plan) {
            let nothing = || Error::failed("nothing was changed");
            return Err(execution
                .into_error(session.department.as_ref(), &plan)
                .unwrap_or_else(nothing));
        }
        let now = execution.observed(&observed.name);
        updated.status = now.as_ref().map(|observed| observed.state().to_owned());
        updated.cause = now.as_ref().and_then(crate::connectors::view::visible_cause);
        let error = execution.into_error(session.department.as_ref(), &plan);
        let error = error.map(|error| match error.kind {
            ErrorKind::Unhealthy => rollback_hint(error, &updated, keeps),
            _ => error,
        });
        let report = CommandOutput::new(updated);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// Returns the current configuration with the changes of the flags.
    fn apply_overrides(&self, observed: &LiveConnector) -> Result<ConnectorDefinition, Error> {
        let mut config: BTreeMap<String, String> = observed
            .expanded
            .info
            .config
            .iter()
            .filter(|(key, _)| !is_server_key(key))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for pair in &self.config {
            let (key, value) = pair
                .split_once('=')
                .filter(|(key, _)| !key.is_empty())
                .ok_or_else(|| Error::usage("invalid value for --config: expected `key=value`"))?;
            let is_reference = crate::catalog::ValueReference::parse(value).is_some();
            if crate::redact::is_secret_name(key) && !is_reference {
                return Err(Error::refused(format!(
                    "`{key}` holds a secret, which is visible to others on the command line"
                ))
                .with_hint(format!("Pass a reference: `--config '{key}=${{env:EBS_SECRET_…}}'`.")));
            }
            if key == "name" && value != observed.name {
                return Err(Error::refused("a connector cannot be renamed"));
            }
            config.insert(key.to_owned(), value.to_owned());
        }
        let unknown: Vec<&String> = self.unset.iter().filter(|key| !config.contains_key(*key)).collect();
        if !unknown.is_empty() {
            return Err(Error::failed(format!(
                "the configuration has no key {}",
                text::join_code(&unknown)
            )));
        }
        config.retain(|key, _| !self.unset.contains(key));
        if let Err(error) = tasks_max(&config) {
            return Err(Error::refused(error.to_string()));
        }
        Ok(ConnectorDefinition {
            name: observed.name.clone(),
            class: config.get("connector.class").cloned().unwrap_or_default(),
            config,
            offsets: None,
        })
    }
}

/// Adds hints to restore the previous configuration after a failed change.
fn rollback_hint(error: Error, updated: &ConnectorUpdateOutput, kept_secrets: bool) -> Error {
    let error = match kept_secrets {
        // Based on the assumption that the service keeps masked values, which is not documented
        // (docs/reference/connect.md#secrets-and-masks).
        true => error.with_hint(
            "If the error is a wrong password, the service did not keep the stored secrets: set them again instead of \
             `--keep-secrets`.",
        ),
        false => error,
    };
    let Some(backup) = &updated.backup else {
        return error.with_hint("To roll back, update with the previous configuration and set its secrets again.");
    };
    let back = format!(
        "Roll back with `confluent ebs connector update {} --config-file {}`.",
        connector_arg(&updated.id, &updated.name),
        shell_quote(&backup.path.display().to_string())
    );
    match backup.secrets_hint() {
        Some(needs) => error.with_hint(back).with_hint(needs),
        None => error.with_hint(back),
    }
}

/// Updated connector.
#[derive(Debug, Serialize)]
pub(super) struct ConnectorUpdateOutput {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Whether a change was sent, or would be.
    changed: bool,
    dry_run: bool,
    changes: Vec<FieldDiff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<FailureCause>,
    /// Backup of the previous configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<BackupFile>,
}

impl Viewable for ConnectorUpdateOutput {
    fn view(&self) -> Vec<Block> {
        if !self.changed {
            return vec![Block::line(format!("Connector `{}` is up to date.", self.id))];
        }
        if self.dry_run {
            return vec![
                Block::line(format!("[DRY RUN] Updated connector \"{}\".", self.id)),
                show::config_diff(&self.name, ChangeMark::Change, &self.changes),
            ];
        }
        let mut blocks = vec![Block::line(format!("Updated connector \"{}\".", self.id))];
        blocks.extend(
            self.cause
                .as_ref()
                .map(|cause| show::cause_lines(&self.id, &self.name, cause)),
        );
        blocks
    }
}
