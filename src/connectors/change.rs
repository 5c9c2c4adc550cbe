//! Creation and update of a connector: planned, so that the caller can show the change, then applied.

use std::time::Duration;

use serde::Serialize;

use super::{
    backup::{BackupFile, BackupPolicy},
    defaults::AddedDefault,
    definition::{ConfigOverrides, ConnectorDefinition},
    errors::PartialResult,
    execution::{ConnectorExecution, execute},
    preparation::{ConnectorListing, ConnectorPreparation, PreparationGoal},
    quota_check::warn_over_quota,
    secrets::SecretSources,
    selectors::select_one,
    view::{error_trace, visible_cause},
};
use crate::{
    error::{Error, ErrorKind},
    hint::shell_quote,
    model::{ConnectorState, PlatformTeam},
    plan::ConnectorPlan,
    quota::QuotaDecision,
    resources::connector::{FailureCause, FieldDiff, LiveConnector, WaitGoal, is_mask},
    session::{ConnectorSession, RunContext},
};

/// How a planned change is applied.
#[derive(Clone, Debug)]
pub struct ChangeOptions {
    /// Whether the change is only shown.
    pub dry_run: bool,
    /// State to wait for; `None` does not wait.
    pub wait: Option<WaitGoal>,
    /// Timeout of the wait.
    pub timeout: Duration,
    /// How long a changed connector is watched before it counts as running.
    pub settle_time: Duration,
    /// Backup of the previous configuration.
    pub backup: BackupPolicy,
}

impl ChangeOptions {
    async fn execute(
        &self,
        run: &RunContext,
        session: &ConnectorSession,
        command: &str,
        plan: &ConnectorPlan,
    ) -> Result<ConnectorExecution, Error> {
        let (client, journal) = (&session.connectors, &session.journal_path);
        execute(run, client, journal, command, plan, self.timeout, self.settle_time).await
    }
}

/// Created connector with the fields of the Confluent CLI, and the changes.
#[derive(Debug, Serialize)]
pub struct CreatedConnector {
    /// Id, if the connector exists.
    pub id: Option<String>,
    /// Name.
    pub name: String,
    /// State as last observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ConnectorState>,
    /// Trace of a failed connector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_trace: Option<String>,
    /// Whether the connector existed before.
    pub existed: bool,
    /// Whether an existing connector was updated.
    pub updated: bool,
    /// Whether the change was only planned.
    pub dry_run: bool,
    /// Defaults that were added to the configuration.
    pub defaults: Vec<AddedDefault>,
    /// Keys that are sent or changed, without secrets.
    pub configs: Vec<FieldDiff>,
    /// Decision about the quota, if it was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaDecision>,
    /// Cause of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<FailureCause>,
    /// Backup of the previous configuration, if it was changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupFile>,
    /// Platform team of the caller's department.
    #[serde(skip)]
    pub platform_team: PlatformTeam,
}

impl CreatedConnector {
    fn set_observed(&mut self, observed: Option<&LiveConnector>) {
        if let Some(observed) = observed {
            self.id = Some(observed.id().to_owned());
            self.status = Some(observed.state().clone());
            self.error_trace = error_trace(observed);
        }
    }
}

/// Planned creation of a connector, or update of an existing one.
pub struct PlannedCreation {
    /// Connector after the change, as far as it is known.
    pub connector: CreatedConnector,
    plan: ConnectorPlan,
    observed: Option<LiveConnector>,
}

