//! Steps that create keys, save pending profiles and finish them.

use std::path::Path;

use super::ProvisioningExecutor;
use crate::{
    apply::{
        JournalLine, StepError,
        delivery::DeliveryContext,
        journal::to_absolute,
        report::{FinishedProfile, ProvisioningReport},
    },
    config::{KeyPair, Profile, ProfileKeys},
    handover::{HandoverRequest, ProfileId},
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ApiKeyId, KeyKind, Secret},
    plan::{AccountRef, PlannedChange, PlannedOperation},
    resources::api_key::{self, KeyState, KeyTag},
};

impl ProvisioningExecutor<'_> {
    /// Returns the profile of a persona without keys.
    fn build_profile(&self, desired: &DesiredDepartment, persona: &DesiredPersona) -> Profile {
        let runtime = desired
            .runtime_persona()
            .and_then(|runtime| self.accounts.borrow().get(&runtime.account_name).cloned());
        (self.input.build_profile)(persona, runtime)
    }

    pub(super) async fn create_key(
        &self,
        change: &PlannedChange,
        owner: &AccountRef,
        kind: KeyKind,
    ) -> Result<Option<String>, StepError> {
        let context = self.input.context;
        let (desired, persona) = self.find_desired(change)?;
        let owner = self.resolve_account(owner)?;
        let tag = KeyTag {
            stage: self.input.stage.to_owned(),
            department: change.department.clone(),
            persona: change.persona.clone(),
            state: KeyState::New,
            run: self.input.run_id.to_owned(),
        };
        let (key, secret) = api_key::create(context, &owner, kind, &tag).await?;
        let seen_before = |id: &ApiKeyId| self.input.snapshot.keys.iter().any(|key| key.id == *id);
        api_key::ensure_no_concurrent_key(context, &owner, &key, self.input.run_id, seen_before).await?;
        let born = JournalLine::KeyCreated {
            run: self.input.run_id.to_owned(),
            key: key.clone(),
            owner: owner.clone(),
        };
        let mut keys = self.available_keys(change, persona);
        keys.set(
            kind,
            KeyPair {
                id: key.clone(),
                secret,
            },
        );
        let place = self.profile_id(change);
        // Final file name; it has a suffix if an existing profile is kept.
        let file = self.input.profile_store.final_name(&place, self.input.run_id);
        let text = Secret::new(self.build_profile(desired, persona).render_keys(&file, &keys.to_list()));
        let (journal, sink, place, now) = (
            self.input.journal.clone(),
            self.input.profile_store.clone(),
            place,
            context.clock.now(),
        );
        // Syncing to disk blocks, so it runs on a blocking thread.
        run_blocking(move || {
            journal.write(now, &born, true)?;
            sink.write_pending(&place, &text)?;
            Ok(())
        })
        .await?;
        api_key::mark_live(context, &owner, &key, &tag).await?;
        self.report
            .borrow_mut()
            .keys
            .entry(persona.account_name.clone())
            .or_default()
            .push(key.clone());
        self.keys.borrow_mut().insert(persona.account_name.clone(), keys);
        Ok(Some(key.to_string()))
    }

    /// Returns the keys of a persona whose secrets are available: created in this run, or read from the pending profile
    /// of an interrupted run.
    pub(super) fn available_keys(&self, change: &PlannedChange, persona: &DesiredPersona) -> ProfileKeys {
        if let Some(keys) = self.keys.borrow().get(&persona.account_name) {
            return keys.clone();
        }
        // Only the keys in the plan count; other keys in the pending profile no longer exist.
        let waits =
            |id: &ApiKeyId| {
                let mine =
                    |other: &&PlannedChange| other.department == change.department && other.persona == change.persona;
                self.plan.changes.iter().filter(mine).any(
                    |other| matches!(&other.operation, PlannedOperation::Prove { key: Some(key), .. } if key == id),
                )
            };
        let mut left = self.input.profile_store.pending_keys(&self.profile_id(change));
        for slot in [&mut left.cloud, &mut left.kafka, &mut left.schema_registry] {
            if slot.as_ref().is_some_and(|pair| !waits(&pair.id)) {
                *slot = None;
            }
        }
        let ids = left.to_list().into_iter().map(|(_, id, _)| id.clone()).collect();
        self.report.borrow_mut().keys.insert(persona.account_name.clone(), ids);
        self.keys
            .borrow_mut()
            .insert(persona.account_name.clone(), left.clone());
        left
    }

    pub(super) async fn finish_profile(
        &self,
        change: &PlannedChange,
        allow_existing: bool,
    ) -> Result<Option<String>, StepError> {
        let (_, persona) = self.find_desired(change)?;
        let keys: Vec<ApiKeyId> = self
            .available_keys(change, persona)
            .to_list()
            .into_iter()
            .map(|(_, id, _)| id.clone())
            .collect();
        let run = self.input.run_id.to_owned();
        let lines: Vec<JournalLine> = keys
            .iter()
            .map(|key| JournalLine::KeyHandedOver {
                run: run.clone(),
                key: key.clone(),
            })
            .collect();
        let place = self.profile_id(change);
        let path = self
            .input
            .profile_store
            .final_path(&place, allow_existing.then_some(self.input.run_id));
        let proved = JournalLine::ProfileProved {
            run,
            department: place.department.clone(),
            persona: place.persona.clone(),
            from: to_absolute(&self.input.profile_store.pending_path(&place)),
            file: to_absolute(&path),
            keys: keys.clone(),
        };
        let (journal, sink, of, target, now) = (
            self.input.journal.clone(),
            self.input.profile_store.clone(),
            place.clone(),
            path.clone(),
            self.input.context.clock.now(),
        );
        run_blocking(move || {
            journal.write(now, &proved, true)?;
            sink.commit(&of, &target)?;
            // After a crash, the line written above is sufficient together with the file name.
            for line in &lines {
                journal.write(now, line, false)?;
            }
            Ok(())
        })
        .await?;
        let handed = FinishedProfile {
            department: change.department.clone(),
            persona: change.persona.clone(),
            account: persona.account_name.clone(),
            keys: keys.clone(),
            path: path.clone(),
            delivered: false,
        };
        // The profile is finished even if the delivery fails.
        self.report.borrow_mut().profiles.push(handed);
        self.deliver(&place, &persona.account_name, &keys, &path).await?;
        Ok(Some(path.display().to_string()))
    }

    /// Delivers a finished profile if a delivery is configured.
    async fn deliver(
        &self,
        profile: &ProfileId,
        account: &str,
        keys: &[ApiKeyId],
        path: &Path,
    ) -> Result<(), StepError> {
        let Some(delivery) = self.input.delivery else {
            return Ok(());
        };
        let context = DeliveryContext {
            journal: self.input.journal,
            clock: &self.input.context.clock,
            run_id: self.input.run_id,
            secrets: self.input.profile_store.secrets(),
            interrupt: self.input.interrupt,
        };
        let request = HandoverRequest {
            profile,
            stage: self.input.stage,
            account,
            keys,
            path,
        };
        delivery.deliver(context, request).await?;
        let mut report = self.report.borrow_mut();
        let ProvisioningReport { profiles, reissued, .. } = &mut *report;
        profiles
            .iter_mut()
            .chain(reissued)
            .filter(|handed| handed.path == path)
            .for_each(|handed| handed.delivered = true);
        Ok(())
    }

    /// Writes the profile of a persona without its key, and delivers it. The key stays as it is. The tag of the account
    /// changes afterwards, so the next run repeats a failed delivery.
    pub(super) async fn reissue(&self, change: &PlannedChange) -> Result<Option<String>, StepError> {
        let (desired, persona) = self.find_desired(change)?;
        let text = self.build_profile(desired, persona).render(None);
        let id = self.profile_id(change);
        let store = &self.input.profile_store;
        let path = store.write_reissued(&id, &persona.tag.profile_hash, &text)?;
        self.report.borrow_mut().reissued.push(FinishedProfile {
            department: change.department.clone(),
            persona: change.persona.clone(),
            account: persona.account_name.clone(),
            keys: Vec::new(),
            path: path.clone(),
            delivered: false,
        });
        self.deliver(&id, &persona.account_name, &[], &path).await?;
        Ok(None)
    }
}

async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StepError> + Send + 'static,
) -> Result<T, StepError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StepError::MissingInput(format!(
            "a write to disk did not complete: {error}"
        ))),
    }
}
