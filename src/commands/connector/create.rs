//! `confluent ebs connector create`.

use std::path::PathBuf;

use serde::Serialize;

use super::{
    args::{BackupArgs, SecretArgs},
    show,
    wait_args::WaitArgs,
};
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::{
        BackupFile,
        definition::{self, ConnectorDefinition},
        execution,
        request::{self, AddedDefault},
        selectors,
    },
    error::Error,
    hint::{connector_arg, shell_quote},
    plan::{ConnectorPlan, connectors::ConnectorConflict},
    quota::QuotaDecision,
    render::{Block, ChangeMark, Record, Viewable},
    resources::connector::{
        DesiredConnector, FailureCause, FieldDiff, LiveConnector, WaitGoal, find_selected, wait::SETTLE_TIME,
    },
    session::{ConnectorSession, DepartmentContext},
    text,
};

/// Create a connector
///
/// Adds the defaults of your department to the configuration, checks name, quota and configuration, creates the
/// connector, and waits until it runs. If an identical connector exists, the command only waits for it, so you can
/// re-run it after an interruption.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Create a connector from a file, and wait until it runs.

  $ confluent ebs connector create --config-file claims-orders.json --profile claims-deployer

Show the request without sending it.

  $ confluent ebs connector create --config-file claims-orders.json --dry-run

Create the connector, or update an existing one.

  $ confluent ebs connector create --config-file claims-orders.json --or-update")]
pub(super) struct ConnectorCreateArgs {
    /// JSON or YAML connector configuration file.
    #[arg(long, value_name = "string", required = true)]
    config_file: PathBuf,
    /// Update an existing connector of that name if it differs.
    #[arg(long)]
    or_update: bool,
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
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorCreateOutput>, Error> {
        let read = definition::read(&self.config_file)?;
        let session = ConnectorSession::open(&ctx.run)?;
        let department = session.require_department()?;
        selectors::reject_foreign_names(Some(department), &[read.name().to_owned()])?;
        let file = read.lint(&ctx.run, Some(department))?;
        request::reject_masked(&file.config, |_| false)?;
        ctx.block_on(self.create(ctx, &session, department, file))
    }

