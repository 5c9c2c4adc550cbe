//! What every command that changes accounts, bindings and keys does: look, compare, carry out, write down.

pub mod connector_removal;
mod delivery;
mod errors;
mod evidence;
mod isolation_check;
pub mod onboarding;
mod recipients;
mod removal_proof;
mod retirement;

pub use delivery::{DeliveryReport, PendingDelivery};
pub use errors::{check_refusals, incomplete_run_error, undelivered_error};
pub use isolation_check::{IsolationSummary, check_isolation};
pub use recipients::parse_recipients_file;
pub use removal_proof::{RemovalProof, RemovedKeyState, prove_removal};
pub use retirement::{Retirement, retire};

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

use crate::{
    api::kafka::ListTopics,
    apply::{self, Delivery, Journal, ProvisioningInput, ProvisioningReport as Applied, RunEvent},
    client::{Auth, BasicCredentials, Client, CredentialSource, RetryListener, RetryNotice, RetryPolicy},
    config::Profile,
    error::{Error, ErrorKind, ResultExt},
    handover::{
        ProfileId, ProfileStore, Recipients,
        evidence::{RecordedKey, read_recorded_keys},
    },
    hint::Advice,
    manifest::{DesiredDepartment, DesiredPersona},
    model::{ApiKeyId, Department, DepartmentCode, Principal, Recipient, Secret, Snapshot},
    plan::{self, ObservedOrganization, Plan, PlanInput, PlannedChange, PlannedOperation},
    resources::{PROPAGATION_BUDGET, ResourceContext, api_key::KnownKeys},
    session::{PlatformSession, RunContext},
};

/// When ACLs are looked at, which takes an API key of the Kafka cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclLookup {
    /// Never: nothing that is said depends on them.
    Skip,
    /// Where a template asks for some, and only when they are told at once: what is urgent does not wait for Kafka REST.
    NoRetry,
    /// Where a template asks for some: without, nobody needs the key.
    IfNeeded,
    /// Wherever there is a key: what is left of earlier templates counts, too.
    BestEffort,
}

/// Folders, recipients and delivery of a run that provisions.
#[derive(Debug, Default)]
pub struct ProvisioningOptions {
    /// Folder of profiles instead of the one below the state folder.
    pub profiles_dir: Option<PathBuf>,
    /// Folder of evidence instead of the one beside `ebs.toml`.
    pub evidence_dir: Option<PathBuf>,
    /// Recipients every profile is encrypted to, besides those of its department.
    pub recipients: BTreeSet<Recipient>,
    /// The command that receives finished profiles.
    pub delivery: Option<Delivery>,
}

/// The departments of a stage as they were seen and as they should be.
pub struct Reconciliation<'a> {
    /// The way there.
    pub session: &'a PlatformSession,
    /// What was seen.
    pub observed: ObservedOrganization,
    /// The way to Kafka REST, or why nobody went it.
    kafka: Result<Client, String>,
    /// The departments that were asked for.
    pub desired: Vec<DesiredDepartment>,
    /// The folder of profiles.
    pub profile_store: ProfileStore,
    /// What we know of our keys.
    pub known_keys: KnownKeys,
    delivery: Option<Delivery>,
    evidence_dir: PathBuf,
    journal_path: PathBuf,
    /// How long the journals were when it was looked.
    journal_lengths: RefCell<BTreeMap<PathBuf, u64>>,
    active_departments: BTreeSet<DepartmentCode>,
    adopted: BTreeSet<String>,
}

