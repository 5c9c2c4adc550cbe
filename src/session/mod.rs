//! What a command that talks to Confluent Cloud needs: the platform's files, a stage, a client, and the folders that go
//! with them.

mod connection;
mod connector_session;
mod environment;
mod kafka;
mod telemetry;
mod workspace;

use std::{path::PathBuf, sync::Arc};

pub use connection::Connection;
pub use connector_session::{ConnectorSession, DepartmentContext};
pub use environment::{Environment, Options, RunContext};
pub use kafka::{kafka_auth_for_service, kafka_auth_in_sandbox, kafka_auth_of_profile, kafka_base_url};
pub use telemetry::{TelemetryClients, connector_crn};
pub use workspace::{check_workspace, load_valid_workspace, unknown_department_error};

use crate::{
    api::connect::ClusterPath,
    client::{BaseUrl, Client, trace::WireTrace},
    clock::Clock,
    config::{self, LoadedProfile, ServiceEndpoint, StandardDirs},
    diag::Finding,
    env,
    error::{Error, ResultExt},
    handover::{ProfileStore, Recipients},
    hint::Advice,
    manifest::{LoadedWorkspace, Stage, Workspace, WorkspaceOrigin},
    model::{ApiKeyId, OrganizationId, StageAddress},
    plan::ObservationTarget,
    sandbox::{ClusterKind, Sandbox, SandboxError, SandboxSettings, Seed, SeedStage},
};

/// Where things of a run are kept.
#[derive(Clone, Debug)]
pub struct StatePaths {
    /// Journals.
    pub journals: PathBuf,
    /// Profiles, unless `--credentials-dir` says otherwise.
    pub profiles: PathBuf,
    /// Evidence, unless `--evidence-dir` says otherwise.
    pub evidence: PathBuf,
    /// Connectors as they were before they were removed, unless `--backup-dir` says otherwise.
    pub backups: PathBuf,
}

impl StatePaths {
    /// The journal of a stage.
    pub fn journal_path(&self, organization: &OrganizationId, stage: &str) -> PathBuf {
        self.journals.join(format!("{organization}-{stage}.jsonl"))
    }

    /// A folder of profiles: `named`, else the one below the state folder.
    pub fn open_profile_store(&self, named: Option<&PathBuf>) -> Result<ProfileStore, Error> {
        if let Some(folder) = named {
            config::git::ensure_ignored_by_git(folder)?;
        }
        Ok(ProfileStore::new(named.unwrap_or(&self.profiles).clone()))
    }
}

/// Where things of a run are kept that needs no way to an organization.
pub fn offline_state_paths(run: &RunContext, workspace: &Workspace) -> Result<StatePaths, Error> {
    let folders = run.environment.dirs()?;
    let profile = load_selected_profile(run, folders)?;
    let sandbox = resolve_sandbox_folder(run, folders, profile.as_ref()).is_some();
    Ok(resolve_state_paths(folders, sandbox, workspace))
}

/// A command's way to an organization.
pub struct PlatformSession {
    /// The platform's files.
    pub workspace: Workspace,
    /// What was odd about them.
    pub warnings: Vec<Finding>,
    /// The stage, by name.
    pub stage_name: String,
    /// The stage.
    pub stage: Stage,
    /// The way to the service.
    pub client: Client,
    /// The public half of the key that is used.
    pub api_key: Option<ApiKeyId>,
    /// Time.
    pub clock: Clock,
    /// Where things are kept.
    pub state_paths: StatePaths,
    /// The address that profiles point to.
    pub endpoint: ServiceEndpoint,
    kafka_auth: kafka::KafkaAuthResult,
    /// Hosts outside Confluent's domain that may be asked.
    trusted_hosts: Vec<String>,
}

impl PlatformSession {
    /// Finds the platform, the stage and the key that the flags, the environment and the files name.
    pub fn open(run: &RunContext, concurrency: usize) -> Result<Self, Error> {
        let folders = run.environment.dirs()?;
        let profile = load_selected_profile(run, folders)?;
        let sandbox_folder = resolve_sandbox_folder(run, folders, profile.as_ref());
        let (workspace, warnings) = load_valid_workspace(run, sandbox_folder.is_some())?;
        let (stage_name, stage) = resolve_stage(run, &workspace, profile.as_ref())?;
        let (connection, kafka) = match &sandbox_folder {
            Some(folder) => {
                let connection = Connection::for_sandbox(run, folder, &workspace, profile.as_ref())?;
                let kafka =
                    kafka::kafka_auth_in_sandbox(run, folder, &workspace, &stage, profile.as_ref(), &connection.auth)?;
                (connection, Ok(kafka))
            }
            None => (
                Connection::for_service(run, profile.as_ref())?,
                kafka::kafka_auth_for_service(run, profile.as_ref()),
            ),
        };
        if let Some(source) = connection.auth.source().filter(|_| run.options.verbosity > 0) {
            let origin = &workspace.origin;
            run.info(format!("Credentials from {source}; platform from {origin}."));
        }
        let base: BaseUrl = connection.base_url.parse().context("the endpoint cannot be used")?;
        let mut builder = Client::builder(
            base,
            connection.transport,
            connection.auth.clone(),
            connection.clock.clone(),
        )
        .concurrency(concurrency);
        if run.options.unsafe_trace {
            builder = builder.wire_trace(Arc::new(WireTrace::stderr()));
        }
        let state_paths = resolve_state_paths(folders, sandbox_folder.is_some(), &workspace);
        Ok(Self {
            workspace,
            warnings,
            stage_name,
            stage,
            client: builder.build(),
            api_key: connection.auth.key().and_then(|key| key.parse().ok()),
            clock: connection.clock,
            state_paths,
            endpoint: connection.endpoint,
            kafka_auth: kafka,
            trusted_hosts: run.options.trusted_hosts.clone(),
        })
    }

