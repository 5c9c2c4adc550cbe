//! Delivery of finished profiles that earlier runs left on disk, and the report of all deliveries.

use std::path::PathBuf;

use super::Reconciliation;
use crate::{
    apply::{
        self, Delivery, FinishedProfile, Journal, StepError,
        delivery::{DeliveryContext, PendingProfile, find_pending_profiles},
    },
    error::{Error, ResultExt},
    handover::HandoverRequest,
    hint::{Advice, Hint},
    model::{ApiKeyId, Listing, ownership::account_name},
    session::RunContext,
};

/// What became of a finished profile that an earlier run had left in the folder.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PendingDelivery {
    /// The file.
    pub path: PathBuf,
    /// Why the command did not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to do about it.
    #[serde(skip)]
    pub hints: Vec<Hint>,
}

/// What a command took.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct DeliveryReport {
    /// The program that takes finished profiles, if one does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Whether the files of profiles that were taken are removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub remove_delivered: bool,
    /// What became of profiles that earlier runs had finished.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous_runs: Vec<PendingDelivery>,
}

impl DeliveryReport {
    /// Whether a command takes profiles: then there is nothing left to do by hand.
    pub fn is_automatic(&self) -> bool {
        self.program.is_some()
    }

    /// Those of `handed` whose files are still in the folder.
    pub fn profiles_on_disk<'a>(&self, profile: &'a [FinishedProfile]) -> Vec<&'a FinishedProfile> {
        let kept = profile
            .iter()
            .filter(|profile| !(profile.delivered && self.remove_delivered));
        kept.collect()
    }
}

impl Reconciliation<'_> {
    /// What a command took, `later` of it from earlier runs.
    pub fn delivery_report(&self, pending: Vec<PendingDelivery>) -> DeliveryReport {
        DeliveryReport {
            program: self.delivery.as_ref().map(|delivery| delivery.program().to_owned()),
            remove_delivered: self.delivery.as_ref().is_some_and(Delivery::removes_files),
            previous_runs: pending,
        }
    }

    /// The program that receives finished profiles.
    #[must_use]
    pub fn delivery_program(&self) -> Option<&str> {
        self.delivery.as_ref().map(Delivery::program)
    }

    /// The finished profiles of earlier runs that are still to be taken, or whose files are to go.
    pub fn pending_profiles(&self) -> Result<Vec<PendingProfile>, Error> {
        let Some(delivery) = &self.delivery else {
            return Ok(Vec::new());
        };
        let session = self.session;
        let stage = (!session.is_default_stage()).then_some(session.stage_name.as_str());
        let departments: Vec<_> = self.desired.iter().map(|desired| &desired.department.code).collect();
        let mut left = find_pending_profiles(&self.journal_path, &self.profile_store, stage, &departments)?;
        let snapshot = &self.observed.snapshot;
        let lives = |id: &ApiKeyId| {
            snapshot.unknown.contains_key(&Listing::ApiKeys) || snapshot.keys.iter().any(|key| key.id == *id)
        };
        left.retain(|left| match left.delivered {
            true => delivery.removes_files(),
            // A profile whose key is gone is of no use to anybody, and could take the place of one that is.
            false => left.keys.iter().all(lives),
        });
        Ok(left)
    }

    /// Gives what earlier runs left behind to the command, before this one makes more.
    ///
    /// # Errors
    /// When another run was at work meanwhile, or the journal cannot be written.
    pub async fn deliver_pending(&self, run: &RunContext) -> Result<Vec<PendingDelivery>, Error> {
        let left = self.pending_profiles()?;
        let Some(delivery) = self.delivery.as_ref().filter(|_| !left.is_empty()) else {
            return Ok(Vec::new());
        };
        let run_id = apply::run::new_run_id().context("no random numbers from the system")?;
        let journal = self.open_journal()?;
        let delivery_context = DeliveryContext {
            journal: &journal,
            clock: &self.session.clock,
            run_id: &run_id,
            interrupt: &run.cancel,
        };
        let mut pending = Vec::new();
        for left in left {
            let account = account_name(
                &self.session.stage_name,
                &left.profile.department,
                &left.profile.persona,
            );
            let handover_request = HandoverRequest {
                profile: &left.profile,
                stage: &self.session.stage_name,
                account: &account,
                keys: &left.keys,
                path: &left.path,
            };
            let delivered = match left.delivered {
                true => delivery.remove_file(&left.path),
                false => delivery.deliver(delivery_context, handover_request).await,
            };
            let error = delivered.err().map(StepError::from);
            pending.push(PendingDelivery {
                path: left.path,
                reason: error.as_ref().map(StepError::full_message),
                hints: error.iter().flat_map(Advice::hints).collect(),
            });
        }
        // What was written just now is our own.
        *self.journal_lengths.borrow_mut() = Journal::file_lengths(&self.session.state_paths.journals);
        Ok(pending)
    }
}
