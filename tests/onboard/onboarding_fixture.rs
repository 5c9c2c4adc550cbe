//! An onboarding with the library: an in-memory sandbox, and separate folders for each machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use confluent_ebs::{
    apply::{self, Journal, ProvisioningInput, ProvisioningReport},
    client::{Auth, BasicCredentials, Client, CredentialSource, InProcessTransport, Jitter},
    config::{Profile, ServiceEndpoint},
    handover::{ProfileId, ProfileStore, Recipients},
    manifest::{DesiredDepartment, DesiredPersona, Workspace},
    model::{ApiKeyId, KeyKind, Secret, StageAddress},
    plan::{self, ObservationTarget, Plan, PlanInput, PlannedOperation},
    resources::{PROPAGATION_BUDGET, ResourceContext},
    sandbox::{ClusterKind, Sandbox, SandboxJournalEntry, SandboxSettings, Seed, SeedStage},
};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// A sandbox for the built-in platform.
pub(crate) fn seed_from_workspace(workspace: &Workspace) -> Seed {
    let organization = workspace.platform.organization.clone().unwrap();
    let default = &workspace.platform.default_stage;
    let mut stages: Vec<SeedStage> = workspace
        .platform
        .stages
        .iter()
        .map(|(name, stage)| SeedStage {
            name: name.clone(),
            address: StageAddress {
                organization: organization.clone(),
                environment: stage.environment.clone(),
                cluster: stage.cluster.clone(),
                schema_registry: stage.schema_registry.clone(),
            },
            cluster_kind: ClusterKind::Enterprise,
        })
        .collect();
    stages.sort_by_key(|stage| (&stage.name != default, stage.name.clone()));
    Seed {
        organization,
        stages,
        clusters: Vec::new(),
        ..Seed::default()
    }
}

/// A machine that onboards.
pub(crate) struct OnboardingFixture {
    pub(crate) sandbox: Sandbox,
    pub(crate) workspace: Workspace,
    folder: TempDir,
    pub(crate) interrupt: CancellationToken,
    pub(crate) prune: bool,
    /// Recipients of profiles.
    pub(crate) recipients: Recipients,
    /// Decrypts encrypted profiles in a test.
    pub(crate) decryptor: Option<Decryptor>,
}

/// Decrypts a profile.
pub(crate) type Decryptor = Box<dyn Fn(&[u8]) -> String + Send + Sync>;

/// Result of a run.
#[derive(Debug)]
pub(crate) enum RunOutcome {
    /// The process died.
    Killed,
    /// Not started, with the reason.
    NotStarted(#[expect(dead_code, reason = "shown when a test fails")] String),
    /// Finished; some changes may have failed.
    Finished(Box<(Plan, ProvisioningReport)>),
}

impl RunOutcome {
    /// Whether the plan was empty.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self, Self::Finished(ran) if ran.0.is_empty())
    }
}

impl OnboardingFixture {
    pub(crate) fn new(settings: SandboxSettings) -> Self {
        let workspace = Workspace::embedded().workspace;
        let sandbox = Sandbox::in_memory_at(
            seed_from_workspace(&workspace),
            settings,
            crate::common::sandbox_start(),
        )
        .unwrap();
        Self::on_sandbox(sandbox)
    }

    /// Another machine for the same organization, without journal, evidence and profiles of the first one.
    pub(crate) fn on_sandbox(sandbox: Sandbox) -> Self {
        Self {
            sandbox,
            workspace: Workspace::embedded().workspace,
            folder: tempfile::tempdir().unwrap(),
            interrupt: CancellationToken::new(),
            prune: false,
            recipients: Recipients::default(),
            decryptor: None,
        }
    }

