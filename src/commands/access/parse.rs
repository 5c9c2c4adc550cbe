//! From the words of a question to principals and CRN patterns, and the parts that answers have in common.

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
};

/// What is asked about.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AccessQuestion {
    /// The operation.
    pub(super) operation: Operation,
    /// The kind of resource.
    pub(super) kind: ResourceKind,
    /// Its name, or the beginning of names and a `*`.
    pub(super) name: String,
    /// All of that.
    pub(super) crn_pattern: CrnPattern,
    /// The operation as it was asked for.
    #[serde(skip)]
    written_operation: String,
}

impl AccessQuestion {
    /// Reads the words.
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

    /// `pause (lifecycle) connector claims-orders`, with the names of accounts.
    pub(super) fn describe(&self, model: &AccessModel) -> String {
        let place = format_resource(model, &self.crn_pattern);
        let word = self.operation.as_str();
        match self.written_operation == word {
            true => format!("{word} {place}"),
            false => format!("{} ({word}) {place}", self.written_operation),
        }
    }
}

/// `connector claims-*`; an account by its name and id.
pub(super) fn format_resource(model: &AccessModel, pattern: &CrnPattern) -> String {
    match pattern.name() {
        NamePattern::Literal(id) if pattern.kind() == ResourceKind::ServiceAccount => {
            format!("service-account {}", model.display_name(&Principal::from_id(id)))
        }
        // There is one, and its id is long.
        _ if pattern.kind() == ResourceKind::Organization => "organization".to_owned(),
        _ => pattern.to_short_string(),
    }
}

/// `ConnectManager`, `ACL ALLOW WRITE`.
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
    let AccessContext { model: scene, .. } = context;
    let kind = resource.kind;
    let all = || NamePattern::Prefixed(String::new());
    let name = match (&resource.name, kind) {
        (Some(name), ResourceKind::ServiceAccount) => account_pattern(context, operation, name)?,
        (Some(name), _) => name.clone(),
        (None, _) => all(),
    };
    let pattern = scene.address.pattern(kind, name.clone()).ok_or_else(|| {
        Error::failed(format!(
            "stage {} has no Schema Registry, so it has no subjects",
            scene.stage
        ))
    })?;
    // There is one organization, environment and cluster per stage.
    if let Some(scope) = pattern
        .literal()
        .filter(|_| resource.name.is_some() && !name.matches(pattern.name().stem()))
    {
        let message = format!(
            "stage {} lies in {} `{}`, not in `{name}`",
            scene.stage,
            kind.display_name(),
            scope.name()
        );
        return Err(Error::usage(message).with_hint(format!("Write `{}` alone.", kind.display_name())));
    }
    Ok(pattern)
}

