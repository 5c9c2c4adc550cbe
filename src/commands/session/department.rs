//! What a command that works on connectors needs: a cluster, a client, and whose connectors they are. A profile is enough;
//! with the platform's files and `--department` the provisioner acts for a department.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Observers, Way, connector_journal, open_sandbox, profile, sandbox_folder, stage, workspace};
use crate::{
    api::{connect::Place, iam::ListServiceAccounts},
    client::{BaseUrl, Client, OnRetry, RetryNotice, trace::WireTrace},
    clock::Clock,
    commands::Ctx,
    config::{Folders, LoadedProfile},
    error::{Error, ResultExt},
    manifest::{
        Workspace,
        desired::runtime_persona,
        platform::{RESERVE_PERCENT, TASK_CEILING},
    },
    model::{
        ApiKeyId, DepartmentCode, DepartmentQuota, OrganizationId, Prefix, ServiceAccountId, ownership::account_name,
    },
    quota::Ceiling,
    resources::connector::Connectors,
};

/// Whose connectors are meant.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Tenant {
    /// The department's code.
    pub(in crate::commands) code: DepartmentCode,
    /// The beginning of its names.
    pub(in crate::commands) prefix: Prefix,
    /// What it may use.
    pub(in crate::commands) quota: DepartmentQuota,
    /// As which persona the caller acts, when a profile says so.
    pub(in crate::commands) persona: Option<String>,
    /// Name of the account that its connectors run under.
    pub(in crate::commands) runtime: Option<String>,
    /// Its id, where it is known without asking.
    pub(in crate::commands) runtime_account: Option<ServiceAccountId>,
    /// Variables besides `EBS_SECRET_…` that connector files may refer to.
    pub(in crate::commands) secret_variables: Vec<String>,
    /// Lint rules that do not apply, with the reason for each.
    pub(in crate::commands) lint_exceptions: Vec<(String, String)>,
    /// The day the quota was written into the profile; nothing when it comes from the platform's files.
    pub(in crate::commands) issued: Option<jiff::civil::Date>,
}

/// A command's way to the connectors of a cluster.
pub(in crate::commands) struct DepartmentSession {
    /// Whose connectors; nothing when the caller acts for nobody in particular.
    pub(in crate::commands) tenant: Option<Tenant>,
    /// The connectors of the cluster.
    pub(in crate::commands) connectors: Connectors,
    /// The public half of the key that is used.
    pub(in crate::commands) key: Option<ApiKeyId>,
    /// The limit of the whole cluster.
    pub(in crate::commands) ceiling: Ceiling,
    /// The stage.
    pub(in crate::commands) stage: String,
    /// Whether the caller is the platform's, who sees every connector.
    pub(in crate::commands) sees_all: bool,
    /// Where it is written down what was done to connectors.
    pub(in crate::commands) journal: PathBuf,
    /// Where connectors are saved before they are changed or removed.
    pub(in crate::commands) saved: PathBuf,
    /// The ways to logs and metrics.
    pub(in crate::commands) observers: Observers,
}

impl DepartmentSession {
    /// Opens from the profile that is named, else from the platform's files and `--department`.
    pub(in crate::commands) fn open(ctx: &Ctx) -> Result<Self, Error> {
        let folders = Folders::discover()?;
        let loaded = profile(ctx, &folders)?;
        let folder = sandbox_folder(ctx, &folders, loaded.as_ref());
        match loaded {
            Some(loaded) => Self::of_profile(ctx, &folders, &loaded, folder.as_deref()),
            None => Self::of_platform(ctx, &folders, folder.as_deref()),
        }
    }

