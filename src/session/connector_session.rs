//! Session of a connector command: a cluster, a client and a department. It is opened from a profile, or from the
//! platform configuration and `--department` with the key of the provisioner.

use std::path::PathBuf;

use super::{
    Connection, ConnectionBuilder, Settings, TelemetryClients, check_workspace, connector_journal_path,
    load_selected_profile, load_workspace, open_sandbox, report_warnings, unknown_department_error,
};
use crate::{
    api::{connect::ClusterPath, iam::ListServiceAccounts},
    clock::Clock,
    config::{LoadedProfile, ServiceEndpoint, StandardDirs},
    error::{Error, ResultExt},
    manifest::{
        Workspace,
        desired::find_runtime_persona,
        platform::{DEFAULT_RESERVE_PERCENT, DEFAULT_TASK_CEILING},
    },
    model::{
        ApiKeyId, ConnectorNamePattern, DepartmentCode, DepartmentQuota, OrganizationId, PlatformTeam, Prefix,
        ServiceAccountId, UNNAMED_PLATFORM_TEAM, ownership::account_name,
    },
    quota::ClusterTaskLimit,
    resources::connector::ConnectorClient,
    session::{Options, RunContext},
};

/// Department that a command acts for.
#[derive(Clone, Debug)]
pub struct DepartmentContext {
    /// Code of the department.
    pub code: DepartmentCode,
    /// Prefix of its names.
    pub prefix: Prefix,
    /// Limits of the department: connectors, tasks and plugins.
    pub quota: DepartmentQuota,
    /// Naming convention of the platform.
    pub connector_names: ConnectorNamePattern,
    /// Persona of the caller, if a profile determines it.
    pub persona: Option<String>,
    /// Name of the account that its connectors run under.
    pub runtime_account_name: Option<String>,
    /// Id of that account, if it is known without a request.
    pub runtime_account_id: Option<ServiceAccountId>,
    /// Variables besides `EBS_SECRET_…` that connector files may refer to.
    pub secret_variables: Vec<String>,
    /// Disabled lint rules, with the reason for each.
    pub lint_exceptions: Vec<(String, String)>,
    /// Date when the quota was written to the profile; `None` if it comes from the platform configuration.
    pub quota_issued: Option<jiff::civil::Date>,
    /// Platform team, for messages to the department.
    pub platform_team: PlatformTeam,
}

/// Session of a command that acts on the connectors of a cluster.
pub struct ConnectorSession {
    /// Options that selected this session; suggested commands repeat them.
    pub options: Options,
    /// Department; `None` if no department is specified.
    pub department: Option<DepartmentContext>,
    /// Client for the connectors of the cluster.
    pub connectors: ConnectorClient,
    /// Id of the API key in use.
    pub api_key: Option<ApiKeyId>,
    /// Task limit of the whole cluster.
    pub task_ceiling: ClusterTaskLimit,
    /// Name of the stage.
    pub stage: String,
    /// Whether the caller acts for the platform team and can see all connectors.
    pub is_platform_scope: bool,
    /// Journal of changes to connectors.
    pub journal_path: PathBuf,
    /// Directory of connector backups.
    pub backup_dir: PathBuf,
    /// Directory of evidence that belongs to no repository.
    pub evidence_dir: PathBuf,
    /// Whether the cluster is one of the sandbox in this process.
    pub is_sandbox: bool,
    /// Clients for logs and metrics.
    pub telemetry: TelemetryClients,
}

impl ConnectorSession {
    /// Opens a session from the selected profile, else from the platform configuration and `--department`.
    pub fn open(run: &RunContext) -> Result<Self, Error> {
        let folders = run.environment.dirs()?;
        match load_selected_profile(run, folders)? {
            Some(loaded) => Self::from_profile(run, folders, &loaded),
            None => Self::from_platform(run, folders),
        }
    }

