//! Outcome of an offboarding: the plan and, if it was applied, its result.

use std::path::PathBuf;

use serde::Serialize;

use super::{RemainingStage, RemovalProof, Retirement, connector_removal::DepartmentConnectors};
use crate::{
    apply::ProvisioningReport,
    connectors::BackupFile,
    error::Error,
    model::{Department, DepartmentCode, Prefix},
    plan::{ForeignObject, ForeignObjects, ObjectOperation, PlannedOperation, Teardown, teardown::ForeignBinding},
    provisioning::{PlannedChanges, Reconciliation, errors::incomplete_run_error},
    resources::connector::LiveConnector,
};

/// Planned or applied offboarding.
#[derive(Debug, Serialize)]
pub struct OffboardOutcome {
    /// Code of the department: the name of its file without `.toml`.
    pub department: DepartmentCode,
    /// Prefix of the department.
    pub prefix: Prefix,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Whether the run only planned.
    pub dry_run: bool,
    /// Names of the connectors with the prefix.
    pub connectors: Vec<String>,
    /// Names of other connectors that run under a service account of the department.
    pub dependent_connectors: Vec<String>,
    /// Changes that the plan contains, also if the run applies none of them.
    pub changes: PlannedChanges,
    /// Role bindings of other principals on the prefix.
    pub foreign: Vec<ForeignBinding>,
    /// Objects of other principals on the prefix.
    #[serde(flatten)]
    pub foreign_objects: ForeignObjects,
    /// Topics with the prefix, which are kept; `None` if they could not be listed.
    pub topics: Option<Vec<String>>,
    /// Reason why the topics could not be listed.
    #[serde(skip)]
    pub topics_unknown: Option<String>,
    /// Backups of the connectors.
    pub backups: Vec<BackupFile>,
    /// Other stages in which the department still has accounts.
    pub other_stages: Vec<RemainingStage>,
    /// Change of the department's file; `None` if it states the off-boarding already.
    pub retired: Option<Retirement>,
    /// Report of the applied plan.
    #[serde(flatten)]
    pub report: Option<ProvisioningReport>,
    /// Proof of the removal; `None` unless all changes were applied.
    pub proof: Option<RemovalProof>,
    /// Paths of the evidence files that the run wrote; empty if the run wrote none.
    pub evidence: Vec<PathBuf>,
    /// Whether the run removes grants of other principals.
    #[serde(skip)]
    pub removes_foreign: bool,
}

impl OffboardOutcome {
    pub(super) fn planned(
        reconciliation: &Reconciliation<'_>,
        department: &Department,
        down: &Teardown,
        connectors: &DepartmentConnectors,
        topics: Result<Vec<String>, String>,
    ) -> Self {
        let (topics, topics_unknown) = match topics {
            Ok(topics) => (Some(topics), None),
            Err(reason) => (None, Some(reason)),
        };
        let session = reconciliation.session;
        let snapshot = &reconciliation.observed.snapshot;
        let other_stages = RemainingStage::find_all(snapshot, department, &session.stage_name);
        let names = |connectors: &[LiveConnector]| connectors.iter().map(|connector| connector.name.clone()).collect();
        Self {
            department: department.code.clone(),
            prefix: department.prefix.clone(),
            stage: reconciliation.session.stage_name.clone(),
            dry_run: false,
            connectors: names(&connectors.own),
            dependent_connectors: names(&connectors.dependent),
            changes: PlannedChanges(down.plan.changes.clone()),
            foreign: down.foreign.clone(),
            foreign_objects: down.foreign_objects.clone(),
            topics,
            topics_unknown,
            backups: Vec::new(),
            retired: Retirement::plan(reconciliation.session, department, &other_stages),
            other_stages,
            report: None,
            proof: None,
            evidence: Vec::new(),
            removes_foreign: false,
        }
    }

    /// Returns the role bindings of other principals on the prefix that the plan keeps.
    pub fn kept_bindings(&self) -> impl Iterator<Item = &ForeignBinding> {
        self.foreign.iter().filter(|foreign| {
            !self.changes.0.iter().any(
                |change| matches!(&change.operation, PlannedOperation::DeleteBinding { id, .. } if *id == foreign.id),
            )
        })
    }

    /// Describes the objects of other principals on the prefix that the plan keeps, each with its holder.
    pub fn kept_objects(&self) -> impl Iterator<Item = String> {
        let is_kept = |foreign: &&ForeignObject| {
            !self.changes.0.iter().any(|change| {
                matches!(
                    &change.operation,
                    PlannedOperation::Object(ObjectOperation::Delete { object }) if *object == foreign.object
                )
            })
        };
        let kept = self.foreign_objects.0.iter().filter(is_kept);
        kept.map(ForeignObject::to_sentence)
    }

    /// Returns the error of a run that did not apply all changes, or after which access remains.
    #[must_use]
    pub fn error(&self) -> Option<Error> {
        let incomplete = self.report.as_ref().and_then(incomplete_run_error);
        incomplete.or_else(|| self.proof.as_ref()?.to_error(&self.prefix, self.removes_foreign))
    }
}
