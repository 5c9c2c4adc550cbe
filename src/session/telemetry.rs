//! Clients for connector logs and metrics, which have their own hosts.

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

/// Default wait after a 429 without a wait time: a fifth of the one-minute rate limit window
/// (docs/reference/logs.md#limits-and-errors).
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(12);

/// Clients for logs and metrics.
pub struct TelemetryClients {
    transport: Arc<dyn Transport>,
    auth: Auth,
    hosts: ServiceHosts,
    /// Clock of log lines; read from a served sandbox on first use.
    clock: OnceLock<Clock>,
    /// Clock of this machine.
    local_clock: Clock,
    /// Directory of a served sandbox.
    remote_sandbox: Option<PathBuf>,
    /// Sandbox in this process, whose clock advances on each wait unless real time is used.
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

    /// Returns the clock of log lines.
    pub fn clock(&self) -> &Clock {
        self.clock.get_or_init(|| {
            let Some(folder) = &self.remote_sandbox else {
                return self.local_clock.clone();
            };
            // Log lines carry the sandbox time, which may be ahead of real time.
            match Sandbox::open(folder, Seed::default(), None) {
                Ok(sandbox) => {
                    sandbox.use_real_time();
                    sandbox.clock()
                }
                Err(_) => self.local_clock.clone(),
            }
        })
    }

    /// Makes waiting take real time, also for a sandbox in this process, because a user is watching.
    pub fn use_real_time(&self) {
        if let Some(sandbox) = &self.in_process_sandbox {
            sandbox.use_real_time();
        }
    }

    /// Returns the directory of rate limits and cached lines.
    pub fn state_dir(&self) -> &Path {
        &self.state_dir
    }

    /// Returns the hosts of logs and metrics.
    pub fn hosts(&self) -> &ServiceHosts {
        &self.hosts
    }

    fn client_builder(&self, host: &str) -> Result<ClientBuilder, Error> {
        let base = host.parse().context("invalid host")?;
        let builder = Client::builder(base, self.transport.clone(), self.auth.clone(), self.clock().clone());
        let builder = builder.on_retry(self.on_retry.clone());
        Ok(match &self.wire_trace {
            Some(wire) => builder.wire_trace(wire.clone()),
            None => builder,
        })
    }

    /// Returns a client for logs.
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

    /// Returns a client for metrics, authenticated with the API key itself (docs/reference/metrics.md#access).
    pub fn metrics(&self) -> Result<MetricsClient, Error> {
        let client = self.client_builder(&self.hosts.metrics)?.build();
        Ok(MetricsClient::new(&client, Some(&self.state_dir)))
    }

    /// Returns a client for metrics that never retries, for optional values.
    pub fn metrics_no_retry(&self) -> Result<MetricsClient, Error> {
        let no_retry = RetryPolicy {
            max_attempts: 1,
            budget: Duration::ZERO,
            ..RetryPolicy::default()
        };
        let client = self.client_builder(&self.hosts.metrics)?.policy(no_retry).build();
        Ok(MetricsClient::new(&client, Some(&self.state_dir)))
    }

    /// Returns the address of the stage for CRNs. Requests the organization if no file contains it.
    pub async fn resolve_address(&self, client: &Client) -> Result<StageAddress, Error> {
        let organization = if let Some(organization) = &self.organization {
            organization.clone()
        } else {
            let all = client.list(ListOrganizations).await?;
            let only = all.into_iter().next().map(|organization| organization.id);
            only.ok_or_else(|| Error::failed("the key cannot see an organization"))?
        };
        Ok(StageAddress {
            organization,
            environment: self.cluster_path.environment.clone(),
            cluster: self.cluster_path.cluster.clone(),
            schema_registry: None,
        })
    }
}

/// Returns the CRN of a connector.
pub fn connector_crn(address: &StageAddress, name: &str) -> Result<Crn, Error> {
    let crn = address.resource(ResourceKind::Connector, name);
    crn.ok_or_else(|| Error::failed(format!("connector `{name}` has no valid CRN")))
}
