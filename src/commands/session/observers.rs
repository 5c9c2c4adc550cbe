//! The way to what is kept on hosts of its own: connector logs and metrics.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use super::{
    department::Kept,
    way::{Embedded, Way},
};
use crate::{
    api::{connect::Place, org::ListOrganizations},
    client::{Auth, Client, ClientBuilder, Logs, Metrics, OnRetry, RetryPolicy, Tokens, Transport, trace::WireTrace},
    clock::Clock,
    config::Hosts,
    error::{Error, ResultExt},
    model::{Address, Crn, OrganizationId, ResourceKind},
    sandbox::{Sandbox, Seed},
};

/// How long to wait after a 429 that does not say how long: a fifth of the minute that a connector's limit is about (dossier
/// `logs.md` §2.5).
const THROTTLED: Duration = Duration::from_secs(12);

/// The way to logs and metrics.
pub(in crate::commands) struct Observers {
    transport: Arc<dyn Transport>,
    auth: Auth,
    hosts: Hosts,
    /// Time, as the lines tell it; read from the folder of a served sandbox only when somebody asks.
    clock: OnceLock<Clock>,
    /// This computer's time.
    here: Clock,
    /// The folder of the sandbox that is served.
    served: Option<PathBuf>,
    /// The sandbox in this process, whose time steps unless it is told otherwise.
    stepping: Option<Sandbox>,
    folder: PathBuf,
    place: Place,
    organization: Option<OrganizationId>,
    on_retry: OnRetry,
    wire: Option<Arc<WireTrace>>,
}

impl Observers {
    pub(super) fn new(way: &Way, kept: Kept, place: &Place, on_retry: OnRetry, wire: Option<Arc<WireTrace>>) -> Self {
        let (stepping, served) = match &way.embedded {
            None => (None, None),
            Some(Embedded::Here(sandbox)) => (Some(sandbox.clone()), None),
            Some(Embedded::Served(folder)) => (None, Some(folder.clone())),
        };
        Self {
            transport: way.transport.clone(),
            auth: way.auth.clone(),
            hosts: way.hosts.clone(),
            clock: OnceLock::new(),
            here: way.clock.clone(),
            served,
            stepping,
            folder: kept.observed,
            place: place.clone(),
            organization: kept.organization,
            on_retry,
            wire,
        }
    }

    /// Time, as the lines tell it.
    pub(in crate::commands) fn clock(&self) -> &Clock {
        self.clock.get_or_init(|| {
            let Some(folder) = &self.served else {
                return self.here.clone();
            };
            // Its lines have its time, which may be ahead of this computer's.
            match Sandbox::open(folder, Seed::default(), None) {
                Ok(sandbox) => {
                    sandbox.wait_in_real_time();
                    sandbox.clock()
                }
                Err(_) => self.here.clone(),
            }
        })
    }

    /// From now on waiting takes real time, also on a sandbox in this process: somebody is watching.
    pub(in crate::commands) fn watch(&self) {
        if let Some(sandbox) = &self.stepping {
            sandbox.wait_in_real_time();
        }
    }

    /// Where limits and lines are kept.
    pub(in crate::commands) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where logs are searched, and metrics queried.
    pub(in crate::commands) fn hosts(&self) -> &Hosts {
        &self.hosts
    }

    fn client(&self, host: &str) -> Result<ClientBuilder, Error> {
        let base = host.parse().context("the address cannot be used")?;
        let builder = Client::builder(base, self.transport.clone(), self.auth.clone(), self.clock().clone());
        let builder = builder.on_retry(self.on_retry.clone());
        Ok(match &self.wire {
            Some(wire) => builder.wire_trace(wire.clone()),
            None => builder,
        })
    }

    /// The way to log lines.
    pub(in crate::commands) fn logs(&self) -> Result<Logs, Error> {
        let exchange = self.client(&self.hosts.token)?.build();
        let policy = RetryPolicy {
            throttled: THROTTLED,
            ..RetryPolicy::default()
        };
        let search = self.client(&self.hosts.logs)?.policy(policy).build();
        Ok(Logs::new(search, Tokens::new(exchange), Some(self.folder.clone())))
    }

    /// The way to metrics: the key itself opens them (dossier `metrics.md` §1).
    pub(in crate::commands) fn metrics(&self) -> Result<Metrics, Error> {
        let client = self.client(&self.hosts.metrics)?.build();
        Ok(Metrics::new(&client, Some(&self.folder)))
    }

    /// The way to metrics for what is only worth saying when it is told at once.
    pub(in crate::commands) fn metrics_at_once(&self) -> Result<Metrics, Error> {
        let impatient = RetryPolicy {
            tries: 1,
            budget: Duration::ZERO,
            ..RetryPolicy::default()
        };
        let client = self.client(&self.hosts.metrics)?.policy(impatient).build();
        Ok(Metrics::new(&client, Some(&self.folder)))
    }

    /// The name of a connector as logs know it. The organization is in it, which is asked for where no file says it.
    pub(in crate::commands) async fn address(&self, client: &Client) -> Result<Address, Error> {
        let organization = if let Some(organization) = &self.organization {
            organization.clone()
        } else {
            let all = client.list(ListOrganizations).await?;
            let only = all.into_iter().next().map(|organization| organization.id);
            only.ok_or_else(|| Error::failed("the key sees no organization"))?
        };
        Ok(Address {
            organization,
            environment: self.place.environment.clone(),
            cluster: self.place.cluster.clone(),
            schema_registry: None,
        })
    }
}

/// The CRN of a connector.
pub(in crate::commands) fn connector_crn(address: &Address, name: &str) -> Result<Crn, Error> {
    let crn = address.resource(ResourceKind::Connector, name);
    crn.ok_or_else(|| Error::failed(format!("connector \"{name}\" has no name that logs can be asked for")))
}
