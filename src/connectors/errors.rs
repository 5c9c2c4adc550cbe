//! Errors of changes to connectors.

use crate::{
    error::{Error, ErrorKind},
    session::DepartmentContext,
};

/// Adds a hint about the persona that may create connectors to a denied request.
pub fn explain_denied(error: Error, department: &DepartmentContext) -> Error {
    if error.kind != ErrorKind::Denied {
        return error;
    }
    match &department.persona {
        Some(persona) => error
            .with_hint(format!(
                "You act as persona `{persona}`. In the template `hybrid`, only the persona `deployer`, your pipeline, \
                 creates, changes and deletes connectors."
            ))
            .with_hint(format!("Use its profile: `--profile {}-deployer`.", department.code)),
        None => error,
    }
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
    let mut error = Error::new(kind, format!("{} errors occurred: {}", lines.len(), lines.join("; ")));
    for hint in failures.into_iter().flat_map(|failure| failure.hints) {
        if !error.hints.contains(&hint) {
            error.hints.push(hint);
        }
    }
    Some(error)
}
