//! Connection to Confluent Cloud or a sandbox: base URL, transport and authentication.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use http::{HeaderName, HeaderValue};

use super::open_sandbox;
use crate::{
    client::{
        Auth, BasicCredentials, CredentialSource, HttpTransport, HttpTransportSettings, InProcessTransport, Transport,
    },
    clock::Clock,
    config::{self, LoadedProfile, ServiceEndpoint, ServiceHosts},
    env,
    error::{Error, ErrorKind},
    manifest::Workspace,
    model::{Secret, ownership::account_name},
    sandbox::Sandbox,
    session::RunContext,
};

/// Host name of a sandbox in this process.
const IN_PROCESS_URL: &str = "http://127.0.0.1:1024";

/// Connection of a session.
pub struct Connection {
    /// Base URL.
    pub base_url: String,
    /// Transport.
    pub transport: Arc<dyn Transport>,
    /// Authentication.
    pub auth: Auth,
    /// Clock.
    pub clock: Clock,
    /// Endpoint that is written to profiles.
    pub endpoint: ServiceEndpoint,
    /// Hosts of tokens, logs and metrics.
    pub hosts: ServiceHosts,
    /// Mode of the sandbox; `None` for Confluent Cloud.
    pub sandbox_mode: Option<SandboxMode>,
}

/// Mode of the sandbox, whose clock sets the time of logs and metrics.
pub enum SandboxMode {
    /// In this process: waiting advances the clock.
    InProcess(Sandbox),
    /// As a server with this state directory: waiting takes real time.
    Remote(PathBuf),
}

impl Connection {
    /// Connects to Confluent Cloud, or to the endpoint of the profile.
    pub fn for_service(run: &RunContext, profile: Option<&LoadedProfile>) -> Result<Self, Error> {
        let trusted: Vec<String> = run.options.trusted_hosts.clone();
        let credentials = config::SourcedKey::resolve_cloud(profile, &trusted, |name| run.variable(name))
            .map_err(|error| Error::from(error).with_kind(ErrorKind::Denied))?;
        let endpoint = profile.map_or_else(ServiceEndpoint::confluent_cloud, |loaded| {
            loaded.profile.endpoint.clone()
        });
        let ServiceEndpoint::Url(base) = &endpoint else {
            return Err(Error::failed("the endpoint of the profile is a sandbox"));
        };
        let source = match profile {
            Some(profile) if profile.keys.cloud.is_some() => {
                CredentialSource::Profile(profile.path.display().to_string())
            }
            _ => CredentialSource::Environment(env::CONFLUENT_CLOUD_API_KEY),
        };
        let auth = Auth::Basic(BasicCredentials {
            key: credentials.key.id.to_string(),
            secret: credentials.key.secret,
            source,
        });
        let transport = Arc::new(HttpTransport::new(HttpTransportSettings::default()));
        let named = profile.map(|loaded| loaded.hosts.clone()).unwrap_or_default();
        Ok(Self {
            base_url: base.clone(),
            transport,
            auth,
            clock: run.clock().clone(),
            hosts: ServiceHosts::resolve(base, &named, &trusted, |name| run.variable(name))?,
            endpoint,
            sandbox_mode: None,
        })
    }

    /// Connects to the sandbox: to its server if one is running, else in this process.
    pub fn for_sandbox(
        run: &RunContext,
        folder: &Path,
        workspace: &Workspace,
        profile: Option<&LoadedProfile>,
    ) -> Result<Self, Error> {
        let sandbox = open_sandbox(run, folder, workspace)?;
        let auth = match (
            run.options.sandbox_as.as_deref(),
            profile.and_then(credentials_of_profile),
        ) {
            (None, Some(credentials)) => Auth::Basic(credentials),
            (None, None) => seeded_auth(&sandbox, SeededAccount::Provisioner)?,
            (Some("admin"), _) => seeded_auth(&sandbox, SeededAccount::Admin)?,
            (Some(identity), _) => impersonate_persona(&sandbox, run, workspace, identity)?,
        };
        if let Some(url) = Sandbox::running_server_url(folder) {
            return Ok(Self::for_server(run, folder, url, auth));
        }
        // A fault that kills ends this process without destructors or cleanup, like a power failure.
        sandbox.on_kill(|| std::process::abort());
        let transport = Arc::new(InProcessTransport::new(sandbox.router()));
        Ok(Self {
            base_url: IN_PROCESS_URL.to_owned(),
            transport,
            auth,
            clock: sandbox.clock(),
            endpoint: ServiceEndpoint::Sandbox(Some(folder.to_owned())),
            hosts: ServiceHosts::single_host(IN_PROCESS_URL),
            sandbox_mode: Some(SandboxMode::InProcess(sandbox)),
        })
    }