/// Plans to create the connector `definition`, or with `or_update` to update the existing one.
///
/// # Errors
/// A step of the preparation fails, or a different connector of that name exists and must not be updated.
pub async fn plan_creation(
    preparation: &mut ConnectorPreparation<'_>,
    definition: ConnectorDefinition,
    or_update: bool,
    options: &ChangeOptions,
) -> Result<PlannedCreation, Error> {
    let goal = if or_update {
        PreparationGoal::CreateOrUpdate
    } else {
        PreparationGoal::Create
    };
    let prepared = preparation.prepare(definition, goal).await?;
    let (run, session) = (preparation.run, preparation.session);
    let name = &prepared.desired.name;
    let wait = prepared.wait_goal(options.wait);
    if wait != options.wait {
        let resume = session
            .options
            .suggest(&format!("connector resume {}", shell_quote(name)));
        run.info(format!("Connector `{name}` stays paused. Start it with `{resume}`."));
    }
    let mut plan = ConnectorPlan::default();
    prepared.plan(run, session, &mut plan, wait)?;
    let configs = plan.field_diffs(name).to_vec();
    let mut connector = CreatedConnector {
        id: None,
        name: name.clone(),
        status: None,
        error_trace: None,
        existed: prepared.observed.is_some(),
        updated: prepared.observed.is_some() && !configs.is_empty(),
        dry_run: options.dry_run,
        defaults: prepared.defaults,
        configs,
        quota: prepared.quota,
        cause: None,
        backup: None,
        platform_team: session.platform_team().clone(),
    };
    connector.set_observed(prepared.observed.as_ref());
    Ok(PlannedCreation {
        connector,
        plan,
        observed: prepared.observed,
    })
}

impl PlannedCreation {
    /// Backs up an existing connector that changes, applies the plan, and waits for the connector.
    ///
    /// # Errors
    /// The backup fails. A failed change is an error of the result, with the connector if anything was changed.
    pub async fn apply(
        self,
        run: &RunContext,
        session: &ConnectorSession,
        options: &ChangeOptions,
    ) -> Result<PartialResult<CreatedConnector>, Error> {
        let (mut connector, plan) = (self.connector, self.plan);
        if let Some(observed) = self.observed.as_ref().filter(|_| connector.updated) {
            connector.backup = options.backup.backup_current(run, session, observed).await?;
        }
        let execution = options.execute(run, session, "connector create", &plan).await?;
        let has_changed = execution.has_changed(&plan);
        if has_changed {
            warn_over_quota(run, session).await;
        }
        let observed = execution.observed(&connector.name);
        connector.set_observed(observed.as_ref());
        connector.cause = observed.as_ref().and_then(visible_cause);
        Ok(PartialResult {
            error: execution.into_error(session.department.as_ref(), &plan),
            value: (has_changed || connector.existed).then_some(connector),
        })
    }
}

/// New configuration of a connector.
pub enum UpdateSource {
    /// A file replaces the whole configuration.
    File(ConnectorDefinition),
    /// Single keys of the current configuration change.
    Overrides(ConfigOverrides),
}

impl UpdateSource {
    /// Returns the new configuration of `observed`.
    fn into_definition(self, observed: &LiveConnector) -> Result<ConnectorDefinition, Error> {
        match self {
            Self::Overrides(overrides) => overrides.apply(observed),
            Self::File(definition) if definition.name == observed.name => Ok(definition),
            Self::File(definition) => Err(Error::refused(format!(
                "the file describes connector `{}`, not `{}`: a connector cannot be renamed",
                definition.name, observed.name
            ))
            .with_hint("Create a connector with the new name, then delete this one.")),
        }
    }
}

/// Updated connector.
#[derive(Debug, Serialize)]
pub struct UpdatedConnector {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// State after the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<ConnectorState>,
    /// Whether a change was sent, or would be.
    pub changed: bool,
    /// Whether the change was only planned.
    pub dry_run: bool,
    /// Differences, without secrets.
    pub changes: Vec<FieldDiff>,
    /// Cause of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<FailureCause>,
    /// Backup of the previous configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupFile>,
    /// Platform team of the caller's department.
    #[serde(skip)]
    pub platform_team: PlatformTeam,
}

/// Planned update of a connector.
pub struct PlannedUpdate {
    /// Connector after the change, as far as it is known.
    pub connector: UpdatedConnector,
    plan: ConnectorPlan,
    observed: LiveConnector,
    /// Whether masks are sent in place of stored secrets.
    keeps_secrets: bool,
}

