//! What a command that works on connectors needs: a cluster, a client, and whose connectors they are. A profile is enough;
//! with the platform's files and `--department` the provisioner acts for a department.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Connection, TelemetryClients, connector_journal_path, load_selected_profile, load_workspace, open_sandbox,
    resolve_sandbox_folder, resolve_stage,
};
use crate::{
    api::{connect::ClusterPath, iam::ListServiceAccounts},
    client::{BaseUrl, Client, RetryListener, RetryNotice, trace::WireTrace},
    clock::Clock,
    commands::Ctx,
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
};

/// Whose connectors are meant.
#[derive(Clone, Debug)]
pub(in crate::commands) struct DepartmentContext {
    /// The department's code.
    pub(in crate::commands) code: DepartmentCode,
    /// The beginning of its names.
    pub(in crate::commands) prefix: Prefix,
    /// What it may use.
    pub(in crate::commands) quota: DepartmentQuota,
    /// As which persona the caller acts, when a profile says so.
    pub(in crate::commands) persona: Option<String>,
    /// Name of the account that its connectors run under.
    pub(in crate::commands) runtime_account_name: Option<String>,
    /// Its id, where it is known without asking.
    pub(in crate::commands) runtime_account_id: Option<ServiceAccountId>,
    /// Variables besides `EBS_SECRET_…` that connector files may refer to.
    pub(in crate::commands) secret_variables: Vec<String>,
    /// Lint rules that do not apply, with the reason for each.
    pub(in crate::commands) lint_exceptions: Vec<(String, String)>,
    /// The day the quota was written into the profile; nothing when it comes from the platform's files.
    pub(in crate::commands) quota_issued: Option<jiff::civil::Date>,
}

/// A command's way to the connectors of a cluster.
pub(in crate::commands) struct ConnectorSession {
    /// Whose connectors; nothing when the caller acts for nobody in particular.
    pub(in crate::commands) department: Option<DepartmentContext>,
    /// The connectors of the cluster.
    pub(in crate::commands) connectors: ConnectorClient,
    /// The public half of the key that is used.
    pub(in crate::commands) api_key: Option<ApiKeyId>,
    /// The limit of the whole cluster.
    pub(in crate::commands) task_ceiling: ClusterTaskLimit,
    /// The stage.
    pub(in crate::commands) stage: String,
    /// Whether the caller is the platform's, who sees every connector.
    pub(in crate::commands) is_platform_scope: bool,
    /// Where it is written down what was done to connectors.
    pub(in crate::commands) journal_path: PathBuf,
    /// Where connectors are saved before they are changed or removed.
    pub(in crate::commands) backup_dir: PathBuf,
    /// The ways to logs and metrics.
    pub(in crate::commands) telemetry: TelemetryClients,
}

impl ConnectorSession {
    /// Opens from the profile that is named, else from the platform's files and `--department`.
    pub(in crate::commands) fn open(ctx: &Ctx) -> Result<Self, Error> {
        let folders = StandardDirs::discover()?;
        let loaded = load_selected_profile(ctx, &folders)?;
        let folder = resolve_sandbox_folder(ctx, &folders, loaded.as_ref());
        match loaded {
            Some(loaded) => Self::from_profile(ctx, &folders, &loaded, folder.as_deref()),
            None => Self::from_platform(ctx, &folders, folder.as_deref()),
        }
    }

