//! Questions about operations on resources.

use serde::Serialize;

use super::{
    AccessContext,
    principal::{find_persona, find_principal},
};
use crate::{
    access::{
        AccessModel, Operation,
        query::{self, QueryError, ResourceQuery},
    },
    error::Error,
    model::{CrnPattern, NamePattern, ResourceKind},
};

/// Question about an operation on a resource.
#[derive(Clone, Debug, Serialize)]
pub struct AccessQuestion {
    /// Operation on the resource, such as reading or deleting it.
    pub operation: Operation,
    /// Kind of the resource, such as a topic or a connector.
    pub kind: ResourceKind,
    /// Resource name, or a prefix and `*`.
    pub name: String,
    /// CRN pattern of the resource.
    pub crn_pattern: CrnPattern,
    /// Operation as the user wrote it.
    #[serde(skip)]
    written_operation: String,
}

impl AccessQuestion {
    /// Parses a question: an operation, and a resource as a kind and an optional name.
    ///
    /// # Errors
    /// A word is unknown, or the stage does not contain the resource.
    pub fn parse(context: &AccessContext, operation: &str, resource: &str) -> Result<Self, Error> {
        let resource = query::parse_resource(resource).map_err(question_error)?;
        let written = operation.to_owned();
        let operation = query::parse_operation(operation, resource.kind).map_err(question_error)?;
        let pattern = resource_pattern(context, operation, &resource)?;
        Ok(Self {
            written_operation: written,
            operation,
            kind: resource.kind,
            name: pattern.name().to_string(),
            crn_pattern: pattern,
        })
    }

    /// Describes the question, such as `pause (lifecycle) connector claims-orders`, with the names of accounts.
    #[must_use]
    pub fn describe(&self, model: &AccessModel) -> String {
        let resource = model.describe_resource(&self.crn_pattern);
        let operation = self.operation.as_str();
        if self.written_operation == operation {
            format!("{operation} {resource}")
        } else {
            format!("{} ({operation}) {resource}", self.written_operation)
        }
    }
}

fn question_error(error: QueryError) -> Error {
    Error::usage(error.message).with_hint(error.fix)
}

fn resource_pattern(
    context: &AccessContext,
    operation: Operation,
    resource: &ResourceQuery,
) -> Result<CrnPattern, Error> {
    let model = &context.model;
    let kind = resource.kind;
    let all = || NamePattern::Prefixed(String::new());
    let name = match (&resource.name, kind) {
        (Some(name), ResourceKind::ServiceAccount) => account_pattern(context, operation, name)?,
        (Some(name), _) => name.clone(),
        (None, _) => all(),
    };
    let pattern = model.address.pattern(kind, name.clone()).ok_or_else(|| {
        Error::failed(format!(
            "stage `{}` has no Schema Registry, so it has no subjects",
            model.stage
        ))
    })?;
    // A stage has one organization, environment and cluster.
    if let Some(scope) = pattern
        .literal()
        .filter(|_| resource.name.is_some() && !name.matches(pattern.name().stem()))
    {
        let message = format!(
            "stage `{}` is in {} `{}`, not in `{name}`",
            model.stage,
            kind.display_name(),
            scope.name()
        );
        return Err(Error::usage(message).with_hint(format!("Write `{}` without a name.", kind.display_name())));
    }
    Ok(pattern)
}

/// Finds a service account by id, by name, or by department and persona.
fn account_pattern(context: &AccessContext, operation: Operation, name: &NamePattern) -> Result<NamePattern, Error> {
    let written = match name {
        NamePattern::Prefixed(begin) if begin.is_empty() => return Ok(name.clone()),
        NamePattern::Prefixed(_) => {
            return Err(Error::usage("a service account needs a name or an id, not a prefix")
                .with_hint("Write `service-account/NAME`, or `service-account` for all service accounts."));
        }
        NamePattern::Literal(written) => written,
    };
    if operation == Operation::Create {
        return Err(
            Error::usage("operation `create` does not apply to an existing service account")
                .with_hint("Write `create service-account` to ask which principals may create service accounts."),
        );
    }
    let principal = match written.split_once('/') {
        Some((department, persona)) => {
            let department = department.parse().map_err(|error| Error::usage(format!("{error}")))?;
            find_persona(context, &department, persona)?
        }
        None => find_principal(context, written)?,
    };
    Ok(NamePattern::Literal(principal.id().to_owned()))
}
