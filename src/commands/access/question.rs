//! From the words of a question to principals and CRN patterns, and the parts that answers have in common.

use serde::Serialize;

use super::source::{Ground, Me};
use crate::{
    access::{
        Doubt, Operation, Origin, Permit, Scene,
        question::{self, QuestionError, Resource},
        scene::PLANNED,
    },
    commands::Ctx,
    error::Error,
    hint,
    model::{AclBinding, CrnPattern, DepartmentCode, NamePattern, Principal, ResourceKind},
    render::{Cell, Line, Style},
};

/// What is asked about.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Asked {
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
    written: String,
}

impl Asked {
    /// Reads the words.
    pub(super) fn read(ground: &Ground, operation: &str, resource: &str) -> Result<Self, Error> {
        let resource = question::resource(resource).map_err(wrong)?;
        let written = operation.to_owned();
        let operation = question::operation(operation, resource.kind).map_err(wrong)?;
        let pattern = pattern(ground, operation, &resource)?;
        Ok(Self {
            written,
            operation,
            kind: resource.kind,
            name: pattern.name().to_string(),
            crn_pattern: pattern,
        })
    }

    /// `pause (lifecycle) connector claims-orders`, with the names of accounts.
    pub(super) fn words(&self, scene: &Scene) -> String {
        let place = place(scene, &self.crn_pattern);
        let word = self.operation.word();
        match self.written == word {
            true => format!("{word} {place}"),
            false => format!("{} ({word}) {place}", self.written),
        }
    }
}

/// `connector claims-*`; an account by its name and id.
pub(super) fn place(scene: &Scene, pattern: &CrnPattern) -> String {
    match pattern.name() {
        NamePattern::Literal(id) if pattern.kind() == ResourceKind::ServiceAccount => {
            format!("service-account {}", scene.name_of(&Principal::from_id(id)))
        }
        // There is one, and its id is long.
        _ if pattern.kind() == ResourceKind::Organization => "organization".to_owned(),
        _ => pattern.short(),
    }
}

/// `ConnectManager`, `ACL ALLOW WRITE`.
pub(super) fn what(permit: &Permit) -> String {
    match permit {
        Permit::Role(binding) => binding.role.to_string(),
        Permit::Acl(acl) => format!("ACL {} {}", acl.acl.permission, acl.acl.operation),
    }
}

fn wrong(error: QuestionError) -> Error {
    Error::usage(error.message).with_hint(error.fix)
}

fn pattern(ground: &Ground, operation: Operation, resource: &Resource) -> Result<CrnPattern, Error> {
    let Ground { scene, .. } = ground;
    let kind = resource.kind;
    let all = || NamePattern::Prefixed(String::new());
    let name = match (&resource.name, kind) {
        (Some(name), ResourceKind::ServiceAccount) => account_pattern(ground, operation, name)?,
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
            kind.word(),
            scope.name()
        );
        return Err(Error::usage(message).with_hint(format!("Write `{}` alone.", kind.word())));
    }
    Ok(pattern)
}

/// An account by id, by name, or by department and persona.
fn account_pattern(ground: &Ground, operation: Operation, name: &NamePattern) -> Result<NamePattern, Error> {
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
            persona_of(ground, &department, persona)?
        }
        None => named(ground, written)?,
    };
    Ok(NamePattern::Literal(principal.id().to_owned()))
}

/// A principal by id or by the name of its account.
fn named(ground: &Ground, written: &str) -> Result<Principal, Error> {
    let scene = &ground.scene;
    if let Some((principal, _)) = scene.names.iter().find(|(_, name)| *name == written) {
        return Ok(principal.clone());
    }
    let id = written.strip_prefix("User:").unwrap_or(written);
    let principal = Principal::from_id(id);
    let may_be_there = match &principal {
        // The service has no list of people, identity pools and group mappings that is looked at here.
        Principal::User(_) => true,
        Principal::Other(_) => id.starts_with("pool-") || id.starts_with("group-"),
        Principal::ServiceAccount(_) => !scene.sees_accounts(),
    };
    if may_be_there || scene.names.contains_key(&principal) || scene.evaluator.any_binding(&principal) {
        return Ok(principal);
    }
    let error = Error::failed(format!(
        "there is no service account `{written}` in stage {}",
        scene.stage
    ));
    let names = scene.names.values().map(String::as_str);
    Err(match (hint::nearest(written, names), ground.source.is_planned()) {
        (Some(near), _) => error.with_hint(format!("Did you mean `{near}`?")),
        (None, true) => error.with_hint("The files know no ids: name an account, or a department and a persona."),
        (None, false) => error.with_hint("Write an id, the name of an account, or a department and a persona."),
    })
}

