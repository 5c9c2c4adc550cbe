//! Parsing of access questions into principals and CRN patterns, and the views that answers share.

use serde::Serialize;

use super::source::{AccessContext, Caller};
use crate::{
    access::{
        AccessGrant, AccessModel, GrantOrigin, Operation, Uncertainty,
        access_model::PLANNED_ID_PREFIX,
        query::{self, QueryError, ResourceQuery},
    },
    commands::Ctx,
    error::Error,
    hint,
    model::{AclBinding, CrnPattern, DepartmentCode, NamePattern, Principal, ResourceKind},
    render::{Cell, Style, TextLine},
    session,
};

/// Question about an operation on a resource.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AccessQuestion {
    /// Operation.
    pub(super) operation: Operation,
    /// Resource kind.
    pub(super) kind: ResourceKind,
    /// Resource name, or a prefix and `*`.
    pub(super) name: String,
    /// CRN pattern of the resource.
    pub(super) crn_pattern: CrnPattern,
    /// Operation as the user wrote it.
    #[serde(skip)]
    written_operation: String,
}

impl AccessQuestion {
    /// Parses the arguments of a question.
    pub(super) fn parse(context: &AccessContext, operation: &str, resource: &str) -> Result<Self, Error> {
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
    pub(super) fn describe(&self, model: &AccessModel) -> String {
        let resource = format_resource(model, &self.crn_pattern);
        let operation = self.operation.as_str();
        if self.written_operation == operation {
            format!("{operation} {resource}")
        } else {
            format!("{} ({operation}) {resource}", self.written_operation)
        }
    }
}

/// Formats a resource, such as `connector claims-*`. A service account gets its name and id.
pub(super) fn format_resource(model: &AccessModel, pattern: &CrnPattern) -> String {
    match pattern.name() {
        NamePattern::Literal(id) if pattern.kind() == ResourceKind::ServiceAccount => {
            format!("service-account {}", model.display_name(&Principal::from_id(id)))
        }
        // A stage has one organization, whose id is long.
        _ if pattern.kind() == ResourceKind::Organization => "organization".to_owned(),
        _ => pattern.to_short_string(),
    }
}

/// Returns the label of a grant, such as `ConnectManager` or `ACL ALLOW WRITE`.
pub(super) fn grant_label(grant: &AccessGrant) -> String {
    match grant {
        AccessGrant::Role(binding) => binding.role.to_string(),
        AccessGrant::Acl(acl) => format!("ACL {} {}", acl.acl.permission, acl.acl.operation),
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

/// Finds a principal by id or by the name of its service account.
fn find_principal(context: &AccessContext, written: &str) -> Result<Principal, Error> {
    let model = &context.model;
    if let Some((principal, _)) = model.display_names.iter().find(|(_, name)| *name == written) {
        return Ok(principal.clone());
    }
    let id = written.strip_prefix("User:").unwrap_or(written);
    let principal = Principal::from_id(id);
    let may_exist = match &principal {
        // The model contains no lists of users, identity pools and group mappings.
        Principal::User(_) => true,
        Principal::Other(_) => id.starts_with("pool-") || id.starts_with("group-"),
        Principal::ServiceAccount(_) => !model.is_account_list_complete(),
    };
    if may_exist || model.display_names.contains_key(&principal) || model.evaluator.has_bindings(&principal) {
        return Ok(principal);
    }
    let error = Error::failed(format!("no service account `{written}` in stage `{}`", model.stage));
    let names = model.display_names.values().map(String::as_str);
    Err(
        match (hint::closest_match(written, names), context.source.is_planned()) {
            (Some(near), _) => error.with_hint(format!("Did you mean `{near}`?")),
            (None, true) => error.with_hint(
                "Write an account name, or a department and a persona. The platform configuration contains no ids.",
            ),
            (None, false) => error.with_hint("Write an id, the name of an account, or a department and a persona."),
        },
    )
}

/// Finds the service account of a persona.
fn find_persona(context: &AccessContext, department: &DepartmentCode, persona: &str) -> Result<Principal, Error> {
    let model = &context.model;
    let Some(member) = model.persona(department, persona) else {
        return Err(unknown_persona_error(context, department, persona));
    };
    let missing = || {
        let who = format!("{department}/{persona}");
        let error = if model.is_account_list_complete() {
            Error::failed(format!(
                "persona `{who}` has no service account: stage `{}` has no `{}`",
                model.stage, member.account
            ))
            .with_hint(format!("Create the account with `confluent ebs onboard {department}`."))
        } else {
            Error::denied(format!(
                "cannot determine the service account of `{who}`: not all accounts are visible"
            ))
        };
        error.with_hint("Pass `--planned` to answer from the platform configuration.")
    };
    member.principal.clone().ok_or_else(missing)
}

fn unknown_persona_error(context: &AccessContext, department: &DepartmentCode, persona: &str) -> Error {
    let members = context.model.personas.iter();
    let personas: Vec<&str> = members
        .filter(|member| member.department == *department)
        .map(|member| member.persona.as_str())
        .collect();
    if personas.is_empty() {
        return unknown_department_error(context, department);
    }
    let error = Error::failed(format!("department `{department}` has no persona `{persona}`"));
    match hint::closest_match(persona, personas.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(format!("Known personas: {}.", crate::text::join_code(&personas))),
    }
}

/// Returns the error for a department that is unknown or retired.
pub(super) fn unknown_department_error(context: &AccessContext, code: &DepartmentCode) -> Error {
    let workspace = &context.workspace;
    if workspace.department(code).is_some() {
        return Error::failed(format!("department `{code}` is retired"));
    }
    session::unknown_department_error(workspace, code)
}

/// Returns the principal that `--as` or `--principal` selects, else the caller.
pub(super) fn resolve_principal(
    ctx: &Ctx,
    context: &AccessContext,
    as_persona: Option<&str>,
    principal: Option<&str>,
) -> Result<Principal, Error> {
    if let Some(written) = principal {
        return find_principal(context, written);
    }
    if let Some(written) = as_persona {
        let parts = written
            .split_once('/')
            .and_then(|(department, persona)| Some((department.parse().ok()?, persona)))
            .or_else(|| Some((ctx.run.options.department.clone()?, written)));
        let Some((department, persona)) = parts else {
            return Err(Error::usage(format!("`{written}` is not a department and a persona"))
                .with_hint("Write both, such as `--as claims/operator`."));
        };
        return find_persona(context, &department, persona);
    }
    match &context.caller {
        Some(Caller::Principal(principal)) => Ok(principal.clone()),
        Some(Caller::Persona(department, persona)) => find_persona(context, department, persona),
        None => Err(Error::usage("no principal specified")
            .with_hint("Pass a persona, such as `--as claims/operator`, or an account with `--principal`.")),
    }
}

/// View of a principal.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PrincipalView {
    /// Id; `None` for a planned account.
    id: Option<String>,
    /// Name of the service account.
    name: Option<String>,
    /// Department.
    department: Option<String>,
    /// Persona.
    persona: Option<String>,
    /// Title in sentences and tables.
    #[serde(skip)]
    pub(super) title: String,
}

impl PrincipalView {
    pub(super) fn new(model: &AccessModel, principal: &Principal) -> Self {
        let member = model.persona_of(principal);
        let id = principal.id();
        Self {
            id: (!id.starts_with(PLANNED_ID_PREFIX)).then(|| id.to_owned()),
            name: model.display_names.get(principal).cloned(),
            department: member.map(|member| member.department.to_string()),
            persona: member.map(|member| member.persona.clone()),
            title: model.persona_title(principal),
        }
    }
}

/// View of a role binding or ACL.
#[derive(Clone, Debug, Serialize)]
pub(super) struct GrantRow {
    /// Principal that holds the grant.
    pub(super) principal: PrincipalView,
    /// Role, for a role binding.
    role_name: Option<String>,
    /// ACL, for an ACL.
    acl: Option<AclBinding>,
    /// CRN pattern of the grant.
    crn_pattern: CrnPattern,
    /// Origin of the grant.
    pub(super) origin: GrantOrigin,
    /// Resource in sentences and tables.
    #[serde(skip)]
    pub(super) resource: String,
    /// Role or ACL in sentences and tables.
    #[serde(skip)]
    label: String,
}

impl GrantRow {
    pub(super) fn new(model: &AccessModel, grant: &AccessGrant) -> Self {
        Self {
            principal: PrincipalView::new(model, grant.principal()),
            label: grant_label(grant),
            role_name: grant.role_binding().map(|binding| binding.role.to_string()),
            acl: grant.acl().cloned(),
            crn_pattern: grant.pattern().clone(),
            origin: model.grant_origin(grant),
            resource: format_resource(model, grant.pattern()),
        }
    }

    /// Describes the grant, such as `ConnectManager on connector claims-*` or `ACL ALLOW WRITE on topic dlq-lcc*`.
    pub(super) fn describe(&self) -> String {
        format!("{} on {}", self.label, self.resource)
    }

    /// Returns the full origin, if a table row shows a short form of it.
    pub(super) fn reason(&self) -> Option<String> {
        let (short, full) = (self.origin.to_short_string(), self.origin.to_string());
        (short != full).then(|| format!("{}: {full}.", self.label))
    }

    /// Whether two grants differ only in the name of the resource.
    pub(super) fn is_similar_to(&self, other: &Self) -> bool {
        let kind = |grant: &Self| grant.crn_pattern.kind();
        self.principal.title == other.principal.title
            && self.label == other.label
            && kind(self) == kind(other)
            && self.origin == other.origin
    }

    /// Returns the cells of a row that represents this grant and `more` similar ones: principal, role, resource,
    /// origin.
    pub(super) fn cells(&self, more: usize) -> [Cell; 4] {
        let resource = match more {
            0 => self.resource.clone(),
            more => format!("{} and {more} more", self.resource),
        };
        [
            Cell::text(&self.principal.title),
            Cell::text(&self.label),
            Cell::Text(resource),
            Cell::Text(self.origin.to_short_string()),
        ]
    }
}

/// Formats uncertainties, one per line.
pub(super) fn uncertainty_lines(uncertainties: &[Uncertainty]) -> impl Iterator<Item = TextLine> {
    uncertainties.iter().map(|uncertainty| {
        TextLine::new()
            .with_styled_text(Style::Warning, format!("  {uncertainty}."))
            .with_hanging_indent(2)
    })
}