/// Plans to update the connector with the id or name `selector`.
///
/// # Errors
/// The file contains offsets, there is no such connector, or a step of the preparation fails.
pub async fn plan_update(
    run: &RunContext,
    session: &ConnectorSession,
    secrets: SecretSources<'_>,
    selector: &str,
    source: UpdateSource,
    keep_secrets: bool,
    options: &ChangeOptions,
) -> Result<PlannedUpdate, Error> {
    if let UpdateSource::File(file) = &source
        && file.offsets.is_some()
    {
        let update = session.options.suggest("connector offset update ID");
        return Err(
            Error::failed("offsets are not allowed in configuration file for confluent ebs connector update")
                .with_hint(format!("Change offsets with `{update}`.")),
        );
    }
    let listing = ConnectorListing::observe_selected(session, selector).await?;
    let observed = select_one(session, &listing.connectors, selector)?;
    let definition = source.into_definition(&observed)?;
    let mut preparation = ConnectorPreparation {
        run,
        session,
        secrets,
        listing,
    };
    let goal = PreparationGoal::Update { keep_secrets };
    let prepared = preparation.prepare(definition, goal).await?;
    let mut plan = ConnectorPlan::default();
    prepared.plan(run, session, &mut plan, prepared.wait_goal(options.wait))?;
    Ok(PlannedUpdate {
        connector: UpdatedConnector {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            status: None,
            changed: !plan.is_empty(),
            dry_run: options.dry_run,
            changes: plan.field_diffs(&observed.name).to_vec(),
            cause: None,
            backup: None,
            platform_team: session.platform_team().clone(),
        },
        keeps_secrets: keep_secrets && prepared.desired.config.values().any(|value| is_mask(value)),
        plan,
        observed,
    })
}

impl PlannedUpdate {
    /// Backs up the connector, applies the plan, and watches the connector.
    ///
    /// # Errors
    /// The backup fails, or nothing was changed. A change that fails later is an error of the result.
    pub async fn apply(
        self,
        run: &RunContext,
        session: &ConnectorSession,
        options: &ChangeOptions,
    ) -> Result<PartialResult<UpdatedConnector>, Error> {
        let (mut connector, plan) = (self.connector, self.plan);
        connector.backup = options.backup.backup_current(run, session, &self.observed).await?;
        let execution = options.execute(run, session, "connector update", &plan).await?;
        let has_changed = execution.has_changed(&plan);
        let observed = execution.observed(&connector.name);
        let error = execution.into_error(session.department.as_ref(), &plan);
        if !has_changed {
            return Err(error.unwrap_or_else(|| Error::failed("nothing was changed")));
        }
        connector.status = observed.as_ref().map(|observed| observed.state().clone());
        connector.cause = observed.as_ref().and_then(visible_cause);
        let error = error.map(|error| match error.kind {
            ErrorKind::Unhealthy => add_rollback_hints(error, &connector, self.keeps_secrets),
            _ => error,
        });
        Ok(PartialResult {
            value: Some(connector),
            error,
        })
    }
}

/// Adds hints to restore the previous configuration after a failed change.
fn add_rollback_hints(mut error: Error, updated: &UpdatedConnector, kept_secrets: bool) -> Error {
    if kept_secrets {
        // Based on the assumption that the service keeps masked values, which is not documented
        // (docs/reference/connect.md#secrets-and-masks).
        error = error.with_hint(
            "If the error is a wrong password, the service did not keep the stored secrets: set them again instead of \
             `--keep-secrets`.",
        );
    }
    let Some(backup) = &updated.backup else {
        return error.with_hint("To roll back, update with the previous configuration and set its secrets again.");
    };
    let restore = backup.restore_command("connector update", &updated.id);
    let hints = [format!("Roll back with `{restore}`.")]
        .into_iter()
        .chain(backup.secrets_hint());
    hints.fold(error, Error::with_hint)
}