    async fn create(
        &self,
        ctx: &Ctx,
        session: &ConnectorSession,
        department: &DepartmentContext,
        mut file: ConnectorDefinition,
    ) -> Result<CommandOutput<ConnectorCreateOutput>, Error> {
        let mut added = request::apply_defaults(session, &mut file).await?;
        let list = session.connectors.list().await?;
        let existing = find_selected(&list, &file.name);
        // Creating is the only change that uses quota here; an existing connector that differs is refused below.
        let sends = existing.is_none() || self.or_update;
        let quota = match sends {
            true => {
                let decision = request::evaluate_quota(session, department, &list, &file, existing.as_ref())?;
                request::check_quota(department, &decision)?;
                decision.notes.iter().for_each(|note| ctx.ui.info(note));
                Some(decision)
            }
            false => None,
        };
        let mut secret_keys = request::resolve_secrets(
            &ctx.run,
            &|question| ctx.ui.ask_secret(question).ok(),
            session,
            &file.class,
            &mut file.config,
            self.secrets.secrets_dir.as_deref(),
        )
        .await?;
        if sends {
            match request::validate_with_service(session, &file.class, file.config.clone()).await? {
                Some(validation) => {
                    request::drop_unknown_default(&mut file.config, &mut added, &validation);
                    secret_keys.extend(request::secret_keys(&validation));
                    request::reject_invalid(session, &validation)?;
                }
                None => ctx.ui.warn(&format!(
                    "cannot validate the configuration with Confluent Cloud: plugin `{}` is unknown to its validation",
                    file.class
                )),
            }
        }
        let desired = DesiredConnector {
            name: file.name.clone(),
            config: file.config,
            offsets: file.offsets,
            secret_keys,
        };
        let plan = self.plan(ctx, department, desired, existing.as_ref())?;
        let mut created =
            ConnectorCreateOutput::planned(&plan, &file.name, existing.as_ref(), added, quota, self.dry_run);
        if self.dry_run {
            return Ok(CommandOutput::new(created));
        }
        if !created.existed && !created.defaults.is_empty() {
            ctx.ui.info("Added to the configuration:");
            ctx.ui.print_message(&[show::added_defaults(&created.defaults)]);
        }
        if let Some(observed) = existing.as_ref().filter(|_| created.updated) {
            ctx.ui
                .print_message(&[show::config_diff(&observed.name, ChangeMark::Change, &created.configs)]);
            created.backup = self.backup.policy().backup_current(&ctx.run, session, observed).await?;
        }
        let execution = execution::execute(
            &ctx.run,
            &session.connectors,
            &session.journal_path,
            "connector create",
            &plan,
            self.wait.timeout,
            SETTLE_TIME,
        )
        .await?;
        if execution.has_changed(&plan) {
            request::warn_over_quota(&ctx.run, session, department).await;
        }
        let observed = execution.observed(&created.name);
        created.set_observed(observed.as_ref());
        created.cause = observed.as_ref().and_then(crate::connectors::view::visible_cause);
        let wrote = execution.has_changed(&plan);
        let error = execution.into_error(session.department.as_ref(), &plan);
        let report = match wrote || created.existed {
            true => CommandOutput::new(created),
            false => CommandOutput::empty(),
        };
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// Plans the change.
    fn plan(
        &self,
        ctx: &Ctx,
        department_context: &DepartmentContext,
        desired: DesiredConnector,
        existing: Option<&LiveConnector>,
    ) -> Result<ConnectorPlan, Error> {
        let rests = existing.is_some_and(|observed| observed.state() == WaitGoal::Paused.state());
        let goal = match (self.wait.no_wait, self.paused) {
            (true, _) => None,
            (false, true) => Some(WaitGoal::Paused),
            (false, false) if rests => {
                let resume = format!("connector resume {}", crate::hint::shell_quote(&desired.name));
                let resume = ctx.run.options.suggest(&resume);
                ctx.ui.info(&format!(
                    "Connector `{}` stays paused. Start it with `{resume}`.",
                    desired.name
                ));
                None
            }
            (false, false) => Some(WaitGoal::Running),
        };
        let mut plan = ConnectorPlan::default();
        let department = Some(&department_context.code);
        match (plan.create(department, desired.clone(), existing, goal), existing) {
            (Err(_), Some(observed)) if self.or_update => {
                if desired.offsets.is_some() {
                    ctx.ui.warn(
                        "the offsets in the file are ignored, because an update does not change offsets; use `confluent ebs \
                         connector offset update`",
                    );
                }
                plan.update(department, desired, observed, goal);
                Ok(plan)
            }
            (Err(differs), Some(observed)) => Err(self.differs_error(&differs, observed)),
            _ => Ok(plan),
        }
    }

    /// Returns the error for an existing connector that differs from the file.
    fn differs_error(&self, differs: &ConnectorConflict, observed: &LiveConnector) -> Error {
        let certain: Vec<&str> = differs
            .fields
            .iter()
            .filter(|field| field.is_certain())
            .map(|field| field.config.as_str())
            .collect();
        Error::refused(format!(
            "connector `{}` already exists ({}) and differs in {}",
            observed.name,
            observed.id(),
            text::join_code(&certain)
        ))
        .with_hint(format!(
            "Update it with `confluent ebs connector update {} --config-file {}`; `--dry-run` shows the differences.",
            connector_arg(observed.id(), &observed.name),
            shell_quote(&self.config_file.display().to_string())
        ))
        .with_hint("Or re-run with `--or-update`.")
    }
}

/// Created connector with the fields of the Confluent CLI, and the changes.
#[derive(Debug, Serialize)]
pub(super) struct ConnectorCreateOutput {
    id: Option<String>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_trace: Option<String>,
    /// Whether the connector existed before.
    existed: bool,
    /// Whether an existing connector was updated.
    updated: bool,
    dry_run: bool,
    /// Defaults that were added to the configuration.
    defaults: Vec<AddedDefault>,
    /// Keys that are sent or changed, without secrets.
    configs: Vec<FieldDiff>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quota: Option<QuotaDecision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<FailureCause>,
    /// Backup of the previous configuration, if it was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    backup: Option<BackupFile>,
}

impl ConnectorCreateOutput {
    fn planned(
        plan: &ConnectorPlan,
        name: &str,
        existing: Option<&LiveConnector>,
        defaults: Vec<AddedDefault>,
        quota: Option<QuotaDecision>,
        dry_run: bool,
    ) -> Self {
        let configs = plan.field_diffs(name).to_vec();
        let mut created = Self {
            id: None,
            name: name.to_owned(),
            status: None,
            error_trace: None,
            existed: existing.is_some(),
            updated: existing.is_some() && !configs.is_empty(),
            dry_run,
            defaults,
            configs,
            quota,
            cause: None,
            backup: None,
        };
        created.set_observed(existing);
        created
    }

    fn set_observed(&mut self, observed: Option<&LiveConnector>) {
        if let Some(observed) = observed {
            self.id = Some(observed.id().to_owned());
            self.status = Some(observed.state().to_owned());
            self.error_trace = crate::connectors::view::error_trace(observed);
        }
    }
}

impl Viewable for ConnectorCreateOutput {
    fn view(&self) -> Vec<Block> {
        if self.dry_run {
            let (what, mark) = match (self.existed, self.updated) {
                (true, true) => ("would be updated", ChangeMark::Change),
                (true, false) => ("is up to date", ChangeMark::Change),
                (false, _) => ("would be created", ChangeMark::Add),
            };
            let mut blocks = vec![Block::line(format!("[DRY RUN] Connector `{}` {what}.", self.name))];
            if !self.configs.is_empty() {
                blocks.push(show::config_diff(&self.name, mark, &self.configs));
            }
            if !self.existed && !self.defaults.is_empty() {
                blocks.push(Block::line("Added to the configuration of the file:"));
                blocks.push(show::added_defaults(&self.defaults));
            }
            return blocks;
        }
        let record = Record::new()
            .field("ID", self.id.clone().unwrap_or_default())
            .field("Name", self.name.clone())
            .optional("Status", self.status.clone())
            .optional("Error Trace", self.error_trace.clone());
        let mut blocks = vec![Block::Record(record)];
        if let Some(cause) = &self.cause {
            blocks.push(show::cause_lines(
                self.id.as_deref().unwrap_or_default(),
                &self.name,
                cause,
            ));
        }
        blocks
    }
}