    fn of_profile(ctx: &Ctx, folders: &Folders, loaded: &LoadedProfile, folder: Option<&Path>) -> Result<Self, Error> {
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
        let way = match folder {
            // The platform's files matter only to a sandbox that is still to be made.
            Some(folder) => match Way::served(ctx, folder, loaded) {
                Some(way) => way,
                None => Way::sandbox(ctx, folder, &workspace(true)?.workspace, Some(loaded))?,
            },
            None => Way::service(ctx, Some(loaded))?,
        };
        let place = Place {
            environment: ctx
                .globals
                .environment
                .clone()
                .unwrap_or_else(|| facts.environment.clone()),
            cluster: ctx.globals.cluster.clone().unwrap_or_else(|| facts.cluster.clone()),
        };
        let tenant = Tenant {
            code: facts.department.clone(),
            prefix: facts.prefix.clone(),
            quota: facts.quota.clone(),
            persona: Some(facts.persona.clone()),
            runtime: facts.runtime.clone(),
            runtime_account: loaded.profile.runtime_account.clone(),
            secret_variables: loaded.profile.secret_variables.clone(),
            lint_exceptions: facts.lint_exceptions.clone(),
            issued: Some(loaded.profile.issued),
        };
        // What the cluster may run is the service's constant; a profile does not repeat it.
        let ceiling = Ceiling {
            tasks: TASK_CEILING,
            reserve_percent: RESERVE_PERCENT,
        };
        let mut kept = Kept::of(folders, folder, &place);
        kept.organization = Some(facts.organization.clone());
        Self::with(ctx, way, place, Some(tenant), ceiling, facts.stage.clone(), false, kept)
    }

    fn of_platform(ctx: &Ctx, folders: &Folders, folder: Option<&Path>) -> Result<Self, Error> {
        let (workspace, warnings) = workspace(folder.is_some())
            .hint("A department names its profile with `--profile FILE`.")?
            .into_result()
            .map_err(|findings| Error::findings("the platform's files hold mistakes", findings))?;
        for warning in &warnings {
            ctx.ui.warn(&warning.message);
        }
        let (stage_name, stage) = stage(ctx, &workspace, None)?;
        let mut tenant = match department(ctx) {
            Some(code) => Some(tenant_of(&workspace, &stage_name, &code)?),
            None => None,
        };
        let way = match folder {
            Some(folder) => Way::sandbox(ctx, folder, &workspace, None)?,
            None => Way::service(ctx, None)?,
        };
        if let (Some(folder), Some(tenant)) = (folder, &mut tenant) {
            // A persona may not look accounts up; the sandbox itself knows.
            let runtime = tenant.runtime.clone().unwrap_or_default();
            let accounts = open_sandbox(folder, &workspace)?.accounts()?;
            tenant.runtime_account = accounts
                .into_iter()
                .find(|account| account.display_name == runtime)
                .map(|account| account.id);
        }
        let place = Place {
            environment: stage.environment.clone(),
            cluster: stage.cluster.clone(),
        };
        let ceiling = Ceiling {
            tasks: stage.task_ceiling,
            reserve_percent: stage.reserve_percent,
        };
        let persona = ctx.globals.sandbox_as.as_deref().and_then(|who| who.split_once('/'));
        if let (Some(tenant), Some((_, persona))) = (&mut tenant, persona) {
            tenant.persona = Some(persona.to_owned());
        }
        let sees_all = persona.is_none();
        let mut kept = Kept::of(folders, folder, &place);
        kept.organization.clone_from(&workspace.platform.organization);
        Self::with(ctx, way, place, tenant, ceiling, stage_name, sees_all, kept)
    }

