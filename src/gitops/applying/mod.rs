//! Applies the approved changes of plans. Each change reads its connector again before it writes, so that a change by
//! others since the plan is noticed; a repeated apply continues from what exists.

mod execution;
mod final_check;

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use self::{
    execution::{ApplyRun, ApplyStep},
    final_check::find_overwritten,
};
use super::{
    approval::{ApprovedItems, HeldBackItem},
    evidence::{EvidenceContext, EvidenceItem, ItemResult},
    plan::{DesiredFile, ItemAction, PlanItem, Risk, sends_config},
    planning::PlannedStage,
    settings::ReplacePolicy,
};
use crate::{
    apply::run::new_run_id,
    connectors::{
        BackupPolicy,
        errors::{combine_errors, explain_change_error},
        secrets::{SecretSources, reject_masked, resolve_secrets},
    },
    error::{Error, ErrorKind},
    hint::Hint,
    resources::connector::{DesiredConnector, LiveConnector},
    session::{ConnectorSession, DepartmentContext, RunContext},
    text::count_noun,
};

/// Options of an apply.
#[derive(Clone, Debug)]
pub struct ApplyOptions {
    /// How long to wait for a connector.
    pub timeout: Duration,
    /// How long a changed connector is watched before it counts as running.
    pub settle_time: Duration,
    /// Backups of connectors that are deleted or replaced.
    pub backup: BackupPolicy,
    /// What the evidence records beside the changes.
    pub evidence: EvidenceContext,
}

/// Result for a department.
#[derive(Clone, Debug, Serialize)]
pub struct AppliedPlan {
    /// Code of the department: the name of its file without `.toml`.
    pub department: String,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Id of the plan.
    pub plan: Option<String>,
    /// Changes that were applied, in this order.
    pub done: Vec<AppliedItem>,
    /// Changes that wait for an approval.
    pub held_back: Vec<HeldBackItem>,
    /// Number of changes that were not started.
    pub not_started: usize,
    /// Path of the evidence; `None` if nothing was started.
    pub evidence: Option<PathBuf>,
}

/// Change of a connector that was applied.
#[derive(Clone, Debug, Serialize)]
pub struct AppliedItem {
    /// Name of the connector.
    pub name: String,
    /// Action that was applied to the connector.
    pub action: ItemAction,
    /// Id of the connector.
    pub lcc: Option<String>,
}

/// Applies `items` of the department in `session`. The first failed group of changes is in the field `error` of the
/// returned value.
///
/// # Errors
/// A secret cannot be resolved, a backup cannot be written, or the journal cannot be written; nothing was changed.
pub async fn apply_items(
    run: &RunContext,
    session: &ConnectorSession,
    secrets: SecretSources<'_>,
    planned: &PlannedStage,
    items: ApprovedItems,
    plan_id: Option<String>,
    options: &ApplyOptions,
) -> Result<(AppliedPlan, Option<Error>), Error> {
    let department = session.require_department()?.clone();
    let mut applied = AppliedPlan {
        department: department.code.to_string(),
        stage: session.stage.clone(),
        plan: plan_id,
        done: Vec::new(),
        held_back: items.held_back.iter().map(HeldBackItem::from).collect(),
        not_started: 0,
        evidence: None,
    };
    let mut steps = Vec::new();
    for item in &items.approved {
        steps.push(prepare_step(run, session, secrets, planned, item, &department).await?);
    }
    for step in steps
        .iter()
        .filter(|step| matches!(step.item.action, ItemAction::Delete | ItemAction::Replace))
    {
        if let Some(observed) = &step.observed {
            options
                .backup
                .backup(run, &session.connectors, &session.backup_dir, observed, true)
                .await?;
        }
    }
    // Destructive changes start after all others, and only if those did not stop.
    let (first, last): (Vec<_>, Vec<_>) = steps.into_iter().partition(|step| step.item.risk < Risk::Destructive);
    let mut apply_run = ApplyRun::new(run, session, options, new_run_id()?);
    let mut failures = Vec::new();
    for group in [first, last] {
        for failure in apply_run.run_group(group).await? {
            let error = Error::from(failure.error).context(format!("failed to {}", failure.label));
            failures.push(explain_change_error(error, Some(&department)));
        }
    }
    match find_overwritten(run, session, apply_run.written()).await {
        Ok(overwritten) => {
            failures.extend(overwritten.iter().map(|name| overwritten_error(name)));
            apply_run.mark_overwritten(&overwritten);
        }
        // What was done stays in the result.
        Err(error) => failures.push(error.context("cannot check whether the changes are in force")),
    }
    applied.done = apply_run.done;
    applied.not_started = apply_run.not_started;
    if !items.approved.is_empty() {
        let mut evidence = apply_run.evidence;
        let held_back = items.held_back.iter();
        evidence.extend(held_back.map(|item| EvidenceItem::not_started(item, ItemResult::HeldBack)));
        match write_evidence(run, session, &applied, evidence, options, &apply_run.run_id) {
            Ok(path) => applied.evidence = Some(path),
            Err(error) => failures.push(error),
        }
    }
    let error = into_error(failures, &applied, run.cancel.is_cancelled());
    Ok((applied, error))
}