impl<'a> Reconciliation<'a> {
    /// Looks at the organization, for `departments`. Who makes profiles says to whom they go, others name the folders.
    pub async fn observe(
        run: &RunContext,
        session: &'a PlatformSession,
        departments: &[Department],
        options: ProvisioningOptions,
        acls: AclLookup,
    ) -> Result<Self, Error> {
        let profile_store = session.open_profile_store(options.profiles_dir.as_ref())?;
        let recipients = Recipients {
            common: options.recipients,
            by_department: profile_store.recipients().by_department.clone(),
        };
        let profile_store = profile_store.with_recipients(recipients);
        let journals = Journal::file_lengths(&session.state_paths.journals);
        let progress = run.reporter.start_progress();
        progress.on_event(&RunEvent::Phase {
            name: "Observe",
            total: 0,
        });
        let (observed, kafka) = observe_organization(session, departments, acls).await?;
        let snapshot = &observed.snapshot;
        let desired = departments
            .iter()
            .filter_map(|department| {
                session
                    .workspace
                    .desired_department(department, &session.stage_name, &snapshot.address)
            })
            .collect();
        let journal = session.journal_path(&snapshot.address.organization);
        let evidence_dir = options
            .evidence_dir
            .unwrap_or_else(|| session.state_paths.evidence.clone());
        let known_keys = apply::load_known_keys(
            &journal,
            &evidence_dir,
            &profile_store,
            snapshot.taken_at,
            PROPAGATION_BUDGET,
        )?;
        let known = session.workspace.active_departments();
        Ok(Self {
            session,
            active_departments: known.map(|department| department.code.clone()).collect(),
            adopted: session.workspace.platform.adopt.iter().cloned().collect(),
            observed,
            kafka,
            desired,
            profile_store,
            known_keys,
            delivery: options.delivery,
            evidence_dir,
            journal_path: journal,
            journal_lengths: RefCell::new(journals),
        })
    }

