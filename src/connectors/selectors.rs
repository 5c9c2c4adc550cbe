//! Selects connectors by the arguments of a command: ids, names, patterns, or all.

use std::collections::BTreeMap;

use crate::{
    api::connect::ExpandedConnector,
    error::{Error, ErrorKind},
    hint::closest_match,
    resources::connector::{LiveConnector, find_selected},
    session::{ConnectorSession, DepartmentContext, Options},
    text,
};

/// Rejects names with the prefix of another department before any request.
pub fn reject_foreign_names(department: Option<&DepartmentContext>, written: &[String]) -> Result<(), Error> {
    let Some(department) = department else { return Ok(()) };
    let is_id = |name: &str| name.starts_with("lcc-") || name.starts_with("clcc-");
    let foreign: Vec<&String> = written
        .iter()
        .filter(|name| !is_id(name) && !is_pattern(name) && !department.prefix.owns(name))
        .collect();
    if foreign.is_empty() {
        Ok(())
    } else {
        Err(foreign_names_error(department, &foreign))
    }
}

fn foreign_names_error(department: &DepartmentContext, names: &[&String]) -> Error {
    let noun = if names.len() == 1 { "connector" } else { "connectors" };
    let verb = if names.len() == 1 { "belongs" } else { "belong" };
    Error::refused(format!(
        "{noun} {} {verb} to another department: names of department `{}` begin with `{}`",
        text::join_code(names),
        department.code,
        department.prefix
    ))
    .with_hint(format!(
        "The prefix of a name determines its owner; {} assigns prefixes.",
        department.platform_team
    ))
}

/// Lists the connectors and returns the one with the id or name `written`.
///
/// # Errors
/// The request fails, or as for [`select_one`].
pub async fn find(session: &ConnectorSession, written: &str) -> Result<LiveConnector, Error> {
    let list = session.connectors.list_selected(&[written.to_owned()]).await?;
    select_one(session, &list, written)
}

/// Lists the connectors and returns those that `written` selects, or all of the department.
///
/// # Errors
/// A name belongs to another department, all are selected without a department, the request fails, or as for
/// [`select`].
pub async fn find_several(
    session: &ConnectorSession,
    written: &[String],
    all: bool,
) -> Result<Vec<LiveConnector>, Error> {
    if all {
        // Without a department, this would select the connectors of all departments.
        session.require_department()?;
    }
    reject_foreign_names(session.department.as_ref(), written)?;
    let list = session.connectors.list_selected(written).await?;
    if all {
        Ok(select_all(session, &list))
    } else {
        select(session, &list, written)
    }
}

/// Returns the connector of a command that acts on exactly one, by id or name.
///
/// # Errors
/// `written` is a pattern, the list does not contain it, or it belongs to another department.
pub fn select_one(
    session: &ConnectorSession,
    list: &BTreeMap<String, ExpandedConnector>,
    written: &str,
) -> Result<LiveConnector, Error> {
    if is_pattern(written) {
        return Err(Error::usage(format!(
            "`{written}` is a pattern, but this command acts on one connector"
        ))
        .with_hint(list_hint(&session.options)));
    }
    let observed =
        find_selected(list, written).ok_or_else(|| not_found_error(&session.options, list, &[written.to_owned()]))?;
    reject_foreign(session, std::slice::from_ref(&observed))?;
    Ok(observed)
}

/// Returns the connectors that `written` selects, each one once and in that order. Fails if one does not exist or
/// belongs to another department.
pub fn select(
    session: &ConnectorSession,
    list: &BTreeMap<String, ExpandedConnector>,
    written: &[String],
) -> Result<Vec<LiveConnector>, Error> {
    let mut found: Vec<LiveConnector> = Vec::new();
    let mut missing = Vec::new();
    let mut add = |observed: LiveConnector| {
        if !found.iter().any(|known| known.name == observed.name) {
            found.push(observed);
        }
    };
    for name in written {
        if is_pattern(name) {
            let matching = match_pattern(session, list, name)?;
            if matching.is_empty() {
                missing.push(name.clone());
            }
            matching.into_iter().for_each(&mut add);
        } else {
            match find_selected(list, name) {
                Some(observed) => add(observed),
                None => missing.push(name.clone()),
            }
        }
    }
    if !missing.is_empty() {
        return Err(not_found_error(&session.options, list, &missing));
    }
    reject_foreign(session, &found)?;
    Ok(found)
}

fn reject_foreign(session: &ConnectorSession, selected: &[LiveConnector]) -> Result<(), Error> {
    let Some(department) = &session.department else {
        return Ok(());
    };
    let names = selected.iter().map(|observed| &observed.name);
    let foreign: Vec<&String> = names.filter(|name| !department.prefix.owns(name)).collect();
    if foreign.is_empty() {
        Ok(())
    } else {
        Err(foreign_names_error(department, &foreign))
    }
}

/// Returns all connectors of the department.
pub fn select_all(session: &ConnectorSession, list: &BTreeMap<String, ExpandedConnector>) -> Vec<LiveConnector> {
    list.iter()
        .filter(|(name, _)| {
            session
                .department
                .as_ref()
                .is_none_or(|department| department.prefix.owns(name))
        })
        .map(|(name, now)| LiveConnector {
            name: name.clone(),
            expanded: now.clone(),
        })
        .collect()
}

/// Converts a list to the connectors of the department, without copying it.
pub fn into_department_connectors(
    department: Option<&DepartmentContext>,
    list: BTreeMap<String, ExpandedConnector>,
) -> impl Iterator<Item = LiveConnector> {
    let observed = list
        .into_iter()
        .map(|(name, now)| LiveConnector { name, expanded: now });
    observed.filter(move |observed| department.is_none_or(|department| department.prefix.owns(&observed.name)))
}

/// Returns how messages name `observed`: by its id if the user wrote the id, else by its name.
pub fn shown_name(observed: &LiveConnector, written: &[String]) -> String {
    let by_id = written.iter().any(|written| written == observed.id());
    let shown = if by_id { observed.id() } else { &observed.name };
    shown.to_owned()
}

fn is_pattern(written: &str) -> bool {
    written.contains(['*', '?'])
}

fn match_pattern(
    session: &ConnectorSession,
    list: &BTreeMap<String, ExpandedConnector>,
    pattern: &str,
) -> Result<Vec<LiveConnector>, Error> {
    let glob = globset::Glob::new(pattern)
        .map_err(|error| Error::usage(format!("invalid pattern `{pattern}`: {}", error.kind())))?
        .compile_matcher();
    let own = select_all(session, list);
    Ok(own
        .into_iter()
        .filter(|observed| glob.is_match(&observed.name))
        .collect())
}

/// Returns the error of the Confluent CLI (docs/reference/cli.md#connector-commands).
fn not_found_error(options: &Options, list: &BTreeMap<String, ExpandedConnector>, missing: &[String]) -> Error {
    let message = match missing {
        [one] if one.starts_with("lcc-") => format!("unknown connector ID \"{one}\""),
        [one] => format!("connector \"{one}\" not found"),
        _ => format!("connectors {} not found", text::join_quoted(missing)),
    };
    let error = Error::new(ErrorKind::Failed, message);
    let near = missing
        .first()
        .and_then(|name| closest_match(name, list.keys().map(String::as_str)));
    let error = match near {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error,
    };
    error.with_hint(list_hint(options))
}

fn list_hint(options: &Options) -> String {
    format!("List connectors with `{}`.", options.suggest("connector list"))
}
