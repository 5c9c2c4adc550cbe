//! The platform configuration without errors, and the errors for an unknown department or stage.

use super::{RunContext, load_workspace};
use crate::{
    diag::Finding,
    error::Error,
    hint::closest_match,
    manifest::{LoadedWorkspace, Workspace, WorkspaceOrigin},
    model::DepartmentCode,
    text::join_code,
};

/// Loads the platform configuration and returns it with its warnings.
///
/// # Errors
/// The configuration is missing or has errors.
pub fn load_valid_workspace(run: &RunContext, sandbox: bool) -> Result<(Workspace, Vec<Finding>), Error> {
    check_workspace(load_workspace(run, sandbox)?)
}

/// Returns a loaded platform configuration with its warnings.
///
/// # Errors
/// The configuration has errors.
pub fn check_workspace(loaded: LoadedWorkspace) -> Result<(Workspace, Vec<Finding>), Error> {
    loaded
        .into_result()
        .map_err(|findings| Error::findings("invalid platform configuration", findings))
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