    /// What a comparison starts from.
    pub fn plan_input(&self, prune: bool) -> PlanInput<'_> {
        PlanInput {
            stage: &self.session.stage_name,
            address: &self.observed.snapshot.address,
            provisioner: &self.observed.provisioner,
            departments: &self.desired,
            known_departments: &self.active_departments,
            adopt: &self.adopted,
            known_keys: &self.known_keys,
            prune,
        }
    }

    /// The keys that the evidence at hand vouches for, whether they still exist or not.
    pub fn recorded_keys(&self) -> BTreeMap<ApiKeyId, RecordedKey> {
        read_recorded_keys(&self.evidence_dir)
    }

    /// Writes down what an interrupted run could not, when there is nothing else to do. Answers the files.
    pub fn finalize_evidence(&self) -> Result<Vec<PathBuf>, Error> {
        let run_id = apply::run::new_run_id().context("no random numbers from the system")?;
        evidence::write_evidence(&self.evidence_dir, self, &Plan::default(), &Applied::default(), &run_id)
    }

    /// Writes down what was proved about a department that has gone.
    pub fn write_removal_evidence(
        &self,
        department: &DepartmentCode,
        proof: &impl serde::Serialize,
    ) -> Result<Option<PathBuf>, Error> {
        let run_id = apply::run::new_run_id().context("no random numbers from the system")?;
        let proof = serde_json::to_value(proof)?;
        let desired = self
            .desired
            .iter()
            .find(|desired| desired.department.code == *department);
        let write = |desired| evidence::write_removal_evidence(&self.evidence_dir, self, desired, &run_id, proof);
        desired.map(write).transpose()
    }

    /// Makes sure, before the first key is made, that the profiles of `plan` can be written.
    pub fn check_profiles_writable(&self, plan: &Plan) -> Result<(), Error> {
        let session = self.session;
        let place = |change: &PlannedChange| {
            let place = apply::onboarding::profile_id(&session.stage_name, session.is_default_stage(), change);
            match change.operation {
                PlannedOperation::HandOver {
                    allow_existing: beside, ..
                } => Some((place, beside)),
                _ => None,
            }
        };
        let profile_ids: Vec<(ProfileId, bool)> = plan.changes.iter().filter_map(place).collect();
        self.profile_store
            .prepare(profile_ids.iter().map(|(place, beside)| (place, *beside)))
            .map_err(|error| Error::from(error).context("the profiles could not be written, so no key was made"))
    }

    /// The topics whose names begin with the prefix of `department`, in their order; or why they could not be listed.
    pub async fn list_topics(&self, department: &Department) -> Result<Vec<String>, String> {
        let kafka = self.kafka.as_ref().map_err(Clone::clone)?;
        let list = ListTopics(self.observed.snapshot.address.cluster.clone());
        let answered = kafka.send(&list).await.map_err(|error| error.to_string())?;
        let names = answered.value.data.into_iter().map(|topic| topic.topic_name);
        let mut own: Vec<String> = names.filter(|name| department.prefix.owns(name)).collect();
        own.sort();
        Ok(own)
    }

    /// Carries out `plan` for the command `what`, and writes the evidence. Answers what came of it and the evidence files.
    ///
    /// # Errors
    /// When the wish to stop came before, when another run was at work meanwhile, or when the journal or the evidence
    /// cannot be written.
    pub async fn apply(
        &self,
        run: &RunContext,
        what: &str,
        plan: &Plan,
        concurrency: u16,
    ) -> Result<(Applied, Vec<PathBuf>), Error> {
        if run.cancel.is_cancelled() {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "interrupted before anything was changed",
            ));
        }
        let run_id = apply::run::new_run_id().context("no random numbers from the system")?;
        let journal = self.open_journal()?;
        let report = self.run_engine(run, what, plan, &journal, &run_id, concurrency).await?;
        let evidence = evidence::write_evidence(&self.evidence_dir, self, plan, &report, &run_id)?;
        Ok((report, evidence))
    }

    /// Opens the journal, and with it keeps other runs out.
    fn open_journal(&self) -> Result<Journal, Error> {
        let session = self.session;
        let journal = Journal::open(&self.journal_path)?;
        self.profile_store
            .remove_temp_files((!session.is_default_stage()).then_some(session.stage_name.as_str()));
        if journal.has_grown(&self.journal_lengths.borrow())? {
            return Err(Error::failed(format!(
                "another run was at work on stage {} after this one had looked: nothing was changed",
                session.stage_name
            ))
            .with_hint("Run the command again: it plans anew from what is there now."));
        }
        Ok(journal)
    }

    async fn run_engine(
        &self,
        run: &RunContext,
        what: &str,
        plan: &Plan,
        journal: &Journal,
        run_id: &str,
        concurrency: u16,
    ) -> Result<Applied, Error> {
        let session = self.session;
        let snapshot = &self.observed.snapshot;
        let progress = run.reporter.start_progress();
        let retries = progress.clone();
        let on_retry = move |notice: &RetryNotice| {
            let event = RunEvent::Retrying {
                label: notice.call.clone(),
                reason: notice.reason.clone(),
                wait: notice.wait,
            };
            retries.on_event(&event);
        };
        let on_retry: RetryListener = std::sync::Arc::new(on_retry);
        let client = session.client.with_on_retry(on_retry.clone());
        let kafka = self.kafka.as_ref().ok().map(|kafka| kafka.with_on_retry(on_retry));
        let world = ResourceContext::new(
            client.clone(),
            snapshot.address.clone(),
            self.observed.provisioner.clone(),
            session.clock.clone(),
            PROPAGATION_BUDGET,
        )
        .with_kafka(kafka)
        .with_interrupt(run.cancel.clone());
        let today = session.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let profiles = |persona: &DesiredPersona, runtime| Profile {
            facts: persona.facts.clone(),
            endpoint: session.endpoint.clone(),
            runtime_account: runtime,
            secret_variables: Vec::new(),
            issued: today,
        };
        let client_as = |key: &ApiKeyId, secret: &Secret| {
            client.with_auth(Auth::Basic(BasicCredentials {
                key: key.to_string(),
                secret: secret.clone(),
                source: CredentialSource::Issued("a proof".to_owned()),
            }))
        };
        let others: Vec<&Department> = session.workspace.active_departments().collect();
        let foreign = |desired: &DesiredDepartment| foreign_prefix(&others, &desired.department.code);
        let engine = ProvisioningInput {
            command: what,
            context: &world,
            snapshot,
            desired: &self.desired,
            stage: &session.stage_name,
            is_default_stage: session.is_default_stage(),
            profile_store: &self.profile_store,
            journal,
            run_id,
            listener: &*progress,
            interrupt: &run.cancel,
            // The client sees to the number of requests. A change that waits for the disk leaves its place to another.
            concurrency: 2 * usize::from(concurrency),
            delivery: self.delivery.as_ref(),
            build_profile: &profiles,
            client_with_key: &client_as,
            foreign_prefix: &foreign,
        };
        Ok(apply::apply(&engine, plan).await?)
    }
}

