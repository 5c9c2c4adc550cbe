//! Connection to Confluent Cloud as other commands would open it, with or without a key.

use std::{path::Path, sync::Arc};

use super::{DoctorArgs, environment::DoctorEnvironment};
use crate::{
    checks::profile::DoctorKeyState,
    client::{Auth, BaseUrl, BasicCredentials, CredentialSource, HttpTransport, HttpTransportSettings, Transport},
    clock::Clock,
    commands::Ctx,
    config::{self, CredentialsError, ServiceEndpoint, ServiceHosts},
    env,
    model::ApiKeyId,
    sandbox::Sandbox,
    session::Connection,
};

/// Connection to Confluent Cloud, with or without a key.
pub(super) struct DoctorConnection {
    /// Base URL.
    pub(super) base: BaseUrl,
    /// Transport.
    pub(super) transport: Arc<dyn Transport>,
    /// Clock; the sandbox has a clock of its own.
    pub(super) clock: Clock,
    /// Authentication.
    pub(super) auth: Option<Auth>,
    /// Whether the sandbox runs in this process.
    pub(super) in_process: bool,
    /// Hosts of tokens, logs and metrics, or why they cannot be used.
    pub(super) hosts: Result<ServiceHosts, String>,
}

/// Result of the search for an API key. Owns the key, so that checks can borrow it.
pub(super) enum CredentialState {
    Key(ApiKeyId, String),
    Impersonating(String),
    Missing(CredentialsError),
    Unusable(String, String),
    Skipped(&'static str),
}

impl CredentialState {
    /// Returns the input of the key checks.
    pub(super) fn to_check_input(&self) -> DoctorKeyState<'_> {
        match self {
            Self::Key(id, source) => DoctorKeyState::Present(id, source.clone()),
            Self::Impersonating(who) => DoctorKeyState::Impersonating(who.clone()),
            Self::Missing(error) => DoctorKeyState::Missing(error),
            Self::Unusable(why, fix) => DoctorKeyState::Unusable(why.clone(), fix.clone()),
            Self::Skipped(why) => DoctorKeyState::Skipped(why),
        }
    }

    /// Returns the id of the key, if one was found.
    pub(super) fn key(&self) -> Option<&ApiKeyId> {
        match self {
            Self::Key(id, _) => Some(id),
            _ => None,
        }
    }
}

/// Opens the connection and searches for the key.
pub(super) fn open_connection(
    ctx: &Ctx,
    environment: &DoctorEnvironment,
    args: &DoctorArgs,
    stuck: bool,
) -> (Option<DoctorConnection>, CredentialState) {
    let socket = |loopback_only| -> Arc<dyn Transport> {
        Arc::new(HttpTransport::new(HttpTransportSettings {
            connect_timeout: args.timeout,
            timeout: args.timeout,
            loopback_only,
        }))
    };
    if let Some(folder) = &environment.sandbox {
        return match open_sandbox_connection(ctx, environment, folder, stuck) {
            Err(credential) => (None, credential),
            Ok((mut connection, holding)) => {
                if !connection.in_process {
                    connection.transport = socket(true);
                }
                (Some(connection), holding)
            }
        };
    }
    let loaded = environment.valid_profile();
    let endpoint = loaded.map_or_else(ServiceEndpoint::confluent_cloud, |loaded| {
        loaded.profile.endpoint.clone()
    });
    let base = match &endpoint {
        ServiceEndpoint::Url(url) => url.parse().ok(),
        ServiceEndpoint::Sandbox(_) => None,
    };
    let trusted: Vec<String> = ctx.run.options.trusted_hosts.clone();
    let (auth, credential) = match (
        &environment.profile,
        config::SourcedKey::resolve_cloud(loaded, &trusted, env::var),
    ) {
        (Some(Err(_)), _) => (None, CredentialState::Skipped("skipped: the profile is invalid")),
        (_, Err(error)) => (None, CredentialState::Missing(error)),
        (_, Ok(found)) => {
            let auth = Auth::Basic(BasicCredentials {
                key: found.key.id.to_string(),
                secret: found.key.secret,
                source: CredentialSource::Environment(env::CONFLUENT_CLOUD_API_KEY),
            });
            (Some(auth), CredentialState::Key(found.key.id, found.source.to_string()))
        }
    };
    let named = loaded.map(|loaded| loaded.hosts.clone()).unwrap_or_default();
    let connection = base.map(|base: BaseUrl| DoctorConnection {
        hosts: ServiceHosts::resolve(base.as_str(), &named, &trusted, env::var)
            .map_err(|error| format!("{:#}", anyhow::Error::from(error))),
        base,
        transport: socket(false),
        clock: ctx.run.environment.clock.clone(),
        auth,
        in_process: false,
    });
    (connection, credential)
}

fn open_sandbox_connection(
    ctx: &Ctx,
    environment: &DoctorEnvironment,
    folder: &Path,
    stuck: bool,
) -> Result<(DoctorConnection, CredentialState), CredentialState> {
    if stuck {
        return Err(CredentialState::Skipped("skipped: another process uses the sandbox"));
    }
    let Some(workspace) = environment.sandbox_workspace() else {
        return Err(CredentialState::Skipped("skipped: invalid platform configuration"));
    };
    let way = Connection::for_sandbox(&ctx.run, folder, &workspace, environment.valid_profile()).map_err(|error| {
        let fix = error.hints.first().map(ToString::to_string);
        CredentialState::Unusable(
            error.to_string(),
            fix.unwrap_or_else(|| "Reset the sandbox with `confluent ebs sandbox reset`.".to_owned()),
        )
    })?;
    let source = way.auth.source().map(ToString::to_string);
    let credential = match way.auth.key().and_then(|key| key.parse().ok()) {
        Some(key) => CredentialState::Key(key, source.unwrap_or_default()),
        None => CredentialState::Impersonating(format!(
            "the sandbox acts as {}",
            ctx.run
                .options
                .sandbox_as
                .as_deref()
                .unwrap_or("a principal without a key")
        )),
    };
    let base = way.base_url.parse().map_err(|_| {
        CredentialState::Unusable(
            "the sandbox has an invalid address".into(),
            "Reset the sandbox with `confluent ebs sandbox reset`.".into(),
        )
    })?;
    let connection = DoctorConnection {
        hosts: Ok(ServiceHosts::single_host(&way.base_url)),
        base,
        transport: way.transport,
        clock: way.clock,
        auth: Some(way.auth),
        in_process: Sandbox::running_server_url(folder).is_none(),
    };
    Ok((connection, credential))
}
