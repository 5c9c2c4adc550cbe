//! Selection of departments by their codes.

use std::collections::BTreeSet;

use crate::{
    error::Error,
    model::{Department, DepartmentCode},
    session::{PlatformSession, unknown_department_error},
};

/// Departments that a run changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DepartmentSelection {
    /// All departments that are not retired.
    AllActive,
    /// The departments with these codes.
    Codes(Vec<DepartmentCode>),
}

impl DepartmentSelection {
    /// Returns the selected departments.
    ///
    /// # Errors
    /// A department is unknown or retired.
    pub fn find(&self, session: &PlatformSession) -> Result<Vec<Department>, Error> {
        match self {
            Self::AllActive => Ok(session.workspace.active_departments().cloned().collect()),
            Self::Codes(codes) => find_active_departments(session, codes),
        }
    }
}

/// Finds the departments with these codes.
///
/// # Errors
/// A department is unknown or retired.
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
