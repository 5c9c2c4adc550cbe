//! Keys and their profiles: made, put on the disk, handed over.

use std::path::Path;

use super::Running;
use crate::{
    apply::{Line, StepError, delivery::Route, journal::absolute, report::Handed},
    config::{KeyPair, Profile, ProfileKeys},
    handover::{Parcel, Place},
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ApiKeyId, KeyKind, Secret},
    plan::{AccountRef, Change, Operation},
    resources::api_key::{self, KeyState, KeyTag},
};

impl Running<'_> {
    /// What the profile of a persona says.
    fn profile(&self, desired: &DesiredDepartment, persona: &DesiredPersona) -> Profile {
        let runtime = desired
            .runtime()
            .and_then(|runtime| self.accounts.borrow().get(&runtime.account_name).cloned());
        (self.engine.profiles)(persona, runtime)
    }

    pub(super) async fn create_key(
        &self,
        change: &Change,
        owner: &AccountRef,
        kind: KeyKind,
    ) -> Result<Option<String>, StepError> {
        let world = self.engine.world;
        let (desired, persona) = self.desired(change)?;
        let owner = self.account(owner)?;
        let tag = KeyTag {
            stage: self.engine.stage.to_owned(),
            department: change.department.clone(),
            persona: change.persona.clone(),
            state: KeyState::New,
            run: self.engine.run.to_owned(),
        };
        let (key, secret) = api_key::create(world, &owner, kind, &tag).await?;
        let seen_before = |id: &ApiKeyId| self.engine.seen.keys.iter().any(|key| key.id == *id);
        api_key::alone(world, &owner, &key, self.engine.run, seen_before).await?;
        let born = Line::KeyBorn {
            run: self.engine.run.to_owned(),
            key: key.clone(),
            owner: owner.clone(),
        };
        let mut keys = self.keys_at_hand(change, persona);
        keys.set(
            kind,
            KeyPair {
                id: key.clone(),
                secret,
            },
        );
        let place = self.place(change);
        // The name that it will have: another one where a profile of before stays.
        let file = self.engine.sink.clear_target(&place, self.engine.run);
        let text = Secret::new(self.profile(desired, persona).render_keys(&file, &pairs(&keys)));
        let (journal, sink, place, now) = (
            self.engine.journal.clone(),
            self.engine.sink.clone(),
            place,
            world.clock.now(),
        );
        // Writing through to the disk blocks; other changes go on meanwhile.
        blocking(move || {
            journal.write(now, &born, true)?;
            sink.put(&place, &text)?;
            Ok(())
        })
        .await?;
        api_key::publish(world, &owner, &key, &tag).await?;
        self.report
            .borrow_mut()
            .keys
            .entry(persona.account_name.clone())
            .or_default()
            .push(key.clone());
        self.keys.borrow_mut().insert(persona.account_name.clone(), keys);
        Ok(Some(key.to_string()))
    }

    /// The keys of a persona whose secrets are at hand: made in this run, or left on the disk by an interrupted one and
    /// still to be proved.
    pub(super) fn keys_at_hand(&self, change: &Change, persona: &DesiredPersona) -> ProfileKeys {
        if let Some(keys) = self.keys.borrow().get(&persona.account_name) {
            return keys.clone();
        }
        // Of what lies there only the keys that the plan waits for count: the others no longer exist.
        let waits = |id: &ApiKeyId| {
            let mine = |other: &&Change| other.department == change.department && other.persona == change.persona;
            self.plan
                .changes
                .iter()
                .filter(mine)
                .any(|other| matches!(&other.operation, Operation::Prove { key: Some(key), .. } if key == id))
        };
        let mut left = self.engine.sink.unproved_keys(&self.place(change));
        for slot in [&mut left.cloud, &mut left.kafka, &mut left.schema_registry] {
            if slot.as_ref().is_some_and(|pair| !waits(&pair.id)) {
                *slot = None;
            }
        }
        let ids = pairs(&left).into_iter().map(|(_, id, _)| id.clone()).collect();
        self.report.borrow_mut().keys.insert(persona.account_name.clone(), ids);
        self.keys
            .borrow_mut()
            .insert(persona.account_name.clone(), left.clone());
        left
    }

    pub(super) async fn hand_over(&self, change: &Change, beside: bool) -> Result<Option<String>, StepError> {
        let (_, persona) = self.desired(change)?;
        let keys: Vec<ApiKeyId> = pairs(&self.keys_at_hand(change, persona))
            .into_iter()
            .map(|(_, id, _)| id.clone())
            .collect();
        let run = self.engine.run.to_owned();
        let lines: Vec<Line> = keys
            .iter()
            .map(|key| Line::KeyHandedOver {
                run: run.clone(),
                key: key.clone(),
            })
            .collect();
        let place = self.place(change);
        let path = self.engine.sink.target(&place, beside.then_some(self.engine.run));
        let proved = Line::ProfileProved {
            run,
            department: place.department.clone(),
            persona: place.persona.clone(),
            from: absolute(&self.engine.sink.unproved(&place)),
            file: absolute(&path),
            keys: keys.clone(),
        };
        let (journal, sink, of, target, now) = (
            self.engine.journal.clone(),
            self.engine.sink.clone(),
            place.clone(),
            path.clone(),
            self.engine.world.clock.now(),
        );
        blocking(move || {
            journal.write(now, &proved, true)?;
            sink.finish(&of, &target)?;
            // After a crash the line above says the same, together with the name that the file has then.
            for line in &lines {
                journal.write(now, line, false)?;
            }
            Ok(())
        })
        .await?;
        let handed = Handed {
            department: change.department.clone(),
            persona: change.persona.clone(),
            account: persona.account_name.clone(),
            keys: keys.clone(),
            path: path.clone(),
            taken: false,
        };
        // Whatever becomes of the delivery: the profile is finished.
        self.report.borrow_mut().handed.push(handed);
        self.deliver(&place, &persona.account_name, &keys, &path).await?;
        Ok(Some(path.display().to_string()))
    }

    /// Gives a finished profile to whoever takes it.
    async fn deliver(&self, place: &Place, account: &str, keys: &[ApiKeyId], path: &Path) -> Result<(), StepError> {
        let Some(delivery) = self.engine.delivery else {
            return Ok(());
        };
        let route = Route {
            journal: self.engine.journal,
            clock: &self.engine.world.clock,
            run: self.engine.run,
            interrupt: self.engine.interrupt,
        };
        let parcel = Parcel {
            place,
            stage: self.engine.stage,
            account,
            keys,
            path,
        };
        delivery.deliver(route, parcel).await?;
        let mut report = self.report.borrow_mut();
        report
            .handed
            .iter_mut()
            .filter(|handed| handed.path == path)
            .for_each(|handed| handed.taken = true);
        Ok(())
    }

    pub(super) fn reissue(&self, change: &Change) -> Result<Option<String>, StepError> {
        let (desired, persona) = self.desired(change)?;
        let text = self.profile(desired, persona).render(None);
        let path = self
            .engine
            .sink
            .reissue(&self.place(change), &persona.tag.profile_hash, &text)?;
        self.report.borrow_mut().reissued.push(Handed {
            department: change.department.clone(),
            persona: change.persona.clone(),
            account: persona.account_name.clone(),
            keys: Vec::new(),
            path,
            taken: false,
        });
        Ok(None)
    }
}

fn pairs(keys: &ProfileKeys) -> Vec<(KeyKind, &ApiKeyId, &Secret)> {
    [KeyKind::Cloud, KeyKind::Kafka, KeyKind::SchemaRegistry]
        .into_iter()
        .filter_map(|kind| keys.get(kind).map(|pair| (kind, &pair.id, &pair.secret)))
        .collect()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StepError> + Send + 'static,
) -> Result<T, StepError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StepError::Missing(format!("a write to the disk was lost: {error}"))),
    }
}
