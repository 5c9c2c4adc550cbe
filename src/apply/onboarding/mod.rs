//! Carries out the plan of an onboarding.

mod keys;
mod proof;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    Delivery, EventListener, Journal, JournalError, PlanRunner, PlanStep, StepError, StepExecutor,
    report::ProvisioningReport,
};
use crate::{
    cancel::CancelToken,
    client::Client,
    config::{Profile, ProfileKeys},
    handover::{ProfileId, ProfileStore},
    hint::Hint,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{
        ApiKeyId, CrnPattern, DepartmentCode, Principal, ResourceKind, Role, RoleBinding, Secret, ServiceAccountId,
        Snapshot,
    },
    plan::{AccountRef, Plan, PlannedChange, PlannedOperation, PlannedPattern},
    resources::{
        ResourceContext, ResourceError, acl,
        api_key::{self},
        role_binding, service_account,
    },
};

/// Makes what a profile says besides its keys.
pub type ProfileBuilder<'a> = dyn Fn(&DesiredPersona, Option<ServiceAccountId>) -> Profile + 'a;

/// A client that carries another key.
pub type ClientFactory<'a> = dyn Fn(&ApiKeyId, &Secret) -> Client + 'a;

/// Everything a run works with.
pub struct ProvisioningInput<'a> {
    /// The command, for the journal.
    pub command: &'a str,
    /// Where it works.
    pub context: &'a ResourceContext,
    /// What was seen before.
    pub snapshot: &'a Snapshot,
    /// The departments that were asked for.
    pub desired: &'a [DesiredDepartment],
    /// The stage.
    pub stage: &'a str,
    /// Whether it is the default stage, whose profiles lie at the top of the folder.
    pub is_default_stage: bool,
    /// Where profiles go.
    pub profile_store: &'a ProfileStore,
    /// What is written down.
    pub journal: &'a Journal,
    /// The nonce of this run.
    pub run_id: &'a str,
    /// Who wants to know.
    pub listener: &'a dyn EventListener,
    /// The wish to stop.
    pub interrupt: &'a CancelToken,
    /// How many changes are made at a time.
    pub concurrency: usize,
    /// Who takes finished profiles, if anybody does.
    pub delivery: Option<&'a Delivery>,
    /// Makes profiles.
    pub build_profile: &'a ProfileBuilder<'a>,
    /// Makes the client that a proof uses.
    pub client_with_key: &'a ClientFactory<'a>,
    /// For each department, the beginning of somebody else's names.
    pub foreign_prefix: &'a dyn Fn(&DesiredDepartment) -> String,
}

/// A run at work.
struct ProvisioningExecutor<'a> {
    input: &'a ProvisioningInput<'a>,
    plan: &'a Plan,
    accounts: RefCell<BTreeMap<String, ServiceAccountId>>,
    /// Keys whose secret is at hand, by account.
    keys: RefCell<BTreeMap<String, ProfileKeys>>,
    /// Bindings that were made with their fallback role: account, pattern, role.
    fallbacks: RefCell<BTreeSet<(Principal, CrnPattern, Role)>>,
    report: RefCell<ProvisioningReport>,
}

/// Carries out `plan`; what failed is in the report.
///
/// # Errors
/// When the journal cannot be written: then nothing goes on.
pub async fn apply(engine: &ProvisioningInput<'_>, plan: &Plan) -> Result<ProvisioningReport, JournalError> {
    let accounts = engine
        .snapshot
        .accounts
        .iter()
        .map(|account| (account.name.clone(), account.id.clone()))
        .collect();
    // What an interrupted run made moments ago may not be in force everywhere either.
    for account in engine
        .snapshot
        .accounts
        .iter()
        .filter(|account| account.tag().is_some())
    {
        let young = |made| engine.context.clock.elapsed_since(made) < engine.context.propagation_budget;
        if account.created_at.is_some_and(young) {
            engine.context.mark_created(&account.id);
        }
    }
    let running = ProvisioningExecutor {
        input: engine,
        plan,
        accounts: RefCell::new(accounts),
        keys: RefCell::default(),
        fallbacks: RefCell::default(),
        report: RefCell::default(),
    };
    let run = PlanRunner {
        run_id: engine.run_id,
        command: engine.command,
        clock: &engine.context.clock,
        journal: Some(engine.journal),
        listener: engine.listener,
        interrupt: engine.interrupt,
        concurrency: engine.concurrency,
    };
    let outcome = run.apply(&plan.changes, &running).await?;
    let mut report = running.report.into_inner();
    report.outcome = outcome;
    report.accounts = running.accounts.into_inner();
    report
        .profiles
        .sort_by(|a, b| (&a.department, &a.persona).cmp(&(&b.department, &b.persona)));
    Ok(report)
}

