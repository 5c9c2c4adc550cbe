//! Errors of changes to connectors, and results besides an error.

use crate::{
    error::{Error, ErrorKind},
    session::DepartmentContext,
};

/// Result of an operation that can succeed in part.
#[derive(Debug)]
pub struct PartialResult<T> {
    /// The completed part; `None` if nothing was done.
    pub value: Option<T>,
    /// Error about the rest.
    pub error: Option<Error>,
}

impl<T> PartialResult<T> {
    /// Converts the completed part.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> PartialResult<U> {
        PartialResult {
            value: self.value.map(convert),
            error: self.error,
        }
    }
}

/// Names the platform team of `department` in the hints of a failed change. A denied change gets a hint about the
/// persona that may create connectors.
pub fn explain_change_error(error: Error, department: Option<&DepartmentContext>) -> Error {
    let Some(department) = department else {
        return error;
    };
    let error = error.for_platform_team(&department.platform_team);
    let Some(persona) = department.persona.as_ref().filter(|_| error.kind == ErrorKind::Denied) else {
        return error;
    };
    error
        .with_hint(format!(
            "You act as persona `{persona}`. In the template `hybrid`, only the persona `deployer`, your pipeline, \
             creates, changes and deletes connectors."
        ))
        .with_hint(format!("Use its profile: `--profile {}-deployer`.", department.code))
}

/// Combines several failures into one error, in the words of the Confluent CLI (docs/reference/cli.md#prompts).
pub fn combine_errors(mut failures: Vec<Error>, some: bool) -> Option<Error> {
    let kind = match (failures.len(), some) {
        (0, _) => return None,
        (_, true) => ErrorKind::Partial,
        (_, false) => failures[0].kind,
    };
    if failures.len() == 1 {
        return failures.pop().map(|error| error.with_kind(kind));
    }
    let lines: Vec<String> = failures.iter().map(|error| format!("* {error}")).collect();
    let error = Error::new(kind, format!("{} errors occurred: {}", lines.len(), lines.join("; ")));
    let hints = failures.into_iter().flat_map(|failure| failure.hints);
    Some(hints.fold(error, Error::with_hint))
}