    /// Whether the stage is the one whose profiles lie at the top of the folder.
    pub fn is_default_stage(&self) -> bool {
        self.stage_name == self.workspace.platform.default_stage
    }

    /// Where to look.
    pub fn observation_target(&self) -> ObservationTarget {
        ObservationTarget {
            organization: self.workspace.platform.organization.clone(),
            environment: self.stage.environment.clone(),
            cluster: self.stage.cluster.clone(),
            schema_registry: self.stage.schema_registry.clone(),
            provisioner: self.workspace.platform.provisioner.clone(),
            key: self.api_key.clone(),
        }
    }

    /// The journal of the stage.
    pub fn journal_path(&self, organization: &OrganizationId) -> PathBuf {
        self.state_paths.journal_path(organization, &self.stage_name)
    }

    /// Where it is written down what was done to the connectors of a cluster.
    pub fn connector_journal_path(&self, place: &ClusterPath) -> PathBuf {
        connector_journal_path(&self.state_paths.journals, place)
    }

    /// A folder of profiles: `named`, else the one below the state folder. Departments with recipients have theirs encrypted.
    pub fn open_profile_store(&self, named: Option<&PathBuf>) -> Result<ProfileStore, Error> {
        let own = self.workspace.departments().map(|department| {
            let recipients = department.recipients.clone();
            (department.code.clone(), recipients)
        });
        let recipients = Recipients {
            by_department: own.collect(),
            ..Recipients::default()
        };
        Ok(self.state_paths.open_profile_store(named)?.with_recipients(recipients))
    }
}

/// A client without a platform: for what is done before there is an `ebs.toml`.
pub fn open_service_client(run: &RunContext) -> Result<Client, Error> {
    let folders = run.environment.dirs()?;
    let profile = load_selected_profile(run, folders)?;
    let connection = match resolve_sandbox_folder(run, folders, profile.as_ref()) {
        Some(folder) => {
            let (workspace, _) = load_valid_workspace(run, true)?;
            Connection::for_sandbox(run, &folder, &workspace, profile.as_ref())?
        }
        None => Connection::for_service(run, profile.as_ref())?,
    };
    let base: BaseUrl = connection.base_url.parse().context("the endpoint cannot be used")?;
    Ok(Client::builder(base, connection.transport, connection.auth, connection.clock).build())
}

/// A sandbox's error with its advice. Only commands know the sandbox, so the edge's error cannot look for it itself.
pub fn to_error_with_hints(error: SandboxError) -> Error {
    let hints = error.hints();
    let mut error = Error::from(error);
    error.hints = hints;
    error
}

/// The sandbox of a folder, seeded with the platform's stages when it is new.
pub fn open_sandbox(folder: &std::path::Path, workspace: &Workspace) -> Result<Sandbox, Error> {
    let settings: Option<SandboxSettings> = None;
    Sandbox::open(folder, build_seed(workspace), settings).map_err(to_error_with_hints)
}

/// What a new sandbox holds: the organization, stages and clusters of `ebs.toml`, which makes it a rehearsal.
pub fn build_seed(workspace: &Workspace) -> Seed {
    let mut seed = Seed::default();
    let platform = &workspace.platform;
    if let Some(organization) = &platform.organization {
        seed.organization = organization.clone();
    }
    let default = platform.default_stage.as_str();
    let mut names: Vec<&String> = platform.stages.keys().collect();
    names.sort_by_key(|name| (name.as_str() != default, (*name).clone()));
    let stages: Vec<SeedStage> = names
        .into_iter()
        .map(|name| {
            let stage = &platform.stages[name];
            let address = StageAddress {
                organization: seed.organization.clone(),
                environment: stage.environment.clone(),
                cluster: stage.cluster.clone(),
                schema_registry: stage.schema_registry.clone(),
            };
            SeedStage {
                name: name.clone(),
                address,
                cluster_kind: ClusterKind::Enterprise,
            }
        })
        .collect();
    // More clusters hang on an environment of the example's.
    let environments: Vec<_> = stages.iter().map(|stage| stage.address.environment.clone()).collect();
    seed.clusters
        .retain(|cluster| environments.contains(&cluster.environment));
    if !stages.is_empty() {
        seed.stages = stages;
    }
    seed
}

