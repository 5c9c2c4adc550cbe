//! Onboarding with the library: a sandbox in memory, and separate folders for each machine.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use confluent_ebs::{
    client::{Client, Jitter},
    config::{Profile, ServiceEndpoint, StandardDirs},
    error::Error,
    model::{KeyKind, Recipient},
    provisioning::{
        DepartmentSelection, ProvisioningOptions,
        onboarding::{OnboardInput, OnboardOutcome, onboard},
    },
    sandbox::{Sandbox, SandboxJournalEntry, SandboxSettings},
    session::{Environment, Options, PlatformSession, RunContext},
};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{ApiKeyPair, example_seed, list_files, sandbox_client, sandbox_start};

/// Platform files of the example.
const EXAMPLE_PLATFORM: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/platform");

/// A machine that onboards.
pub(crate) struct OnboardingMachine {
    pub(crate) sandbox: Sandbox,
    pub(crate) session: PlatformSession,
    environment: Arc<Environment>,
    folder: TempDir,
    /// Cancels the runs of this machine.
    pub(crate) cancel: CancellationToken,
    /// Recipients of profiles.
    pub(crate) recipients: BTreeSet<Recipient>,
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
    NotStarted(String),
    /// Finished; some changes may have failed.
    Finished(Box<OnboardOutcome>),
}

impl RunOutcome {
    /// Whether the plan was empty.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self, Self::Finished(outcome) if outcome.changes.0.is_empty())
    }
}

impl OnboardingMachine {
    /// A machine with a new organization.
    pub(crate) fn new(settings: SandboxSettings) -> Self {
        Self::on_sandbox(Sandbox::in_memory_at(example_seed(), settings, sandbox_start()).unwrap())
    }

    /// Another machine for the same organization, without journal, evidence and profiles of the first one.
    pub(crate) fn on_sandbox(sandbox: Sandbox) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = provisioner_key(&sandbox);
        let variables = [
            ("CONFLUENT_CLOUD_API_KEY", key.id.as_str()),
            ("CONFLUENT_CLOUD_API_SECRET", key.secret.as_str()),
            ("CONFLUENT_EBS_PLATFORM", EXAMPLE_PLATFORM),
        ];
        let environment = Arc::new(Environment {
            variables: variables
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            working_dir: Some(folder.path().to_owned()),
            dirs: Ok(StandardDirs::with_roots(folder.path(), folder.path())),
            home: None,
            executable: None,
            clock: sandbox.clock(),
            secrets: confluent_ebs::redact::SecretRegistry::default(),
        });
        let run = run_context(environment.clone(), CancellationToken::new());
        // A session with Confluent Cloud, except that its requests go to the sandbox in memory.
        let mut session = PlatformSession::open(&run, 4).unwrap_or_else(|error| panic!("{error}"));
        session.client = sandbox_client(&sandbox, &key).jitter(Jitter::none()).build();
        session.endpoint = ServiceEndpoint::Sandbox(None);
        session.state_paths.evidence = folder.path().join("evidence");
        Self {
            sandbox,
            session,
            environment,
            folder,
            cancel: CancellationToken::new(),
            recipients: BTreeSet::new(),
            decryptor: None,
        }
    }

    /// Folder of all files that a run writes.
    pub(crate) fn root_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Folder of the profiles.
    pub(crate) fn profiles_dir(&self) -> PathBuf {
        self.session.state_paths.profiles.clone()
    }

    /// Journal of the stage.
    pub(crate) fn journal_path(&self) -> PathBuf {
        let organization = self.session.workspace.platform.organization.as_ref();
        self.session
            .journal_path(organization.expect("the example names its organization"))
    }

    /// Client of the organization administrator.
    pub(crate) fn administrator(&self) -> Client {
        let info = self.sandbox.info(true).unwrap();
        let key = ApiKeyPair {
            id: info.admin_key,
            secret: info.admin_secret.unwrap(),
        };
        sandbox_client(&self.sandbox, &key).jitter(Jitter::none()).build()
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
                outcome = self.run(codes) => outcome,
            }
        })
    }

    /// Onboards once.
    pub(crate) async fn run(&self, codes: &[&str]) -> RunOutcome {
        match self.try_run(codes).await {
            Ok(result) => RunOutcome::Finished(Box::new(result)),
            Err(error) => RunOutcome::NotStarted(error.to_string()),
        }
    }

    async fn try_run(&self, codes: &[&str]) -> Result<OnboardOutcome, Error> {
        let run = run_context(self.environment.clone(), self.cancel.clone());
        let codes = codes.iter().map(|code| code.parse().unwrap()).collect();
        let input = OnboardInput {
            departments: DepartmentSelection::Codes(codes),
            options: ProvisioningOptions {
                recipients: self.recipients.clone(),
                ..ProvisioningOptions::default()
            },
            prune: false,
            dry_run: false,
            show_secrets: false,
            concurrency: 2,
        };
        let outcome = onboard(&run, &self.session, input, &|_| Ok(true)).await?;
        Ok(outcome.expect("the run is confirmed"))
    }

    /// Runs until the plan is empty, at most `times` times; returns the result of each run.
    pub(crate) fn run_until_done(&self, codes: &[&str], times: usize) -> Result<usize, String> {
        let mut last = String::new();
        for run in 1..=times {
            let outcome = self.onboard(codes);
            if outcome.is_idle() {
                return Ok(run);
            }
            last = match outcome {
                RunOutcome::Finished(outcome) => {
                    format!("{:?}", outcome.report.as_ref().map(|report| &report.failures))
                }
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
        let with_names = |text: &str| {
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
                with_names(&format!("{} {} {}", binding.principal, binding.role, binding.pattern))
            })
            .collect();
        bindings.sort();
        let live_keys = sandbox.keys().unwrap();
        let mut keys: Vec<String> = live_keys
            .iter()
            .map(|key| {
                let description = key.spec.description.split(" run=").next().unwrap();
                format!(
                    "{} {} {description}",
                    with_names(&key.spec.owner.id),
                    key.spec.resource.id
                )
            })
            .collect();
        keys.sort();
        let mut files = BTreeMap::new();
        for path in list_files(handover) {
            let text = read(&path);
            let (_, keys_in_file, _) = Profile::parse(&path, text, &[]);
            let mut kinds = Vec::new();
            for kind in [KeyKind::Cloud, KeyKind::Kafka, KeyKind::SchemaRegistry] {
                let Some(pair) = keys_in_file.get(kind) else { continue };
                let owner = live_keys
                    .iter()
                    .find(|key| key.id == pair.id)
                    .map(|key| &key.spec.owner.id);
                let works = owner.is_some() && sandbox.secret_matches(&pair.id, pair.secret.expose()).unwrap();
                kinds.push(match owner {
                    Some(owner) if works => format!("{kind:?} of {}", with_names(owner)),
                    _ => format!("{kind:?}, dead"),
                });
            }
            let name = path.strip_prefix(handover).unwrap().display().to_string();
            files.insert(name, kinds);
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

fn provisioner_key(sandbox: &Sandbox) -> ApiKeyPair {
    let info = sandbox.info(true).unwrap();
    ApiKeyPair {
        id: info.provisioner_key,
        secret: info.provisioner_secret.unwrap(),
    }
}

fn run_context(environment: Arc<Environment>, cancel: CancellationToken) -> RunContext {
    RunContext {
        environment,
        options: Options::default(),
        reporter: Arc::new(()),
        cancel,
    }
}

/// Maximum duration of a run on the sandbox's clock.
pub(crate) const MAX_RUN_TIME: Duration = Duration::from_hours(1);
