//! Clients for connector logs and metrics, which have their own hosts.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::connection::{Connection, SandboxMode};
use crate::{
    api::{connect::ClusterPath, org::ListOrganizations},
    client::{Client, ClientBuilder, LogsClient, MetricsClient, RetryPolicy, TokenCache},
    clock::Clock,
    config::ServiceHosts,
    error::{Error, ResultExt},
    model::{Crn, OrganizationId, ResourceKind, StageAddress},
};

/// Default wait after a 429 without a wait time: a fifth of the one-minute rate limit window
/// (docs/reference/logs.md#limits-and-errors).
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(12);

/// Clients for logs and metrics.
pub struct TelemetryClients {
    connection: Connection,
    hosts: ServiceHosts,
    state_dir: PathBuf,
    cluster_path: ClusterPath,
    organization: Option<OrganizationId>,
}

impl TelemetryClients {
    /// Creates the clients of a connection. `state_dir` holds shared rate limits and cached log lines; `organization`
    /// is requested if no file contains it.
    pub(super) fn new(
        connection: Connection,
        cluster_path: ClusterPath,
        state_dir: PathBuf,
        organization: Option<OrganizationId>,
    ) -> Result<Self, Error> {
        Ok(Self {
            hosts: connection.hosts()?.clone(),
            connection,
            state_dir,
            cluster_path,
            organization,
        })
    }

    /// Returns the clock of log lines.
    pub fn clock(&self) -> &Clock {
        &self.connection.clock
    }

    /// Makes waiting take real time, also for a sandbox in this process, because a user is watching.
    pub fn use_real_time(&self) {
        if let Some(SandboxMode::InProcess(sandbox)) = &self.connection.sandbox_mode {
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
        self.connection.client_builder(base, self.clock().clone())
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
        let builder = self.client_builder(&self.hosts.metrics)?;
        let client = builder.policy(RetryPolicy::no_retry()).build();
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