/// Looks at the organization; at the ACLs of the cluster where the template of an active department asks for some or that
/// of one of `departments`, or as `acls` says. Answers the way to Kafka REST as well, or why
/// nobody went it.
pub async fn observe_organization(
    session: &PlatformSession,
    departments: &[Department],
    acls: AclLookup,
) -> Result<(ObservedOrganization, Result<Client, String>), Error> {
    let mut observed = plan::observe(&session.client, &session.clock, &session.observation_target())
        .await
        .map_err(to_observe_error)?;
    reject_department_key(&observed.snapshot)?;
    let workspace = &session.workspace;
    let mut asking = workspace.active_departments().chain(departments);
    let mut needed = || asking.any(|department| workspace.asks_for_acls(department));
    let kafka = match acls {
        AclLookup::Skip => Err("nothing depends on them here, so nobody looked".to_owned()),
        AclLookup::NoRetry | AclLookup::IfNeeded if !needed() => {
            Err("no template asks for any, so nobody looked".to_owned())
        }
        _ => session.connect_kafka(&observed.cluster),
    };
    let no_retry = |kafka: &Client| {
        kafka.with_policy(RetryPolicy {
            max_attempts: 1,
            budget: Duration::ZERO,
            ..RetryPolicy::default()
        })
    };
    let asked = match acls {
        AclLookup::NoRetry => kafka.as_ref().map(no_retry),
        _ => kafka.as_ref().cloned(),
    };
    plan::observe_acls(
        &mut observed.snapshot,
        asked.as_ref().map_err(|reason| (*reason).clone()),
    )
    .await;
    Ok((observed, kafka))
}

/// Refuses the key of a department: what it does not see would be taken for missing or for somebody else's.
fn reject_department_key(snapshot: &Snapshot) -> Result<(), Error> {
    let own = snapshot
        .accounts
        .iter()
        .find(|account| Principal::ServiceAccount(account.id.clone()) == snapshot.observed_by);
    match own.filter(|account| account.tag().is_some()) {
        None => Ok(()),
        Some(account) => Err(Error::denied(format!(
            "only the platform team can do this, and the key is that of `{}`",
            account.name
        ))
        .with_hint("Use the provisioner's key: in CONFLUENT_CLOUD_API_KEY and CONFLUENT_CLOUD_API_SECRET, without `--profile`.")
        .with_hint("`confluent ebs profile list` shows whether a profile is in use.")),
    }
}

/// Why the service let nobody look.
fn to_observe_error(error: plan::ObserveError) -> Error {
    let refused =
        matches!(&error, plan::ObserveError::Client(cause) if cause.is_unauthorized() || cause.is_forbidden());
    let hints = error.hints();
    let kind = if refused { ErrorKind::Denied } else { ErrorKind::Failed };
    let mut error = Error::from(error).with_kind(kind);
    error.hints = hints;
    error
}

/// The next department's prefix, in the order of codes; a name nobody may have when there is no other department.
fn foreign_prefix(departments: &[&Department], code: &DepartmentCode) -> String {
    let others = || departments.iter().filter(|department| department.code != *code);
    let next = others()
        .find(|department| department.code > *code)
        .or_else(|| others().next());
    next.map_or_else(|| "lcc-".to_owned(), |department| department.prefix.to_string())
}

/// The departments of these codes, all of them known and none of them retired.
pub fn find_active_departments(session: &PlatformSession, codes: &[DepartmentCode]) -> Result<Vec<Department>, Error> {
    let desired: BTreeSet<&DepartmentCode> = codes.iter().collect();
    let found = desired
        .into_iter()
        .map(|code| find_department(session, code))
        .map(|found| match found {
            Ok(department) if department.retired.is_some() => {
                Err(Error::refused(format!("department `{}` is retired", department.code))
                    .with_hint("A retired department's file is the tombstone of its prefix; add a new department."))
            }
            found => found,
        });
    found.collect()
}

/// The department of this code, retired or not.
pub fn find_department(session: &PlatformSession, code: &DepartmentCode) -> Result<Department, Error> {
    let workspace = &session.workspace;
    if let Some(department) = workspace.department(code) {
        return Ok(department.clone());
    }
    let known: Vec<&str> = workspace
        .departments()
        .map(|department| department.code.as_str())
        .collect();
    let error = Error::failed(format!("there is no department `{code}` in {}", workspace.origin));
    Err(match crate::hint::closest_match(code.as_str(), known.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint("`confluent ebs department list` shows them all."),
    })
}
