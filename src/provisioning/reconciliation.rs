//! Observed and desired state of departments in one stage, and the application of plans to it.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use super::{DeliveryOptions, evidence};
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
    private,
    resources::{AnyKind, KINDS, ObservationClients, PROPAGATION_BUDGET, ResourceContext, api_key::KnownKeys},
    session::{PlatformSession, RunContext},
};

/// Whether a run lists the objects of provisioned kinds. Listing Kafka ACLs requires an API key for the cluster; the other
/// kinds follow the same rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclLookup {
    /// ACLs are not listed.
    Skip,
    /// ACLs are listed without retries if a template declares ACLs. An urgent run does not wait for Kafka REST.
    NoRetry,
    /// ACLs are listed if a template declares ACLs, so that other platforms need no key for the cluster.
    IfNeeded,
    /// ACLs are listed if a key is available, to find the ACLs of earlier templates.
    BestEffort,
}

/// Folders, recipients and delivery of a provisioning run.
#[derive(Clone, Debug, Default)]
pub struct ProvisioningOptions {
    /// Profile folder; `None` for the one in the state folder.
    pub profiles_dir: Option<PathBuf>,
    /// Evidence folder; `None` for the one next to `ebs.toml`.
    pub evidence_dir: Option<PathBuf>,
    /// Recipients of all profiles, in addition to the recipients of each department.
    pub recipients: BTreeSet<Recipient>,
    /// Command that receives finished profiles.
    pub delivery: Option<DeliveryOptions>,
}

/// Observed and desired state of departments in one stage.
pub struct Reconciliation<'a> {
    /// Session with the organization.
    pub session: &'a PlatformSession,
    /// Accounts, role bindings and API keys that exist in Confluent Cloud.
    pub observed: ObservedOrganization,
    /// Kafka REST client, or why none is available.
    kafka: Result<Client, String>,
    /// Desired state of the selected departments.
    pub desired: Vec<DesiredDepartment>,
    /// Store for the profiles that the run reads and writes.
    pub profile_store: ProfileStore,
    /// Keys in the evidence, the journal and the profile folder.
    pub known_keys: KnownKeys,
    pub(super) delivery: Option<Delivery>,
    evidence_dir: PathBuf,
    pub(super) journal_path: PathBuf,
    /// Lengths of the journals before the observation. A longer journal reveals a concurrent run.
    pub(super) journal_lengths: RefCell<BTreeMap<PathBuf, u64>>,
    active_departments: BTreeSet<DepartmentCode>,
    adopted: BTreeSet<String>,
}

