//! Rotation of API keys.

use std::time::Duration;

use jiff::SignedDuration;

use super::KeysOutcome;
use crate::{
    error::{Error, ErrorKind, ResultExt},
    hint,
    manifest::DesiredPersona,
    plan::{Rotation, rotation::plan_rotation},
    provisioning::{
        AclLookup, Confirm, ConfirmationRequest, DepartmentSelection, ProvisioningOptions, Reconciliation,
        confirmation::deliver_pending_if_confirmed,
        errors::{check_refusals, undelivered_error},
    },
    session::{PlatformSession, RunContext},
    text::join_code,
};

/// Input of a rotation.
#[derive(Debug)]
pub struct RotateInput {
    /// Departments whose keys are rotated. [`DepartmentSelection::AllActive`] skips departments that are not onboarded.
    pub departments: DepartmentSelection,
    /// Persona whose keys are rotated; `None` for all.
    pub persona: Option<String>,
    /// Time for which an old key keeps working.
    pub overlap: Duration,
    /// Minimum age of the keys that are rotated.
    pub older_than: Duration,
    /// Whether to only plan.
    pub dry_run: bool,
    /// Maximum number of concurrent requests.
    pub concurrency: u16,
    /// Folders, recipients and delivery.
    pub options: ProvisioningOptions,
}

/// Replaces API keys: creates new ones next to the old ones, proves and delivers them, and deletes old keys after the
/// overlap.
///
/// # Errors
/// The plan is refused, the run was cancelled before the first write, or the state cannot be observed or recorded.
/// [`KeysOutcome::error`] returns the error of an incomplete run.
pub async fn rotate_keys(
    run: &RunContext,
    session: &PlatformSession,
    input: RotateInput,
    confirm: &Confirm<'_, KeysOutcome>,
) -> Result<Option<KeysOutcome>, Error> {
    let departments = input.departments.find(session)?;
    let mut reconciliation =
        Reconciliation::observe(run, session, &departments, input.options, AclLookup::IfNeeded).await?;
    if input.departments == DepartmentSelection::AllActive {
        // A department that is not onboarded yet has no keys and must not block the rotation of the others.
        let snapshot = &reconciliation.observed.snapshot;
        let exists = |persona: &DesiredPersona| snapshot.account_by_name(&persona.account_name).is_some();
        reconciliation
            .desired
            .retain(|desired| desired.personas.iter().any(exists));
    }
    let rotation = Rotation {
        overlap: to_signed_duration(input.overlap)?,
        older_than: to_signed_duration(input.older_than)?,
    };
    if let Some(persona) = &input.persona {
        check_persona(&reconciliation, persona)?;
    }
    let is_selected = |name: &str| input.persona.as_deref().is_none_or(|persona| persona == name);
    let plan = plan_rotation(
        &reconciliation.plan_input(false),
        &reconciliation.observed.snapshot,
        &rotation,
        |persona| is_selected(&persona.persona),
    );
    check_refusals("keys rotate", &plan)?;
    let mut outcome = KeysOutcome::planned(&reconciliation, &plan, input.dry_run);
    if input.dry_run {
        return Ok(Some(outcome));
    }
    if plan.is_empty() {
        outcome.evidence = reconciliation.finalize_evidence()?;
        let Some(pending) = deliver_pending_if_confirmed(run, &reconciliation, confirm).await? else {
            return Ok(None);
        };
        outcome.deliveries = reconciliation.delivery_report(pending);
        return Ok(Some(outcome));
    }
    reconciliation.check_profiles_writable(&plan)?;
    if !confirm(ConfirmationRequest::Apply(&outcome))? {
        return Ok(None);
    }
    let pending = reconciliation.deliver_pending(run).await?;
    let is_undelivered = undelivered_error(&pending).is_some();
    outcome.deliveries = reconciliation.delivery_report(pending);
    if is_undelivered {
        // The old key must keep working until the profile with the new key is delivered.
        return Ok(Some(outcome));
    }
    let (report, evidence) = reconciliation
        .apply(run, "keys rotate", &plan, input.concurrency)
        .await?;
    outcome.report = Some(report);
    outcome.evidence = evidence;
    Ok(Some(outcome))
}

fn check_persona(reconciliation: &Reconciliation<'_>, persona: &str) -> Result<(), Error> {
    let mut known: Vec<&str> = reconciliation
        .desired
        .iter()
        .flat_map(|desired| &desired.personas)
        .filter(|known| !known.keys.is_empty())
        .map(|known| known.persona.as_str())
        .collect();
    known.sort_unstable();
    known.dedup();
    if known.contains(&persona) {
        return Ok(());
    }
    let error = Error::new(ErrorKind::Usage, format!("no persona `{persona}` with an API key"));
    Err(match hint::closest_match(persona, known.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(format!("Personas with API keys: {}.", join_code(&known))),
    })
}

fn to_signed_duration(duration: Duration) -> Result<SignedDuration, Error> {
    SignedDuration::try_from(duration).context("duration too long")
}