    /// Connects to the running server of a sandbox with the key of a profile, without reading its state.
    pub fn for_running_server(run: &RunContext, folder: &Path, profile: &LoadedProfile) -> Option<Self> {
        if run.options.sandbox_as.is_some() {
            return None;
        }
        let auth = Auth::Basic(credentials_of_profile(profile)?);
        let url = Sandbox::running_server_url(folder)?;
        Some(Self::for_server(run, folder, url, auth))
    }

    fn for_server(run: &RunContext, folder: &Path, url: String, auth: Auth) -> Self {
        let settings = HttpTransportSettings {
            loopback_only: true,
            ..HttpTransportSettings::default()
        };
        Self {
            hosts: ServiceHosts::single_host(&url),
            base_url: url,
            transport: Arc::new(HttpTransport::new(settings)),
            auth,
            clock: run.clock().clone(),
            endpoint: ServiceEndpoint::Sandbox(Some(folder.to_owned())),
            sandbox_mode: Some(SandboxMode::Remote(folder.to_owned())),
        }
    }
}

/// Returns the Cloud API key of a profile.
fn credentials_of_profile(profile: &LoadedProfile) -> Option<BasicCredentials> {
    let key = profile.keys.cloud.as_ref()?;
    Some(BasicCredentials {
        key: key.id.to_string(),
        secret: key.secret.clone(),
        source: CredentialSource::Profile(profile.path.display().to_string()),
    })
}

#[derive(Clone, Copy)]
enum SeededAccount {
    Admin,
    Provisioner,
}

fn seeded_auth(sandbox: &Sandbox, who: SeededAccount) -> Result<Auth, Error> {
    let info = sandbox.info(true)?;
    let (key, secret, name) = match who {
        SeededAccount::Admin => (info.admin_key, info.admin_secret, "administrator"),
        SeededAccount::Provisioner => (info.provisioner_key, info.provisioner_secret, "provisioner"),
    };
    let secret = Secret::new(secret.unwrap_or_default());
    Ok(Auth::Basic(BasicCredentials {
        key,
        secret,
        source: CredentialSource::Sandbox(name.to_owned()),
    }))
}

/// Returns the authentication as a principal of the sandbox, without its key.
pub(super) fn impersonate(sandbox: &Sandbox, principal: &str) -> Result<Auth, Error> {
    let headers = sandbox
        .impersonation_headers(principal)
        .map(|(name, value)| -> Result<(HeaderName, HeaderValue), Error> { Ok((name, HeaderValue::try_from(value)?)) });
    Ok(Auth::Headers(headers.into_iter().collect::<Result<_, _>>()?))
}

/// Returns the authentication as the account of a department's persona, without its key.
fn impersonate_persona(
    sandbox: &Sandbox,
    run: &RunContext,
    workspace: &Workspace,
    identity: &str,
) -> Result<Auth, Error> {
    let wrong = || {
        Error::usage(format!("invalid value `{identity}` for --sandbox-as"))
            .with_hint("Use `admin`, or a department and a persona such as `claims/operator`.")
    };
    let (department, persona) = identity.split_once('/').ok_or_else(wrong)?;
    let department = department.parse().map_err(|_| wrong())?;
    let stage = run
        .options
        .stage
        .as_deref()
        .unwrap_or(&workspace.platform.default_stage);
    let name = account_name(stage, &department, persona);
    let account = sandbox
        .accounts()?
        .into_iter()
        .find(|account| account.display_name == name)
        .ok_or_else(|| {
            Error::failed(format!("the sandbox has no service account `{name}`")).with_hint(format!(
                "Create it with `confluent ebs onboard {department} --sandbox`."
            ))
        })?;
    impersonate(sandbox, account.id.as_str())
}