impl<'a> Reconciliation<'a> {
    /// Observes the organization and derives the desired state of `departments`.
    pub async fn observe(
        run: &RunContext,
        session: &'a PlatformSession,
        departments: &[Department],
        options: ProvisioningOptions,
        acls: AclLookup,
    ) -> Result<Self, Error> {
        let delivery = options
            .delivery
            .as_ref()
            .map(DeliveryOptions::to_delivery)
            .transpose()?;
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
        let known_keys = apply::load_known_keys(&journal, &evidence_dir, &profile_store, snapshot, PROPAGATION_BUDGET)?;
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
            delivery,
            evidence_dir,
            journal_path: journal,
            journal_lengths: RefCell::new(journals),
        })
    }

    /// Returns the input of a plan; with `prune`, the plan also removes grants that no template declares.
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

    /// Returns the keys in the evidence folder, including deleted keys.
    pub fn recorded_keys(&self) -> BTreeMap<ApiKeyId, RecordedKey> {
        read_recorded_keys(&self.evidence_dir)
    }

    /// Writes the evidence that an interrupted run did not write, and returns the files.
    pub fn finalize_evidence(&self) -> Result<Vec<PathBuf>, Error> {
        let run_id = apply::run::new_run_id()?;
        evidence::write_evidence(&self.evidence_dir, self, &Plan::default(), &Applied::default(), &run_id)
    }

    /// Writes the evidence of an offboarded department, and returns the file.
    pub fn write_removal_evidence(
        &self,
        department: &DepartmentCode,
        proof: &impl serde::Serialize,
    ) -> Result<Option<PathBuf>, Error> {
        let run_id = apply::run::new_run_id()?;
        let proof = serde_json::to_value(proof)?;
        let desired = self
            .desired
            .iter()
            .find(|desired| desired.department.code == *department);
        let write = |desired| evidence::write_removal_evidence(&self.evidence_dir, self, desired, &run_id, proof);
        desired.map(write).transpose()
    }

    /// Checks that the profiles of `plan` can be written, before the first key is created.
    pub fn check_profiles_writable(&self, plan: &Plan) -> Result<(), Error> {
        let session = self.session;
        let profile_of = |change: &PlannedChange| {
            let id = apply::onboarding::profile_id(&session.stage_name, session.is_default_stage(), change);
            match change.operation {
                PlannedOperation::HandOver { allow_existing, .. } => Some((id, allow_existing)),
                _ => None,
            }
        };
        let profile_ids: Vec<(ProfileId, bool)> = plan.changes.iter().filter_map(profile_of).collect();
        self.profile_store
            .prepare(profile_ids.iter().map(|(id, allow_existing)| (id, *allow_existing)))
            .map_err(|error| {
                let error = Error::from(error).context("cannot write the profiles; no API key was created");
                error.with_hint("Remove profiles with deleted keys with `confluent ebs profile prune`.")
            })
    }

    /// Lists the topics with the prefix of `department` in alphabetical order, or returns why it could not.
    pub async fn list_topics(&self, department: &Department) -> Result<Vec<String>, String> {
        let kafka = self.kafka.as_ref().map_err(Clone::clone)?;
        let list = ListTopics(self.observed.snapshot.address.cluster.clone());
        let answered = kafka.send(&list).await.map_err(|error| error.to_string())?;
        let names = answered.value.data.into_iter().map(|topic| topic.topic_name);
        let mut own: Vec<String> = names.filter(|name| department.prefix.owns(name)).collect();
        own.sort();
        Ok(own)
    }

    /// Applies `plan` for the command `what` and writes the evidence. Returns the report and the evidence files.
    ///
    /// # Errors
    /// The run was cancelled before the first write, a concurrent run changed the stage, or the journal or the evidence
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
        // Evidence that cannot be written would be noticed only after the changes.
        private::create_readable_dir(&self.evidence_dir).with_context(|| {
            format!(
                "cannot write evidence to `{}`; nothing was changed",
                self.evidence_dir.display()
            )
        })?;
        let run_id = apply::run::new_run_id()?;
        let journal = self.open_journal()?;
        let report = self.run_engine(run, what, plan, &journal, &run_id, concurrency).await?;
        let evidence = evidence::write_evidence(&self.evidence_dir, self, plan, &report, &run_id)?;
        Ok((report, evidence))
    }

    /// Opens and locks the journal, and removes temporary files of earlier runs.
    pub(super) fn open_journal(&self) -> Result<Journal, Error> {
        let session = self.session;
        let journal = Journal::open(&self.journal_path, session.client.secrets())?;
        self.profile_store
            .remove_temp_files((!session.is_default_stage()).then_some(session.stage_name.as_str()));
        if journal.has_grown(&self.journal_lengths.borrow())? {
            return Err(Error::failed(format!(
                "refused; nothing was changed: a concurrent run changed stage `{}` after this run observed it",
                session.stage_name
            ))
            .with_hint("Re-run to plan against the current state."));
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
        let resources = ResourceContext::new(
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
                source: CredentialSource::Issued("a probe".to_owned()),
            }))
        };
        let others: Vec<&Department> = session.workspace.active_departments().collect();
        let foreign = |desired: &DesiredDepartment| foreign_prefix(&others, &desired.department.code);
        let engine = ProvisioningInput {
            command: what,
            context: &resources,
            snapshot,
            desired: &self.desired,
            stage: &session.stage_name,
            is_default_stage: session.is_default_stage(),
            profile_store: &self.profile_store,
            journal,
            run_id,
            listener: &*progress,
            interrupt: &run.cancel,
            // The client limits concurrent requests. Twice as many changes keep it busy while some of them wait for the
            // disk.
            concurrency: 2 * usize::from(concurrency),
            delivery: self.delivery.as_ref(),
            build_profile: &profiles,
            client_with_key: &client_as,
            foreign_prefix: &foreign,
        };
        Ok(apply::apply(&engine, plan).await?)
    }
}

