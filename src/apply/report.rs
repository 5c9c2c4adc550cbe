//! Results of a run.

use std::{collections::BTreeMap, ops::Deref};

use serde::Serialize;

use super::{failure::StepError, schedule::StepStatus};
use crate::{
    hint::Hint,
    model::{ApiKeyId, DepartmentCode, ServiceAccountId},
    probe::{ProbeOutcome as Proved, ProbeVerdict},
};

/// Applied change.
#[derive(Clone, Debug, Serialize)]
pub struct CompletedStep {
    /// Index in the plan.
    pub change: usize,
    /// Label.
    pub label: String,
    /// Department of the change, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<DepartmentCode>,
    /// Id of the created or changed object.
    pub id: Option<String>,
    /// Request id, for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// Failed change.
#[derive(Debug, Serialize)]
pub struct StepFailure {
    /// Index in the plan.
    pub change: usize,
    /// Label.
    pub label: String,
    /// Department of the change, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<DepartmentCode>,
    /// Reason.
    pub reason: String,
    /// Suggestions.
    #[serde(skip)]
    pub hints: Vec<Hint>,
    /// Request id, for support.
    pub request_id: Option<String>,
    /// The error.
    #[serde(skip)]
    pub error: StepError,
}

/// Results of the changes of a plan.
#[derive(Debug, Default, Serialize)]
pub struct ApplyOutcome {
    /// Applied changes.
    pub done: Vec<CompletedStep>,
    /// Failed changes.
    pub failures: Vec<StepFailure>,
    /// Number of changes skipped because a change that they need failed.
    pub skipped: usize,
    /// Number of changes not started because the run was cancelled.
    pub not_started: usize,
    /// Status of each change, in the order of the plan.
    #[serde(skip)]
    pub statuses: Vec<StepStatus>,
}

impl ApplyOutcome {
    /// Returns whether every change was applied.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.remaining() == 0
    }

    /// Returns the number of changes that were not applied.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.failures.len() + self.skipped + self.not_started
    }
}

/// Profile that this run finished or reissued.
#[derive(Clone, Debug, Serialize)]
pub struct FinishedProfile {
    /// Department.
    pub department: DepartmentCode,
    /// Persona.
    pub persona: String,
    /// Account name.
    pub account: String,
    /// Keys in the profile; none if it was reissued without keys.
    pub keys: Vec<ApiKeyId>,
    /// Path of the profile.
    pub path: std::path::PathBuf,
    /// Whether a command received it; its file may then be deleted.
    pub delivered: bool,
}

/// Results of a provisioning run.
#[derive(Debug, Default, Serialize)]
pub struct ProvisioningReport {
    /// Results of the changes.
    #[serde(flatten)]
    pub outcome: ApplyOutcome,
    /// Probe results by account.
    pub proofs: BTreeMap<String, Vec<Proved>>,
    /// Role bindings that were created with their fallback role.
    pub fallbacks: Vec<String>,
    /// Finished profiles.
    pub profiles: Vec<FinishedProfile>,
    /// Profiles that were reissued without their key.
    pub reissued: Vec<FinishedProfile>,
    /// Current accounts by name.
    #[serde(skip)]
    pub accounts: BTreeMap<String, ServiceAccountId>,
    /// Keys of the run by account, whether delivered or not.
    #[serde(skip)]
    pub keys: BTreeMap<String, Vec<ApiKeyId>>,
}

/// Gives direct access to the results of the changes.
impl Deref for ProvisioningReport {
    type Target = ApplyOutcome;

    fn deref(&self) -> &ApplyOutcome {
        &self.outcome
    }
}

impl ProvisioningReport {
    /// Counts the probes that passed, failed and were inconclusive.
    #[must_use]
    pub fn count_verdicts(&self) -> (usize, usize, usize) {
        self.proofs
            .values()
            .flatten()
            .fold((0, 0, 0), |(proved, refuted, open), outcome| match outcome.verdict {
                ProbeVerdict::Passed => (proved + 1, refuted, open),
                ProbeVerdict::Failed { .. } => (proved, refuted + 1, open),
                ProbeVerdict::Inconclusive { .. } => (proved, refuted, open + 1),
            })
    }
}