fn write_evidence(
    run: &RunContext,
    session: &ConnectorSession,
    applied: &AppliedPlan,
    items: Vec<EvidenceItem>,
    options: &ApplyOptions,
    run_id: &str,
) -> Result<PathBuf, Error> {
    let secrets = &run.environment.secrets;
    let api_key = session.api_key.as_ref().map(ToString::to_string);
    let place = (applied.department.as_str(), applied.stage.as_str());
    let now = session.clock().now();
    let evidence = options
        .evidence
        .evidence(now, place, applied.plan.clone(), api_key, items, secrets);
    options.evidence.write(&evidence, run_id, secrets)
}

fn overwritten_error(name: &str) -> Error {
    Error::failed(format!(
        "connector `{name}` is not as this run wrote it: somebody else changed it"
    ))
    .with_hint("Plan again to see the difference.")
}

/// Returns the error of an incomplete apply.
fn into_error(failures: Vec<Error>, applied: &AppliedPlan, interrupted: bool) -> Option<Error> {
    let is_stopped = !failures.is_empty() && applied.not_started > 0;
    let wrote = !applied.done.is_empty();
    if let Some(error) = combine_errors(failures, wrote) {
        let error = error.with_hint(
            "To go back, revert the commit and apply again; or correct the files and apply again: completed changes are \
             skipped.",
        );
        return Some(match is_stopped {
            true => error.with_hint(format!("{} not started.", count_noun(applied.not_started, "change"))),
            false => error,
        });
    }
    if interrupted && applied.not_started > 0 {
        let kind = if wrote {
            ErrorKind::Partial
        } else {
            ErrorKind::Interrupted
        };
        return Some(Error::new(kind, "interrupted").with_hint(Hint::rerun()));
    }
    if applied.held_back.is_empty() {
        return None;
    }
    let count = count_noun(applied.held_back.len(), "change");
    Some(
        Error::new(
            ErrorKind::Partial,
            format!("{count} of department `{}` held back", applied.department),
        )
        .with_hint("Let the plan be approved and apply it with `--expect`, or allow more with `--max-risk`."),
    )
}

async fn prepare_step(
    run: &RunContext,
    session: &ConnectorSession,
    secrets: SecretSources<'_>,
    planned: &PlannedStage,
    item: &PlanItem,
    department: &DepartmentContext,
) -> Result<ApplyStep, Error> {
    let name = item.replaces.as_deref().unwrap_or(&item.address.name);
    let observed = planned.observed.get(name).map(|expanded| LiveConnector {
        name: name.to_owned(),
        expanded: expanded.clone(),
    });
    let file = &planned.desired[&item.address];
    let desired = match sends_config(item.action) {
        true => Some(resolve(run, session, secrets, file).await?),
        false => None,
    };
    Ok(ApplyStep {
        department: department.code.clone(),
        item: item.clone(),
        observed,
        desired,
        carries_offsets: file.settings.replace == Some(ReplacePolicy::Carry),
        needs: Vec::new(),
    })
}

/// Replaces the references of a file with secrets. A mask is never sent.
async fn resolve(
    run: &RunContext,
    session: &ConnectorSession,
    secrets: SecretSources<'_>,
    file: &DesiredFile,
) -> Result<DesiredConnector, Error> {
    let mut config = file.config.clone();
    let secret_keys = resolve_secrets(run, session, secrets, file.class(), &mut config)
        .await
        .map_err(|error| error.context(format!("cannot apply connector `{}`", file.address.name)))?;
    reject_masked(&config, |_| false)?;
    Ok(DesiredConnector {
        name: file.address.name.clone(),
        config,
        offsets: file.offsets.clone(),
        secret_keys,
    })
}
