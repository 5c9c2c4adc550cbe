//! The way to a service: where requests go, how, and as whom.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use http::{HeaderName, HeaderValue};

use super::open_sandbox;
use crate::{
    client::{Auth, CredentialSource, Credentials, InProcess, Socket, SocketSettings, Transport},
    clock::Clock,
    commands::Ctx,
    config::{self, Endpoint, Hosts, LoadedProfile},
    env,
    error::{Error, ErrorKind},
    manifest::Workspace,
    model::{Secret, ownership::account_name},
    sandbox::Sandbox,
};

/// What stands in the address of a sandbox that is called in-process.
const IN_PROCESS: &str = "http://127.0.0.1:1024";

/// The client's half of a session.
pub(in crate::commands) struct Way {
    /// Where requests go.
    pub(in crate::commands) base: String,
    /// How they get there.
    pub(in crate::commands) transport: Arc<dyn Transport>,
    /// As whom.
    pub(in crate::commands) auth: Auth,
    /// Time.
    pub(in crate::commands) clock: Clock,
    /// What profiles point to.
    pub(super) endpoint: Endpoint,
    /// Where tokens, logs and metrics are.
    pub(super) hosts: Hosts,
    /// The embedded Confluent Cloud, when it is that.
    pub(super) embedded: Option<Embedded>,
}

/// The embedded Confluent Cloud, whose clock tells the time of its logs and metrics.
pub(super) enum Embedded {
    /// In this process: time steps while somebody waits.
    Here(Sandbox),
    /// As a server on this state folder: waiting takes real time.
    Served(PathBuf),
}

impl Way {
    /// To Confluent Cloud, or to where the profile points.
    pub(super) fn service(ctx: &Ctx, profile: Option<&LoadedProfile>) -> Result<Self, Error> {
        let credentials = config::Credentials::find(profile, env::var)
            .map_err(|error| Error::from(error).with_kind(ErrorKind::Denied))?;
        let endpoint = profile.map_or_else(Endpoint::confluent_cloud, |loaded| loaded.profile.endpoint.clone());
        let Endpoint::Url(base) = &endpoint else {
            return Err(Error::failed("the profile points to a sandbox"));
        };
        let source = match profile {
            Some(profile) if profile.keys.cloud.is_some() => {
                CredentialSource::Profile(profile.path.display().to_string())
            }
            _ => CredentialSource::Environment(env::CONFLUENT_CLOUD_API_KEY),
        };
        let auth = Auth::Basic(Credentials {
            key: credentials.key.id.to_string(),
            secret: credentials.key.secret,
            source,
        });
        let transport = Arc::new(Socket::new(SocketSettings::default()));
        let trusted: Vec<String> = ctx.globals.trust_endpoint.iter().cloned().collect();
        let named = profile.map(|loaded| loaded.hosts.clone()).unwrap_or_default();
        Ok(Self {
            base: base.clone(),
            transport,
            auth,
            clock: ctx.clock.clone(),
            hosts: Hosts::find(base, &named, &trusted, env::var)?,
            endpoint,
            embedded: None,
        })
    }

    /// To the embedded Confluent Cloud: to the server that runs on its folder, else in this process.
    pub(in crate::commands) fn sandbox(
        ctx: &Ctx,
        folder: &Path,
        workspace: &Workspace,
        profile: Option<&LoadedProfile>,
    ) -> Result<Self, Error> {
        let sandbox = open_sandbox(folder, workspace)?;
        let auth = match (ctx.globals.sandbox_as.as_deref(), profile.and_then(credentials_of)) {
            (None, Some(credentials)) => Auth::Basic(credentials),
            (None, None) => seeded(&sandbox, Seeded::Provisioner)?,
            (Some("admin"), _) => seeded(&sandbox, Seeded::Admin)?,
            (Some(somebody), _) => stand_in(&sandbox, ctx, workspace, somebody)?,
        };
        if let Some(url) = Sandbox::server_of(folder) {
            return Ok(Self::to_server(ctx, folder, url, auth));
        }
        // A fault that kills means this process: no destructor runs and nothing is cleaned up, as when the power fails.
        sandbox.on_kill(|| std::process::abort());
        let transport = Arc::new(InProcess::new(sandbox.router()));
        Ok(Self {
            base: IN_PROCESS.to_owned(),
            transport,
            auth,
            clock: sandbox.clock(),
            endpoint: Endpoint::Sandbox(Some(folder.to_owned())),
            hosts: Hosts::all_at(IN_PROCESS),
            embedded: Some(Embedded::Here(sandbox)),
        })
    }

