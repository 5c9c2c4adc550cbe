//! What a run did.

use std::{collections::BTreeMap, ops::Deref};

use serde::Serialize;

use super::{failure::StepError, schedule::StepStatus};
use crate::{
    hint::Hint,
    model::{ApiKeyId, DepartmentCode, ServiceAccountId},
    probe::{ProbeOutcome as Proved, ProbeVerdict},
};

/// A change that was made.
#[derive(Clone, Debug, Serialize)]
pub struct CompletedStep {
    /// Its place in the plan.
    pub change: usize,
    /// Its label.
    pub label: String,
    /// The department it was for, if it was for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<DepartmentCode>,
    /// The id of the object that was made or changed.
    pub id: Option<String>,
    /// The id of the request that did it, for support.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

/// A change that failed.
#[derive(Debug, Serialize)]
pub struct StepFailure {
    /// Its place in the plan.
    pub change: usize,
    /// Its label.
    pub label: String,
    /// The department it was for, if it was for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<DepartmentCode>,
    /// Why.
    pub reason: String,
    /// What to do.
    #[serde(skip)]
    pub hints: Vec<Hint>,
    /// The request's id, for support.
    pub request_id: Option<String>,
    /// The error itself.
    #[serde(skip)]
    pub error: StepError,
}

/// How the changes of a plan ended.
#[derive(Debug, Default, Serialize)]
pub struct ApplyOutcome {
    /// The changes that were made.
    pub done: Vec<CompletedStep>,
    /// The changes that failed.
    pub failures: Vec<StepFailure>,
    /// How many changes were not begun because one that they need failed.
    pub skipped: usize,
    /// How many changes were not begun because the run was interrupted.
    pub not_started: usize,
    /// How each change ended, in the order of the plan.
    #[serde(skip)]
    pub statuses: Vec<StepStatus>,
}

impl ApplyOutcome {
    /// Whether every change was made.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.remaining() == 0
    }

    /// How many changes were not made.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.failures.len() + self.skipped + self.not_started
    }
}

/// A profile that was written.
#[derive(Clone, Debug, Serialize)]
pub struct FinishedProfile {
    /// The department.
    pub department: DepartmentCode,
    /// The persona.
    pub persona: String,
    /// The account.
    pub account: String,
    /// The keys in it; none when it was reissued without them.
    pub keys: Vec<ApiKeyId>,
    /// The file.
    pub path: std::path::PathBuf,
    /// Whether a command took it; then the file may be gone.
    pub delivered: bool,
}

/// What a run for departments did.
#[derive(Debug, Default, Serialize)]
pub struct ProvisioningReport {
    /// How the changes ended.
    #[serde(flatten)]
    pub outcome: ApplyOutcome,
    /// What was proved, by account.
    pub proofs: BTreeMap<String, Vec<Proved>>,
    /// Bindings that were made with their fallback role.
    pub fallbacks: Vec<String>,
    /// The profiles that were handed over.
    pub profiles: Vec<FinishedProfile>,
    /// The profiles that were written anew, without their key.
    pub reissued: Vec<FinishedProfile>,
    /// The accounts as they are now, by name.
    #[serde(skip)]
    pub accounts: BTreeMap<String, ServiceAccountId>,
    /// The keys that were made, by account, whether handed over or not.
    #[serde(skip)]
    pub keys: BTreeMap<String, Vec<ApiKeyId>>,
}

/// Most of what is asked of a report is how its changes ended.
impl Deref for ProvisioningReport {
    type Target = ApplyOutcome;

    fn deref(&self) -> &ApplyOutcome {
        &self.outcome
    }
}

impl ProvisioningReport {
    /// How many probes ended so, in the order proved, refuted, not provable.
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
