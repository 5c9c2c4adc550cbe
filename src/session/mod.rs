//! Session of a command that uses Confluent Cloud: platform configuration, stage, client and state directories.

mod connection;
mod connector_session;
mod environment;
mod kafka;
mod telemetry;
mod workspace;

use std::{path::PathBuf, sync::Arc};

use jiff::Timestamp;

pub use connection::Connection;
pub use connector_session::{ConnectorSession, DepartmentContext};
pub use environment::{Environment, Options, RunContext};
pub use kafka::{kafka_auth_for_service, kafka_auth_in_sandbox, kafka_auth_of_profile, kafka_base_url};
pub use telemetry::{TelemetryClients, connector_crn};
pub use workspace::{check_workspace, load_valid_workspace, unknown_department_error, unknown_stage_error};

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
    sandbox::{ClusterKind, Sandbox, SandboxError, Seed, SeedStage},
};

/// State directories of a run.
#[derive(Clone, Debug)]
pub struct StatePaths {
    /// Journals.
    pub journals: PathBuf,
    /// Profiles, unless `--credentials-dir` is set.
    pub profiles: PathBuf,
    /// Evidence, unless `--evidence-dir` is set.
    pub evidence: PathBuf,
    /// Backups of deleted connectors, unless `--backup-dir` is set.
    pub backups: PathBuf,
}

impl StatePaths {
    /// Returns the journal of a stage.
    pub fn journal_path(&self, organization: &OrganizationId, stage: &str) -> PathBuf {
        self.journals.join(format!("{organization}-{stage}.jsonl"))
    }

    /// Opens the profile store in `named`, or in the state directory.
    pub fn open_profile_store(&self, named: Option<&PathBuf>) -> Result<ProfileStore, Error> {
        if let Some(folder) = named {
            config::git::ensure_ignored_by_git(folder)?;
        }
        Ok(ProfileStore::new(named.unwrap_or(&self.profiles).clone()))
    }
}

/// Returns the state directories of a run that needs no connection.
pub fn offline_state_paths(run: &RunContext, workspace: &Workspace) -> Result<StatePaths, Error> {
    let folders = run.environment.dirs()?;
    let profile = load_selected_profile(run, folders)?;
    let sandbox = resolve_sandbox_folder(run, folders, profile.as_ref()).is_some();
    Ok(resolve_state_paths(folders, sandbox, workspace))
}

/// Session for the platform team.
pub struct PlatformSession {
    /// Platform configuration.
    pub workspace: Workspace,
    /// Warnings about the platform configuration.
    pub warnings: Vec<Finding>,
    /// Name of the stage.
    pub stage_name: String,
    /// Stage.
    pub stage: Stage,
    /// Client of the Cloud API.
    pub client: Client,
    /// Id of the API key in use.
    pub api_key: Option<ApiKeyId>,
    /// Clock.
    pub clock: Clock,
    /// State directories.
    pub state_paths: StatePaths,
    /// Endpoint that is written to profiles.
    pub endpoint: ServiceEndpoint,
    kafka_auth: kafka::KafkaAuthResult,
    /// Trusted hosts outside of Confluent's domain.
    trusted_hosts: Vec<String>,
}

impl PlatformSession {
    /// Opens a session with the platform, the stage and the key from flags, environment and files.
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
        let base: BaseUrl = connection.base_url.parse().context("invalid endpoint")?;
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

    /// Returns whether this is the default stage, whose profiles have no subdirectory.
    pub fn is_default_stage(&self) -> bool {
        self.stage_name == self.workspace.platform.default_stage
    }

    /// Returns the target of observations.
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

    /// Returns the journal of the stage.
    pub fn journal_path(&self, organization: &OrganizationId) -> PathBuf {
        self.state_paths.journal_path(organization, &self.stage_name)
    }

    /// Returns the journal of connector changes in a cluster.
    pub fn connector_journal_path(&self, place: &ClusterPath) -> PathBuf {
        connector_journal_path(&self.state_paths.journals, place)
    }

    /// Opens the profile store in `named`, or in the state directory. Profiles of departments with recipients are
    /// encrypted.
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

/// Opens a client without a platform configuration, for use before `ebs.toml` exists.
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
    let base: BaseUrl = connection.base_url.parse().context("invalid endpoint")?;
    Ok(Client::builder(base, connection.transport, connection.auth, connection.clock).build())
}

