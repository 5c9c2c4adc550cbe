//! Carries out the plan of an onboarding.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Event, Journal, JournalError, Line, Listener,
    report::{Failure, Handed, Report, StepDone},
    schedule::{self, Ended},
};
use crate::{
    access::Evaluator,
    api::connect::Place as ConnectPlace,
    client::Client,
    config::{KeyPair, Profile, ProfileKeys, SaveError},
    handover::{Place, Sink},
    hint::{Advice, Hint},
    interrupt::Interrupt,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ApiKeyId, CrnPattern, KeyKind, Principal, Role, RoleBinding, Secret, ServiceAccountId, Snapshot},
    plan::{AccountRef, Change, Operation, Plan, PlannedPattern},
    probe::{self, Ground, Verdict},
    resources::{
        ResourceError, World,
        api_key::{self, KeyState, KeyTag},
        role_binding, service_account,
    },
};

/// Makes what a profile says besides its keys.
pub type Profiles<'a> = dyn Fn(&DesiredPersona, Option<ServiceAccountId>) -> Profile + 'a;

/// A client that carries another key.
pub type ClientAs<'a> = dyn Fn(&ApiKeyId, &Secret) -> Client + 'a;

/// Everything a run works with.
pub struct Engine<'a> {
    /// Where it works.
    pub world: &'a World,
    /// What was seen before.
    pub seen: &'a Snapshot,
    /// The departments that were asked for.
    pub desired: &'a [DesiredDepartment],
    /// The stage.
    pub stage: &'a str,
    /// Whether it is the default stage, whose profiles lie at the top of the folder.
    pub default_stage: bool,
    /// Where profiles go.
    pub sink: &'a Sink,
    /// What is written down.
    pub journal: &'a Journal,
    /// The nonce of this run.
    pub run: &'a str,
    /// Who wants to know.
    pub listener: &'a dyn Listener,
    /// The wish to stop.
    pub interrupt: &'a Interrupt,
    /// How many changes are made at a time.
    pub width: usize,
    /// Makes profiles.
    pub profiles: &'a Profiles<'a>,
    /// Makes the client that a proof uses.
    pub client_as: &'a ClientAs<'a>,
    /// For each department, the beginning of somebody else's names.
    pub foreign: &'a dyn Fn(&DesiredDepartment) -> String,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Resource(#[from] ResourceError),
    #[error(transparent)]
    Sink(#[from] SaveError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("{0}")]
    Refuted(String),
    #[error("{0}")]
    Missing(String),
}

impl StepError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Resource(error) => error.hints(),
            Self::Refuted(_) => vec![
                "Nothing was handed over for this key: find out why before you run the command again.".into(),
                "The unproved profile stays in the folder; the next run proves it again.".into(),
            ],
            _ => Vec::new(),
        }
    }

    fn reason(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let next = error.to_string();
            if !text.contains(&next) {
                text = format!("{text}: {next}");
            }
            cause = error.source();
        }
        text
    }
}

/// A run at work.
struct Running<'a> {
    engine: &'a Engine<'a>,
    plan: &'a Plan,
    accounts: RefCell<BTreeMap<String, ServiceAccountId>>,
    /// Keys whose secret is at hand, by account.
    keys: RefCell<BTreeMap<String, ProfileKeys>>,
    /// Bindings that were made with their fallback role: account, pattern, role.
    fallbacks: RefCell<BTreeSet<(Principal, CrnPattern, Role)>>,
    report: RefCell<Report>,
}

