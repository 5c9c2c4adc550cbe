//! What a session would be made of, each part by itself: where a command gives up, this goes on without the part.

use std::{borrow::Cow, path::PathBuf};

use crate::{
    commands::Ctx,
    config::{LoadedProfile, Profile, StandardDirs, dirs::NoHomeDir},
    diag::{Finding, has_errors},
    error::Error,
    manifest::{LoadedWorkspace, Stage, Workspace},
    model::{DepartmentCode, Prefix, ownership::account_name},
    session,
};

/// Everything that can be known without asking anybody.
pub(super) struct DoctorEnvironment {
    /// Where things are kept.
    pub(super) folders: Result<StandardDirs, NoHomeDir>,
    /// Which profile is meant, and who says so.
    pub(super) selected_profile: Option<(String, &'static str)>,
    /// What was read of it, or what is wrong with it.
    pub(super) profile: Option<Result<LoadedProfile, Vec<Finding>>>,
    /// The folder of the sandbox that is acted on; nothing for the real service.
    pub(super) sandbox: Option<PathBuf>,
    /// The platform's files, or why they cannot be found.
    pub(super) platform: Result<Option<LoadedWorkspace>, String>,
    /// The stage, when the platform's files say it and no profile does.
    pub(super) stage: Option<(String, Stage)>,
    /// Environment variables that are text.
    pub(super) variables: Vec<(String, String)>,
}

/// The department that is acted for.
pub(super) struct ActingDepartment {
    /// Its code.
    pub(super) code: DepartmentCode,
    /// Its names.
    pub(super) prefix: Prefix,
    /// The name of the account that should be acting.
    pub(super) account_name: String,
}

impl DoctorEnvironment {
    /// Looks around. Only a mistake in the flags is an error.
    pub(super) fn discover(ctx: &Ctx) -> Result<Self, Error> {
        let folders = ctx.run.environment.dirs.clone();
        let named = folders
            .as_ref()
            .ok()
            .and_then(|folders| session::selected_profile(&ctx.run, folders));
        let trusted: Vec<String> = ctx.run.options.trusted_hosts.clone();
        let profile = folders
            .as_ref()
            .ok()
            .zip(named.as_ref())
            .map(|(folders, (named, _))| Profile::load(&folders.profile(named), &trusted));
        let loaded = profile.as_ref().and_then(|profile| profile.as_ref().ok());
        let sandbox = folders
            .as_ref()
            .ok()
            .and_then(|folders| session::resolve_sandbox_folder(&ctx.run, folders, loaded));
        let here = ctx.run.environment.working_dir()?;
        let platform = match Workspace::find(here, ctx.run.platform_dir().as_deref()) {
            Ok(Some(folder)) => Ok(Some(Workspace::load(&folder))),
            Ok(None) if sandbox.is_some() && loaded.is_none() => Ok(Some(Workspace::embedded())),
            Ok(None) => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        let stage = match (&platform, &profile) {
            (Ok(Some(platform)), None) => match session::resolve_stage(&ctx.run, &platform.workspace, None) {
                Ok(stage) => Some(stage),
                // Files with mistakes may have lost it.
                Err(_) if has_errors(&platform.findings) => None,
                Err(error) => return Err(error),
            },
            _ => None,
        };
        let variables = ctx.run.environment.variables.clone().into_iter().collect();
        Ok(Self {
            folders,
            selected_profile: named,
            profile,
            sandbox,
            platform,
            stage,
            variables,
        })
    }

    /// The profile, when it can be used.
    pub(super) fn valid_profile(&self) -> Option<&LoadedProfile> {
        self.profile.as_ref()?.as_ref().ok()
    }

    /// The platform, when its files hold no mistake.
    pub(super) fn valid_workspace(&self) -> Option<&Workspace> {
        let platform = self.platform.as_ref().ok()?.as_ref()?;
        (!has_errors(&platform.findings)).then_some(&platform.workspace)
    }

    /// The platform that a sandbox is seeded with: these files matter only to one that is still to be made.
    pub(super) fn sandbox_workspace(&self) -> Option<Cow<'_, Workspace>> {
        match (self.valid_workspace(), &self.platform) {
            (Some(workspace), _) => Some(Cow::Borrowed(workspace)),
            (None, Ok(None)) => Some(Cow::Owned(Workspace::embedded().workspace)),
            (None, _) => None,
        }
    }

    /// The department that the profile, or `--sandbox-as`, acts for.
    pub(super) fn department(&self, ctx: &Ctx) -> Option<ActingDepartment> {
        if let Some(loaded) = self.valid_profile() {
            let facts = &loaded.profile.facts;
            return Some(ActingDepartment {
                code: facts.department.clone(),
                prefix: facts.prefix.clone(),
                account_name: account_name(&facts.stage, &facts.department, &facts.persona),
            });
        }
        let (code, persona) = ctx.run.options.sandbox_as.as_deref()?.split_once('/')?;
        let department = self.valid_workspace()?.department(&code.parse().ok()?)?;
        let (stage, _) = self.stage.as_ref()?;
        Some(ActingDepartment {
            code: department.code.clone(),
            prefix: department.prefix.clone(),
            account_name: account_name(stage, &department.code, persona),
        })
    }
}
