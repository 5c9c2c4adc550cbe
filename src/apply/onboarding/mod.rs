//! Carries out the plan of an onboarding.

mod keys;
mod proof;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{Delivery, Journal, JournalError, Listener, Performer, Run, Step, StepError, report::Report};
use crate::{
    client::Client,
    config::{Profile, ProfileKeys},
    handover::{Place, Sink},
    hint::Hint,
    interrupt::Interrupt,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{
        ApiKeyId, CrnPattern, DepartmentCode, Principal, ResourceKind, Role, RoleBinding, Secret, ServiceAccountId,
        Snapshot,
    },
    plan::{AccountRef, Change, Operation, Plan, PlannedPattern},
    resources::{
        ResourceError, World, acl,
        api_key::{self},
        role_binding, service_account,
    },
};

/// Makes what a profile says besides its keys.
pub type Profiles<'a> = dyn Fn(&DesiredPersona, Option<ServiceAccountId>) -> Profile + 'a;

/// A client that carries another key.
pub type ClientAs<'a> = dyn Fn(&ApiKeyId, &Secret) -> Client + 'a;

/// Everything a run works with.
pub struct Engine<'a> {
    /// The command, for the journal.
    pub command: &'a str,
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
    /// Who takes finished profiles, if anybody does.
    pub delivery: Option<&'a Delivery>,
    /// Makes profiles.
    pub profiles: &'a Profiles<'a>,
    /// Makes the client that a proof uses.
    pub client_as: &'a ClientAs<'a>,
    /// For each department, the beginning of somebody else's names.
    pub foreign: &'a dyn Fn(&DesiredDepartment) -> String,
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
    // What an interrupted run made moments ago may not be in force everywhere either.
    for account in engine.seen.accounts.iter().filter(|account| account.tag().is_some()) {
        let young = |made| engine.world.clock.since(made) < engine.world.budget;
        if account.created_at.is_some_and(young) {
            engine.world.made(&account.id);
        }
    }
    let running = Running {
        engine,
        plan,
        accounts: RefCell::new(accounts),
        keys: RefCell::default(),
        fallbacks: RefCell::default(),
        report: RefCell::default(),
    };
    let run = Run {
        nonce: engine.run,
        command: engine.command,
        clock: &engine.world.clock,
        journal: Some(engine.journal),
        listener: engine.listener,
        interrupt: engine.interrupt,
        width: engine.width,
    };
    let outcome = run.carry_out(&plan.changes, &running).await?;
    let mut report = running.report.into_inner();
    report.outcome = outcome;
    report.accounts = running.accounts.into_inner();
    report
        .handed
        .sort_by(|a, b| (&a.department, &a.persona).cmp(&(&b.department, &b.persona)));
    Ok(report)
}

impl Running<'_> {
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

    /// The way to Kafka REST; a plan that needs it was refused without.
    fn kafka(&self) -> Result<&Client, StepError> {
        let kafka = self.engine.world.kafka.as_ref();
        kafka.ok_or_else(|| StepError::Missing("no API key of the Kafka cluster is at hand".to_owned()))
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
}

impl Step for Change {
    fn label(&self) -> String {
        Self::label(self)
    }

    fn department(&self) -> Option<&DepartmentCode> {
        Some(&self.department)
    }

    fn needs(&self) -> &[usize] {
        &self.needs
    }
}

impl Performer for Running<'_> {
    type Change = Change;

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
            Operation::CreateAcl {
                principal,
                acl: planned,
            } => {
                let binding = planned.of(self.account(principal)?);
                acl::create(world, self.kafka()?, &binding).await?;
                Ok(Some(binding.to_string()))
            }
            Operation::DeleteAcl { acl: binding } => {
                acl::delete(world, self.kafka()?, binding).await?;
                Ok(Some(binding.to_string()))
            }
            Operation::DeleteKey { id, owner, keeps } => {
                if let Some(keeps) = keeps {
                    api_key::present(world, keeps, owner).await?;
                }
                api_key::delete(world, id, owner).await?;
                Ok(Some(id.to_string()))
            }
            Operation::DeleteAccount { id, description } => {
                service_account::delete(world, id, description).await?;
                Ok(Some(id.to_string()))
            }
            Operation::CreateKey { owner, kind } => self.create_key(change, owner, *kind).await,
            Operation::Prove { account, kind, .. } => self.prove(change, account, *kind).await,
            Operation::HandOver { beside, .. } => self.hand_over(change, *beside).await,
            Operation::Reissue { .. } => self.reissue(change),
        }
    }

    fn request_of(&self, change: &Change, id: &str) -> Option<String> {
        self.engine.world.request_of(id).filter(|_| change.operation.writes())
    }

    /// What to do when the service let an account be made, but not its maker be its owner (dossier `rbac.md` §9, Q10).
    fn advice(&self, change: &Change, error: &StepError) -> Option<Hint> {
        let StepError::Resource(ResourceError::Client(error)) = error else {
            return None;
        };
        let of = match &change.operation {
            Operation::CreateKey { owner, .. } => self.account(owner).ok(),
            Operation::CreateBinding { pattern, .. } => {
                let pattern = self.pattern(pattern).ok()?;
                let on_account = pattern.kind() == ResourceKind::ServiceAccount;
                on_account.then(|| pattern.name().stem().parse().ok()).flatten()
            }
            _ => None,
        };
        let crn = self
            .engine
            .world
            .address
            .service_account_crn(&of.filter(|_| error.is_forbidden())?);
        let provisioner = &self.engine.world.provisioner;
        Some(
            format!(
                "{provisioner} must be ResourceOwner of {crn}, and the service did not make it so with the account: an \
                 organization administrator can grant it."
            )
            .into(),
        )
    }
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