    /// With a profile's key to the server of a sandbox, if one runs. What is in the sandbox is not read for that.
    pub(in crate::commands) fn served(ctx: &Ctx, folder: &Path, profile: &LoadedProfile) -> Option<Self> {
        if ctx.globals.sandbox_as.is_some() {
            return None;
        }
        let auth = Auth::Basic(credentials_of(profile)?);
        let url = Sandbox::server_of(folder)?;
        Some(Self::to_server(ctx, folder, url, auth))
    }

    fn to_server(ctx: &Ctx, folder: &Path, url: String, auth: Auth) -> Self {
        let settings = SocketSettings {
            loopback_only: true,
            ..SocketSettings::default()
        };
        Self {
            hosts: Hosts::all_at(&url),
            base: url,
            transport: Arc::new(Socket::new(settings)),
            auth,
            clock: ctx.clock.clone(),
            endpoint: Endpoint::Sandbox(Some(folder.to_owned())),
            embedded: Some(Embedded::Served(folder.to_owned())),
        }
    }
}

/// The key that a profile holds.
fn credentials_of(profile: &LoadedProfile) -> Option<Credentials> {
    let key = profile.keys.cloud.as_ref()?;
    Some(Credentials {
        key: key.id.to_string(),
        secret: key.secret.clone(),
        source: CredentialSource::Profile(profile.path.display().to_string()),
    })
}

#[derive(Clone, Copy)]
enum Seeded {
    Admin,
    Provisioner,
}

fn seeded(sandbox: &Sandbox, who: Seeded) -> Result<Auth, Error> {
    let info = sandbox.info(true)?;
    let (key, secret, name) = match who {
        Seeded::Admin => (info.admin_key, info.admin_secret, "administrator"),
        Seeded::Provisioner => (info.provisioner_key, info.provisioner_secret, "provisioner"),
    };
    let secret = Secret::new(secret.unwrap_or_default());
    Ok(Auth::Basic(Credentials {
        key,
        secret,
        source: CredentialSource::Sandbox(name.to_owned()),
    }))
}

/// As a principal of the sandbox, without its key.
pub(super) fn headers(sandbox: &Sandbox, principal: &str) -> Result<Auth, Error> {
    let headers = sandbox
        .stand_in(principal)
        .map(|(name, value)| -> Result<(HeaderName, HeaderValue), Error> { Ok((name, HeaderValue::try_from(value)?)) });
    Ok(Auth::Headers(headers.into_iter().collect::<Result<_, _>>()?))
}

/// As the account of a department's persona, without its key.
fn stand_in(sandbox: &Sandbox, ctx: &Ctx, workspace: &Workspace, somebody: &str) -> Result<Auth, Error> {
    let wrong = || {
        Error::usage(format!("`--sandbox-as {somebody}` names nobody"))
            .with_hint("Write `admin`, or a department and a persona such as `claims/operator`.")
    };
    let (department, persona) = somebody.split_once('/').ok_or_else(wrong)?;
    let department = department.parse().map_err(|_| wrong())?;
    let stage = ctx
        .globals
        .stage
        .as_deref()
        .unwrap_or(&workspace.platform.default_stage);
    let name = account_name(stage, &department, persona);
    let account = sandbox
        .accounts()?
        .into_iter()
        .find(|account| account.display_name == name)
        .ok_or_else(|| {
            Error::failed(format!("the sandbox has no service account `{name}`"))
                .with_hint(format!("`confluent ebs onboard {department} --sandbox` makes it."))
        })?;
    headers(sandbox, account.id.as_str())
}