    fn from_profile(run: &RunContext, folders: &StandardDirs, loaded: &LoadedProfile) -> Result<Self, Error> {
        for warning in &loaded.warnings {
            run.warn(&warning.message);
        }
        let settings = Settings::resolve(run, Some(loaded), None);
        let facts = &loaded.profile.facts;
        let differs = |flag: &str, written: &str, in_profile: &str| {
            Error::usage(format!(
                "`--{flag} {written}` contradicts profile `{}`, which is for `{in_profile}`",
                loaded.path.display()
            ))
        };
        match (&run.options.department, &run.options.stage) {
            (Some(code), _) if *code != facts.department => {
                return Err(differs("department", code.as_str(), facts.department.as_str()));
            }
            (_, Some(stage)) if *stage != facts.stage => return Err(differs("stage", stage, &facts.stage)),
            _ => {}
        }
        let connection = ConnectionBuilder::new(run, &settings, Some(loaded))
            .report_retries()
            .open()?;
        let department = DepartmentContext {
            code: facts.department.clone(),
            prefix: facts.prefix.clone(),
            quota: facts.quota.clone(),
            connector_names: facts.connector_names.clone(),
            persona: Some(facts.persona.clone()),
            runtime_account_name: facts.runtime.clone(),
            runtime_account_id: loaded.profile.runtime_account.clone(),
            secret_variables: loaded.profile.secret_variables.clone(),
            lint_exceptions: facts.lint_exceptions.clone(),
            quota_issued: Some(loaded.profile.issued),
            platform_team: facts.platform_team.clone(),
        };
        let scope = ConnectorScope {
            department: Some(department),
            // The task limit of a cluster is a constant of Confluent Cloud, so profiles do not contain it.
            task_ceiling: ClusterTaskLimit {
                tasks: DEFAULT_TASK_CEILING,
                reserve_percent: DEFAULT_RESERVE_PERCENT,
            },
            stage: facts.stage.clone(),
            cluster_path: ClusterPath {
                environment: settings
                    .environment
                    .map_or_else(|| facts.environment.clone(), |own| own.value),
                cluster: settings.cluster.map_or_else(|| facts.cluster.clone(), |own| own.value),
            },
            organization: Some(facts.organization.clone()),
            is_platform_scope: false,
        };
        Self::build(run, folders, connection, scope)
    }

    fn from_platform(run: &RunContext, folders: &StandardDirs) -> Result<Self, Error> {
        let is_sandbox = run.options.is_sandbox();
        let loaded = load_workspace(run, is_sandbox).hint("Departments select their profile with `--profile FILE`.")?;
        let (workspace, warnings) = check_workspace(loaded)?;
        report_warnings(run, &warnings);
        let settings = Settings::resolve(run, None, Some(&workspace));
        let (stage_name, stage) = settings.platform_stage(&workspace)?;
        let mut department = match &settings.department {
            Some(selected) => Some(department_context(&workspace, &stage_name, &selected.value)?),
            None => None,
        };
        let connection = ConnectionBuilder::new(run, &settings, None)
            .workspace(&workspace)
            .report_retries()
            .open()?;
        if let (Some(folder), Some(department)) = (settings.sandbox_dir(), &mut department) {
            // A persona may not list accounts, but the sandbox itself can.
            let runtime = department.runtime_account_name.clone().unwrap_or_default();
            let accounts = open_sandbox(run, folder, &workspace)?.accounts()?;
            department.runtime_account_id = accounts
                .into_iter()
                .find(|account| account.display_name == runtime)
                .map(|account| account.id);
        }
        let persona = run.options.impersonated_persona();
        if let (Some(department), Some((_, persona))) = (&mut department, persona) {
            department.persona = Some(persona.to_owned());
        }
        let scope = ConnectorScope {
            department,
            task_ceiling: ClusterTaskLimit {
                tasks: stage.task_ceiling,
                reserve_percent: stage.reserve_percent,
            },
            stage: stage_name,
            cluster_path: ClusterPath {
                environment: stage.environment,
                cluster: stage.cluster,
            },
            organization: workspace.platform.organization.clone(),
            is_platform_scope: persona.is_none(),
        };
        Self::build(run, folders, connection, scope)
    }