    /// Folder of all files that a run writes.
    #[cfg(feature = "age")]
    pub(crate) fn root_dir(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn profiles_dir(&self) -> PathBuf {
        self.folder.path().join("handover")
    }

    pub(crate) fn journal_path(&self) -> PathBuf {
        self.folder.path().join("runs/prod.jsonl")
    }

    pub(crate) fn client(&self, key: &str, secret: &str) -> Client {
        let auth = Auth::Basic(BasicCredentials {
            key: key.to_owned(),
            secret: Secret::new(secret),
            source: CredentialSource::Sandbox("test".into()),
        });
        let transport = Arc::new(InProcessTransport::new(self.sandbox.router()));
        Client::builder(
            "http://127.0.0.1:1024".parse().unwrap(),
            transport,
            auth,
            self.sandbox.clock(),
        )
        .jitter(Jitter::none())
        .build()
    }

    pub(crate) fn provisioner(&self) -> Client {
        let info = self.sandbox.info(true).unwrap();
        self.client(&info.provisioner_key, &info.provisioner_secret.unwrap())
    }

    pub(crate) fn administrator(&self) -> Client {
        let info = self.sandbox.info(true).unwrap();
        self.client(&info.admin_key, &info.admin_secret.unwrap())
    }

    fn target(&self) -> ObservationTarget {
        let (_, stage) = self.workspace.platform.stage(None).unwrap();
        ObservationTarget {
            organization: self.workspace.platform.organization.clone(),
            environment: stage.environment.clone(),
            cluster: stage.cluster.clone(),
            schema_registry: stage.schema_registry.clone(),
            provisioner: None,
            key: Some(self.sandbox.info(false).unwrap().provisioner_key.parse().unwrap()),
        }
    }

    /// Onboards once, like the command, in a simulated process: if the sandbox kills it, nothing after that request
    /// happens.
    pub(crate) fn onboard(&self, codes: &[&str]) -> RunOutcome {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let killed = Arc::new(Notify::new());
        let signal = killed.clone();
        self.sandbox.on_kill(move || signal.notify_one());
        // Dropping the runtime waits for started writes to the disk.
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = killed.notified() => RunOutcome::Killed,
                ran = self.run(codes) => ran,
            }
        })
    }

    pub(crate) async fn run(&self, codes: &[&str]) -> RunOutcome {
        let client = self.provisioner();
        let clock = self.sandbox.clock();
        let observed = match plan::observe(&client, &clock, &self.target()).await {
            Ok(observed) => observed,
            Err(error) => return RunOutcome::NotStarted(error.to_string()),
        };
        let seen = &observed.snapshot;
        let desired: Vec<DesiredDepartment> = codes
            .iter()
            .map(|code| {
                let department = self.workspace.department(&code.parse().unwrap()).unwrap();
                self.workspace
                    .desired_department(department, "prod", &seen.address)
                    .unwrap()
            })
            .collect();
        let sink = ProfileStore::new(self.profiles_dir()).with_recipients(self.recipients.clone());
        let evidence = self.folder.path().join("evidence");
        let ledger = apply::load_known_keys(
            &self.journal_path(),
            &evidence,
            &sink,
            seen.taken_at,
            PROPAGATION_BUDGET,
        )
        .unwrap();
        let departments = || self.workspace.active_departments();
        let known = departments().map(|department| department.code.clone()).collect();
        let wanted = PlanInput {
            stage: "prod",
            address: &seen.address,
            provisioner: &observed.provisioner,
            departments: &desired,
            known_departments: &known,
            adopt: &BTreeSet::new(),
            known_keys: &ledger,
            prune: self.prune,
        };
        let plan = plan::diff(&wanted, seen);
        if let Some(refusal) = plan.refusals.first() {
            return RunOutcome::NotStarted(format!("{}: {}", refusal.rule, refusal.message));
        }
        if plan.is_empty() {
            return RunOutcome::Finished(Box::new((plan, ProvisioningReport::default())));
        }
        let places: Vec<ProfileId> = plan
            .changes
            .iter()
            .filter(|change| matches!(change.operation, PlannedOperation::HandOver { .. }))
            .map(|change| apply::onboarding::profile_id("prod", true, change))
            .collect();
        if let Err(error) = sink.prepare(places.iter().map(|place| (place, false))) {
            return RunOutcome::NotStarted(error.to_string());
        }
        let journal = match Journal::open(&self.journal_path()) {
            Ok(journal) => journal,
            Err(error) => return RunOutcome::NotStarted(error.to_string()),
        };
        sink.remove_temp_files(None);
        let world = ResourceContext::new(
            client.clone(),
            seen.address.clone(),
            observed.provisioner.clone(),
            clock,
            PROPAGATION_BUDGET,
        );
        let profiles = |persona: &DesiredPersona, runtime| Profile {
            facts: persona.facts.clone(),
            endpoint: ServiceEndpoint::Sandbox(None),
            runtime_account: runtime,
            secret_variables: Vec::new(),
            issued: jiff::civil::date(2026, 11, 22),
        };
        let client_as = |key: &ApiKeyId, secret: &Secret| {
            client.with_auth(Auth::Basic(BasicCredentials {
                key: key.to_string(),
                secret: secret.clone(),
                source: CredentialSource::Issued("a proof".into()),
            }))
        };
        let foreign = |desired: &DesiredDepartment| {
            let other = departments().find(|department| department.code != desired.department.code);
            other.unwrap().prefix.to_string()
        };
        let run = format!("{:08x}", self.sandbox.journal().unwrap().len());
        let engine = ProvisioningInput {
            command: "onboard",
            context: &world,
            snapshot: seen,
            desired: &desired,
            stage: "prod",
            is_default_stage: true,
            profile_store: &sink,
            journal: &journal,
            run_id: &run,
            listener: &(),
            interrupt: &self.interrupt,
            concurrency: 4,
            delivery: None,
            build_profile: &profiles,
            client_with_key: &client_as,
            foreign_prefix: &foreign,
        };
        match apply::apply(&engine, &plan).await {
            Ok(report) => RunOutcome::Finished(Box::new((plan, report))),
            Err(error) => RunOutcome::NotStarted(error.to_string()),
        }
    }

    /// Runs until the plan is empty, at most `times` times; returns the result of each run.
    pub(crate) fn run_until_done(&self, codes: &[&str], times: usize) -> Result<usize, String> {
        let mut last = String::new();
        for run in 1..=times {
            let ran = self.onboard(codes);
            if ran.is_idle() {
                return Ok(run);
            }
            last = match ran {
                RunOutcome::Finished(ran) => format!("{:?}", ran.1.failures),
                other => format!("{other:?}"),
            };
        }
        Err(format!("not done after {times} runs: {last}"))
    }

    /// The requests since `seq`.
    pub(crate) fn requests_since(&self, seq: u64) -> Vec<SandboxJournalEntry> {
        let mut entries = self.sandbox.journal().unwrap();
        entries.retain(|entry| entry.seq > seq);
        entries
    }

    pub(crate) fn last_request_seq(&self) -> u64 {
        self.sandbox.journal().unwrap().last().map_or(0, |entry| entry.seq)
    }

    /// Result of a clean run, with names instead of ids and without values that differ between runs.
    pub(crate) fn provisioned_state(&self) -> ProvisionedState {
        match &self.decryptor {
            Some(open) => ProvisionedState::read_encrypted(&self.sandbox, &self.profiles_dir(), open),
            None => ProvisionedState::read_from(&self.sandbox, &self.profiles_dir()),
        }
    }
}