/// Converts a sandbox error and adds its hints. The general conversion cannot, because it does not depend on the
/// sandbox.
pub fn to_error_with_hints(error: SandboxError) -> Error {
    let hints = error.hints();
    let mut error = Error::from(error);
    error.hints = hints;
    error
}

/// The sandbox of a folder, seeded with the platform's stages when it is new.
pub fn open_sandbox(run: &RunContext, folder: &std::path::Path, workspace: &Workspace) -> Result<Sandbox, Error> {
    Sandbox::open_at(folder, build_seed(workspace), None, sandbox_start(run)?).map_err(to_error_with_hints)
}

/// The fixed start time of a new sandbox, from `CONFLUENT_EBS_SANDBOX_START`.
pub fn sandbox_start(run: &RunContext) -> Result<Option<Timestamp>, Error> {
    let name = env::CONFLUENT_EBS_SANDBOX_START;
    let parse = |text: String| {
        text.parse().map_err(|_| {
            Error::usage(format!("`{name}` is not a point in time: `{text}`"))
                .with_hint("Write it as `2026-11-22T10:00:00Z`.")
        })
    };
    run.variable(name).map(parse).transpose()
}

/// Returns the seed of a new sandbox: organization, stages and clusters of `ebs.toml`, so that it can rehearse changes.
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
    // The example has one environment with several clusters.
    let environments: Vec<_> = stages.iter().map(|stage| stage.address.environment.clone()).collect();
    seed.clusters
        .retain(|cluster| environments.contains(&cluster.environment));
    if !stages.is_empty() {
        seed.stages = stages;
    }
    seed
}

/// Returns the selected profile and what selected it.
pub fn selected_profile(run: &RunContext, folders: &StandardDirs) -> Option<(String, &'static str)> {
    if let Some(named) = run.options.profile.clone() {
        return Some((named, "--profile"));
    }
    // Credentials of the environment are ignored with `--sandbox`.
    if run.options.is_sandbox() {
        return None;
    }
    if let Some(named) = run.variable(env::CONFLUENT_EBS_PROFILE) {
        return Some((named, env::CONFLUENT_EBS_PROFILE));
    }
    // A key in the environment is specific to this job, so it takes precedence over the default profile.
    match run.variable(env::CONFLUENT_CLOUD_API_KEY) {
        Some(_) => None,
        None => folders.current_profile().map(|named| (named, "`profile use`")),
    }
}

/// Loads the profile that the flags, the environment or `profile use` select.
pub fn load_selected_profile(run: &RunContext, folders: &StandardDirs) -> Result<Option<LoadedProfile>, Error> {
    let Some((named, _)) = selected_profile(run, folders) else {
        return Ok(None);
    };
    let trusted: Vec<String> = run.options.trusted_hosts.clone();
    let path = folders.profile(&named);
    config::Profile::load(&path, &trusted)
        .map(Some)
        .map_err(|findings| Error::findings(format!("invalid profile `{named}`"), findings))
}

/// Returns the state directory of the selected sandbox; `None` for Confluent Cloud.
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

/// Loads the platform configuration; the sandbox falls back to the built-in example.
pub fn load_workspace(run: &RunContext, sandbox: bool) -> Result<LoadedWorkspace, Error> {
    match Workspace::find(run.environment.working_dir()?, run.platform_dir().as_deref())? {
        Some(folder) => Ok(Workspace::load(&folder)),
        None if sandbox => Ok(Workspace::embedded()),
        None => Err(Error::failed("no `ebs.toml` in the current directory or a parent")
            .with_hint("Create it with `confluent ebs init`.")
            .with_hint("Use the built-in example of 24 departments with `--sandbox`.")),
    }
}

/// Returns the stage that the flags select, else the one of the profile, else the default stage.
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
    Err(unknown_stage_error(workspace, named))
}

/// Returns the journal of a cluster's connectors below the directory of journals.
fn connector_journal_path(folder: &std::path::Path, place: &ClusterPath) -> PathBuf {
    let file = format!("{}-{}.jsonl", place.environment, place.cluster);
    folder.join("connectors").join(file)
}

fn resolve_state_paths(folders: &StandardDirs, sandbox: bool, workspace: &Workspace) -> StatePaths {
    if sandbox {
        // Separate from the state of production, so that rehearsals and production never mix.
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
