//! Session of a connector command: a cluster, a client and a department. It is opened from a profile, or from the
//! platform configuration and `--department` with the key of the provisioner.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Connection, TelemetryClients, check_workspace, connector_journal_path, load_selected_profile, load_workspace,
    open_sandbox, resolve_sandbox_folder, resolve_stage, unknown_department_error,
};
use crate::{
    api::{connect::ClusterPath, iam::ListServiceAccounts},
    client::{BaseUrl, Client, RetryListener, RetryNotice, trace::WireTrace},
    clock::Clock,
    config::{LoadedProfile, StandardDirs},
    error::{Error, ResultExt},
    manifest::{
        Workspace,
        desired::find_runtime_persona,
        platform::{DEFAULT_RESERVE_PERCENT, DEFAULT_TASK_CEILING},
    },
    model::{
        ApiKeyId, DepartmentCode, DepartmentQuota, OrganizationId, Prefix, ServiceAccountId, ownership::account_name,
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
    /// Quota.
    pub quota: DepartmentQuota,
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
    /// Clients for logs and metrics.
    pub telemetry: TelemetryClients,
}

impl ConnectorSession {
    /// Opens a session from the selected profile, else from the platform configuration and `--department`.
    pub fn open(run: &RunContext) -> Result<Self, Error> {
        let folders = run.environment.dirs()?;
        let loaded = load_selected_profile(run, folders)?;
        let folder = resolve_sandbox_folder(run, folders, loaded.as_ref());
        match loaded {
            Some(loaded) => Self::from_profile(run, folders, &loaded, folder.as_deref()),
            None => Self::from_platform(run, folders, folder.as_deref()),
        }
    }

    fn from_profile(
        run: &RunContext,
        folders: &StandardDirs,
        loaded: &LoadedProfile,
        folder: Option<&Path>,
    ) -> Result<Self, Error> {
        for warning in &loaded.warnings {
            run.warn(&warning.message);
        }
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
        let connection = match folder {
            // The platform configuration matters only for a sandbox that does not exist yet.
            Some(folder) => match Connection::for_running_server(run, folder, loaded) {
                Some(connection) => connection,
                None => Connection::for_sandbox(run, folder, &load_workspace(run, true)?.workspace, Some(loaded))?,
            },
            None => Connection::for_service(run, Some(loaded))?,
        };
        let place = ClusterPath {
            environment: run
                .options
                .environment
                .clone()
                .unwrap_or_else(|| facts.environment.clone()),
            cluster: run.options.cluster.clone().unwrap_or_else(|| facts.cluster.clone()),
        };
        let department = DepartmentContext {
            code: facts.department.clone(),
            prefix: facts.prefix.clone(),
            quota: facts.quota.clone(),
            persona: Some(facts.persona.clone()),
            runtime_account_name: facts.runtime.clone(),
            runtime_account_id: loaded.profile.runtime_account.clone(),
            secret_variables: loaded.profile.secret_variables.clone(),
            lint_exceptions: facts.lint_exceptions.clone(),
            quota_issued: Some(loaded.profile.issued),
        };
        // The task limit of a cluster is a constant of Confluent Cloud, so profiles do not contain it.
        let ceiling = ClusterTaskLimit {
            tasks: DEFAULT_TASK_CEILING,
            reserve_percent: DEFAULT_RESERVE_PERCENT,
        };
        let mut state_paths = ConnectorStatePaths::new(folders, folder, &place);
        state_paths.organization = Some(facts.organization.clone());
        Self::build(
            run,
            connection,
            place,
            Some(department),
            ceiling,
            facts.stage.clone(),
            false,
            state_paths,
        )
    }

    fn from_platform(run: &RunContext, folders: &StandardDirs, folder: Option<&Path>) -> Result<Self, Error> {
        let loaded =
            load_workspace(run, folder.is_some()).hint("Departments select their profile with `--profile FILE`.")?;
        let (workspace, warnings) = check_workspace(loaded)?;
        for warning in &warnings {
            run.warn(&warning.message);
        }
        let (stage_name, stage) = resolve_stage(run, &workspace, None)?;
        let mut department = match selected_department(run) {
            Some(code) => Some(department_context(&workspace, &stage_name, &code)?),
            None => None,
        };
        let connection = match folder {
            Some(folder) => Connection::for_sandbox(run, folder, &workspace, None)?,
            None => Connection::for_service(run, None)?,
        };
        if let (Some(folder), Some(department)) = (folder, &mut department) {
            // A persona may not list accounts, but the sandbox itself can.
            let runtime = department.runtime_account_name.clone().unwrap_or_default();
            let accounts = open_sandbox(run, folder, &workspace)?.accounts()?;
            department.runtime_account_id = accounts
                .into_iter()
                .find(|account| account.display_name == runtime)
                .map(|account| account.id);
        }
        let place = ClusterPath {
            environment: stage.environment.clone(),
            cluster: stage.cluster.clone(),
        };
        let ceiling = ClusterTaskLimit {
            tasks: stage.task_ceiling,
            reserve_percent: stage.reserve_percent,
        };
        let persona = run.options.sandbox_as.as_deref().and_then(|who| who.split_once('/'));
        if let (Some(department), Some((_, persona))) = (&mut department, persona) {
            department.persona = Some(persona.to_owned());
        }
        let sees_all = persona.is_none();
        let mut state_paths = ConnectorStatePaths::new(folders, folder, &place);
        state_paths.organization.clone_from(&workspace.platform.organization);
        Self::build(
            run,
            connection,
            place,
            department,
            ceiling,
            stage_name,
            sees_all,
            state_paths,
        )
    }

    #[expect(clippy::too_many_arguments, reason = "a session has many independent parts")]
    fn build(
        run: &RunContext,
        connection: Connection,
        place: ClusterPath,
        department: Option<DepartmentContext>,
        ceiling: ClusterTaskLimit,
        stage: String,
        sees_all: bool,
        state_paths: ConnectorStatePaths,
    ) -> Result<Self, Error> {
        if let (1.., Some(source)) = (run.options.verbosity, connection.auth.source()) {
            run.info(format!("Credentials from {source}."));
        }
        let key = connection.auth.key().and_then(|key| key.parse().ok());
        let (journal, saved) = (state_paths.journal_path.clone(), state_paths.backup_dir.clone());
        let base: BaseUrl = connection.base_url.parse().context("invalid endpoint")?;
        let reporter = run.clone();
        let on_retry = move |notice: &RetryNotice| {
            reporter.info(format!(
                "Waiting {} s to {}: {}",
                notice.wait.as_secs(),
                notice.call,
                notice.reason
            ));
        };
        let on_retry: RetryListener = Arc::new(on_retry);
        let wire = run.options.unsafe_trace.then(|| Arc::new(WireTrace::stderr()));
        let observers = TelemetryClients::new(&connection, state_paths, &place, on_retry.clone(), wire.clone());
        let mut builder =
            Client::builder(base, connection.transport, connection.auth, connection.clock.clone()).on_retry(on_retry);
        if let Some(wire) = wire {
            builder = builder.wire_trace(wire);
        }
        Ok(Self {
            options: run.options.clone(),
            department,
            connectors: ConnectorClient {
                client: builder.build(),
                cluster_path: place,
                clock: connection.clock,
            },
            api_key: key,
            task_ceiling: ceiling,
            stage,
            is_platform_scope: sees_all,
            journal_path: journal,
            backup_dir: saved,
            telemetry: observers,
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

/// Paths of a connector session, and facts known from files.
pub(super) struct ConnectorStatePaths {
    journal_path: PathBuf,
    backup_dir: PathBuf,
    /// Directory of shared rate limits and cached log lines.
    pub telemetry_dir: PathBuf,
    /// Organization, if a file contains it.
    pub organization: Option<OrganizationId>,
}

impl ConnectorStatePaths {
    /// Returns the paths in the state directory. A sandbox has its own paths, so that rehearsals and production never
    /// mix.
    fn new(folders: &StandardDirs, sandbox: Option<&Path>, place: &ClusterPath) -> Self {
        let (journal, saved, observed) = match sandbox {
            Some(folder) => (folder.join("runs"), folder.join("backups"), folder.join("telemetry")),
            None => (folders.journal(), folders.backups(), folders.telemetry()),
        };
        Self {
            journal_path: connector_journal_path(&journal, place),
            backup_dir: saved,
            telemetry_dir: observed,
            organization: None,
        }
    }
}

/// Returns the department that the flags select.
fn selected_department(run: &RunContext) -> Option<DepartmentCode> {
    let impersonated = || run.options.sandbox_as.as_deref()?.split_once('/')?.0.parse().ok();
    run.options.department.clone().or_else(impersonated)
}

fn department_context(workspace: &Workspace, stage: &str, code: &DepartmentCode) -> Result<DepartmentContext, Error> {
    let Some(department) = workspace.department(code) else {
        return Err(unknown_department_error(workspace, code));
    };
    let runtime = workspace.template(&department.template).and_then(find_runtime_persona);
    Ok(DepartmentContext {
        code: code.clone(),
        prefix: department.prefix.clone(),
        quota: department.quota.clone(),
        persona: None,
        runtime_account_name: runtime.map(|persona| account_name(stage, code, &persona.name)),
        runtime_account_id: None,
        secret_variables: Vec::new(),
        lint_exceptions: department.lint_exceptions.clone(),
        quota_issued: None,
    })
}
