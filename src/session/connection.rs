//! Connection of a run to Confluent Cloud or a sandbox. Builds all its clients, with authentication, tracing and the
//! messages of retries.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use super::{
    RunContext, Settings, load_workspace, open_sandbox, sandbox::check_sandbox_dir, sandbox_auth::sandbox_auth,
};
use crate::{
    client::{
        Auth, BaseUrl, BasicCredentials, Client, ClientBuilder, CredentialSource, DEFAULT_CONCURRENCY, HttpTransport,
        HttpTransportSettings, InProcessTransport, ListBudget, RetryListener, RetryNotice, Transport, trace::WireTrace,
    },
    clock::Clock,
    config::{
        CredentialsError, HostsError, KeyPair, LoadedProfile, ServiceEndpoint, ServiceHosts, SettingSource, SourcedKey,
    },
    error::{Error, ErrorKind, ResultExt},
    manifest::Workspace,
    redact::SecretRegistry,
    sandbox::Sandbox,
};

/// Host name of a sandbox in this process.
const IN_PROCESS_URL: &str = "http://127.0.0.1:1024";

/// Connection of a run.
#[derive(Clone)]
pub struct Connection {
    /// Base URL of the API.
    pub base: BaseUrl,
    /// Transport that sends requests to Confluent Cloud or to the sandbox.
    pub transport: Arc<dyn Transport>,
    /// Clock that determines the current time of the run.
    pub clock: Clock,
    /// Endpoint that is written to profiles.
    pub endpoint: ServiceEndpoint,
    /// Authentication, or why there is no key.
    pub auth: Result<Auth, CredentialsError>,
    /// Hosts of tokens, logs and metrics, or why they cannot be used.
    pub hosts: Result<ServiceHosts, HostsError>,
    /// Mode of the sandbox; `None` for Confluent Cloud.
    pub sandbox_mode: Option<SandboxMode>,
    concurrency: usize,
    wire_trace: Option<Arc<WireTrace>>,
    on_retry: Option<RetryListener>,
    list_budget: Arc<ListBudget>,
    secrets: SecretRegistry,
}

/// Mode of the sandbox, whose clock sets the time of logs and metrics.
#[derive(Clone)]
pub enum SandboxMode {
    /// In this process: waiting advances the clock.
    InProcess(Sandbox),
    /// As a server with this state directory: waiting takes real time.
    Remote(PathBuf),
}

/// Builder of a [`Connection`].
#[must_use]
pub struct ConnectionBuilder<'a> {
    run: &'a RunContext,
    profile: Option<&'a LoadedProfile>,
    sandbox_dir: Option<&'a Path>,
    workspace: Option<&'a Workspace>,
    timeout: Option<Duration>,
    concurrency: usize,
    reports_retries: bool,
}

impl<'a> ConnectionBuilder<'a> {
    /// Starts a connection to the endpoint of `settings` with the key of `profile` or the environment.
    pub fn new(run: &'a RunContext, settings: &'a Settings, profile: Option<&'a LoadedProfile>) -> Self {
        Self {
            run,
            profile,
            sandbox_dir: settings.sandbox_dir(),
            workspace: None,
            timeout: None,
            concurrency: DEFAULT_CONCURRENCY,
            reports_retries: false,
        }
    }

    /// Sets the platform configuration, which seeds a new sandbox. Without one, it is loaded if a sandbox needs it.
    pub fn workspace(mut self, workspace: &'a Workspace) -> Self {
        self.workspace = Some(workspace);
        self
    }