/// Result of an onboarding.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ProvisionedState {
    /// Name and description.
    pub(crate) accounts: BTreeMap<String, String>,
    /// Principal, role, pattern.
    pub(crate) bindings: Vec<String>,
    /// Owner, resource, description.
    pub(crate) keys: Vec<String>,
    /// File and the kinds of working keys in it.
    pub(crate) files: BTreeMap<String, Vec<String>>,
}

impl ProvisionedState {
    pub(crate) fn read_from(sandbox: &Sandbox, handover: &Path) -> Self {
        Self::read_with(sandbox, handover, &|path| fs::read_to_string(path).unwrap())
    }

    /// The same, with encrypted profiles.
    pub(crate) fn read_encrypted(sandbox: &Sandbox, handover: &Path, open: &dyn Fn(&[u8]) -> String) -> Self {
        Self::read_with(sandbox, handover, &|path| {
            let bytes = fs::read(path).unwrap();
            match path.extension().is_some_and(|ending| ending == "age") {
                true => open(&bytes),
                false => String::from_utf8(bytes).unwrap(),
            }
        })
    }

    fn read_with(sandbox: &Sandbox, handover: &Path, read: &dyn Fn(&Path) -> String) -> Self {
        let accounts = sandbox.accounts().unwrap();
        let named = |text: &str| {
            accounts.iter().fold(text.to_owned(), |text, account| {
                text.replace(account.id.as_str(), &account.display_name)
            })
        };
        let mut bindings: Vec<String> = sandbox
            .bindings()
            .unwrap()
            .iter()
            .map(|object| {
                let binding = &object.binding;
                named(&format!("{} {} {}", binding.principal, binding.role, binding.pattern))
            })
            .collect();
        bindings.sort();
        let held = sandbox.keys().unwrap();
        let mut keys: Vec<String> = held
            .iter()
            .map(|key| {
                let said = key.spec.description.split(" run=").next().unwrap();
                format!("{} {} {said}", named(&key.spec.owner.id), key.spec.resource.id)
            })
            .collect();
        keys.sort();
        let mut files = BTreeMap::new();
        for path in list_files(handover) {
            let text = read(&path);
            let (_, found, _) = Profile::parse(&path, text, &[]);
            let mut works = Vec::new();
            for kind in [KeyKind::Cloud, KeyKind::Kafka, KeyKind::SchemaRegistry] {
                let Some(pair) = found.get(kind) else { continue };
                let owner = held.iter().find(|key| key.id == pair.id).map(|key| &key.spec.owner.id);
                let opens = owner.is_some() && sandbox.secret_matches(&pair.id, pair.secret.expose()).unwrap();
                works.push(match owner {
                    Some(owner) if opens => format!("{kind:?} of {}", named(owner)),
                    _ => format!("{kind:?}, dead"),
                });
            }
            let name = path.strip_prefix(handover).unwrap().display().to_string();
            files.insert(name, works);
        }
        Self {
            accounts: accounts
                .iter()
                .map(|account| (account.display_name.clone(), account.description.clone()))
                .collect(),
            bindings,
            keys,
            files,
        }
    }
}

/// All files in a folder, recursively.
pub(crate) fn list_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Maximum duration of a run on the sandbox's clock.
pub(crate) const MAX_RUN_TIME: Duration = Duration::from_hours(1);
