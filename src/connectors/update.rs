//! Update of a connector: planned, so that the caller can show the change, then applied.

use serde::Serialize;

use super::{
    backup::BackupFile,
    change::{ChangeOptions, add_rollback_hints},
    definition::{ConfigOverrides, ConnectorDefinition, lint_change},
    errors::PartialResult,
    preparation::{ConnectorListing, ConnectorPreparation, PreparationGoal},
    secrets::SecretSources,
    selectors::{select_one, shown_name},
    sent_secrets::{masked_note, sent_note, set_again_hint},
    view::visible_cause,
};
use crate::{
    error::{Error, ErrorKind},
    model::{ConnectorState, PlatformTeam},
    plan::ConnectorPlan,
    resources::connector::{FailureCause, FieldDiff, LiveConnector},
    session::{ConnectorSession, RunContext},
};

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

/// Result of an update of a connector.
#[derive(Debug, Serialize)]
pub struct UpdatedConnector {
    /// Id of the connector (`lcc-…`).
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// Id or name, whichever the user wrote.
    #[serde(skip)]
    pub shown_name: String,
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
    /// Keys whose masks are sent in place of stored secrets.
    masked: Vec<String>,
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
    let goal = match &source {
        UpdateSource::File(_) => PreparationGoal::Update,
        UpdateSource::Overrides(_) => PreparationGoal::Patch,
    };
    let definition = source.into_definition(&observed)?;
    if goal == PreparationGoal::Patch {
        lint_change(run, session.department.as_ref(), &definition, &observed)?;
    }
    let mut preparation = ConnectorPreparation {
        run,
        session,
        secrets,
        listing,
    };
    let prepared = preparation.prepare(definition, goal).await?;
    let mut plan = ConnectorPlan::default();
    prepared.plan(run, session, &mut plan, prepared.wait_goal(options.wait))?;
    let masked = prepared.masked_keys();
    if !plan.is_empty() {
        let secrets = prepared.incomparable_secrets();
        if !secrets.is_empty() {
            run.info(sent_note(&secrets));
        }
        if !masked.is_empty() {
            run.info(masked_note(&masked));
        }
    }
    Ok(PlannedUpdate {
        connector: UpdatedConnector {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            shown_name: shown_name(&observed, &[selector.to_owned()]),
            status: None,
            changed: !plan.is_empty(),
            dry_run: options.dry_run,
            changes: prepared.field_diffs(&plan),
            cause: None,
            backup: None,
            platform_team: session.platform_team().clone(),
        },
        masked,
        plan,
        observed,
    })
}

impl PlannedUpdate {
    /// Backs up the connector, applies the plan, and watches the connector.
    ///
    /// # Errors
    /// The backup fails, or nothing was changed. A later failure is in the field `error` of the returned value.
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
            ErrorKind::Unhealthy => {
                let error = match self.masked.is_empty() {
                    true => error,
                    false => error.with_hint(set_again_hint(&session.options, &self.observed, &self.masked)),
                };
                add_rollback_hints(error, &self.observed, connector.backup.as_ref())
            }
            _ => error,
        });
        Ok(PartialResult {
            value: Some(connector),
            error,
        })
    }
}