    /// Sets the time limit of each request.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the maximum number of concurrent requests.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.concurrency = limit;
        self
    }

    /// Reports the reason of every wait for a retry.
    pub fn report_retries(mut self) -> Self {
        self.reports_retries = true;
        self
    }

    /// Opens a connection that has a key and allowed hosts.
    ///
    /// # Errors
    /// There is no key, an address is not allowed, or the sandbox cannot be opened.
    pub fn open(self) -> Result<Connection, Error> {
        let connection = self.open_unchecked()?;
        connection.auth()?;
        connection.hosts()?;
        Ok(connection)
    }

    /// Opens a connection that may lack a key and allowed hosts.
    ///
    /// # Errors
    /// The sandbox cannot be opened, or the endpoint is invalid.
    pub fn open_unchecked(self) -> Result<Connection, Error> {
        match self.sandbox_dir {
            Some(folder) => self.open_sandbox(folder),
            None => self.open_service(),
        }
    }

    /// Connects to Confluent Cloud, or to the endpoint of the profile.
    fn open_service(self) -> Result<Connection, Error> {
        let (run, profile) = (self.run, self.profile);
        let trusted = &run.options.trusted_hosts;
        let key = SourcedKey::resolve_cloud(profile, trusted, |name| run.variable(name));
        let endpoint = profile.map_or_else(ServiceEndpoint::confluent_cloud, |loaded| {
            loaded.profile.endpoint.clone()
        });
        let ServiceEndpoint::Url(url) = &endpoint else {
            return Err(Error::failed("the endpoint of the profile is a sandbox"));
        };
        let named = profile.map(|loaded| loaded.hosts.clone()).unwrap_or_default();
        let hosts = ServiceHosts::resolve(url, &named, trusted, |name| run.variable(name));
        let transport = Arc::new(HttpTransport::new(self.transport_settings(false)));
        let auth = key.map(|found| key_auth(&found.key, found.source));
        self.build(url, endpoint.clone(), transport, auth, hosts, None)
    }

    /// Connects to the sandbox: to its server if one is running, else in this process.
    fn open_sandbox(self, folder: &Path) -> Result<Connection, Error> {
        check_sandbox_dir(self.run, folder)?;
        // The key of a profile and the URL of a server are enough: the platform files are not read.
        let own_auth = match (&self.run.options.sandbox_as, self.profile) {
            (None, Some(profile)) => Some(self.profile_auth(profile)),
            _ => None,
        };
        if let (None, Some(auth), Some(url)) = (self.workspace, &own_auth, Sandbox::running_server_url(folder)) {
            return self.open_sandbox_server(folder, &url, auth.clone());
        }
        let loaded;
        let workspace = if let Some(workspace) = self.workspace {
            workspace
        } else {
            loaded = load_workspace(self.run, true)?.workspace;
            &loaded
        };
        let sandbox = open_sandbox(self.run, folder, workspace)?;
        let auth = match own_auth {
            Some(auth) => auth,
            None => Ok(sandbox_auth(&sandbox, self.run, workspace)?),
        };
        if let Some(url) = Sandbox::running_server_url(folder) {
            return self.open_sandbox_server(folder, &url, auth);
        }
        // A fault that kills ends this process without destructors or cleanup, like a power failure.
        sandbox.on_kill(|| std::process::abort());
        let endpoint = ServiceEndpoint::Sandbox(Some(folder.to_owned()));
        let transport = Arc::new(InProcessTransport::new(sandbox.router()));
        let hosts = Ok(ServiceHosts::single_host(IN_PROCESS_URL));
        let mode = SandboxMode::InProcess(sandbox);
        self.build(IN_PROCESS_URL, endpoint, transport, auth, hosts, Some(mode))
    }

    fn open_sandbox_server(
        self,
        folder: &Path,
        url: &str,
        auth: Result<Auth, CredentialsError>,
    ) -> Result<Connection, Error> {
        let endpoint = ServiceEndpoint::Sandbox(Some(folder.to_owned()));
        let transport = Arc::new(HttpTransport::new(self.transport_settings(true)));
        let mode = SandboxMode::Remote(folder.to_owned());
        let hosts = Ok(ServiceHosts::single_host(url));
        self.build(url, endpoint, transport, auth, hosts, Some(mode))
    }

    /// Returns the authentication of a profile in the sandbox: with its key, else with the key of the environment, which
    /// `--sandbox` ignores.
    fn profile_auth(&self, profile: &LoadedProfile) -> Result<Auth, CredentialsError> {
        let options = &self.run.options;
        let variable = |name: &str| self.run.variable(name).filter(|_| !options.is_sandbox());
        let found = SourcedKey::resolve_cloud(Some(profile), &options.trusted_hosts, variable)?;
        Ok(key_auth(&found.key, found.source))
    }

    fn transport_settings(&self, loopback_only: bool) -> HttpTransportSettings {
        let usual = HttpTransportSettings::default();
        HttpTransportSettings {
            connect_timeout: self.timeout.unwrap_or(usual.connect_timeout),
            timeout: self.timeout.unwrap_or(usual.timeout),
            loopback_only,
        }
    }

    fn build(
        self,
        url: &str,
        endpoint: ServiceEndpoint,
        transport: Arc<dyn Transport>,
        auth: Result<Auth, CredentialsError>,
        hosts: Result<ServiceHosts, HostsError>,
        sandbox_mode: Option<SandboxMode>,
    ) -> Result<Connection, Error> {
        let run = self.run;
        let clock = match &sandbox_mode {
            Some(SandboxMode::InProcess(sandbox)) => sandbox.clock(),
            Some(SandboxMode::Remote(folder)) => {
                Sandbox::running_server_clock(folder).unwrap_or_else(|| run.clock().clone())
            }
            None => run.clock().clone(),
        };
        Ok(Connection {
            base: url.parse().context("invalid endpoint")?,
            transport,
            clock,
            endpoint,
            auth,
            hosts,
            sandbox_mode,
            concurrency: self.concurrency,
            wire_trace: run.options.unsafe_trace.then(|| Arc::new(WireTrace::stderr())),
            on_retry: self.reports_retries.then(|| retry_reporter(run)),
            list_budget: Arc::default(),
            secrets: run.environment.secrets.clone(),
        })
    }
}

