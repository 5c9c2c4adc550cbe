//! One file per kind of resource: make it, change it, remove it, wait for it.
//!
//! Every operation is written so that doing it twice ends in the same state as doing it once: a create whose answer was
//! lost looks for what it may have made, updates and deletes read the address again and stop when somebody else was
//! faster.

pub mod acl;
pub mod api_key;
pub mod connector;
pub mod logs;
pub mod metrics;
pub mod role_binding;
pub mod service_account;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    sync::Mutex,
    time::Duration,
};

use crate::{
    cancel::CancelToken,
    client::{Client, ClientError},
    clock::Clock,
    hint::{Advice, Hint},
    model::{ApiKeyId, ServiceAccountId, StageAddress},
};

/// How long a fresh account, binding or key may take to be in force everywhere: Terraform's provider waits 90 s for a
/// binding and documents a variant of 360 s (docs/reference/rbac.md#propagation-delays).
pub const PROPAGATION_BUDGET: Duration = Duration::from_mins(6);

/// What an operation needs to know about where it works.
pub struct ResourceContext {
    /// The way to the service.
    pub client: Client,
    /// The way to Kafka REST of the cluster, where there is a key of it at hand.
    pub kafka: Option<Client>,
    /// The stage.
    pub address: StageAddress,
    /// Who we are.
    pub provisioner: ServiceAccountId,
    /// Time.
    pub clock: Clock,
    /// How long to wait for what was just made to be in force.
    pub propagation_budget: Duration,
    /// The wish to stop: it ends a wait.
    pub interrupt: CancelToken,
    /// For each object that was written, the request that did it last.
    requests: Mutex<BTreeMap<String, String>>,
    /// The accounts that this run made: a 403 on them means "not yet".
    created_accounts: Mutex<BTreeSet<ServiceAccountId>>,
}

/// Waits, unless somebody wishes to stop; answers whether it waited to the end.
pub async fn sleep_or_cancel(clock: &Clock, interrupt: &CancelToken, wait: Duration) -> bool {
    tokio::select! {
        () = clock.sleep(wait) => !interrupt.is_cancelled(),
        () = interrupt.cancelled() => false,
    }
}

/// Why an operation failed.
#[derive(Debug, thiserror::Error)]
pub enum ResourceError {
    /// The service refused or did not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The object is no longer what the plan saw.
    #[error("{what} is not what the plan saw: expected {expected}, found {found}")]
    Stale {
        /// The object.
        what: String,
        /// What the plan saw.
        expected: String,
        /// What is there.
        found: String,
    },
    /// Somebody else made an object of that name first.
    #[error("{0}")]
    Conflict(String),
    /// Somebody else made a key on the same account at the same time.
    #[error(
        "API key `{key}` appeared on service account `{owner}` while this run made one there: another run is at work, or \
         somebody else may make keys on it; this run took its own key back"
    )]
    ConcurrentKey {
        /// The key that is not ours.
        key: ApiKeyId,
        /// Whose it is.
        owner: ServiceAccountId,
    },
}

impl ResourceError {
    /// The request's id, when the service answered.
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
            Self::Stale { .. } => vec!["Run the command again: it plans anew from what is there now.".into()],
            Self::Conflict(_) => Vec::new(),
            Self::ConcurrentKey { key, .. } => vec![
                "If another onboarding is at work, let it finish and use its evidence folder (`--evidence-dir`)."
                    .into(),
                format!("If nobody knows the key, revoke it with `confluent api-key delete {key}`.").into(),
            ],
        }
    }
}

impl ResourceContext {
    /// A world at `address`.
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
            interrupt: CancelToken::new(),
            requests: Mutex::default(),
            created_accounts: Mutex::default(),
        }
    }

    /// The same world with a way to Kafka REST.
    #[must_use]
    pub fn with_kafka(mut self, kafka: Option<Client>) -> Self {
        self.kafka = kafka;
        self
    }

    /// The same world, in which waits end when somebody wishes to stop.
    #[must_use]
    pub fn with_interrupt(mut self, interrupt: CancelToken) -> Self {
        self.interrupt = interrupt;
        self
    }

    /// Remembers which request wrote `object`: support asks for it, and evidence names it.
    fn record_request(&self, object: &str, request_id: Option<&String>) {
        if let Some(request_id) = request_id {
            let mut requests = self.requests.lock().expect("no holder of the lock panics");
            requests.insert(object.to_owned(), request_id.clone());
        }
    }

    /// The request that wrote `object` last, in this run.
    #[must_use]
    pub fn last_request_id(&self, object: &str) -> Option<String> {
        self.requests
            .lock()
            .expect("no holder of the lock panics")
            .get(object)
            .cloned()
    }

    /// Remembers that this run made `account`.
    pub fn mark_created(&self, account: &ServiceAccountId) {
        self.created_accounts
            .lock()
            .expect("no holder of the lock panics")
            .insert(account.clone());
    }

    /// Whether this run made `account`.
    #[must_use]
    pub fn was_created_here(&self, account: &ServiceAccountId) -> bool {
        self.created_accounts
            .lock()
            .expect("no holder of the lock panics")
            .contains(account)
    }

    /// Tries `attempt` until it succeeds, while the service says "not yet" (403 or 404 on an account that this run
    /// made), within the budget.
    async fn retry_until_visible<T, F, Fut>(&self, account: &ServiceAccountId, mut attempt: F) -> Result<T, ClientError>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, ClientError>>,
    {
        let begun = self.clock.now();
        let mut wait = Duration::from_secs(1);
        loop {
            match attempt().await {
                Err(error) if (error.is_forbidden() || error.is_not_found()) && self.was_created_here(account) => {
                    if self.clock.elapsed_since(begun) + wait > self.propagation_budget {
                        return Err(error);
                    }
                    if !sleep_or_cancel(&self.clock, &self.interrupt, wait).await {
                        return Err(error);
                    }
                    wait = (wait * 2).min(Duration::from_secs(15));
                }
                result => return result,
            }
        }
    }
}
