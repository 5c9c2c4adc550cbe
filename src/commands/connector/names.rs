//! From what is written on the command line to connectors: ids, names, patterns, all.

use std::collections::BTreeMap;

use super::{DepartmentSession, Tenant};
use crate::{
    api::connect::Expanded,
    error::{Error, ErrorKind},
    hint::nearest,
    render::words,
    resources::connector::{Seen, find},
};

const LIST_HINT: &str = "List available connectors with `confluent ebs connector list`.";

/// Refuses names that cannot belong to the department, before anything is asked.
pub(super) fn refuse_foreign(tenant: Option<&Tenant>, written: &[String]) -> Result<(), Error> {
    let Some(tenant) = tenant else { return Ok(()) };
    let is_id = |name: &str| name.starts_with("lcc-") || name.starts_with("clcc-");
    let foreign: Vec<&String> = written
        .iter()
        .filter(|name| !is_id(name) && !is_pattern(name) && !tenant.prefix.owns(name))
        .collect();
    match foreign.is_empty() {
        true => Ok(()),
        false => Err(outside(tenant, &foreign)),
    }
}

fn outside(tenant: &Tenant, names: &[&String]) -> Error {
    let noun = if names.len() == 1 { "connector" } else { "connectors" };
    let verb = if names.len() == 1 { "belongs" } else { "belong" };
    Error::refused(format!(
        "{noun} {} {verb} to somebody else: names of department \"{}\" begin with \"{}\"",
        words::quoted(names),
        tenant.code,
        tenant.prefix
    ))
    .with_hint("A name tells the owner; the platform team gives out the prefixes.")
}

/// The connectors that `written` means, each once, in that order. All must be there, and all must be the department's.
pub(super) fn resolve(
    session: &DepartmentSession,
    list: &BTreeMap<String, Expanded>,
    written: &[String],
) -> Result<Vec<Seen>, Error> {
    let mut found: Vec<Seen> = Vec::new();
    let mut missing = Vec::new();
    let mut add = |seen: Seen| {
        if !found.iter().any(|known| known.name == seen.name) {
            found.push(seen);
        }
    };
    for name in written {
        if is_pattern(name) {
            let matching = matching(session, list, name)?;
            if matching.is_empty() {
                missing.push(name.clone());
            }
            matching.into_iter().for_each(&mut add);
        } else {
            match find(list, name) {
                Some(seen) => add(seen),
                None => missing.push(name.clone()),
            }
        }
    }
    if !missing.is_empty() {
        return Err(not_found(list, &missing));
    }
    if let Some(tenant) = &session.tenant {
        let foreign: Vec<&String> = found
            .iter()
            .map(|seen| &seen.name)
            .filter(|name| !tenant.prefix.owns(name))
            .collect();
        if !foreign.is_empty() {
            return Err(outside(tenant, &foreign));
        }
    }
    Ok(found)
}

/// All connectors of the department.
pub(super) fn all(session: &DepartmentSession, list: &BTreeMap<String, Expanded>) -> Vec<Seen> {
    list.iter()
        .filter(|(name, _)| session.tenant.as_ref().is_none_or(|tenant| tenant.prefix.owns(name)))
        .map(|(name, now)| Seen {
            name: name.clone(),
            now: now.clone(),
        })
        .collect()
}

/// All connectors of the department, out of a list that is not needed any more.
pub(super) fn own(tenant: Option<&Tenant>, list: BTreeMap<String, Expanded>) -> impl Iterator<Item = Seen> {
    let seen = list.into_iter().map(|(name, now)| Seen { name, now });
    seen.filter(move |seen| tenant.is_none_or(|tenant| tenant.prefix.owns(&seen.name)))
}

fn is_pattern(written: &str) -> bool {
    written.contains(['*', '?'])
}

fn matching(session: &DepartmentSession, list: &BTreeMap<String, Expanded>, pattern: &str) -> Result<Vec<Seen>, Error> {
    let glob = globset::Glob::new(pattern)
        .map_err(|error| Error::usage(format!("\"{pattern}\" is not a pattern: {}", error.kind())))?
        .compile_matcher();
    let own = all(session, list);
    Ok(own.into_iter().filter(|seen| glob.is_match(&seen.name)).collect())
}

/// The stock CLI's words (dossier `connect.md` §8.2).
pub(super) fn not_found(list: &BTreeMap<String, Expanded>, missing: &[String]) -> Error {
    let message = match missing {
        [one] if one.starts_with("lcc-") => format!("unknown connector ID \"{one}\""),
        [one] => format!("connector \"{one}\" not found"),
        _ => format!("connectors {} not found", words::quoted(missing)),
    };
    let error = Error::new(ErrorKind::Failed, message);
    let near = missing
        .first()
        .and_then(|name| nearest(name, list.keys().map(String::as_str)));
    let error = match near {
        Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
        None => error,
    };
    error.with_hint(LIST_HINT)
}
