//! Principals of access questions.

use super::{AccessContext, Caller};
use crate::{
    error::Error,
    hint,
    model::{DepartmentCode, Principal},
    session::{self, RunContext},
    text::join_code,
};

/// Finds a principal by id or by the name of its service account.
pub(super) fn find_principal(context: &AccessContext, written: &str) -> Result<Principal, Error> {
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
            (None, true) => error
                .with_hint("Write an account name, or a department and a persona. The platform files contain no ids."),
            (None, false) => error.with_hint("Write an id, the name of an account, or a department and a persona."),
        },
    )
}

/// Finds the service account of a persona.
pub(super) fn find_persona(
    context: &AccessContext,
    department: &DepartmentCode,
    persona: &str,
) -> Result<Principal, Error> {
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
        error.with_hint("Pass `--planned` to answer from the platform files.")
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
        None => error.with_hint(format!("Known personas: {}.", join_code(&personas))),
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

/// Returns the principal that `principal` or `as_persona` names, else the caller. A persona without a department belongs
/// to the department of the run.
///
/// # Errors
/// The principal is unknown, or nothing names one.
pub fn resolve_principal(
    run: &RunContext,
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
            .or_else(|| Some((run.options.department.clone()?, written)));
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
