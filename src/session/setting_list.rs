//! Settings of a run for people: with their sources, without secrets, and without a request.

use super::{
    RunContext, Settings,
    profiles::load_selected_profile,
    settings::SettingRow,
    workspace::{find_workspace, load_workspace},
};
use crate::{
    config::{CredentialsError, LoadedProfile, SourcedKey},
    error::Error,
    hint::closest_match,
};

/// Replacement of a secret, as in responses of Confluent Cloud.
const MASK: &str = "****************";

/// Settings besides [`Settings::NAMES`].
const CREDENTIALS: [&str; 2] = ["api_key", "api_secret"];

/// Returns the settings that have a value, in the order of their definition; the secret of the API key is masked. `key`
/// selects one of them.
///
/// # Errors
/// A file is invalid, the credentials are incomplete, or there is no setting `key`.
pub fn list_settings(run: &RunContext, key: Option<&str>) -> Result<Vec<SettingRow>, Error> {
    let names = || Settings::NAMES.iter().copied().chain(CREDENTIALS);
    if let Some(unknown) = key.filter(|key| !names().any(|name| name == *key)) {
        let error = Error::usage(format!("no setting `{unknown}`"));
        return Err(match closest_match(unknown, names()) {
            Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
            None => error.with_hint("List all settings with `confluent ebs config show --origin`."),
        });
    }
    let profile = load_selected_profile(run, run.environment.dirs()?)?;
    let loaded = match (&profile, run.options.is_sandbox()) {
        // A profile replaces the platform configuration.
        (Some(_), _) => None,
        (None, true) => Some(load_workspace(run, true)?),
        (None, false) => find_workspace(run)?,
    };
    let settings = Settings::resolve(run, profile.as_ref(), loaded.as_ref().map(|loaded| &loaded.workspace));
    let mut rows = settings.rows();
    // `--sandbox` ignores credentials, but a profile of the sandbox has a key.
    if profile.is_some() || settings.sandbox_dir().is_none() {
        rows.extend(credentials(run, profile.as_ref())?);
    }
    rows.retain(|row| key.is_none_or(|key| row.name == key));
    Ok(rows)
}

fn credentials(run: &RunContext, profile: Option<&LoadedProfile>) -> Result<Vec<SettingRow>, Error> {
    let found = SourcedKey::resolve_cloud(profile, &run.options.trusted_hosts, |name| run.variable(name));
    let found = match found {
        Err(CredentialsError::NotFound | CredentialsError::ProfileWithoutKey(_)) => return Ok(Vec::new()),
        found => found?,
    };
    let origin = found.source.to_string();
    let values = [found.key.id.to_string(), MASK.to_owned()];
    let rows = CREDENTIALS.into_iter().zip(values);
    Ok(rows
        .map(|(name, value)| SettingRow {
            name,
            value,
            origin: origin.clone(),
        })
        .collect())
}