/// An account by id, by name, or by department and persona.
fn account_pattern(context: &AccessContext, operation: Operation, name: &NamePattern) -> Result<NamePattern, Error> {
    let written = match name {
        NamePattern::Prefixed(begin) if begin.is_empty() => return Ok(name.clone()),
        NamePattern::Prefixed(_) => {
            return Err(
                Error::usage("service accounts are granted on by id, not by the beginning of names")
                    .with_hint("Write `service-account/NAME`, or `service-account` alone for all of them."),
            );
        }
        NamePattern::Literal(written) => written,
    };
    if operation == Operation::Create {
        return Err(Error::usage("an account that is there is not created any more")
            .with_hint("Write `create service-account` to ask who may make new ones."));
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

/// A principal by id or by the name of its account.
fn find_principal(context: &AccessContext, written: &str) -> Result<Principal, Error> {
    let model = &context.model;
    if let Some((principal, _)) = model.display_names.iter().find(|(_, name)| *name == written) {
        return Ok(principal.clone());
    }
    let id = written.strip_prefix("User:").unwrap_or(written);
    let principal = Principal::from_id(id);
    let may_be_there = match &principal {
        // The service has no list of people, identity pools and group mappings that is looked at here.
        Principal::User(_) => true,
        Principal::Other(_) => id.starts_with("pool-") || id.starts_with("group-"),
        Principal::ServiceAccount(_) => !model.is_account_list_complete(),
    };
    if may_be_there || model.display_names.contains_key(&principal) || model.evaluator.has_bindings(&principal) {
        return Ok(principal);
    }
    let error = Error::failed(format!(
        "there is no service account `{written}` in stage {}",
        model.stage
    ));
    let names = model.display_names.values().map(String::as_str);
    Err(
        match (hint::closest_match(written, names), context.source.is_planned()) {
            (Some(near), _) => error.with_hint(format!("Did you mean `{near}`?")),
            (None, true) => error.with_hint("The files know no ids: name an account, or a department and a persona."),
            (None, false) => error.with_hint("Write an id, the name of an account, or a department and a persona."),
        },
    )
}

/// The account of a persona.
fn find_persona(context: &AccessContext, department: &DepartmentCode, persona: &str) -> Result<Principal, Error> {
    let model = &context.model;
    let Some(member) = model.persona(department, persona) else {
        return Err(unknown_persona_error(context, department, persona));
    };
    let missing = || {
        let who = format!("{department}/{persona}");
        let error = match model.is_account_list_complete() {
            true => Error::failed(format!(
                "{who} has no account: stage {} has no `{}`",
                model.stage, member.account
            ))
            .with_hint(format!("`confluent ebs onboard {department}` makes it.")),
            false => Error::denied(format!(
                "which account {who} is cannot be told: not all accounts were shown"
            )),
        };
        error.with_hint("`--planned` answers from the platform's files.")
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
        None => error.with_hint(format!("It has: {}.", personas.join(", "))),
    }
}

/// An error for a department that has no file, or none any more.
pub(super) fn unknown_department_error(context: &AccessContext, code: &DepartmentCode) -> Error {
    let workspace = &context.workspace;
    if workspace.department(code).is_some() {
        return Error::failed(format!("department `{code}` is retired"));
    }
    let known = workspace.active_departments().map(|known| known.code.as_str());
    let error = Error::failed(format!("there is no department `{code}` in {}", workspace.origin));
    match hint::closest_match(code.as_str(), known) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint("`confluent ebs department list` shows them all."),
    }
}

/// Who is meant: by `--as` or `--principal`, else who asks.
pub(super) fn resolve_principal(
    ctx: &Ctx,
    context: &AccessContext,
    as_who: Option<&str>,
    principal: Option<&str>,
) -> Result<Principal, Error> {
    if let Some(written) = principal {
        return find_principal(context, written);
    }
    if let Some(written) = as_who {
        let parts = written
            .split_once('/')
            .and_then(|(department, persona)| Some((department.parse().ok()?, persona)))
            .or_else(|| Some((ctx.run.options.department.clone()?, written)));
        let Some((department, persona)) = parts else {
            return Err(Error::usage(format!("`{written}` is not a department and a persona"))
                .with_hint("Write them as in `--as claims/operator`."));
        };
        return find_persona(context, &department, persona);
    }
    match &context.caller {
        Some(Caller::Principal(principal)) => Ok(principal.clone()),
        Some(Caller::Persona(department, persona)) => find_persona(context, department, persona),
        None => Err(Error::usage("it is not said for whom")
            .with_hint("Name a persona, as in `--as claims/operator`, or an account with `--principal`.")),
    }
}

/// A principal in an answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PrincipalView {
    /// Its id; nothing for an account that is still to be made.
    id: Option<String>,
    /// The name of its account.
    name: Option<String>,
    /// The department it acts for.
    department: Option<String>,
    /// The persona it is.
    persona: Option<String>,
    /// All of that for people.
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

/// A binding or an ACL in an answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct GrantRow {
    /// Who holds it.
    pub(super) principal: PrincipalView,
    /// The role, unless it is an ACL.
    role_name: Option<String>,
    /// The ACL, if it is one.
    acl: Option<AclBinding>,
    /// Where it is bound.
    crn_pattern: CrnPattern,
    /// Where it came from.
    pub(super) origin: GrantOrigin,
    /// Where it is bound, for people.
    #[serde(skip)]
    pub(super) resource: String,
    /// What it is, for people.
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

    /// `ConnectManager on connector claims-*`, `ACL ALLOW WRITE on topic dlq-lcc*`.
    pub(super) fn describe(&self) -> String {
        format!("{} on {}", self.label, self.resource)
    }

    /// Where it came from in full, when a row of a table does not say all of it.
    pub(super) fn reason(&self) -> Option<String> {
        let (short, full) = (self.origin.to_short_string(), self.origin.to_string());
        (short != full).then(|| format!("{}: {full}.", self.label))
    }

    /// Whether another one differs in nothing but the resource it is on.
    pub(super) fn is_similar_to(&self, other: &Self) -> bool {
        let kind = |grant: &Self| grant.crn_pattern.kind();
        self.principal.title == other.principal.title
            && self.label == other.label
            && kind(self) == kind(other)
            && self.origin == other.origin
    }

    /// The cells of a row: who, role, where, from where; it stands for `more` others like it.
    pub(super) fn cells(&self, more: usize) -> [Cell; 4] {
        let place = match more {
            0 => self.resource.clone(),
            more => format!("{} and {more} more", self.resource),
        };
        [
            Cell::text(&self.principal.title),
            Cell::text(&self.label),
            Cell::Text(place),
            Cell::Text(self.origin.to_short_string()),
        ]
    }
}

/// What could not be looked at, one line each.
pub(super) fn uncertainty_lines(uncertainties: &[Uncertainty]) -> impl Iterator<Item = TextLine> {
    uncertainties.iter().map(|uncertainty| {
        TextLine::new()
            .with_styled_text(Style::Warning, format!("  {uncertainty}."))
            .with_hanging_indent(2)
    })
}
