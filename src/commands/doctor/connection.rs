//! The way to the service that other commands would take, with a key or without.

use std::{path::Path, sync::Arc};

use super::{Doctor, surroundings::Surroundings};
use crate::{
    checks::profile::Held,
    client::{Auth, BaseUrl, CredentialSource, Credentials, Socket, SocketSettings, Transport},
    clock::Clock,
    commands::{Ctx, session::Way},
    config::{self, CredentialsError, Endpoint, Hosts},
    env,
    model::ApiKeyId,
    sandbox::Sandbox,
};

/// A way to the service, with a key or without.
pub(super) struct Connection {
    /// Where requests go.
    pub(super) base: BaseUrl,
    /// How they get there.
    pub(super) transport: Arc<dyn Transport>,
    /// Time, as the service has it where it is a part of this program.
    pub(super) clock: Clock,
    /// As whom.
    pub(super) auth: Option<Auth>,
    /// Whether the service is a part of this program.
    pub(super) inside: bool,
    /// The hosts beside it, or why they cannot be used.
    pub(super) hosts: Result<Hosts, String>,
}

/// What holds the key, kept so that the judgement can borrow it.
pub(super) enum Holding {
    Key(ApiKeyId, String),
    StandIn(String),
    Missing(CredentialsError),
    Unusable(String, String),
    NotSought(&'static str),
}

impl Holding {
    /// For the judgement.
    pub(super) fn held(&self) -> Held<'_> {
        match self {
            Self::Key(id, source) => Held::Key(id, source.clone()),
            Self::StandIn(who) => Held::StandIn(who.clone()),
            Self::Missing(error) => Held::Missing(error),
            Self::Unusable(why, fix) => Held::Unusable(why.clone(), fix.clone()),
            Self::NotSought(why) => Held::NotSought(why),
        }
    }

    /// The key, if there is one.
    pub(super) fn key(&self) -> Option<&ApiKeyId> {
        match self {
            Self::Key(id, _) => Some(id),
            _ => None,
        }
    }
}

/// The way to the service, and what holds the key.
pub(super) fn connection(
    ctx: &Ctx,
    around: &Surroundings,
    asked: &Doctor,
    stuck: bool,
) -> (Option<Connection>, Holding) {
    let socket = |loopback_only| -> Arc<dyn Transport> {
        Arc::new(Socket::new(SocketSettings {
            connect_timeout: asked.timeout,
            timeout: asked.timeout,
            loopback_only,
        }))
    };
    if let Some(folder) = &around.sandbox {
        return match sandbox_connection(ctx, around, folder, stuck) {
            Err(holding) => (None, holding),
            Ok((mut connection, holding)) => {
                if !connection.inside {
                    connection.transport = socket(true);
                }
                (Some(connection), holding)
            }
        };
    }
    let loaded = around.loaded();
    let endpoint = loaded.map_or_else(Endpoint::confluent_cloud, |loaded| loaded.profile.endpoint.clone());
    let base = match &endpoint {
        Endpoint::Url(url) => url.parse().ok(),
        Endpoint::Sandbox(_) => None,
    };
    let (auth, holding) = match (&around.profile, config::Credentials::find(loaded, env::var)) {
        (Some(Err(_)), _) => (None, Holding::NotSought("not looked for: the profile cannot be used")),
        (_, Err(error)) => (None, Holding::Missing(error)),
        (_, Ok(found)) => {
            let auth = Auth::Basic(Credentials {
                key: found.key.id.to_string(),
                secret: found.key.secret,
                source: CredentialSource::Environment(env::CONFLUENT_CLOUD_API_KEY),
            });
            (Some(auth), Holding::Key(found.key.id, found.origin.to_string()))
        }
    };
    let trusted: Vec<String> = ctx.globals.trust_endpoint.iter().cloned().collect();
    let named = loaded.map(|loaded| loaded.hosts.clone()).unwrap_or_default();
    let connection = base.map(|base: BaseUrl| Connection {
        hosts: Hosts::find(base.as_str(), &named, &trusted, env::var)
            .map_err(|error| format!("{:#}", anyhow::Error::from(error))),
        base,
        transport: socket(false),
        clock: ctx.clock.clone(),
        auth,
        inside: false,
    });
    (connection, holding)
}

fn sandbox_connection(
    ctx: &Ctx,
    around: &Surroundings,
    folder: &Path,
    stuck: bool,
) -> Result<(Connection, Holding), Holding> {
    if stuck {
        return Err(Holding::NotSought(
            "not looked for: the sandbox is held by another process",
        ));
    }
    let Some(workspace) = around.for_sandbox() else {
        return Err(Holding::NotSought("not looked for: the platform's files hold mistakes"));
    };
    let way = Way::sandbox(ctx, folder, &workspace, around.loaded()).map_err(|error| {
        let fix = error.hints.first().map(ToString::to_string);
        Holding::Unusable(
            error.to_string(),
            fix.unwrap_or_else(|| "`confluent ebs sandbox reset` begins anew.".to_owned()),
        )
    })?;
    let source = way.auth.source().map(ToString::to_string);
    let holding = match way.auth.key().and_then(|key| key.parse().ok()) {
        Some(key) => Holding::Key(key, source.unwrap_or_default()),
        None => Holding::StandIn(format!(
            "the sandbox acts as {}",
            ctx.globals.sandbox_as.as_deref().unwrap_or("somebody")
        )),
    };
    let base = way.base.parse().map_err(|_| {
        Holding::Unusable(
            "the sandbox has a strange address".into(),
            "`confluent ebs sandbox reset` begins anew.".into(),
        )
    })?;
    let connection = Connection {
        hosts: Ok(Hosts::all_at(&way.base)),
        base,
        transport: way.transport,
        clock: way.clock,
        auth: Some(way.auth),
        inside: Sandbox::server_of(folder).is_none(),
    };
    Ok((connection, holding))
}
