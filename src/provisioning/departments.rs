//! Selection of departments by their codes.

use std::collections::BTreeSet;

use crate::{
    error::Error,
    manifest::WorkspaceOrigin,
    model::{Department, DepartmentCode},
    session::{PlatformSession, unknown_department_error},
    text,
};

/// Departments that a run changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DepartmentSelection {
    /// All departments that are not retired and may be onboarded in the stage.
    AllActive,
    /// The departments with these codes.
    Codes(Vec<DepartmentCode>),
}

impl DepartmentSelection {
    /// Returns the selected departments.
    ///
    /// # Errors
    /// A department is unknown or retired, or may not be onboarded in the stage.
    pub fn find(&self, session: &PlatformSession) -> Result<Vec<Department>, Error> {
        match self {
            Self::AllActive => Ok(session.workspace.departments_in(&session.stage_name).cloned().collect()),
            Self::Codes(codes) => find_active_departments(session, codes),
        }
    }
}

/// Finds the departments with these codes.
///
/// # Errors
/// A department is unknown or retired, or may not be onboarded in the stage.
fn find_active_departments(session: &PlatformSession, codes: &[DepartmentCode]) -> Result<Vec<Department>, Error> {
    let desired: BTreeSet<&DepartmentCode> = codes.iter().collect();
    let found = desired
        .into_iter()
        .map(|code| find_department(session, code))
        .map(|found| match found {
            Ok(department) if department.retired.is_some() => {
                Err(Error::refused(format!("department `{}` is retired", department.code))
                    .with_hint("Add a new department with another prefix: a retired prefix is never assigned again."))
            }
            Ok(department) if !department.is_allowed_in(&session.stage_name) => {
                let allowed: Vec<&str> = department.stages.iter().flatten().map(String::as_str).collect();
                Err(Error::refused(format!(
                    "stage `{}` is not in `stages` of department `{}`, which allows {}",
                    session.stage_name,
                    department.code,
                    text::join_code(&allowed)
                ))
                .with_hint("Select another stage with `--stage`, or add the stage to the department's file."))
            }
            found => found,
        });
    found.collect()
}

/// Finds the department with this code, retired or not.
///
/// # Errors
/// The department is unknown.
pub fn find_department(session: &PlatformSession, code: &DepartmentCode) -> Result<Department, Error> {
    let workspace = &session.workspace;
    let department = workspace.department(code).cloned();
    department.ok_or_else(|| unknown_department_error(workspace, code))
}

/// Finds the department whose access is to be removed, retired or not. Another department is never suggested: a
/// mistyped or missing one must not become the removal of a similar one.
///
/// # Errors
/// The department has no file.
pub fn find_department_to_remove(session: &PlatformSession, code: &DepartmentCode) -> Result<Department, Error> {
    let workspace = &session.workspace;
    workspace.department(code).cloned().ok_or_else(|| {
        let error = Error::failed(format!("no department `{code}` in {}", workspace.origin));
        match workspace.origin {
            WorkspaceOrigin::Folder(_) => error
                .with_hint(format!(
                    "Its file states the prefix and the template of its accounts. Restore it from Git: find the commit \
                     that deleted it with `git log --oneline -- departments/{code}.toml`, and get it back with \
                     `git checkout COMMIT~1 -- departments/{code}.toml`."
                ))
                .with_hint("List accounts of departments without a file with `confluent ebs access audit`."),
            WorkspaceOrigin::Embedded | WorkspaceOrigin::ProfileOnly => {
                error.with_hint("List departments with `confluent ebs department list`.")
            }
        }
    })
}