/// Carries out `plan`; what failed is in the report.
///
/// # Errors
/// When the journal cannot be written: then nothing goes on.
pub async fn apply(engine: &Engine<'_>, plan: &Plan) -> Result<Report, JournalError> {
    let accounts = engine
        .seen
        .accounts
        .iter()
        .map(|account| (account.name.clone(), account.id.clone()))
        .collect();
    let running = Running {
        engine,
        plan,
        accounts: RefCell::new(accounts),
        keys: RefCell::default(),
        fallbacks: RefCell::default(),
        report: RefCell::default(),
    };
    let started = Line::RunStarted {
        run: engine.run.to_owned(),
        command: "onboard".to_owned(),
        changes: plan.changes.len(),
    };
    engine.journal.write(engine.world.clock.now(), &started, true)?;
    engine.listener.on(&Event::Phase {
        name: "Apply",
        total: plan.changes.len(),
    });
    let needs: Vec<Vec<usize>> = plan.changes.iter().map(|change| change.needs.clone()).collect();
    let skipped = |step: usize, because: usize| {
        let department = Some(plan.changes[step].department.to_string());
        let event = Event::Skipped {
            label: plan.changes[step].label(),
            department,
            because: plan.changes[because].label(),
        };
        engine.listener.on(&event);
    };
    let ended = schedule::run(
        &needs,
        engine.width,
        engine.interrupt,
        |step| running.step(step),
        skipped,
    )
    .await;
    let mut report = running.report.into_inner();
    report.skipped = ended.iter().filter(|end| matches!(end, Ended::Skipped(_))).count();
    report.not_begun = ended.iter().filter(|end| matches!(end, Ended::NotBegun)).count();
    report.ended = ended;
    report.accounts = running.accounts.into_inner();
    report.done.sort_by_key(|step| step.change);
    report.failures.sort_by_key(|failure| failure.change);
    report
        .handed
        .sort_by(|a, b| (&a.department, &a.persona).cmp(&(&b.department, &b.persona)));
    let left = report.failures.len() + report.skipped + report.not_begun;
    let line = Line::RunEnded {
        run: engine.run.to_owned(),
        done: report.done.len(),
        left,
    };
    engine.journal.write(engine.world.clock.now(), &line, true)?;
    Ok(report)
}

