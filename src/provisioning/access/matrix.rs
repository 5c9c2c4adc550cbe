//! Allowed operations of personas.

use serde::Serialize;

use super::{AccessContext, AccessSource, principal::unknown_department_error};
use crate::{
    access::{
        AccessModel, Operation, Uncertainty,
        matrix::{AccessExtent, AccessMatrix, Right},
    },
    error::Error,
    model::{AclBinding, DepartmentCode, ResourceKind},
};

/// Allowed operation of a persona.
#[derive(Debug, Serialize)]
pub struct MatrixRow {
    /// Code of the department: the name of its file without `.toml`.
    pub department: DepartmentCode,
    /// Template of the department.
    pub template: Option<String>,
    /// Name of the persona in the template, such as `operator`.
    pub persona: String,
    /// Kind of the resource, such as a topic or a connector.
    pub kind: ResourceKind,
    /// Operation on the resource, such as reading or deleting it.
    pub operation: Operation,
    /// Names on which the operation is allowed.
    pub extent: AccessExtent,
    /// Role, for a role binding.
    pub role_name: Option<String>,
    /// ACL, for an ACL.
    pub acl: Option<AclBinding>,
    /// Resource of the grant.
    pub on: String,
    /// Role or ACL in tables.
    #[serde(skip)]
    pub label: String,
}

/// Allowed operations of the personas of departments.
#[derive(Debug, Serialize)]
pub struct MatrixOutcome {
    /// One row for each operation that a grant allows a persona on one kind of resource.
    pub rights: Vec<MatrixRow>,
    /// Reasons why the matrix may be incomplete.
    pub uncertainties: Vec<Uncertainty>,
    /// Source of the answer.
    pub source: AccessSource,
    /// Matrix of each department.
    #[serde(skip)]
    pub matrices: Vec<AccessMatrix>,
    /// Whether all service accounts are visible.
    #[serde(skip)]
    pub is_account_list_complete: bool,
}

/// Returns the allowed operations of the personas of a department, or of all departments.
///
/// # Errors
/// The department is unknown or retired.
pub fn access_matrix(context: AccessContext, department: Option<&DepartmentCode>) -> Result<MatrixOutcome, Error> {
    let model = &context.model;
    let matrices = match department {
        Some(code) => vec![
            model
                .matrix(code)
                .ok_or_else(|| unknown_department_error(&context, code))?,
        ],
        None => model.matrices(),
    };
    Ok(MatrixOutcome {
        rights: matrices.iter().flat_map(|matrix| matrix_rows(model, matrix)).collect(),
        uncertainties: model.visibility_gaps_anywhere().collect(),
        is_account_list_complete: model.is_account_list_complete(),
        matrices,
        source: context.source,
    })
}

fn matrix_rows(model: &AccessModel, matrix: &AccessMatrix) -> Vec<MatrixRow> {
    let row = |right: &Right| MatrixRow {
        department: matrix.department.clone(),
        template: matrix.template.clone(),
        persona: right.persona.clone(),
        kind: right.kind,
        operation: right.operation,
        extent: right.extent,
        label: right.granted_by.label(),
        role_name: right.granted_by.role_binding().map(|binding| binding.role.to_string()),
        acl: right.granted_by.acl().cloned(),
        on: model.describe_resource(right.granted_by.pattern()),
    };
    matrix.rights.iter().map(row).collect()
}
