//! What a run did.

use std::{collections::BTreeMap, ops::Deref};

use serde::Serialize;

use super::{failure::StepError, schedule::Ended};
use crate::{
    hint::Hint,
    model::{ApiKeyId, DepartmentCode, ServiceAccountId},
    probe::{Outcome as Proved, Verdict},
};

/// A change that was made.
#[derive(Clone, Debug, Serialize)]
pub struct StepDone {
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
pub struct Failure {
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
pub struct Outcome {
    /// The changes that were made.
    pub done: Vec<StepDone>,
    /// The changes that failed.
    pub failures: Vec<Failure>,
    /// How many changes were not begun because one that they need failed.
    pub skipped: usize,
    /// How many changes were not begun because the run was interrupted.
    pub not_begun: usize,
    /// How each change ended, in the order of the plan.
    #[serde(skip)]
    pub ended: Vec<Ended>,
}

impl Outcome {
    /// Whether every change was made.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.left() == 0
    }

    /// How many changes were not made.
    #[must_use]
    pub fn left(&self) -> usize {
        self.failures.len() + self.skipped + self.not_begun
    }
}

/// A profile that was written.
#[derive(Clone, Debug, Serialize)]
pub struct Handed {
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
    pub taken: bool,
}

/// What a run for departments did.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// How the changes ended.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What was proved, by account.
    pub proofs: BTreeMap<String, Vec<Proved>>,
    /// Bindings that were made with their fallback role.
    pub fallbacks: Vec<String>,
    /// The profiles that were handed over.
    pub handed: Vec<Handed>,
    /// The profiles that were written anew, without their key.
    pub reissued: Vec<Handed>,
    /// The accounts as they are now, by name.
    #[serde(skip)]
    pub accounts: BTreeMap<String, ServiceAccountId>,
    /// The keys that were made, by account, whether handed over or not.
    #[serde(skip)]
    pub keys: BTreeMap<String, Vec<ApiKeyId>>,
}

/// Most of what is asked of a report is how its changes ended.
impl Deref for Report {
    type Target = Outcome;

    fn deref(&self) -> &Outcome {
        &self.outcome
    }
}

impl Report {
    /// How many probes ended so, in the order proved, refuted, not provable.
    #[must_use]
    pub fn verdicts(&self) -> (usize, usize, usize) {
        self.proofs
            .values()
            .flatten()
            .fold((0, 0, 0), |(proved, refuted, open), outcome| match outcome.verdict {
                Verdict::Proved => (proved + 1, refuted, open),
                Verdict::Refuted { .. } => (proved, refuted + 1, open),
                Verdict::NotProvable { .. } => (proved, refuted, open + 1),
            })
    }
}