impl ProvisioningExecutor<'_> {
    fn resolve_account(&self, account: &AccountRef) -> Result<ServiceAccountId, StepError> {
        match account {
            AccountRef::Known(id) => Ok(id.clone()),
            AccountRef::Planned(name) => self
                .accounts
                .borrow()
                .get(name)
                .cloned()
                .ok_or_else(|| StepError::MissingInput(format!("service account `{name}` was not made"))),
        }
    }

    fn resolve_pattern(&self, pattern: &PlannedPattern) -> Result<CrnPattern, StepError> {
        Ok(match pattern {
            PlannedPattern::Known(pattern) => pattern.clone(),
            PlannedPattern::Account(account) => self
                .input
                .context
                .address
                .service_account_crn(&self.resolve_account(account)?)
                .into(),
        })
    }

    /// The way to Kafka REST; a plan that needs it was refused without.
    fn kafka_client(&self) -> Result<&Client, StepError> {
        let kafka = self.input.context.kafka.as_ref();
        kafka.ok_or_else(|| StepError::MissingInput("no API key of the Kafka cluster is at hand".to_owned()))
    }

    fn find_desired(&self, change: &PlannedChange) -> Result<(&DesiredDepartment, &DesiredPersona), StepError> {
        let department = self
            .input
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
        found.ok_or_else(|| StepError::MissingInput(format!("{} {} is not wanted", change.department, change.persona)))
    }

    fn profile_id(&self, change: &PlannedChange) -> ProfileId {
        profile_id(self.input.stage, self.input.is_default_stage, change)
    }
}

impl PlanStep for PlannedChange {
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

impl StepExecutor for ProvisioningExecutor<'_> {
    type Step = PlannedChange;

    async fn execute(&self, change: &PlannedChange) -> Result<Option<String>, StepError> {
        let context = self.input.context;
        match &change.operation {
            PlannedOperation::CreateAccount { tag } => {
                let id = service_account::create(context, tag).await?;
                self.accounts.borrow_mut().insert(tag.account_name(), id.clone());
                Ok(Some(id.to_string()))
            }
            PlannedOperation::UpdateAccount { id, from, to } => {
                service_account::update(context, id, from, to).await?;
                Ok(Some(id.to_string()))
            }
            PlannedOperation::CreateBinding {
                principal,
                role,
                fallback,
                pattern,
            } => {
                let pattern = self.resolve_pattern(pattern)?;
                let binding = RoleBinding::new(self.resolve_account(principal)?, role.clone(), pattern);
                let bound = role_binding::create(context, &binding, fallback.as_ref()).await?;
                if bound.role != *role {
                    let what = format!("{}: {} instead of {role}", change.what, bound.role);
                    self.report.borrow_mut().fallbacks.push(what);
                    self.fallbacks
                        .borrow_mut()
                        .insert((binding.principal, binding.pattern, bound.role));
                }
                Ok(Some(bound.id.to_string()))
            }
            PlannedOperation::DeleteBinding { id, binding } => {
                role_binding::delete(context, id, binding).await?;
                Ok(Some(id.to_string()))
            }
            PlannedOperation::CreateAcl {
                principal,
                acl: planned,
            } => {
                let binding = planned.for_principal(self.resolve_account(principal)?);
                acl::create(context, self.kafka_client()?, &binding).await?;
                Ok(Some(binding.to_string()))
            }
            PlannedOperation::DeleteAcl { acl: binding } => {
                acl::delete(context, self.kafka_client()?, binding).await?;
                Ok(Some(binding.to_string()))
            }
            PlannedOperation::DeleteKey { id, owner, keeps } => {
                if let Some(keeps) = keeps {
                    api_key::ensure_exists(context, keeps, owner).await?;
                }
                api_key::delete(context, id, owner).await?;
                Ok(Some(id.to_string()))
            }
            PlannedOperation::DeleteAccount { id, description } => {
                service_account::delete(context, id, description).await?;
                Ok(Some(id.to_string()))
            }
            PlannedOperation::CreateKey { owner, kind } => self.create_key(change, owner, *kind).await,
            PlannedOperation::Prove { account, kind, .. } => self.prove(change, account, *kind).await,
            PlannedOperation::HandOver {
                allow_existing: beside, ..
            } => self.finish_profile(change, *beside).await,
            PlannedOperation::Reissue { .. } => self.reissue(change),
        }
    }

    fn request_id(&self, change: &PlannedChange, id: &str) -> Option<String> {
        self.input
            .context
            .last_request_id(id)
            .filter(|_| change.operation.is_remote())
    }

    /// What to do when the service let an account be made, but not its maker be its owner (docs/assumptions.md, Q10).
    fn hint_for(&self, change: &PlannedChange, error: &StepError) -> Option<Hint> {
        let StepError::Resource(ResourceError::Client(error)) = error else {
            return None;
        };
        let of = match &change.operation {
            PlannedOperation::CreateKey { owner, .. } => self.resolve_account(owner).ok(),
            PlannedOperation::CreateBinding { pattern, .. } => {
                let pattern = self.resolve_pattern(pattern).ok()?;
                let on_account = pattern.kind() == ResourceKind::ServiceAccount;
                on_account.then(|| pattern.name().stem().parse().ok()).flatten()
            }
            _ => None,
        };
        let crn = self
            .input
            .context
            .address
            .service_account_crn(&of.filter(|_| error.is_forbidden())?);
        let provisioner = &self.input.context.provisioner;
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
pub fn profile_id(stage: &str, default_stage: bool, change: &PlannedChange) -> ProfileId {
    ProfileId {
        stage: (!default_stage).then(|| stage.to_owned()),
        department: change.department.clone(),
        persona: change.persona.clone(),
    }
}
