//! Operations on resources: create, update, delete and wait, one module per kind. [`KINDS`] lists the kinds whose objects
//! are planned and applied in one way ([`ProvisionedKind`]).
//!
//! All operations are idempotent. A create with a lost response looks for the created object; updates and deletes read
//! the object again and stop if it has changed.

mod acl;
mod any_kind;
mod client_quota;
pub mod api_key;
pub mod connector;
mod kind;
pub mod logs;
pub mod metrics;
mod poll;
pub mod role_binding;
pub mod service_account;

pub use any_kind::{AnyKind, ErasedObject, Kind, ObjectDiff, ObjectOperations, ProvisionedObject};
pub use kind::{
    KindInfo, ObjectLimit, ObjectMatch, ObservationClients, PrefixRelation, ProvisionedKind, UnknownObjects,
};
pub use poll::{PollEnd, poll, sleep_or_cancel};

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    ops::ControlFlow,
    sync::Mutex,
    time::Duration,
};

use tokio_util::sync::CancellationToken;

use crate::{
    client::{Client, ClientError},
    clock::Clock,
    hint::{Advice, Hint},
    model::{AclBinding, ApiKeyId, ClientQuota, ServiceAccountId, StageAddress},
};

/// All provisioned kinds, in the order in which their objects are planned and shown.
pub const KINDS: [&dyn AnyKind; 2] = [&Kind::<AclBinding>::ERASED, &Kind::<ClientQuota>::ERASED];

/// Maximum propagation time of a new account, role binding or key: Terraform's provider waits 90 s for a role binding
/// and documents a variant of 360 s (docs/reference/rbac.md#propagation-delays).
pub const PROPAGATION_BUDGET: Duration = Duration::from_mins(6);

/// Clients and settings of resource operations.
pub struct ResourceContext {
    /// Client of the Confluent Cloud API.
    pub client: Client,
    /// Kafka REST client of the cluster, if a key of the cluster is available.
    pub kafka: Option<Client>,
    /// Address of the stage.
    pub address: StageAddress,
    /// Provisioner.
    pub provisioner: ServiceAccountId,
    /// Clock.
    pub clock: Clock,
    /// Maximum time to wait for propagation.
    pub propagation_budget: Duration,
    /// Cancellation; it ends a wait.
    pub interrupt: CancellationToken,
    /// Latest request id for each written object.
    requests: Mutex<BTreeMap<String, String>>,
    /// Accounts created in this run, for which 403 means that they have not propagated yet.
    created_accounts: Mutex<BTreeSet<ServiceAccountId>>,
}

/// Reason why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// The request failed.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The object has changed since the plan was made.
    #[error("{what} changed after planning: expected {expected}, found {found}")]
    Stale {
        /// Object.
        what: String,
        /// Planned state.
        expected: String,
        /// Actual state.
        found: String,
    },
    /// An object with this name belongs to another owner or cannot be used.
    #[error("{0}")]
    Conflict(String),
    /// Another key was created on the same account concurrently.
    #[error(
        "API key `{key}` was created on service account `{owner}` concurrently: another run is active, or another \
         principal can create keys on it; the key of this run was deleted"
    )]
    ConcurrentKey {
        /// The other key.
        key: ApiKeyId,
        /// Account of the keys.
        owner: ServiceAccountId,
    },
}

impl ResourceError {
    /// Returns the request id if the service responded.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Client(error) => error.request_id(),
            _ => None,
        }
    }
}

impl Advice for ResourceError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Client(error) => error.hints(),
            Self::Stale { .. } => vec!["Re-run to plan against the current state.".into()],
            Self::Conflict(_) => Vec::new(),
            Self::ConcurrentKey { key, .. } => vec![
                "If another onboarding is active, wait for it and use its evidence folder (`--evidence-dir`).".into(),
                format!("If the key is not yours, revoke it with `confluent api-key delete {key}`.").into(),
            ],
        }
    }
}

impl ResourceContext {
    /// Creates a context for the stage at `address`.
    #[must_use]
    pub fn new(
        client: Client,
        address: StageAddress,
        provisioner: ServiceAccountId,
        clock: Clock,
        budget: Duration,
    ) -> Self {
        Self {
            client,
            kafka: None,
            address,
            provisioner,
            clock,
            propagation_budget: budget,
            interrupt: CancellationToken::new(),
            requests: Mutex::default(),
            created_accounts: Mutex::default(),
        }
    }

    /// Returns the context with a Kafka REST client.
    #[must_use]
    pub fn with_kafka(mut self, kafka: Option<Client>) -> Self {
        self.kafka = kafka;
        self
    }

    /// Returns the context with cancellation of waits.
    #[must_use]
    pub fn with_interrupt(mut self, interrupt: CancellationToken) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// Records the request that wrote `object`, for support and evidence.
    fn record_request(&self, object: &str, request_id: Option<&String>) {
        if let Some(request_id) = request_id {
            let mut requests = self.requests.lock().expect("no holder of the lock panics");
            requests.insert(object.to_owned(), request_id.clone());
        }
    }

    /// Returns the id of the last request that wrote `object` in this run.
    #[must_use]
    pub fn last_request_id(&self, object: &str) -> Option<String> {
        self.requests
            .lock()
            .expect("no holder of the lock panics")
            .get(object)
            .cloned()
    }

    /// Records that this run created `account`.
    pub fn mark_created(&self, account: &ServiceAccountId) {
        self.created_accounts
            .lock()
            .expect("no holder of the lock panics")
            .insert(account.clone());
    }

    /// Returns whether this run created `account`.
    #[must_use]
    pub fn was_created_here(&self, account: &ServiceAccountId) -> bool {
        self.created_accounts
            .lock()
            .expect("no holder of the lock panics")
            .contains(account)
    }

    /// Retries `attempt` within the propagation budget while the service returns 403 or 404 for an account created in
    /// this run.
    async fn retry_until_visible<T, F, Fut>(&self, account: &ServiceAccountId, mut attempt: F) -> Result<T, ClientError>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, ClientError>>,
    {
        let is_invisible =
            |error: &ClientError| (error.is_forbidden() || error.is_not_found()) && self.was_created_here(account);
        let attempt = || {
            let sent = attempt();
            async move {
                match sent.await {
                    Err(error) if is_invisible(&error) => ControlFlow::Continue(error),
                    result => ControlFlow::Break(result),
                }
            }
        };
        let polled = poll(&self.clock, &self.interrupt, self.propagation_budget, attempt).await;
        polled.unwrap_or_else(|end| Err(end.last))
    }
}
