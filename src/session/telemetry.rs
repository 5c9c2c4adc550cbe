//! The way to what is kept on hosts of its own: connector logs and metrics.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    connection::{Connection, SandboxMode},
    connector_session::ConnectorStatePaths,
};
use crate::{
    api::{connect::ClusterPath, org::ListOrganizations},
    client::{
        Auth, Client, ClientBuilder, LogsClient, MetricsClient, RetryListener, RetryPolicy, TokenCache, Transport,
        trace::WireTrace,
    },
    clock::Clock,
    config::ServiceHosts,
    error::{Error, ResultExt},
    model::{Crn, OrganizationId, ResourceKind, StageAddress},
    sandbox::{Sandbox, Seed},
};

/// How long to wait after a 429 that does not say how long: a fifth of the minute that a connector's limit is about
/// (docs/reference/logs.md#limits-and-errors).
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(12);

/// The way to logs and metrics.
pub struct TelemetryClients {
    transport: Arc<dyn Transport>,
    auth: Auth,
    hosts: ServiceHosts,
    /// Time, as the lines tell it; read from the folder of a served sandbox only when somebody asks.
    clock: OnceLock<Clock>,
    /// This computer's time.
    local_clock: Clock,
    /// The folder of the sandbox that is served.
    remote_sandbox: Option<PathBuf>,
    /// The sandbox in this process, whose time steps unless it is told otherwise.
    in_process_sandbox: Option<Sandbox>,
    state_dir: PathBuf,
    cluster_path: ClusterPath,
    organization: Option<OrganizationId>,
    on_retry: RetryListener,
    wire_trace: Option<Arc<WireTrace>>,
}

impl TelemetryClients {
    pub(super) fn new(
        connection: &Connection,
        state_paths: ConnectorStatePaths,
        place: &ClusterPath,
        on_retry: RetryListener,
        wire: Option<Arc<WireTrace>>,
    ) -> Self {
        let (stepping, served) = match &connection.sandbox_mode {
            None => (None, None),
            Some(SandboxMode::InProcess(sandbox)) => (Some(sandbox.clone()), None),
            Some(SandboxMode::Remote(folder)) => (None, Some(folder.clone())),
        };
        Self {
            transport: connection.transport.clone(),
            auth: connection.auth.clone(),
            hosts: connection.hosts.clone(),
            clock: OnceLock::new(),
            local_clock: connection.clock.clone(),
            remote_sandbox: served,
            in_process_sandbox: stepping,
            state_dir: state_paths.telemetry_dir,
            cluster_path: place.clone(),
            organization: state_paths.organization,
            on_retry,
            wire_trace: wire,
        }
    }

    /// Time, as the lines tell it.
    pub fn clock(&self) -> &Clock {
        self.clock.get_or_init(|| {
            let Some(folder) = &self.remote_sandbox else {
                return self.local_clock.clone();
            };
            // Its lines have its time, which may be ahead of this computer's.
            match Sandbox::open(folder, Seed::default(), None) {
                Ok(sandbox) => {
                    sandbox.use_real_time();
                    sandbox.clock()
                }
                Err(_) => self.local_clock.clone(),
            }
        })
    }

    /// From now on waiting takes real time, also on a sandbox in this process: somebody is watching.
    pub fn use_real_time(&self) {
        if let Some(sandbox) = &self.in_process_sandbox {
            sandbox.use_real_time();
        }
    }

    /// Where limits and lines are kept.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Where logs are searched, and metrics queried.
    pub fn hosts(&self) -> &ServiceHosts {
        &self.hosts
    }

    fn client_builder(&self, host: &str) -> Result<ClientBuilder, Error> {
        let base = host.parse().context("the address cannot be used")?;
        let builder = Client::builder(base, self.transport.clone(), self.auth.clone(), self.clock().clone());
        let builder = builder.on_retry(self.on_retry.clone());
        Ok(match &self.wire_trace {
            Some(wire) => builder.wire_trace(wire.clone()),
            None => builder,
        })
    }

    /// The way to log lines.
    pub fn logs(&self) -> Result<LogsClient, Error> {
        let exchange = self.client_builder(&self.hosts.token)?.build();
        let policy = RetryPolicy {
            min_throttle_wait: DEFAULT_RETRY_AFTER,
            ..RetryPolicy::default()
        };
        let search = self.client_builder(&self.hosts.logs)?.policy(policy).build();
        Ok(LogsClient::new(
            search,
            TokenCache::new(exchange),
            Some(self.state_dir.clone()),
        ))
    }

    /// The way to metrics: the key itself opens them (docs/reference/metrics.md#access).
    pub fn metrics(&self) -> Result<MetricsClient, Error> {
        let client = self.client_builder(&self.hosts.metrics)?.build();
        Ok(MetricsClient::new(&client, Some(&self.state_dir)))
    }

    /// The way to metrics for what is only worth saying when it is told at once.
    pub fn metrics_no_retry(&self) -> Result<MetricsClient, Error> {
        let no_retry = RetryPolicy {
            max_attempts: 1,
            budget: Duration::ZERO,
            ..RetryPolicy::default()
        };
        let client = self.client_builder(&self.hosts.metrics)?.policy(no_retry).build();
        Ok(MetricsClient::new(&client, Some(&self.state_dir)))
    }

    /// The name of a connector as logs know it. The organization is in it, which is asked for where no file says it.
    pub async fn resolve_address(&self, client: &Client) -> Result<StageAddress, Error> {
        let organization = if let Some(organization) = &self.organization {
            organization.clone()
        } else {
            let all = client.list(ListOrganizations).await?;
            let only = all.into_iter().next().map(|organization| organization.id);
            only.ok_or_else(|| Error::failed("the key sees no organization"))?
        };
        Ok(StageAddress {
            organization,
            environment: self.cluster_path.environment.clone(),
            cluster: self.cluster_path.cluster.clone(),
            schema_registry: None,
        })
    }
}

/// The CRN of a connector.
pub fn connector_crn(address: &StageAddress, name: &str) -> Result<Crn, Error> {
    let crn = address.resource(ResourceKind::Connector, name);
    crn.ok_or_else(|| Error::failed(format!("connector \"{name}\" has no name that logs can be asked for")))
}