impl Connection {
    /// Returns the authentication.
    ///
    /// # Errors
    /// There is no key.
    pub fn auth(&self) -> Result<&Auth, Error> {
        self.auth.as_ref().map_err(Clone::clone).kind(ErrorKind::Denied)
    }

    /// Returns the hosts of tokens, logs and metrics.
    ///
    /// # Errors
    /// A variable names a host that is not allowed.
    pub fn hosts(&self) -> Result<&ServiceHosts, Error> {
        Ok(self.hosts.as_ref().map_err(Clone::clone)?)
    }

    /// Returns whether a sandbox in this process answers the requests.
    #[must_use]
    pub fn is_in_process(&self) -> bool {
        matches!(self.sandbox_mode, Some(SandboxMode::InProcess(_)))
    }

    /// Returns a client of the Cloud API.
    ///
    /// # Errors
    /// There is no key.
    pub fn client(&self) -> Result<Client, Error> {
        let builder = self.client_builder(self.base.clone(), self.clock.clone())?;
        Ok(builder.concurrency(self.concurrency).build())
    }

    /// Returns a builder of a client that sends to `base` and waits on `clock`.
    ///
    /// # Errors
    /// There is no key.
    pub(super) fn client_builder(&self, base: BaseUrl, clock: Clock) -> Result<ClientBuilder, Error> {
        let mut builder = Client::builder(base, self.transport.clone(), self.auth()?.clone(), clock)
            .list_budget(self.list_budget.clone())
            .secrets(self.secrets.clone());
        if let Some(listener) = &self.on_retry {
            builder = builder.on_retry(listener.clone());
        }
        if let Some(trace) = &self.wire_trace {
            builder = builder.wire_trace(trace.clone());
        }
        Ok(builder)
    }
}

/// Returns the authentication with a key of the profile or the environment.
pub(super) fn key_auth(pair: &KeyPair, source: SettingSource) -> Auth {
    let source = match source {
        SettingSource::Environment(name) => CredentialSource::Environment(name),
        SettingSource::Profile(path) => CredentialSource::Profile(path.display().to_string()),
        other => CredentialSource::Profile(other.to_string()),
    };
    Auth::Basic(BasicCredentials {
        key: pair.id.to_string(),
        secret: pair.secret.clone(),
        source,
    })
}

fn retry_reporter(run: &RunContext) -> RetryListener {
    let run = run.clone();
    Arc::new(move |notice: &RetryNotice| {
        run.info(format!(
            "Waiting {} s to {}: {}",
            notice.wait.as_secs(),
            notice.call,
            notice.reason
        ));
    })
}
