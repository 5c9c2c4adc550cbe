//! Inputs of a session, each one optional: unlike a command, `doctor` continues without the missing parts.

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

/// Local facts, collected without network access.
pub(super) struct DoctorEnvironment {
    /// State and profile directories.
    pub(super) folders: Result<StandardDirs, NoHomeDir>,
    /// Selected profile, and what selected it.
    pub(super) selected_profile: Option<(String, &'static str)>,
    /// Loaded profile, or the findings that make it unusable.
    pub(super) profile: Option<Result<LoadedProfile, Vec<Finding>>>,
    /// Directory of the sandbox; `None` for Confluent Cloud.
    pub(super) sandbox: Option<PathBuf>,
    /// Platform configuration, or why it cannot be found.
    pub(super) platform: Result<Option<LoadedWorkspace>, String>,
    /// Stage, if the platform configuration selects it instead of a profile.
    pub(super) stage: Option<(String, Stage)>,
    /// Environment variables that are valid text.
    pub(super) variables: Vec<(String, String)>,
}

/// Department that the run acts for.
pub(super) struct ActingDepartment {
    /// Code of the department.
    pub(super) code: DepartmentCode,
    /// Prefix of its names.
    pub(super) prefix: Prefix,
    /// Name of the account that should be acting.
    pub(super) account_name: String,
}

impl DoctorEnvironment {
    /// Collects the local facts. Fails only on invalid flags.
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
                // Invalid files may lack the stage.
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

    /// Returns the profile, if it is valid.
    pub(super) fn valid_profile(&self) -> Option<&LoadedProfile> {
        self.profile.as_ref()?.as_ref().ok()
    }

    /// Returns the platform configuration, if it is valid.
    pub(super) fn valid_workspace(&self) -> Option<&Workspace> {
        let platform = self.platform.as_ref().ok()?.as_ref()?;
        (!has_errors(&platform.findings)).then_some(&platform.workspace)
    }

    /// Returns the platform configuration that seeds a sandbox; it only matters for a sandbox that does not exist yet.
    pub(super) fn sandbox_workspace(&self) -> Option<Cow<'_, Workspace>> {
        match (self.valid_workspace(), &self.platform) {
            (Some(workspace), _) => Some(Cow::Borrowed(workspace)),
            (None, Ok(None)) => Some(Cow::Owned(Workspace::embedded().workspace)),
            (None, _) => None,
        }
    }

    /// Returns the department that the profile or `--sandbox-as` selects.
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
