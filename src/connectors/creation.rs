//! Creation of a connector, or update of the existing one: planned, so that the caller can show the change, then applied.

use serde::Serialize;

use super::{
    backup::BackupFile,
    change::{ChangeOptions, add_rollback_hints},
    defaults::AddedDefault,
    definition::ConnectorDefinition,
    errors::PartialResult,
    explain::{ConnectorExplanation, explain_connectors},
    preparation::{ConnectorPreparation, PreparationGoal},
    quota_check::warn_over_quota,
    sent_secrets::{ExistingConnectorPolicy, not_sent_note, sent_note},
    topics::TopicUsage,
    view::{error_trace, visible_cause},
};
use crate::{
    error::{Error, ErrorKind},
    hint::shell_quote,
    model::{ConnectorState, PlatformTeam},
    plan::ConnectorPlan,
    quota::QuotaDecision,
    resources::connector::{FailureCause, FieldDiff, LiveConnector},
    session::{ConnectorSession, RunContext},
};

/// Created connector with the fields of the Confluent CLI, and the changes.
#[derive(Debug, Serialize)]
pub struct CreatedConnector {
    /// Id, if the connector exists.
    pub id: Option<String>,
    /// Name of the connector.
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
    /// Keys of secrets that were not sent: they cannot be compared, and no other key differs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets_not_sent: Vec<String>,
    /// Topics that the configuration reads and writes.
    pub topics: TopicUsage,
    /// Decision about the quota, if it was needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quota: Option<QuotaDecision>,
    /// Cause of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<FailureCause>,
    /// Explanation of a failure, for people.
    #[serde(skip)]
    pub explanation: Option<ConnectorExplanation>,
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

/// Plans to create the connector `definition`; `policy` determines what happens to an existing one.
///
/// # Errors
/// A step of the preparation fails, a different connector of that name exists and must not be updated, or a key that
/// `policy` names is no secret.
pub async fn plan_creation(
    preparation: &mut ConnectorPreparation<'_>,
    definition: ConnectorDefinition,
    policy: &ExistingConnectorPolicy,
    options: &ChangeOptions,
) -> Result<PlannedCreation, Error> {
    let goal = match policy {
        ExistingConnectorPolicy::Keep => PreparationGoal::Create,
        ExistingConnectorPolicy::Update => PreparationGoal::CreateOrUpdate { send_secrets: false },
        ExistingConnectorPolicy::UpdateSecrets(_) => PreparationGoal::CreateOrUpdate { send_secrets: true },
    };
    let prepared = preparation.prepare(definition, goal).await?;
    if let ExistingConnectorPolicy::UpdateSecrets(keys) = policy {
        prepared.require_secrets(keys)?;
    }
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
    let configs = prepared.field_diffs(&plan);
    let secrets = prepared.incomparable_secrets();
    if !configs.is_empty() && !secrets.is_empty() {
        run.info(sent_note(&secrets));
    }
    let secrets_not_sent = if configs.is_empty() { secrets } else { Vec::new() };
    if !secrets_not_sent.is_empty() {
        run.info(not_sent_note(&secrets_not_sent, policy));
    }
    // A new connector has no id yet.
    let id = prepared.observed.as_ref().map_or("ID", LiveConnector::id);
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
        secrets_not_sent,
        topics: TopicUsage::new(&prepared.class, &prepared.desired.config, id),
        quota: prepared.quota,
        cause: None,
        explanation: None,
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
    /// The backup fails. A failed change is in the field `error` of the returned value, with the connector if anything
    /// was changed.
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
        let error = execution.into_error(session.department.as_ref(), &plan);
        let error = match error {
            Some(error) if error.kind == ErrorKind::Unhealthy => {
                connector.explanation = explain_failure(run, session, observed.clone()).await;
                Some(match &connector.explanation {
                    // The explanation has the cause and the next steps.
                    Some(found) => Error::new(error.kind, format!("connector `{}` is {}", found.name, found.status)),
                    None => error,
                })
            }
            error => error,
        };
        let error = match (&self.observed, error) {
            (Some(former), Some(error)) if connector.updated && error.kind == ErrorKind::Unhealthy => {
                Some(add_rollback_hints(error, former, connector.backup.as_ref()))
            }
            (_, error) => error,
        };
        Ok(PartialResult {
            error,
            value: (has_changed || connector.existed).then_some(connector),
        })
    }
}

async fn explain_failure(
    run: &RunContext,
    session: &ConnectorSession,
    observed: Option<LiveConnector>,
) -> Option<ConnectorExplanation> {
    let explained = explain_connectors(run, session, vec![observed?], false).await;
    explained.ok()?.pop()
}
