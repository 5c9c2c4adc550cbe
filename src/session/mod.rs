//! Session of a command that uses Confluent Cloud: platform configuration, stage, client and state directories.

mod command_flags;
mod connection;
mod connector_session;
pub mod discovery;
mod environment;
pub(crate) mod git;
mod kafka;
mod log;
mod platform_revision;
pub mod profiles;
mod sandbox;
mod sandbox_auth;
pub mod schema_files;
mod setting_list;
mod settings;
mod telemetry;
mod workspace;

use std::path::PathBuf;

pub use crate::sandbox::SandboxInfo;
pub use command_flags::CommandFlags;
pub use connection::{Connection, ConnectionBuilder, SandboxMode};
pub use connector_session::{ConnectorSession, DepartmentContext, department_context};
pub use environment::{Environment, Options, RunContext};
pub use kafka::{kafka_auth_for_service, kafka_auth_in_sandbox, kafka_auth_of_profile, kafka_base_url};
pub use log::start_log;
pub use platform_revision::compare_with_revision;
pub use profiles::{load_selected_profile, selected_profile};
pub use sandbox::{build_seed, open_sandbox, sandbox_info, sandbox_start, to_error_with_hints};
pub use setting_list::list_settings;
pub use settings::{SettingRow, Settings};
pub use telemetry::{TelemetryClients, connector_crn};
pub use workspace::{
    check_workspace, find_workspace, load_valid_workspace, load_workspace, report_warnings, unknown_department_error,
    unknown_stage_error,
};

use crate::{
    api::connect::ClusterPath,
    client::Client,
    clock::Clock,
    config::{self, ServiceEndpoint, StandardDirs},
    diag::Finding,
    error::Error,
    handover::{ProfileStore, Recipients},
    manifest::{Stage, Workspace, WorkspaceOrigin},
    model::{ApiKeyId, OrganizationId},
    plan::ObservationTarget,
    private,
    redact::SecretRegistry,
};

/// State directories of a run.
#[derive(Clone, Debug)]
pub struct StatePaths {
    /// Folder of the journals, which record the steps of a run for a continuation after a crash.
    pub journals: PathBuf,
    /// Profiles, unless `--credentials-dir` is set.
    pub profiles: PathBuf,
    /// Evidence, unless `--evidence-dir` is set.
    pub evidence: PathBuf,
    /// Backups of deleted connectors, unless `--backup-dir` is set.
    pub backups: PathBuf,
    /// Registry of secret values, for the profiles that are read.
    pub secrets: SecretRegistry,
}

impl StatePaths {
    /// Returns the journal of a stage.
    pub fn journal_path(&self, organization: &OrganizationId, stage: &str) -> PathBuf {
        self.journals.join(format!("{organization}-{stage}.jsonl"))
    }

    /// Opens the profile store in `named`, or in the state directory.
    pub fn open_profile_store(&self, named: Option<&PathBuf>) -> Result<ProfileStore, Error> {
        let folder = named.unwrap_or(&self.profiles);
        private::check_own_folder(folder)?;
        if named.is_some() {
            // The guard of the writer comes after the confirmation of the plan.
            config::git::ensure_ignored_by_git(folder, ["department-persona.toml"], &self.secrets)?;
        }
        Ok(ProfileStore::new(folder.clone()).with_secrets(self.secrets.clone()))
    }
}

/// Returns the state directories of a run that needs no connection.
pub fn offline_state_paths(run: &RunContext, workspace: &Workspace) -> Result<StatePaths, Error> {
    let folders = run.environment.dirs()?;
    let profile = load_selected_profile(run, folders)?;
    let settings = Settings::resolve(run, profile.as_ref(), Some(workspace));
    Ok(resolve_state_paths(
        run,
        folders,
        settings.sandbox_dir().is_some(),
        workspace,
    ))
}

/// Session for the platform team.
pub struct PlatformSession {
    /// Settings of `ebs.toml`, departments and templates, without errors.
    pub workspace: Workspace,
    /// Warnings about the platform configuration.
    pub warnings: Vec<Finding>,
    /// Name of the stage.
    pub stage_name: String,
    /// Settings of the stage in `ebs.toml`: environment, cluster and Schema Registry.
    pub stage: Stage,
    /// Client of the Cloud API.
    pub client: Client,
    /// Id of the API key in use.
    pub api_key: Option<ApiKeyId>,
    /// Clock that determines the current time of the run.
    pub clock: Clock,
    /// Folders for journals, profiles, evidence and backups.
    pub state_paths: StatePaths,
    /// Endpoint that is written to profiles.
    pub endpoint: ServiceEndpoint,
    /// Whether the sandbox replaces Confluent Cloud. A rehearsal does not change the platform's files.
    pub is_rehearsal: bool,
    kafka_auth: kafka::KafkaAuthResult,
    /// Trusted hosts outside of Confluent's domain.
    trusted_hosts: Vec<String>,
}

impl PlatformSession {
    /// Opens a session with the platform, the stage and the key from flags, environment and files.
    pub fn open(run: &RunContext, concurrency: usize) -> Result<Self, Error> {
        let folders = run.environment.dirs()?;
        let profile = load_selected_profile(run, folders)?;
        let profile = profile.as_ref();
        let is_sandbox = Settings::resolve(run, profile, None).sandbox_dir().is_some();
        let (workspace, warnings) = load_valid_workspace(run, is_sandbox)?;
        let settings = Settings::resolve(run, profile, Some(&workspace));
        let (stage_name, stage) = settings.platform_stage(&workspace)?;
        let connection = ConnectionBuilder::new(run, &settings, profile)
            .workspace(&workspace)
            .concurrency(concurrency)
            .open()?;
        let auth = connection.auth()?;
        let kafka_auth = match settings.sandbox_dir() {
            Some(folder) => Ok(kafka_auth_in_sandbox(run, folder, &workspace, &stage, profile, auth)?),
            None => kafka_auth_for_service(run, profile),
        };
        if let Some(source) = auth.source().filter(|_| run.options.verbosity > 0) {
            let origin = &workspace.origin;
            run.info(format!("Credentials from {source}; platform from {origin}."));
        }
        Ok(Self {
            state_paths: resolve_state_paths(run, folders, is_sandbox, &workspace),
            workspace,
            warnings,
            stage_name,
            stage,
            client: connection.client()?,
            api_key: auth.key().and_then(|key| key.parse().ok()),
            clock: connection.clock.clone(),
            endpoint: connection.endpoint.clone(),
            is_rehearsal: is_sandbox,
            kafka_auth,
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

/// Returns the journal of a cluster's connectors below the directory of journals.
fn connector_journal_path(folder: &std::path::Path, place: &ClusterPath) -> PathBuf {
    let file = format!("{}-{}.jsonl", place.environment, place.cluster);
    folder.join("connectors").join(file)
}

fn resolve_state_paths(run: &RunContext, folders: &StandardDirs, sandbox: bool, workspace: &Workspace) -> StatePaths {
    let secrets = run.environment.secrets.clone();
    if sandbox {
        // Separate from the state of production, so that rehearsals and production never mix.
        let folder = folders.sandbox();
        return StatePaths {
            journals: folder.join("runs"),
            profiles: folder.join("handover"),
            evidence: folder.join("evidence"),
            backups: folder.join("backups"),
            secrets,
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
        secrets,
    }
}
