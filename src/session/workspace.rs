//! The platform files without errors, and the errors for an unknown department or stage.

use super::{
    RunContext,
    profiles::{imported_profiles, selected_profile},
};
use crate::{
    diag::Finding,
    error::Error,
    hint::closest_match,
    manifest::{LoadedWorkspace, Workspace, WorkspaceOrigin},
    model::DepartmentCode,
    text::join_code,
};

/// Loads the platform files of `CONFLUENT_EBS_PLATFORM`, or of the current directory and its parents. `None` if
/// there is none.
///
/// # Errors
/// The variable names a folder without `ebs.toml`.
pub fn find_workspace(run: &RunContext) -> Result<Option<LoadedWorkspace>, Error> {
    let folder = Workspace::find(run.environment.working_dir()?, run.platform_dir().as_deref())?;
    Ok(folder.map(|folder| Workspace::load(&folder)))
}

/// Loads the platform files; the sandbox falls back to the built-in example.
///
/// # Errors
/// There are no platform files.
pub fn load_workspace(run: &RunContext, sandbox: bool) -> Result<LoadedWorkspace, Error> {
    match find_workspace(run)? {
        Some(loaded) => Ok(loaded),
        None if sandbox => Ok(Workspace::embedded()),
        None => {
            let (is_selected, is_imported) = match &run.environment.dirs {
                Ok(dirs) => (
                    selected_profile(run, dirs).is_some(),
                    !imported_profiles(dirs).is_empty(),
                ),
                Err(_) => (false, false),
            };
            let error = Error::failed("no `ebs.toml` in the current directory or a parent");
            // A department has a profile, and nothing to create.
            let error = if is_selected {
                error.with_hint("Only the platform team has this file. Your profile is for `confluent ebs connector` and `confluent ebs status`.")
            } else if is_imported {
                error.with_hint(
                    "Only the platform team has this file. Select your profile with `confluent ebs profile use NAME`.",
                )
            } else {
                error.with_hint("Create it with `confluent ebs init`.")
            };
            Err(error.with_hint("Use the built-in example of 24 departments with `--sandbox`."))
        }
    }
}

/// Loads the platform files and returns it with its warnings.
///
/// # Errors
/// The configuration is missing or has errors.
pub fn load_valid_workspace(run: &RunContext, sandbox: bool) -> Result<(Workspace, Vec<Finding>), Error> {
    check_workspace(load_workspace(run, sandbox)?)
}

/// Reports the warnings of the platform files with `-v`: before every command, they would not be read.
/// `department validate`, `onboard` and `doctor` always show them.
pub fn report_warnings(run: &RunContext, warnings: &[Finding]) {
    let shown = warnings.iter().filter(|_| run.options.verbosity > 0);
    shown.for_each(|warning| run.warn(&warning.message));
}

/// Returns loaded platform files with their warnings.
///
/// # Errors
/// The configuration has errors.
pub fn check_workspace(loaded: LoadedWorkspace) -> Result<(Workspace, Vec<Finding>), Error> {
    loaded
        .into_result()
        .map_err(|findings| Error::findings("invalid platform files", findings))
}

/// Returns the error for a department that has no file.
#[must_use]
pub fn unknown_department_error(workspace: &Workspace, code: &DepartmentCode) -> Error {
    let known = workspace.departments().map(|department| department.code.as_str());
    let error = Error::failed(format!("no department `{code}` in {}", workspace.origin));
    match closest_match(code.as_str(), known) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        // The built-in example exists only in the sandbox.
        None if matches!(workspace.origin, WorkspaceOrigin::Embedded) => {
            error.with_hint("List departments with `confluent ebs department list --sandbox`.")
        }
        None => error.with_hint("List departments with `confluent ebs department list`."),
    }
}

/// Returns the error for a stage that the platform does not have. `named` is the selected stage, or `None` if the
/// default stage is missing.
#[must_use]
pub fn unknown_stage_error(workspace: &Workspace, named: Option<&str>) -> Error {
    let known: Vec<&str> = workspace.platform.stages.keys().map(String::as_str).collect();
    let named = named.unwrap_or(&workspace.platform.default_stage);
    let error = Error::usage(format!("no stage `{named}` in {}", workspace.origin));
    match closest_match(named, known.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(format!("Known stages: {}.", join_code(&known))),
    }
}