impl Running<'_> {
    async fn step(&self, step: usize) -> bool {
        let change = &self.plan.changes[step];
        let department = Some(change.department.to_string());
        let label = change.label();
        self.engine.listener.on(&Event::Started {
            label: label.clone(),
            department: department.clone(),
        });
        let outcome = match self.perform(change).await {
            Ok(id) => {
                let line = Line::Done {
                    run: self.engine.run.to_owned(),
                    change: label.clone(),
                    id: id.clone(),
                };
                self.engine
                    .journal
                    .write(self.engine.world.clock.now(), &line, false)
                    .map(|()| id)
                    .map_err(Into::into)
            }
            Err(error) => Err(error),
        };
        match outcome {
            Ok(id) => {
                self.engine.listener.on(&Event::Done {
                    label: label.clone(),
                    department,
                });
                let done = StepDone {
                    change: step,
                    label,
                    department: change.department.clone(),
                    id,
                };
                self.report.borrow_mut().done.push(done);
                true
            }
            Err(error) => {
                let reason = error.reason();
                let line = Line::Failed {
                    run: self.engine.run.to_owned(),
                    change: label.clone(),
                    reason: reason.clone(),
                };
                // The failure itself is reported in any case.
                let _ = self.engine.journal.write(self.engine.world.clock.now(), &line, false);
                let event = Event::Failed {
                    label: label.clone(),
                    department,
                    reason: reason.clone(),
                };
                self.engine.listener.on(&event);
                let request_id = match &error {
                    StepError::Resource(error) => error.request_id().map(str::to_owned),
                    _ => None,
                };
                let hints = error.hints();
                let department = change.department.clone();
                let failure = Failure {
                    change: step,
                    label,
                    department,
                    reason,
                    hints,
                    request_id,
                };
                self.report.borrow_mut().failures.push(failure);
                false
            }
        }
    }

    fn account(&self, account: &AccountRef) -> Result<ServiceAccountId, StepError> {
        match account {
            AccountRef::Known(id) => Ok(id.clone()),
            AccountRef::Planned(name) => self
                .accounts
                .borrow()
                .get(name)
                .cloned()
                .ok_or_else(|| StepError::Missing(format!("service account `{name}` was not made"))),
        }
    }

    fn pattern(&self, pattern: &PlannedPattern) -> Result<CrnPattern, StepError> {
        Ok(match pattern {
            PlannedPattern::Known(pattern) => pattern.clone(),
            PlannedPattern::Account(account) => self
                .engine
                .world
                .address
                .service_account_crn(&self.account(account)?)
                .into(),
        })
    }

    async fn perform(&self, change: &Change) -> Result<Option<String>, StepError> {
        let world = self.engine.world;
        match &change.operation {
            Operation::CreateAccount { tag } => {
                let id = service_account::create(world, tag).await?;
                self.accounts.borrow_mut().insert(tag.account_name(), id.clone());
                Ok(Some(id.to_string()))
            }
            Operation::UpdateAccount { id, from, to } => {
                service_account::update(world, id, from, to).await?;
                Ok(Some(id.to_string()))
            }
            Operation::CreateBinding {
                principal,
                role,
                fallback,
                pattern,
            } => {
                let pattern = self.pattern(pattern)?;
                let binding = RoleBinding::new(self.account(principal)?, role.clone(), pattern);
                let bound = role_binding::create(world, &binding, fallback.as_ref()).await?;
                if bound.role != *role {
                    let what = format!("{}: {} instead of {role}", change.what, bound.role);
                    self.report.borrow_mut().fallbacks.push(what);
                    self.fallbacks
                        .borrow_mut()
                        .insert((binding.principal, binding.pattern, bound.role));
                }
                Ok(Some(bound.id.to_string()))
            }
            Operation::DeleteBinding { id, binding } => {
                role_binding::delete(world, id, binding).await?;
                Ok(Some(id.to_string()))
            }
            Operation::DeleteKey { id, owner } => {
                api_key::delete(world, id, owner).await?;
                Ok(Some(id.to_string()))
            }
            Operation::CreateKey { owner, kind } => self.create_key(change, owner, *kind).await,
            Operation::Prove { account, kind, .. } => self.prove(change, account, *kind).await,
            Operation::HandOver { .. } => self.hand_over(change).await,
            Operation::Reissue { .. } => self.reissue(change),
        }
    }

    fn desired(&self, change: &Change) -> Result<(&DesiredDepartment, &DesiredPersona), StepError> {
        let department = self
            .engine
            .desired
            .iter()
            .find(|desired| desired.department.code == change.department);
        let found = department.and_then(|desired| {
            Some((
                desired,
                desired
                    .personas
                    .iter()
                    .find(|persona| persona.persona == change.persona)?,
            ))
        });
        found.ok_or_else(|| StepError::Missing(format!("{} {} is not wanted", change.department, change.persona)))
    }

    fn place(&self, change: &Change) -> Place {
        place(self.engine.stage, self.engine.default_stage, change)
    }

    /// What the profile of a persona says.
    fn profile(&self, desired: &DesiredDepartment, persona: &DesiredPersona) -> Profile {
        let runtime = desired
            .runtime()
            .and_then(|runtime| self.accounts.borrow().get(&runtime.account_name).cloned());
        (self.engine.profiles)(persona, runtime)
    }

    async fn create_key(
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
        let text = Secret::new(self.profile(desired, persona).render_keys(&pairs(&keys)));
        let (journal, sink, place, now) = (
            self.engine.journal.clone(),
            self.engine.sink.clone(),
            self.place(change),
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
    fn keys_at_hand(&self, change: &Change, persona: &DesiredPersona) -> ProfileKeys {
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

    /// What the department's accounts may do, as wanted and as bound.
    fn rights(&self, desired: &DesiredDepartment) -> Evaluator {
        let address = &self.engine.world.address;
        let accounts = self.accounts.borrow();
        let id_of = |name: &str| {
            let persona = desired.personas.iter().find(|persona| persona.persona == name)?;
            accounts.get(&persona.account_name).cloned()
        };
        let fallbacks = self.fallbacks.borrow();
        let held = |principal: &Principal, role: &Role, pattern: &CrnPattern| {
            self.engine
                .seen
                .bindings_of(principal)
                .any(|seen| &seen.binding.role == role && &seen.binding.pattern == pattern)
        };
        let mut bindings = Vec::new();
        for persona in &desired.personas {
            let Some(account) = accounts.get(&persona.account_name) else {
                continue;
            };
            let principal = Principal::ServiceAccount(account.clone());
            for grant in &persona.grants {
                let Some(pattern) = grant.on.resolve(address, &desired.department.prefix, id_of) else {
                    continue;
                };
                let stands_in = grant.fallback.as_ref().filter(|fallback| {
                    let made = fallbacks.contains(&(principal.clone(), pattern.clone(), (*fallback).clone()));
                    made || (held(&principal, fallback, &pattern) && !held(&principal, &grant.role, &pattern))
                });
                let role = stands_in.unwrap_or(&grant.role).clone();
                bindings.push(RoleBinding {
                    principal: principal.clone(),
                    role,
                    pattern,
                });
            }
        }
        Evaluator::new(bindings)
    }

    async fn prove(&self, change: &Change, account: &AccountRef, kind: KeyKind) -> Result<Option<String>, StepError> {
        let world = self.engine.world;
        let (desired, persona) = self.desired(change)?;
        let principal = Principal::ServiceAccount(self.account(account)?);
        let keys = self.keys_at_hand(change, persona);
        let missing = || StepError::Missing("the secret of the key is not at hand".to_owned());
        let KeyPair { id: key, secret } = keys.get(kind).ok_or_else(missing)?.clone();
        let foreign = (self.engine.foreign)(desired);
        let ground = Ground {
            address: &world.address,
            own: &desired.department.prefix,
            foreign: &foreign,
            connectors: &self.engine.seen.connectors,
        };
        let probes = probe::probes(kind, &principal, &self.rights(desired), &ground);
        let client = (self.engine.client_as)(&key, &secret);
        let place = ConnectPlace {
            environment: world.address.environment.clone(),
            cluster: world.address.cluster.clone(),
        };
        let outcomes = probe::prove(&client, &place, probes, &world.clock, world.budget).await;
        let refuted: Vec<String> = outcomes
            .iter()
            .filter_map(|outcome| match &outcome.verdict {
                Verdict::Refuted { reason } => Some(format!("{}: {reason}", outcome.probe.label())),
                _ => None,
            })
            .collect();
        self.report
            .borrow_mut()
            .proofs
            .insert(persona.account_name.clone(), outcomes);
        match refuted.is_empty() {
            true => Ok(Some(key.to_string())),
            false => Err(StepError::Refuted(format!("the proof failed: {}", refuted.join("; ")))),
        }
    }

    async fn hand_over(&self, change: &Change) -> Result<Option<String>, StepError> {
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
        let (journal, sink, place, now) = (
            self.engine.journal.clone(),
            self.engine.sink.clone(),
            self.place(change),
            self.engine.world.clock.now(),
        );
        let path = blocking(move || {
            let path = sink.finish(&place)?;
            for line in &lines {
                journal.write(now, line, true)?;
            }
            Ok(path)
        })
        .await?;
        let shown = path.display().to_string();
        self.report.borrow_mut().handed.push(Handed {
            department: change.department.clone(),
            persona: change.persona.clone(),
            account: persona.account_name.clone(),
            keys,
            path,
        });
        Ok(Some(shown))
    }

    fn reissue(&self, change: &Change) -> Result<Option<String>, StepError> {
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

/// Which profile a change is about.
#[must_use]
pub fn place(stage: &str, default_stage: bool, change: &Change) -> Place {
    Place {
        stage: (!default_stage).then(|| stage.to_owned()),
        department: change.department.clone(),
        persona: change.persona.clone(),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StepError> + Send + 'static,
) -> Result<T, StepError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(StepError::Missing(format!("a write to the disk was lost: {error}"))),
    }
}