/// The profile that is meant, and who says so.
pub fn selected_profile(run: &RunContext, folders: &StandardDirs) -> Option<(String, &'static str)> {
    if let Some(named) = run.options.profile.clone() {
        return Some((named, "--profile"));
    }
    // Under --sandbox the environment's credentials are ignored.
    if run.options.is_sandbox() {
        return None;
    }
    if let Some(named) = run.variable(env::CONFLUENT_EBS_PROFILE) {
        return Some((named, env::CONFLUENT_EBS_PROFILE));
    }
    // A key in the environment was set for this job, the chosen profile for all of them.
    match run.variable(env::CONFLUENT_CLOUD_API_KEY) {
        Some(_) => None,
        None => folders.current_profile().map(|named| (named, "`profile use`")),
    }
}

/// The profile that the flags or the environment name.
pub fn load_selected_profile(run: &RunContext, folders: &StandardDirs) -> Result<Option<LoadedProfile>, Error> {
    let Some((named, _)) = selected_profile(run, folders) else {
        return Ok(None);
    };
    let trusted: Vec<String> = run.options.trusted_hosts.clone();
    let path = folders.profile(&named);
    config::Profile::load(&path, &trusted)
        .map(Some)
        .map_err(|findings| Error::findings(format!("profile `{named}` cannot be used"), findings))
}

/// The state folder of the sandbox that is meant; `None` for the real service.
pub fn resolve_sandbox_folder(
    run: &RunContext,
    folders: &StandardDirs,
    profile: Option<&LoadedProfile>,
) -> Option<PathBuf> {
    match profile.map(|loaded| &loaded.profile.endpoint) {
        Some(ServiceEndpoint::Sandbox(Some(folder))) => Some(folder.clone()),
        Some(ServiceEndpoint::Sandbox(None)) => Some(folders.sandbox()),
        _ => run.options.is_sandbox().then(|| folders.sandbox()),
    }
}

/// The files of the platform; without any and for the `sandbox`, the built-in example.
pub fn load_workspace(run: &RunContext, sandbox: bool) -> Result<LoadedWorkspace, Error> {
    match Workspace::find(run.environment.working_dir()?, run.platform_dir().as_deref())? {
        Some(folder) => Ok(Workspace::load(&folder)),
        None if sandbox => Ok(Workspace::embedded()),
        None => Err(Error::failed("no ebs.toml here or in a folder above")
            .with_hint("`confluent ebs init` makes one.")
            .with_hint("`--sandbox` uses a built-in example of 24 departments.")),
    }
}

/// The stage that the flags name, else the profile's, else the platform's default.
pub fn resolve_stage(
    run: &RunContext,
    workspace: &Workspace,
    profile: Option<&LoadedProfile>,
) -> Result<(String, Stage), Error> {
    let of_profile = profile.map(|loaded| loaded.profile.facts.stage.as_str());
    let named = run.options.stage.as_deref().or(of_profile);
    if let Some((name, stage)) = workspace.platform.stage(named) {
        let mut stage = stage.clone();
        if let Some(environment) = &run.options.environment {
            stage.environment = environment.clone();
        }
        if let Some(cluster) = &run.options.cluster {
            stage.cluster = cluster.clone();
        }
        return Ok((name.to_owned(), stage));
    }
    let known: Vec<&str> = workspace.platform.stages.keys().map(String::as_str).collect();
    let written = named.unwrap_or(&workspace.platform.default_stage);
    let error = Error::usage(format!("there is no stage `{written}` in {}", workspace.origin));
    Err(match crate::hint::closest_match(written, known.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(format!("There is: {}.", known.join(", "))),
    })
}

/// The journal of a cluster's connectors, below the folder of journals.
fn connector_journal_path(folder: &std::path::Path, place: &ClusterPath) -> PathBuf {
    let file = format!("{}-{}.jsonl", place.environment, place.cluster);
    folder.join("connectors").join(file)
}

fn resolve_state_paths(folders: &StandardDirs, sandbox: bool, workspace: &Workspace) -> StatePaths {
    if sandbox {
        // Beside the sandbox's own state, so that a rehearsal never mixes with what it rehearses.
        let folder = folders.sandbox();
        return StatePaths {
            journals: folder.join("runs"),
            profiles: folder.join("handover"),
            evidence: folder.join("evidence"),
            backups: folder.join("backups"),
        };
    }
    let platform = match &workspace.origin {
        WorkspaceOrigin::Folder(folder) => Some(folder.as_path()),
        WorkspaceOrigin::Embedded | WorkspaceOrigin::ProfileOnly => None,
    };
    StatePaths {
        journals: folders.journal(),
        profiles: folders.handover(),
        evidence: folders.evidence(platform),
        backups: folders.backups(),
    }
}
