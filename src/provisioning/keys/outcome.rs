//! Outcome of a rotation or revocation of keys.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    apply::{FinishedProfile, ProvisioningReport},
    error::Error,
    plan::{Plan, PlannedOperation},
    provisioning::{
        DeliveryReport, PlannedChanges, Reconciliation,
        errors::{incomplete_run_error, undelivered_error},
    },
};

/// Planned or applied changes of keys.
#[derive(Debug, Serialize)]
pub struct KeysOutcome {
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Whether the run only planned.
    pub dry_run: bool,
    /// Changes that the plan contains, also if the run applies none of them.
    pub changes: PlannedChanges,
    /// Notices of the plan.
    pub notices: Vec<String>,
    /// Report of the applied plan.
    #[serde(flatten)]
    pub report: Option<ProvisioningReport>,
    /// Folder for profiles: `--credentials-dir`, otherwise a folder in the state directory.
    pub credentials_dir: PathBuf,
    /// Deliveries of profiles.
    #[serde(flatten)]
    pub deliveries: DeliveryReport,
    /// Paths of the evidence files that the run wrote; empty if the run wrote none.
    pub evidence: Vec<PathBuf>,
    /// Number of selected departments that are onboarded.
    #[serde(skip)]
    pub department_count: usize,
}

impl KeysOutcome {
    pub(super) fn planned(reconciliation: &Reconciliation<'_>, plan: &Plan, dry_run: bool) -> Self {
        Self {
            stage: reconciliation.session.stage_name.clone(),
            dry_run,
            changes: PlannedChanges(plan.changes.clone()),
            notices: plan.notices.clone(),
            report: None,
            credentials_dir: reconciliation.profile_store.folder().to_owned(),
            deliveries: DeliveryReport::default(),
            evidence: Vec::new(),
            department_count: reconciliation.desired.len(),
        }
    }

    /// Returns the profiles that the run wrote.
    #[must_use]
    pub fn finished_profiles(&self) -> &[FinishedProfile] {
        self.report.as_ref().map_or(&[], |report| &report.profiles)
    }

    /// Counts the profiles of the run that were delivered.
    #[must_use]
    pub fn count_delivered(&self) -> usize {
        let profiles = self.finished_profiles().iter();
        profiles.filter(|profile| profile.delivered).count()
    }

    /// Counts the keys that the run created.
    #[must_use]
    pub fn count_created(&self) -> usize {
        self.count_applied(|operation| matches!(operation, PlannedOperation::CreateKey { .. }))
    }

    /// Counts the keys that the run deleted.
    #[must_use]
    pub fn count_deleted(&self) -> usize {
        self.count_applied(|operation| matches!(operation, PlannedOperation::DeleteKey { .. }))
    }

    fn count_applied(&self, is_counted: impl Fn(&PlannedOperation) -> bool) -> usize {
        let done = self.report.iter().flat_map(|report| &report.done);
        done.filter(|step| is_counted(&self.changes.0[step.change].operation))
            .count()
    }

    /// Returns the error of a run that did not apply all changes or deliver all profiles.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        let incomplete = self.report.as_ref().and_then(incomplete_run_error);
        incomplete.or_else(|| undelivered_error(&self.deliveries.previous_runs))
    }
}
