//! Secrets of a connector's configuration: resolved references, and masks that were copied from Confluent Cloud.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::validation::{secret_keys, validate_with_service};
use crate::{
    catalog::{
        ValueReference, catalog,
        secret::{is_secret_name, secrecy},
    },
    config::references::{ReferenceError, SecretResolver},
    error::{Error, ErrorKind},
    hint::Advice,
    redact::OrdinaryValues,
    resources::connector::{diagnosis, is_mask},
    session::{ConnectorSession, RunContext},
    text::join_code,
};

/// Sources of secrets besides environment variables.
#[derive(Clone, Copy)]
pub struct SecretSources<'a> {
    /// Directory of the files that `${file:PATH}` refers to.
    pub dir: Option<&'a Path>,
    /// Asks the user for a secret; returns `None` if there is no answer.
    pub prompt: &'a dyn Fn(&str) -> Option<String>,
}

/// Returns the references of a configuration to secrets, by key.
pub fn secret_references(config: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let references = config
        .iter()
        .filter(|(_, value)| ValueReference::parse(value).is_some());
    references.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Replaces references with secrets. Returns the keys that hold secrets.
///
/// # Errors
/// References that cannot be resolved or are not allowed, all at once.
pub async fn resolve_secrets(
    run: &RunContext,
    session: &ConnectorSession,
    sources: SecretSources<'_>,
    class: &str,
    config: &mut BTreeMap<String, String>,
) -> Result<BTreeSet<String>, Error> {
    let facts = catalog();
    let plugin = facts.plugin(class);
    let guarded = |key: &&String| secrecy(facts, plugin, key).must_be_hidden() || is_secret_name(key);
    let mut secret: BTreeSet<String> = config.keys().filter(guarded).cloned().collect();
    let refers = |value: &String| ValueReference::occurs_in(value);
    if plugin.is_none() && config.iter().any(|(key, value)| refers(value) && !secret.contains(key)) {
        // The plugin reports which keys are secret (docs/reference/connect.md#validate-a-configuration).
        let about = BTreeMap::from([("connector.class".to_owned(), class.to_owned())]);
        if let Some(validation) = validate_with_service(session, class, about).await? {
            secret.extend(secret_keys(&validation));
        }
    }
    let listed = session
        .department
        .as_ref()
        .map_or(&[][..], |department| &department.secret_variables);
    let resolver = SecretResolver {
        variable: &|name| run.variable(name),
        allowed_variables: listed,
        secrets_dir: sources.dir,
        prompt: sources.prompt,
    };
    let ordinary = ordinary_values(config, &secret, session);
    let mut failures = Vec::new();
    for (key, value) in config.iter_mut() {
        match resolver.resolve(key, value, secret.contains(key)) {
            Ok(Some(resolved)) => {
                run.environment
                    .secrets
                    .add_unless_ordinary(resolved.expose(), &ordinary);
                resolved.expose().clone_into(value);
                secret.insert(key.clone());
            }
            Ok(None) if secret.contains(key) => run.environment.secrets.add_unless_ordinary(value, &ordinary),
            Ok(None) => {}
            Err(error) => failures.push(error),
        }
    }
    if failures.is_empty() {
        Ok(secret)
    } else {
        Err(unresolved_references_error(&failures).for_platform_team(session.platform_team()))
    }
}

/// Returns the values that a message may repeat although a secret equals them: the open values of the same configuration,
/// the names of the department, its accounts and its platform, and our own words.
fn ordinary_values(
    config: &BTreeMap<String, String>,
    secret: &BTreeSet<String>,
    session: &ConnectorSession,
) -> OrdinaryValues {
    let open = config.iter().filter(|(key, _)| !secret.contains(*key));
    let mut ordinary: OrdinaryValues = open.map(|(_, value)| value).collect();
    ordinary.add(&session.stage);
    // An explanation names the rule that matches, as in `docs/causes.md#wrong-password`.
    ordinary.extend(diagnosis::rules().map(|rule| rule.id));
    let cluster = &session.connectors.cluster_path;
    ordinary.extend([cluster.environment.as_str(), cluster.cluster.as_str()]);
    if let Some(department) = &session.department {
        ordinary.add(department.code.as_str());
        ordinary.add(department.prefix.as_str());
        ordinary.extend(&department.persona);
        ordinary.extend(&department.runtime_account_name);
        ordinary.extend(department.runtime_account_id.iter().map(ToString::to_string));
        ordinary.extend(department.platform_team.team.iter().map(ToString::to_string));
    }
    ordinary
}

fn unresolved_references_error(failures: &[ReferenceError]) -> Error {
    let messages: Vec<String> = failures.iter().map(ToString::to_string).collect();
    let kind = if failures.iter().any(ReferenceError::is_policy_violation) {
        ErrorKind::Refused
    } else {
        ErrorKind::Failed
    };
    let error = Error::new(kind, messages.join("; "));
    failures.iter().flat_map(Advice::hints).fold(error, Error::with_hint)
}

/// Rejects masked values, which were copied from the output of Confluent Cloud.
pub fn reject_masked(config: &BTreeMap<String, String>, allowed: impl Fn(&str) -> bool) -> Result<(), Error> {
    let masked: Vec<&String> = config
        .iter()
        .filter(|(key, value)| is_mask(value) && !allowed(key))
        .map(|(key, _)| key)
        .collect();
    if masked.is_empty() {
        return Ok(());
    }
    let verb = if masked.len() == 1 { "holds" } else { "hold" };
    Err(
        Error::refused(format!("{} {verb} a mask instead of a secret", join_code(&masked)))
            .with_hint("Refer to the secret, such as `${env:EBS_SECRET_DB_PASSWORD}`."),
    )
}
