//! Execution of onboarding plans.

mod keys;
mod proof;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use tokio_util::sync::CancellationToken;

use super::{
    Delivery, EventListener, Journal, JournalError, JournalLine, PlanRunner, PlanStep, StepError, StepExecutor,
    report::ProvisioningReport,
};
use crate::{
    client::Client,
    config::{Profile, ProfileKeys},
    handover::{ProfileId, ProfileStore},
    hint::Hint,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{
        ApiKeyId, CrnPattern, DepartmentCode, Principal, ResourceKind, Role, RoleBinding, Secret, ServiceAccountId,
        Snapshot,
    },
    plan::{AccountRef, ObjectOperation, Plan, PlannedChange, PlannedOperation, PlannedPattern},
    resources::{
        ResourceContext, ResourceError,
        api_key::{self},
        role_binding, service_account,
    },
};

/// Function that builds the profile of a persona without its keys.
pub type ProfileBuilder<'a> = dyn Fn(&DesiredPersona, Option<ServiceAccountId>) -> Profile + 'a;

/// Function that returns a client with another key.
pub type ClientFactory<'a> = dyn Fn(&ApiKeyId, &Secret) -> Client + 'a;

/// Input of a provisioning run.
pub struct ProvisioningInput<'a> {
    /// Command, for the journal.
    pub command: &'a str,
    /// Clients and settings.
    pub context: &'a ResourceContext,
    /// Observed state before the run.
    pub snapshot: &'a Snapshot,
    /// Selected departments.
    pub desired: &'a [DesiredDepartment],
    /// Stage name.
    pub stage: &'a str,
    /// Whether this is the default stage, whose profiles are at the top of the folder.
    pub is_default_stage: bool,
    /// Profile store.
    pub profile_store: &'a ProfileStore,
    /// Journal.
    pub journal: &'a Journal,
    /// Run id.
    pub run_id: &'a str,
    /// Listener for events.
    pub listener: &'a dyn EventListener,
    /// Cancellation.
    pub interrupt: &'a CancellationToken,
    /// Maximum number of concurrent changes.
    pub concurrency: usize,
    /// Delivery of finished profiles, if configured.
    pub delivery: Option<&'a Delivery>,
    /// Builds profiles.
    pub build_profile: &'a ProfileBuilder<'a>,
    /// Builds the client that probes a new key.
    pub client_with_key: &'a ClientFactory<'a>,
    /// Returns a prefix of another department, for negative probes.
    pub foreign_prefix: &'a dyn Fn(&DesiredDepartment) -> String,
}

/// State of an active provisioning run.
struct ProvisioningExecutor<'a> {
    input: &'a ProvisioningInput<'a>,
    plan: &'a Plan,
    accounts: RefCell<BTreeMap<String, ServiceAccountId>>,
    /// Keys with available secrets, by account.
    keys: RefCell<BTreeMap<String, ProfileKeys>>,
    /// Role bindings that were created with their fallback role: principal, pattern, role.
    fallbacks: RefCell<BTreeSet<(Principal, CrnPattern, Role)>>,
    report: RefCell<ProvisioningReport>,
}

/// Applies `plan`; the report contains the failures.
///
/// # Errors
/// When the journal cannot be written; the run then stops.
pub async fn apply(engine: &ProvisioningInput<'_>, plan: &Plan) -> Result<ProvisioningReport, JournalError> {
    let accounts = engine
        .snapshot
        .accounts
        .iter()
        .map(|account| (account.name.clone(), account.id.clone()))
        .collect();
    // Recent accounts of an interrupted run may not be visible everywhere yet.
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
                .ok_or_else(|| StepError::MissingInput(format!("service account `{name}` was not created"))),
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
        found.ok_or_else(|| {
            StepError::MissingInput(format!(
                "no desired persona `{}` of department `{}`",
                change.persona, change.department
            ))
        })
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
                let line = JournalLine::AccountCreated {
                    run: self.input.run_id.to_owned(),
                    account: id.clone(),
                };
                self.input.journal.write(context.clock.now(), &line, false)?;
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
            PlannedOperation::Object(ObjectOperation::Create { principal, object }) => {
                let object = object.operations.for_holder(self.resolve_account(principal)?.into());
                Ok(Some(object.operations.create_in(context).await?))
            }
            PlannedOperation::Object(ObjectOperation::Update { from, to }) => {
                Ok(Some(from.operations.update_to(to, context).await?))
            }
            PlannedOperation::Object(ObjectOperation::Delete { object }) => {
                Ok(Some(object.operations.delete_in(context).await?))
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
            PlannedOperation::Reissue { .. } => self.reissue(change).await,
        }
    }

    fn request_id(&self, change: &PlannedChange, id: &str) -> Option<String> {
        self.input
            .context
            .last_request_id(id)
            .filter(|_| change.operation.is_remote())
    }

    /// Suggests what to do if the service created an account without making the provisioner its owner
    /// (docs/assumptions.md, Q10).
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
                "The service did not make `{provisioner}` ResourceOwner of `{crn}` when it created the account: let \
                 an organization administrator grant the role."
            )
            .into(),
        )
    }
}

/// Returns the id of the profile that a change belongs to.
#[must_use]
pub fn profile_id(stage: &str, default_stage: bool, change: &PlannedChange) -> ProfileId {
    ProfileId {
        stage: (!default_stage).then(|| stage.to_owned()),
        department: change.department.clone(),
        persona: change.persona.clone(),
    }
}
