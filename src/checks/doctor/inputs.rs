//! Inputs of a session, each one optional: unlike a command, `doctor` continues without the missing parts.

use std::borrow::Cow;

use crate::{
    config::{LoadedProfile, Profile},
    diag::{Finding, has_errors},
    error::Error,
    manifest::{LoadedWorkspace, Stage, Workspace},
    model::{DepartmentCode, PlatformTeam, Prefix, ownership::account_name},
    session::{Options, RunContext, Settings, find_workspace, selected_profile},
};

/// Settings and files of the run, collected without network access.
pub struct DoctorInputs {
    /// Settings, as other commands resolve them.
    pub settings: Settings,
    /// Options of commands that the platform team should run.
    pub platform_options: Options,
    /// Loaded profile, or the findings that make it unusable.
    pub profile: Option<Result<LoadedProfile, Vec<Finding>>>,
    /// Platform configuration, or why it cannot be found.
    pub platform: Result<Option<LoadedWorkspace>, String>,
    /// Stage, if the platform configuration selects it instead of a profile.
    pub stage: Option<(String, Stage)>,
}

/// Department that the run acts for.
pub(super) struct ActingDepartment {
    /// Code of the department.
    pub(super) code: DepartmentCode,
    /// Prefix of its names.
    pub(super) prefix: Prefix,
    /// Name of the account that should be acting.
    pub(super) account_name: String,
    /// Platform team.
    pub(super) platform_team: PlatformTeam,
}

impl DoctorInputs {
    /// Collects the inputs.
    ///
    /// # Errors
    /// A flag selects an unknown stage, or there is no current directory.
    pub fn collect(run: &RunContext) -> Result<Self, Error> {
        run.environment.working_dir()?;
        let dirs = run.environment.dirs.as_ref().ok();
        let profile = dirs.and_then(|dirs| {
            let named = selected_profile(run, dirs)?.value;
            let loaded = Profile::load(&dirs.profile(&named), &run.options.trusted_hosts);
            if let Ok(loaded) = &loaded {
                loaded.register_secrets(&run.environment.secrets);
            }
            Some(loaded)
        });
        let loaded = profile.as_ref().and_then(|profile| profile.as_ref().ok());
        let is_sandbox = Settings::resolve(run, loaded, None).sandbox_dir().is_some();
        let platform = match find_workspace(run) {
            Ok(None) if is_sandbox && loaded.is_none() => Ok(Some(Workspace::embedded())),
            found => found.map_err(|error| error.to_string()),
        };
        let workspace = platform.as_ref().ok().and_then(Option::as_ref);
        let settings = Settings::resolve(run, loaded, workspace.map(|platform| &platform.workspace));
        let stage = match (workspace, &profile) {
            (Some(platform), None) => match settings.platform_stage(&platform.workspace) {
                Ok(stage) => Some(stage),
                // Invalid files may lack the stage.
                Err(_) if has_errors(&platform.findings) => None,
                Err(error) => return Err(error),
            },
            _ => None,
        };
        Ok(Self {
            platform_options: settings.to_platform_options(),
            settings,
            profile,
            platform,
            stage,
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
    pub(super) fn department(&self, run: &RunContext) -> Option<ActingDepartment> {
        if let Some(loaded) = self.valid_profile() {
            let facts = &loaded.profile.facts;
            return Some(ActingDepartment {
                code: facts.department.clone(),
                prefix: facts.prefix.clone(),
                account_name: account_name(&facts.stage, &facts.department, &facts.persona),
                platform_team: facts.platform_team.clone(),
            });
        }
        let (code, persona) = run.options.impersonated_persona()?;
        let department = self.valid_workspace()?.department(&code.parse().ok()?)?;
        let (stage, _) = self.stage.as_ref()?;
        Some(ActingDepartment {
            code: department.code.clone(),
            prefix: department.prefix.clone(),
            account_name: account_name(stage, &department.code, persona),
            platform_team: self.valid_workspace()?.platform.team.clone(),
        })
    }
}