/// Observes the organization and, depending on `acls`, the Kafka ACLs. The templates of `departments` and of all active
/// departments decide whether ACLs are needed. Also returns the Kafka REST client, or why none is available.
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
    let address = observed.snapshot.address.clone();
    let is_desired = |kind: &dyn AnyKind| {
        let mut asking = workspace.active_departments().chain(departments);
        asking.any(|department| {
            let desired = workspace.desired_department(department, &session.stage_name, &address);
            desired.is_some_and(|desired| kind.is_desired(&desired))
        })
    };
    let needed = || {
        KINDS
            .iter()
            .any(|kind| kind.info().needs_kafka_key && is_desired(*kind))
    };
    let kafka = match acls {
        AclLookup::Skip => Err("not needed for this command".to_owned()),
        AclLookup::NoRetry | AclLookup::IfNeeded if !needed() => Err("no template declares ACLs".to_owned()),
        _ => session.connect_kafka(&observed.cluster),
    };
    let no_retry = |kafka: &Client| kafka.with_policy(RetryPolicy::no_retry());
    let asked = match acls {
        AclLookup::NoRetry => kafka.as_ref().map(no_retry),
        _ => kafka.as_ref().cloned(),
    };
    let clients = ObservationClients {
        cloud: &session.client,
        kafka: asked.as_ref().map_err(|reason| (*reason).clone()),
    };
    let is_needed = |kind: &dyn AnyKind| match acls {
        _ if kind.info().needs_kafka_key => true,
        AclLookup::Skip => false,
        AclLookup::NoRetry | AclLookup::IfNeeded => is_desired(kind),
        AclLookup::BestEffort => true,
    };
    plan::observe_objects(&mut observed.snapshot, clients, is_needed).await;
    Ok((observed, kafka))
}

/// Rejects the API key of a department. It cannot see all resources, so existing ones would look missing or unmanaged.
fn reject_department_key(snapshot: &Snapshot) -> Result<(), Error> {
    let own = snapshot
        .accounts
        .iter()
        .find(|account| Principal::ServiceAccount(account.id.clone()) == snapshot.observed_by);
    match own.filter(|account| account.tag().is_some()) {
        None => Ok(()),
        Some(account) => Err(Error::denied(format!(
            "this command requires the API key of the provisioner, not the key of `{}`",
            account.name
        ))
        .with_hint("Omit `--profile`, and set `CONFLUENT_CLOUD_API_KEY` and `CONFLUENT_CLOUD_API_SECRET` to its key.")
        .with_hint("See whether a profile is selected with `confluent ebs profile list`.")),
    }
}

/// Converts an observation error. A rejected API key gets the exit code for denied access.
fn to_observe_error(error: plan::ObserveError) -> Error {
    let refused =
        matches!(&error, plan::ObserveError::Client(cause) if cause.is_unauthorized() || cause.is_forbidden());
    let hints = error.hints();
    let kind = if refused { ErrorKind::Denied } else { ErrorKind::Failed };
    let mut error = Error::from(error).with_kind(kind);
    error.hints = hints;
    error
}

/// Returns the prefix that probes use to test access to foreign names: the prefix of the next department by code, else
/// `lcc-`, which no department may have.
fn foreign_prefix(departments: &[&Department], code: &DepartmentCode) -> String {
    let others = || departments.iter().filter(|department| department.code != *code);
    let next = others()
        .find(|department| department.code > *code)
        .or_else(|| others().next());
    next.map_or_else(|| "lcc-".to_owned(), |department| department.prefix.to_string())
}