    fn build(
        run: &RunContext,
        folders: &StandardDirs,
        connection: Connection,
        scope: ConnectorScope,
    ) -> Result<Self, Error> {
        let auth = connection.auth()?;
        if let (1.., Some(source)) = (run.options.verbosity, auth.source()) {
            run.info(format!("Credentials from {source}."));
        }
        // A sandbox has its own paths, so that rehearsals and production never mix.
        let sandbox_dir = match &connection.endpoint {
            ServiceEndpoint::Sandbox(Some(folder)) => Some(folder.as_path()),
            _ => None,
        };
        let in_sandbox = |name: &str, other: PathBuf| sandbox_dir.map_or(other, |folder| folder.join(name));
        let journals = in_sandbox("runs", folders.journal());
        let telemetry_dir = in_sandbox("telemetry", folders.telemetry());
        Ok(Self {
            options: run.options.clone(),
            department: scope.department,
            connectors: ConnectorClient {
                client: connection.client()?,
                cluster_path: scope.cluster_path.clone(),
                clock: connection.clock.clone(),
                history_dir: Some(telemetry_dir.clone()),
                interrupt: run.cancel.clone(),
            },
            api_key: auth.key().and_then(|key| key.parse().ok()),
            task_ceiling: scope.task_ceiling,
            stage: scope.stage,
            is_platform_scope: scope.is_platform_scope,
            journal_path: connector_journal_path(&journals, &scope.cluster_path),
            backup_dir: in_sandbox("backups", folders.backups()),
            evidence_dir: in_sandbox("evidence", folders.evidence(None)),
            is_sandbox: sandbox_dir.is_some(),
            telemetry: TelemetryClients::new(connection, scope.cluster_path, telemetry_dir, scope.organization)?,
        })
    }

    /// Returns the department, or an error if none is specified.
    pub fn require_department(&self) -> Result<&DepartmentContext, Error> {
        self.department.as_ref().ok_or_else(|| {
            Error::usage("no department specified").with_hint(
                "Select a profile with `--profile`, or, as the platform team, a department with `--department CODE`.",
            )
        })
    }

    /// Returns the platform team as messages name it: unnamed without a department, because the caller is the team.
    pub fn platform_team(&self) -> &PlatformTeam {
        self.department
            .as_ref()
            .map_or(&UNNAMED_PLATFORM_TEAM, |department| &department.platform_team)
    }

    /// Returns the clock.
    pub fn clock(&self) -> &Clock {
        &self.connectors.clock
    }

    /// Returns the account of the department's connectors; looks it up by name if the profile does not contain its id.
    pub async fn find_runtime_account(&self) -> Result<Option<ServiceAccountId>, Error> {
        let department = self.require_department()?;
        if department.runtime_account_id.is_some() {
            return Ok(department.runtime_account_id.clone());
        }
        let Some(name) = &department.runtime_account_name else {
            return Ok(None);
        };
        let request = ListServiceAccounts {
            display_names: vec![name.clone()],
        };
        let accounts = self.connectors.client.list(request).await?;
        let found = accounts.into_iter().find(|account| account.display_name == *name);
        Ok(found.map(|account| account.id))
    }
}

/// What a connector session acts on, from a profile or from the platform configuration.
struct ConnectorScope {
    department: Option<DepartmentContext>,
    task_ceiling: ClusterTaskLimit,
    stage: String,
    cluster_path: ClusterPath,
    /// Organization, if a file contains it.
    organization: Option<OrganizationId>,
    is_platform_scope: bool,
}

/// Returns the context of the department `code` in `stage`, as the platform configuration describes it.
///
/// # Errors
/// There is no such department.
pub fn department_context(
    workspace: &Workspace,
    stage: &str,
    code: &DepartmentCode,
) -> Result<DepartmentContext, Error> {
    let Some(department) = workspace.department(code) else {
        return Err(unknown_department_error(workspace, code));
    };
    let runtime = workspace.template(&department.template).and_then(find_runtime_persona);
    Ok(DepartmentContext {
        code: code.clone(),
        prefix: department.prefix.clone(),
        quota: department.quota_in(stage).clone(),
        connector_names: workspace.platform.naming.connector.clone(),
        persona: None,
        runtime_account_name: runtime.map(|persona| account_name(stage, code, &persona.name)),
        runtime_account_id: None,
        secret_variables: Vec::new(),
        lint_exceptions: department.lint_exceptions.clone(),
        quota_issued: None,
        platform_team: workspace.platform.team.clone(),
    })
}
