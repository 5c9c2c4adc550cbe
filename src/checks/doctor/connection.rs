//! Connection to Confluent Cloud as other commands would open it, with or without a key.

use std::time::Duration;

use super::DoctorInputs;
use crate::{
    checks::profile::DoctorKeyState,
    client::Auth,
    config::CredentialsError,
    session::{Connection, ConnectionBuilder, RunContext},
};

/// Opens the connection and searches for the key. `is_locked` tells whether another process uses the sandbox.
pub(super) fn open_connection(
    run: &RunContext,
    inputs: &DoctorInputs,
    timeout: Duration,
    is_locked: bool,
) -> (Option<Connection>, DoctorKeyState) {
    let is_sandbox = inputs.settings.sandbox_dir().is_some();
    if is_sandbox && is_locked {
        return (
            None,
            DoctorKeyState::Skipped("skipped: another process uses the sandbox"),
        );
    }
    let workspace = inputs.sandbox_workspace();
    let mut builder = ConnectionBuilder::new(run, &inputs.settings, inputs.valid_profile()).timeout(timeout);
    match &workspace {
        Some(workspace) => builder = builder.workspace(workspace),
        None if is_sandbox => {
            return (None, DoctorKeyState::Skipped("skipped: invalid platform files"));
        }
        None => {}
    }
    let mut connection = match builder.open_unchecked() {
        Ok(connection) => connection,
        Err(error) => {
            let fix = error.hints.first().map(ToString::to_string);
            let fix = fix.unwrap_or_else(|| "Reset the sandbox with `confluent ebs sandbox reset`.".to_owned());
            return (None, DoctorKeyState::Unusable(error.to_string(), fix));
        }
    };
    if matches!(inputs.profile, Some(Err(_))) && !is_sandbox {
        // Another key must not stand in for that of the profile.
        connection.auth = Err(CredentialsError::NotFound);
        return (
            Some(connection),
            DoctorKeyState::Skipped("skipped: the profile is invalid"),
        );
    }
    let state = key_state(run, &connection.auth);
    (Some(connection), state)
}

fn key_state(run: &RunContext, auth: &Result<Auth, CredentialsError>) -> DoctorKeyState {
    let auth = match auth {
        Ok(auth) => auth,
        Err(error) => return DoctorKeyState::Missing(error.clone()),
    };
    match auth.key().and_then(|key| key.parse().ok()) {
        Some(key) => DoctorKeyState::Present(key, auth.source().map(ToString::to_string).unwrap_or_default()),
        None => DoctorKeyState::Impersonating(impersonation_text(run)),
    }
}

/// Returns the source of an authentication without a key.
pub(super) fn impersonation_text(run: &RunContext) -> String {
    let identity = run.options.sandbox_as.as_deref();
    format!(
        "the sandbox acts as {}",
        identity.unwrap_or("a principal without a key")
    )
}
