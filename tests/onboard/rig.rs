//! An onboarding without the binary: a sandbox in memory, and folders of its own for each machine that works on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use confluent_ebs::{
    apply::{self, Engine, Journal, Report},
    client::{Auth, Client, CredentialSource, Credentials, InProcess, Jitter},
    config::{Endpoint, Profile},
    handover::{Place, Recipients, Sink},
    interrupt::Interrupt,
    manifest::{DesiredDepartment, DesiredPersona, Workspace},
    model::{Address, ApiKeyId, KeyKind, Secret},
    plan::{self, Operation, Plan, Target, Wanted},
    resources::{PROPAGATION_BUDGET, World},
    sandbox::{ClusterKind, JournalEntry, Sandbox, Seed, SeedStage, Settings},
};
use tempfile::TempDir;
use tokio::sync::Notify;

/// A sandbox for the built-in platform.
pub(crate) fn seed(workspace: &Workspace) -> Seed {
    let organization = workspace.platform.organization.clone().unwrap();
    let default = &workspace.platform.default_stage;
    let mut stages: Vec<SeedStage> = workspace
        .platform
        .stages
        .iter()
        .map(|(name, stage)| SeedStage {
            name: name.clone(),
            address: Address {
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
pub(crate) struct Rig {
    pub(crate) sandbox: Sandbox,
    pub(crate) workspace: Workspace,
    folder: TempDir,
    pub(crate) interrupt: Interrupt,
    pub(crate) prune: bool,
    /// To whom profiles are encrypted.
    pub(crate) recipients: Recipients,
    /// How a test opens what is encrypted.
    pub(crate) opener: Option<Opener>,
}

/// Opens what is encrypted.
pub(crate) type Opener = Box<dyn Fn(&[u8]) -> String + Send + Sync>;

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Ran {
    /// The process died.
    Killed,
    /// Nothing was begun, and why.
    Stopped(#[expect(dead_code, reason = "shown when a test fails")] String),
    /// It ran; not everything may be done.
    Through(Box<(Plan, Report)>),
}

impl Ran {
    /// Whether nothing was left to do.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self, Self::Through(ran) if ran.0.is_empty())
    }
}

impl Rig {
    pub(crate) fn new(settings: Settings) -> Self {
        let workspace = Workspace::embedded().workspace;
        let sandbox = Sandbox::in_memory(seed(&workspace), settings).unwrap();
        Self::on(sandbox)
    }

    /// Another machine at the same organization: nothing of the first one's journal, evidence and profiles is there.
    pub(crate) fn on(sandbox: Sandbox) -> Self {
        Self {
            sandbox,
            workspace: Workspace::embedded().workspace,
            folder: tempfile::tempdir().unwrap(),
            interrupt: Interrupt::new(),
            prune: false,
            recipients: Recipients::default(),
            opener: None,
        }
    }

    /// Everything that a run writes lies below it.
    #[cfg(feature = "age")]
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn handover(&self) -> PathBuf {
        self.folder.path().join("handover")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.folder.path().join("runs/prod.jsonl")
    }

    pub(crate) fn client(&self, key: &str, secret: &str) -> Client {
        let auth = Auth::Basic(Credentials {
            key: key.to_owned(),
            secret: Secret::new(secret),
            source: CredentialSource::Sandbox("test".into()),
        });
        let transport = Arc::new(InProcess::new(self.sandbox.router()));
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

    fn target(&self) -> Target {
        let (_, stage) = self.workspace.platform.stage(None).unwrap();
        Target {
            organization: self.workspace.platform.organization.clone(),
            environment: stage.environment.clone(),
            cluster: stage.cluster.clone(),
            schema_registry: stage.schema_registry.clone(),
            provisioner: None,
            key: Some(self.sandbox.info(false).unwrap().provisioner_key.parse().unwrap()),
        }
    }

    /// Onboards once, as the command does it, in a process of its own as far as that goes: when the sandbox kills it,
    /// nothing after that request happens.
    pub(crate) fn onboard(&self, codes: &[&str]) -> Ran {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let killed = Arc::new(Notify::new());
        let signal = killed.clone();
        self.sandbox.on_kill(move || signal.notify_one());
        // Dropping the runtime waits for writes to the disk that have begun.
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = killed.notified() => Ran::Killed,
                ran = self.run(codes) => ran,
            }
        })
    }

    pub(crate) async fn run(&self, codes: &[&str]) -> Ran {
        let client = self.provisioner();
        let clock = self.sandbox.clock();
        let observed = match plan::observe(&client, &clock, &self.target()).await {
            Ok(observed) => observed,
            Err(error) => return Ran::Stopped(error.to_string()),
        };
        let seen = &observed.snapshot;
        let desired: Vec<DesiredDepartment> = codes
            .iter()
            .map(|code| {
                let department = self.workspace.department(&code.parse().unwrap()).unwrap();
                self.workspace.desired(department, "prod", &seen.address).unwrap()
            })
            .collect();
        let sink = Sink::new(self.handover()).sealed_to(self.recipients.clone());
        let evidence = self.folder.path().join("evidence");
        let ledger = apply::ledger(&self.journal(), &evidence, &sink, seen.taken_at, PROPAGATION_BUDGET).unwrap();
        let departments = || self.workspace.active_departments();
        let known = departments().map(|department| department.code.clone()).collect();
        let wanted = Wanted {
            stage: "prod",
            address: &seen.address,
            provisioner: &observed.provisioner,
            departments: &desired,
            known: &known,
            adopt: &BTreeSet::new(),
            ledger: &ledger,
            prune: self.prune,
        };
        let plan = plan::diff(&wanted, seen);
        if let Some(refusal) = plan.refusals.first() {
            return Ran::Stopped(format!("{}: {}", refusal.rule, refusal.message));
        }
        if plan.is_empty() {
            return Ran::Through(Box::new((plan, Report::default())));
        }
        let places: Vec<Place> = plan
            .changes
            .iter()
            .filter(|change| matches!(change.operation, Operation::HandOver { .. }))
            .map(|change| apply::onboarding::place("prod", true, change))
            .collect();
        if let Err(error) = sink.prepare(places.iter().map(|place| (place, false))) {
            return Ran::Stopped(error.to_string());
        }
        let journal = match Journal::open(&self.journal()) {
            Ok(journal) => journal,
            Err(error) => return Ran::Stopped(error.to_string()),
        };
        sink.sweep(None);
        let world = World::new(
            client.clone(),
            seen.address.clone(),
            observed.provisioner.clone(),
            clock,
            PROPAGATION_BUDGET,
        );
        let profiles = |persona: &DesiredPersona, runtime| Profile {
            facts: persona.facts.clone(),
            endpoint: Endpoint::Sandbox(None),
            runtime_account: runtime,
            secret_variables: Vec::new(),
            issued: jiff::civil::date(2026, 11, 22),
        };
        let client_as = |key: &ApiKeyId, secret: &Secret| {
            client.with_auth(Auth::Basic(Credentials {
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
        let engine = Engine {
            command: "onboard",
            world: &world,
            seen,
            desired: &desired,
            stage: "prod",
            default_stage: true,
            sink: &sink,
            journal: &journal,
            run: &run,
            listener: &(),
            interrupt: &self.interrupt,
            width: 4,
            delivery: None,
            profiles: &profiles,
            client_as: &client_as,
            foreign: &foreign,
        };
        match apply::apply(&engine, &plan).await {
            Ok(report) => Ran::Through(Box::new((plan, report))),
            Err(error) => Ran::Stopped(error.to_string()),
        }
    }

    /// Runs until nothing is left to do, at most `times` times; answers how each run ended.
    pub(crate) fn until_done(&self, codes: &[&str], times: usize) -> Result<usize, String> {
        let mut last = String::new();
        for run in 1..=times {
            let ran = self.onboard(codes);
            if ran.is_idle() {
                return Ok(run);
            }
            last = match ran {
                Ran::Through(ran) => format!("{:?}", ran.1.failures),
                other => format!("{other:?}"),
            };
        }
        Err(format!("not done after {times} runs: {last}"))
    }

    /// The requests since `seq`.
    pub(crate) fn requests_since(&self, seq: u64) -> Vec<JournalEntry> {
        let mut entries = self.sandbox.journal().unwrap();
        entries.retain(|entry| entry.seq > seq);
        entries
    }

    pub(crate) fn last_request(&self) -> u64 {
        self.sandbox.journal().unwrap().last().map_or(0, |entry| entry.seq)
    }

    /// Everything that a clean run leaves, with names in place of ids and without what differs between runs.
    pub(crate) fn left(&self) -> Left {
        match &self.opener {
            Some(open) => Left::opened(&self.sandbox, &self.handover(), open),
            None => Left::of(&self.sandbox, &self.handover()),
        }
    }
}

/// What an onboarding leaves behind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// Name and description.
    pub(crate) accounts: BTreeMap<String, String>,
    /// Who, what, where.
    pub(crate) bindings: Vec<String>,
    /// Whose, for what, and what it says.
    pub(crate) keys: Vec<String>,
    /// File and the kinds of keys in it that really work.
    pub(crate) files: BTreeMap<String, Vec<String>>,
}

impl Left {
    pub(crate) fn of(sandbox: &Sandbox, handover: &Path) -> Self {
        Self::read(sandbox, handover, &|path| fs::read_to_string(path).unwrap())
    }

    /// With profiles that are encrypted.
    pub(crate) fn opened(sandbox: &Sandbox, handover: &Path, open: &dyn Fn(&[u8]) -> String) -> Self {
        Self::read(sandbox, handover, &|path| {
            let bytes = fs::read(path).unwrap();
            match path.extension().is_some_and(|ending| ending == "age") {
                true => open(&bytes),
                false => String::from_utf8(bytes).unwrap(),
            }
        })
    }

    fn read(sandbox: &Sandbox, handover: &Path, read: &dyn Fn(&Path) -> String) -> Self {
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
        for path in files_below(handover) {
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

/// All files below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
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

/// How long a run may take on the sandbox's clock without being stuck.
pub(crate) const LONGEST: Duration = Duration::from_hours(1);