    fn from_profile(
        ctx: &Ctx,
        folders: &StandardDirs,
        loaded: &LoadedProfile,
        folder: Option<&Path>,
    ) -> Result<Self, Error> {
        for warning in &loaded.warnings {
            ctx.ui.warn(&warning.message);
        }
        let facts = &loaded.profile.facts;
        let differs = |flag: &str, written: &str, in_profile: &str| {
            Error::usage(format!(
                "`--{flag} {written}` contradicts profile `{}`, which is for `{in_profile}`",
                loaded.path.display()
            ))
        };
        match (&ctx.globals.department, &ctx.globals.stage) {
            (Some(code), _) if *code != facts.department => {
                return Err(differs("department", code.as_str(), facts.department.as_str()));
            }
            (_, Some(stage)) if *stage != facts.stage => return Err(differs("stage", stage, &facts.stage)),
            _ => {}
        }
        let connection = match folder {
            // The platform's files matter only to a sandbox that is still to be made.
            Some(folder) => match Connection::for_running_server(ctx, folder, loaded) {
                Some(connection) => connection,
                None => Connection::for_sandbox(ctx, folder, &load_workspace(true)?.workspace, Some(loaded))?,
            },
            None => Connection::for_service(ctx, Some(loaded))?,
        };
        let place = ClusterPath {
            environment: ctx
                .globals
                .environment
                .clone()
                .unwrap_or_else(|| facts.environment.clone()),
            cluster: ctx.globals.cluster.clone().unwrap_or_else(|| facts.cluster.clone()),
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
        // What the cluster may run is the service's constant; a profile does not repeat it.
        let ceiling = ClusterTaskLimit {
            tasks: DEFAULT_TASK_CEILING,
            reserve_percent: DEFAULT_RESERVE_PERCENT,
        };
        let mut state_paths = ConnectorStatePaths::new(folders, folder, &place);
        state_paths.organization = Some(facts.organization.clone());
        Self::build(
            ctx,
            connection,
            place,
            Some(department),
            ceiling,
            facts.stage.clone(),
            false,
            state_paths,
        )
    }

    fn from_platform(ctx: &Ctx, folders: &StandardDirs, folder: Option<&Path>) -> Result<Self, Error> {
        let (workspace, warnings) = load_workspace(folder.is_some())
            .hint("A department names its profile with `--profile FILE`.")?
            .into_result()
            .map_err(|findings| Error::findings("the platform's files hold mistakes", findings))?;
        for warning in &warnings {
            ctx.ui.warn(&warning.message);
        }
        let (stage_name, stage) = resolve_stage(ctx, &workspace, None)?;
        let mut department = match selected_department(ctx) {
            Some(code) => Some(department_context(&workspace, &stage_name, &code)?),
            None => None,
        };
        let connection = match folder {
            Some(folder) => Connection::for_sandbox(ctx, folder, &workspace, None)?,
            None => Connection::for_service(ctx, None)?,
        };
        if let (Some(folder), Some(department)) = (folder, &mut department) {
            // A persona may not look accounts up; the sandbox itself knows.
            let runtime = department.runtime_account_name.clone().unwrap_or_default();
            let accounts = open_sandbox(folder, &workspace)?.accounts()?;
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
        let persona = ctx.globals.sandbox_as.as_deref().and_then(|who| who.split_once('/'));
        if let (Some(department), Some((_, persona))) = (&mut department, persona) {
            department.persona = Some(persona.to_owned());
        }
        let sees_all = persona.is_none();
        let mut state_paths = ConnectorStatePaths::new(folders, folder, &place);
        state_paths.organization.clone_from(&workspace.platform.organization);
        Self::build(
            ctx,
            connection,
            place,
            department,
            ceiling,
            stage_name,
            sees_all,
            state_paths,
        )
    }

    #[expect(clippy::too_many_arguments, reason = "a session is made of many things")]
    fn build(
        ctx: &Ctx,
        connection: Connection,
        place: ClusterPath,
        department: Option<DepartmentContext>,
        ceiling: ClusterTaskLimit,
        stage: String,
        sees_all: bool,
        state_paths: ConnectorStatePaths,
    ) -> Result<Self, Error> {
        if let (1.., Some(source)) = (ctx.globals.verbosity(), connection.auth.source()) {
            ctx.ui.info(&format!("Credentials from {source}."));
        }
        let key = connection.auth.key().and_then(|key| key.parse().ok());
        let (journal, saved) = (state_paths.journal_path.clone(), state_paths.backup_dir.clone());
        let base: BaseUrl = connection.base_url.parse().context("the endpoint cannot be used")?;
        let ui = ctx.ui.clone();
        let on_retry = move |notice: &RetryNotice| {
            ui.info(&format!(
                "Waiting {} s to {}: {}",
                notice.wait.as_secs(),
                notice.call,
                notice.reason
            ));
        };
        let on_retry: RetryListener = Arc::new(on_retry);
        let wire = ctx.globals.unsafe_trace.then(|| Arc::new(WireTrace::stderr()));
        let observers = TelemetryClients::new(&connection, state_paths, &place, on_retry.clone(), wire.clone());
        let mut builder =
            Client::builder(base, connection.transport, connection.auth, connection.clock.clone()).on_retry(on_retry);
        if let Some(wire) = wire {
            builder = builder.wire_trace(wire);
        }
        Ok(Self {
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

    /// The department that is acted for.
    pub(in crate::commands) fn require_department(&self) -> Result<&DepartmentContext, Error> {
        self.department.as_ref().ok_or_else(|| {
            Error::usage("it is not said for which department").with_hint(
                "Name a department's profile with `--profile`, or, as the platform team, `--department CODE`.",
            )
        })
    }

    /// Time.
    pub(in crate::commands) fn clock(&self) -> &Clock {
        &self.connectors.clock
    }

    /// The account that the department's connectors run under; looked up by its name where no profile tells its id.
    pub(in crate::commands) async fn find_runtime_account(&self) -> Result<Option<ServiceAccountId>, Error> {
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

/// Where a session keeps things, and what it knows beforehand.
pub(super) struct ConnectorStatePaths {
    journal_path: PathBuf,
    backup_dir: PathBuf,
    /// Limits that processes share, and log lines.
    pub(super) telemetry_dir: PathBuf,
    /// The organization, where a file says which.
    pub(super) organization: Option<OrganizationId>,
}

impl ConnectorStatePaths {
    /// In the state folder; for a sandbox beside its state, so that a rehearsal never mixes with what it rehearses.
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

/// The department that the flags name.
fn selected_department(ctx: &Ctx) -> Option<DepartmentCode> {
    let impersonated = || ctx.globals.sandbox_as.as_deref()?.split_once('/')?.0.parse().ok();
    ctx.globals.department.clone().or_else(impersonated)
}

fn department_context(workspace: &Workspace, stage: &str, code: &DepartmentCode) -> Result<DepartmentContext, Error> {
    let Some(department) = workspace.department(code) else {
        let known: Vec<&str> = workspace.departments().map(|known| known.code.as_str()).collect();
        let error = Error::failed(format!("there is no department \"{code}\" in {}", workspace.origin));
        return Err(match crate::hint::closest_match(code.as_str(), known) {
            Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
            None => error.with_hint("List departments with `confluent ebs department list`."),
        });
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
