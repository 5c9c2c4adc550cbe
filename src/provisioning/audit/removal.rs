//! Removal of findings: role bindings and ACLs that managed accounts have but no template declares, and orphaned API keys.
//! Unmanaged resources are never changed, and nothing is created.

use std::path::PathBuf;

use serde::Serialize;

use super::inputs::CONCURRENCY;
use crate::{
    apply::ProvisioningReport,
    error::Error,
    model::DepartmentCode,
    plan::plan_prune,
    provisioning::{
        AclLookup, ConfirmPlan, DepartmentSelection, PlannedChanges, ProvisioningOptions, Reconciliation,
        errors::incomplete_run_error,
    },
    session::{PlatformSession, RunContext},
};

/// Planned or applied removal of findings.
#[derive(Debug, Serialize)]
pub struct AuditRemoval {
    /// Whether the run only planned.
    pub dry_run: bool,
    /// Changes that the plan contains, also if the run applies none of them.
    pub changes: PlannedChanges,
    /// Notices about drift that is not removed.
    pub notices: Vec<String>,
    /// Report of the applied plan.
    #[serde(flatten)]
    pub report: Option<ProvisioningReport>,
    /// Paths of the evidence files that the run wrote; empty if the run wrote none.
    pub evidence: Vec<PathBuf>,
}

impl AuditRemoval {
    /// Returns the error of an incomplete removal.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        incomplete_run_error(self.report.as_ref()?)
    }

    /// Whether at least one change was applied.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.report.as_ref().is_some_and(|report| !report.done.is_empty())
    }
}

/// Removes findings in the departments `codes`, or in all departments if there are none.
pub(super) async fn remove_findings(
    run: &RunContext,
    codes: &[DepartmentCode],
    options: ProvisioningOptions,
    dry_run: bool,
    confirm: &ConfirmPlan<'_, AuditRemoval>,
) -> Result<Option<AuditRemoval>, Error> {
    let session = PlatformSession::open(run, usize::from(CONCURRENCY))?;
    let selection = if codes.is_empty() {
        DepartmentSelection::AllActive
    } else {
        DepartmentSelection::Codes(codes.to_vec())
    };
    let departments = selection.find(&session)?;
    let reconciliation = Reconciliation::observe(run, &session, &departments, options, AclLookup::BestEffort).await?;
    let plan = plan_prune(&reconciliation.plan_input(true), &reconciliation.observed.snapshot);
    let mut removal = AuditRemoval {
        dry_run,
        changes: PlannedChanges(plan.changes.clone()),
        notices: plan.notices.clone(),
        report: None,
        evidence: Vec::new(),
    };
    if dry_run || plan.is_empty() {
        return Ok(Some(removal));
    }
    if !confirm(&removal)? {
        return Ok(None);
    }
    let (report, evidence) = reconciliation
        .apply(run, "access audit --fix", &plan, CONCURRENCY)
        .await?;
    removal.report = Some(report);
    removal.evidence = evidence;
    Ok(Some(removal))
}