    #[expect(clippy::too_many_arguments, reason = "a session is made of many things")]
    fn with(
        ctx: &Ctx,
        way: Way,
        place: Place,
        tenant: Option<Tenant>,
        ceiling: Ceiling,
        stage: String,
        sees_all: bool,
        kept: Kept,
    ) -> Result<Self, Error> {
        if let (1.., Some(source)) = (ctx.globals.verbosity(), way.auth.source()) {
            ctx.ui.note(&format!("Credentials from {source}."));
        }
        let key = way.auth.key().and_then(|key| key.parse().ok());
        let (journal, saved) = (kept.journal.clone(), kept.saved.clone());
        let base: BaseUrl = way.base.parse().context("the endpoint cannot be used")?;
        let ui = ctx.ui.clone();
        let on_retry = move |notice: &RetryNotice| {
            ui.note(&format!(
                "Waiting {} s to {}: {}",
                notice.wait.as_secs(),
                notice.call,
                notice.reason
            ));
        };
        let on_retry: OnRetry = Arc::new(on_retry);
        let wire = ctx.globals.unsafe_trace.then(|| Arc::new(WireTrace::stderr()));
        let observers = Observers::new(&way, kept, &place, on_retry.clone(), wire.clone());
        let mut builder = Client::builder(base, way.transport, way.auth, way.clock.clone()).on_retry(on_retry);
        if let Some(wire) = wire {
            builder = builder.wire_trace(wire);
        }
        Ok(Self {
            tenant,
            connectors: Connectors {
                client: builder.build(),
                place,
                clock: way.clock,
            },
            key,
            ceiling,
            stage,
            sees_all,
            journal,
            saved,
            observers,
        })
    }

    /// The department that is acted for.
    pub(in crate::commands) fn tenant(&self) -> Result<&Tenant, Error> {
        self.tenant.as_ref().ok_or_else(|| {
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
    pub(in crate::commands) async fn runtime_account(&self) -> Result<Option<ServiceAccountId>, Error> {
        let tenant = self.tenant()?;
        if tenant.runtime_account.is_some() {
            return Ok(tenant.runtime_account.clone());
        }
        let Some(name) = &tenant.runtime else { return Ok(None) };
        let request = ListServiceAccounts {
            display_names: vec![name.clone()],
        };
        let accounts = self.connectors.client.list(request).await?;
        let found = accounts.into_iter().find(|account| account.display_name == *name);
        Ok(found.map(|account| account.id))
    }
}

/// Where a session keeps things, and what it knows beforehand.
pub(super) struct Kept {
    journal: PathBuf,
    saved: PathBuf,
    /// Limits that processes share, and log lines.
    pub(super) observed: PathBuf,
    /// The organization, where a file says which.
    pub(super) organization: Option<OrganizationId>,
}

impl Kept {
    /// In the state folder; for a sandbox beside its state, so that a rehearsal never mixes with what it rehearses.
    fn of(folders: &Folders, sandbox: Option<&Path>, place: &Place) -> Self {
        let (journal, saved, observed) = match sandbox {
            Some(folder) => (folder.join("runs"), folder.join("saved"), folder.join("observed")),
            None => (folders.journal(), folders.saved(), folders.observed()),
        };
        Self {
            journal: connector_journal(&journal, place),
            saved,
            observed,
            organization: None,
        }
    }
}

/// The department that the flags name.
fn department(ctx: &Ctx) -> Option<DepartmentCode> {
    let stand_in = || ctx.globals.sandbox_as.as_deref()?.split_once('/')?.0.parse().ok();
    ctx.globals.department.clone().or_else(stand_in)
}

fn tenant_of(workspace: &Workspace, stage: &str, code: &DepartmentCode) -> Result<Tenant, Error> {
    let Some(department) = workspace.department(code) else {
        let known: Vec<&str> = workspace.departments().map(|known| known.code.as_str()).collect();
        let error = Error::failed(format!("there is no department \"{code}\" in {}", workspace.origin));
        return Err(match crate::hint::nearest(code.as_str(), known) {
            Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
            None => error.with_hint("List departments with `confluent ebs department list`."),
        });
    };
    let runtime = workspace.template(&department.template).and_then(runtime_persona);
    Ok(Tenant {
        code: code.clone(),
        prefix: department.prefix.clone(),
        quota: department.quota.clone(),
        persona: None,
        runtime: runtime.map(|persona| account_name(stage, code, &persona.name)),
        runtime_account: None,
        secret_variables: Vec::new(),
        lint_exceptions: department.lint_exceptions.clone(),
        issued: None,
    })
}
