//! Delivery of pending profiles of earlier runs, and the report of all deliveries.

use std::{path::PathBuf, time::Duration};

use super::Reconciliation;
use crate::{
    apply::{
        self, Delivery, FinishedProfile, Journal, StepError,
        delivery::{DeliveryContext, PendingProfile, find_pending_profiles},
    },
    error::Error,
    handover::{HandoverCommand, HandoverRequest},
    hint::{Advice, Hint},
    model::{ApiKeyId, Listing, ownership::account_name},
    session::RunContext,
};

/// Command that receives finished profiles.
#[derive(Clone, Debug)]
pub struct DeliveryOptions {
    /// Command line, run without a shell.
    pub command: String,
    /// Timeout of the command for each profile.
    pub timeout: Duration,
    /// Whether to remove the file of a profile after its delivery.
    pub remove_delivered: bool,
}

impl DeliveryOptions {
    pub(super) fn to_delivery(&self) -> Result<Delivery, Error> {
        let command = HandoverCommand::parse(&self.command, self.timeout)
            .map_err(|error| Error::usage(format!("invalid value for `--handover-command`: {error}")))?;
        Ok(Delivery::new(command, self.remove_delivered))
    }
}

/// Result of delivering a pending profile of an earlier run.
#[derive(Clone, Debug, serde::Serialize)]
pub struct PendingDelivery {
    /// Path of the profile in the folder for profiles.
    pub path: PathBuf,
    /// Reason for a failed delivery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Hints for a failed delivery.
    #[serde(skip)]
    pub hints: Vec<Hint>,
}

/// Deliveries of a run.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct DeliveryReport {
    /// Program that receives finished profiles, if one is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Whether the files of delivered profiles are removed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub remove_delivered: bool,
    /// Deliveries of pending profiles of earlier runs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub previous_runs: Vec<PendingDelivery>,
}

impl DeliveryReport {
    /// Whether a program receives the profiles, so that nothing is delivered by hand.
    pub fn is_automatic(&self) -> bool {
        self.program.is_some()
    }

    /// Returns the profiles whose files are still on disk.
    pub fn profiles_on_disk<'a>(&self, profiles: &'a [FinishedProfile]) -> Vec<&'a FinishedProfile> {
        let kept = profiles
            .iter()
            .filter(|profile| !(profile.delivered && self.remove_delivered));
        kept.collect()
    }
}

impl Reconciliation<'_> {
    /// Returns the delivery report of this run; `previous_runs` are the deliveries of pending profiles.
    pub fn delivery_report(&self, previous_runs: Vec<PendingDelivery>) -> DeliveryReport {
        DeliveryReport {
            program: self.delivery.as_ref().map(|delivery| delivery.program().to_owned()),
            remove_delivered: self.delivery.as_ref().is_some_and(Delivery::removes_files),
            previous_runs,
        }
    }

    /// Returns the program that receives finished profiles.
    #[must_use]
    pub fn delivery_program(&self) -> Option<&str> {
        self.delivery.as_ref().map(Delivery::program)
    }

    /// Finds profiles of earlier runs that are not delivered yet, and delivered profiles whose files must be removed.
    pub fn pending_profiles(&self) -> Result<Vec<PendingProfile>, Error> {
        let Some(delivery) = &self.delivery else {
            return Ok(Vec::new());
        };
        let session = self.session;
        let stage = (!session.is_default_stage()).then_some(session.stage_name.as_str());
        let departments: Vec<_> = self.desired.iter().map(|desired| &desired.department.code).collect();
        let mut pending = find_pending_profiles(&self.journal_path, &self.profile_store, stage, &departments)?;
        let snapshot = &self.observed.snapshot;
        let may_exist = |id: &ApiKeyId| {
            snapshot.unknown.contains_key(&Listing::ApiKeys) || snapshot.keys.iter().any(|key| key.id == *id)
        };
        pending.retain(|profile| {
            if profile.delivered {
                delivery.removes_files()
            } else {
                // A profile with a deleted key is useless, and the receiver might replace a working one with it.
                profile.keys.iter().all(may_exist)
            }
        });
        Ok(pending)
    }

    /// Delivers the pending profiles of earlier runs.
    ///
    /// # Errors
    /// A concurrent run changed the stage, or the journal cannot be written.
    pub async fn deliver_pending(&self, run: &RunContext) -> Result<Vec<PendingDelivery>, Error> {
        let profiles = self.pending_profiles()?;
        let Some(delivery) = self.delivery.as_ref().filter(|_| !profiles.is_empty()) else {
            return Ok(Vec::new());
        };
        let run_id = apply::run::new_run_id()?;
        let journal = self.open_journal()?;
        let delivery_context = DeliveryContext {
            journal: &journal,
            clock: &self.session.clock,
            run_id: &run_id,
            secrets: &run.environment.secrets,
            interrupt: &run.cancel,
        };
        let mut deliveries = Vec::new();
        for pending in profiles {
            let account = account_name(
                &self.session.stage_name,
                &pending.profile.department,
                &pending.profile.persona,
            );
            let handover_request = HandoverRequest {
                profile: &pending.profile,
                stage: &self.session.stage_name,
                account: &account,
                keys: &pending.keys,
                path: &pending.path,
            };
            let delivered = if pending.delivered {
                delivery.remove_file(&pending.path)
            } else {
                delivery.deliver(delivery_context, handover_request).await
            };
            let error = delivered.err().map(StepError::from);
            deliveries.push(PendingDelivery {
                path: pending.path,
                reason: error.as_ref().map(StepError::full_message),
                hints: error.iter().flat_map(Advice::hints).collect(),
            });
        }
        // The journal grew by this run's own entries, which must not look like a concurrent run.
        *self.journal_lengths.borrow_mut() = Journal::file_lengths(&self.session.state_paths.journals);
        Ok(deliveries)
    }
}