/// The account of a persona.
fn persona_of(ground: &Ground, department: &DepartmentCode, persona: &str) -> Result<Principal, Error> {
    let scene = &ground.scene;
    let Some(member) = scene.member(department, persona) else {
        return Err(no_persona(ground, department, persona));
    };
    let missing = || {
        let who = format!("{department}/{persona}");
        let error = match scene.sees_accounts() {
            true => Error::failed(format!(
                "{who} has no account: stage {} has no `{}`",
                scene.stage, member.account
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

fn no_persona(ground: &Ground, department: &DepartmentCode, persona: &str) -> Error {
    let members = ground.scene.members.iter();
    let personas: Vec<&str> = members
        .filter(|member| member.department == *department)
        .map(|member| member.persona.as_str())
        .collect();
    if personas.is_empty() {
        return no_department(ground, department);
    }
    let error = Error::failed(format!("department `{department}` has no persona `{persona}`"));
    match hint::nearest(persona, personas.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(format!("It has: {}.", personas.join(", "))),
    }
}

/// An error for a department that has no file, or none any more.
pub(super) fn no_department(ground: &Ground, code: &DepartmentCode) -> Error {
    let workspace = &ground.workspace;
    if workspace.department(code).is_some() {
        return Error::failed(format!("department `{code}` is retired"));
    }
    let known = workspace.active_departments().map(|known| known.code.as_str());
    let error = Error::failed(format!("there is no department `{code}` in {}", workspace.origin));
    match hint::nearest(code.as_str(), known) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint("`confluent ebs department list` shows them all."),
    }
}

/// Who is meant: by `--as` or `--principal`, else who asks.
pub(super) fn who(
    ctx: &Ctx,
    ground: &Ground,
    as_who: Option<&str>,
    principal: Option<&str>,
) -> Result<Principal, Error> {
    if let Some(written) = principal {
        return named(ground, written);
    }
    if let Some(written) = as_who {
        let parts = written
            .split_once('/')
            .and_then(|(department, persona)| Some((department.parse().ok()?, persona)))
            .or_else(|| Some((ctx.globals.department.clone()?, written)));
        let Some((department, persona)) = parts else {
            return Err(Error::usage(format!("`{written}` is not a department and a persona"))
                .with_hint("Write them as in `--as claims/operator`."));
        };
        return persona_of(ground, &department, persona);
    }
    match &ground.me {
        Some(Me::Principal(principal)) => Ok(principal.clone()),
        Some(Me::Persona(department, persona)) => persona_of(ground, department, persona),
        None => Err(Error::usage("it is not said for whom")
            .with_hint("Name a persona, as in `--as claims/operator`, or an account with `--principal`.")),
    }
}

/// A principal in an answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Named {
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

impl Named {
    pub(super) fn new(scene: &Scene, principal: &Principal) -> Self {
        let member = scene.member_of(principal);
        let id = principal.id();
        Self {
            id: (!id.starts_with(PLANNED)).then(|| id.to_owned()),
            name: scene.names.get(principal).cloned(),
            department: member.map(|member| member.department.to_string()),
            persona: member.map(|member| member.persona.clone()),
            title: scene.title_of(principal),
        }
    }
}

/// A binding or an ACL in an answer.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Held {
    /// Who holds it.
    pub(super) principal: Named,
    /// The role, unless it is an ACL.
    role_name: Option<String>,
    /// The ACL, if it is one.
    acl: Option<AclBinding>,
    /// Where it is bound.
    crn_pattern: CrnPattern,
    /// Where it came from.
    pub(super) origin: Origin,
    /// Where it is bound, for people.
    #[serde(skip)]
    pub(super) place: String,
    /// What it is, for people.
    #[serde(skip)]
    what: String,
}

impl Held {
    pub(super) fn new(scene: &Scene, permit: &Permit) -> Self {
        Self {
            principal: Named::new(scene, permit.principal()),
            what: what(permit),
            role_name: permit.role().map(|binding| binding.role.to_string()),
            acl: permit.acl().cloned(),
            crn_pattern: permit.pattern().clone(),
            origin: scene.origin_of(permit),
            place: place(scene, permit.pattern()),
        }
    }

    /// `ConnectManager on connector claims-*`, `ACL ALLOW WRITE on topic dlq-lcc*`.
    pub(super) fn words(&self) -> String {
        format!("{} on {}", self.what, self.place)
    }

    /// Where it came from in full, when a row of a table does not say all of it.
    pub(super) fn reason(&self) -> Option<String> {
        let (short, full) = (self.origin.short(), self.origin.to_string());
        (short != full).then(|| format!("{}: {full}.", self.what))
    }

    /// Whether another one differs in nothing but the resource it is on.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let kind = |held: &Self| held.crn_pattern.kind();
        self.principal.title == other.principal.title
            && self.what == other.what
            && kind(self) == kind(other)
            && self.origin == other.origin
    }

    /// The cells of a row: who, role, where, from where; it stands for `more` others like it.
    pub(super) fn cells(&self, more: usize) -> [Cell; 4] {
        let place = match more {
            0 => self.place.clone(),
            more => format!("{} and {more} more", self.place),
        };
        [
            Cell::text(&self.principal.title),
            Cell::text(&self.what),
            Cell::Text(place),
            Cell::Text(self.origin.short()),
        ]
    }
}

/// What could not be looked at, one line each.
pub(super) fn doubt_lines(doubts: &[Doubt]) -> impl Iterator<Item = Line> {
    doubts
        .iter()
        .map(|doubt| Line::new().styled(Style::Warning, format!("  {doubt}.")).hang(2))
}
