//! HTTP client for Confluent Cloud: built once and cloned. Clones share connections and limits.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use http::{Method, StatusCode};

use super::{
    adaptive_limiter::AdaptiveLimiter,
    base_url::BaseUrl,
    credentials::Auth,
    error::{ApiCall, ClientError},
    message::PreparedRequest,
    rate_limiter::SharedRateLimiter,
    response_limits::ListBudget,
    retry::{Attempts, Jitter, RetryListener, RetryPolicy},
    trace::WireTrace,
    transport::Transport,
};
use crate::{api::Endpoint, clock::Clock, redact::SecretRegistry};

/// Default number of concurrent requests (`--concurrency`).
pub const DEFAULT_CONCURRENCY: usize = 8;

/// Successful response.
#[derive(Clone, Debug)]
pub struct ApiResponse<T> {
    /// Decoded body.
    pub value: T,
    /// Request id, for evidence and support.
    pub request_id: Option<String>,
    /// HTTP status.
    pub status: StatusCode,
    /// Size of the body.
    pub body_bytes: usize,
}

/// Client that sends endpoints to one service as one caller. Cheap to clone; clones share the concurrency limit.
#[derive(Clone)]
pub struct Client {
    pub(super) shared: Arc<ClientShared>,
    pub(super) auth: Arc<Auth>,
    pub(super) on_retry: Option<RetryListener>,
    pub(super) rate_limiter: Option<Arc<SharedRateLimiter>>,
    write_log: Option<Arc<WriteLog>>,
}

/// Ids of the requests of one change that wrote successfully, for evidence and support.
#[derive(Debug, Default)]
pub struct WriteLog(Mutex<Vec<String>>);

impl WriteLog {
    /// Returns the ids in the order of the requests.
    #[must_use]
    pub fn request_ids(&self) -> Vec<String> {
        self.0.lock().expect("no holder of the lock panics").clone()
    }

    fn add(&self, request_id: &str) {
        let mut ids = self.0.lock().expect("no holder of the lock panics");
        ids.push(request_id.to_owned());
    }
}

pub(super) struct ClientShared {
    pub(super) base: BaseUrl,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) clock: Clock,
    pub(super) policy: RetryPolicy,
    pub(super) jitter: Jitter,
    pub(super) concurrency_limiter: AdaptiveLimiter,
    pub(super) wire_trace: Option<Arc<WireTrace>>,
    pub(super) list_budget: Arc<ListBudget>,
    pub(super) secrets: SecretRegistry,
}

impl ClientShared {
    /// Returns the same settings with a concurrency limit of their own.
    fn fork(&self) -> Self {
        Self {
            base: self.base.clone(),
            transport: self.transport.clone(),
            clock: self.clock.clone(),
            policy: self.policy.clone(),
            jitter: self.jitter.clone(),
            concurrency_limiter: self.concurrency_limiter.with_same_limit(),
            wire_trace: self.wire_trace.clone(),
            list_budget: self.list_budget.clone(),
            secrets: self.secrets.clone(),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Client")
            .field("base", &self.shared.base)
            .field("auth", &self.auth)
            .field("transport", &self.shared.transport)
            .finish_non_exhaustive()
    }
}

/// Builder of a [`Client`] with default values.
#[must_use]
pub struct ClientBuilder {
    shared: ClientShared,
    auth: Auth,
    on_retry: Option<RetryListener>,
}

impl ClientBuilder {
    /// Sets the retry policy.
    pub fn policy(mut self, policy: RetryPolicy) -> Self {
        self.shared.policy = policy;
        self
    }

    /// Sets the maximum number of concurrent requests; at least one.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.shared.concurrency_limiter = AdaptiveLimiter::new(limit);
        self
    }

    /// Sets the source of randomness for back-off.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.shared.jitter = jitter;
        self
    }

    /// Sets the listener that is called before a retry waits.
    pub fn on_retry(mut self, listener: RetryListener) -> Self {
        self.on_retry = Some(listener);
        self
    }

    /// Sets the budget for the sizes of lists, which all clients of a command share.
    pub fn list_budget(mut self, budget: Arc<ListBudget>) -> Self {
        self.shared.list_budget = budget;
        self
    }

    /// Sets the trace of requests and responses (`--unsafe-trace`); secrets are redacted.
    pub fn wire_trace(mut self, trace: Arc<WireTrace>) -> Self {
        self.shared.wire_trace = Some(trace);
        self
    }

    /// Sets the registry of secret values, which receives the credentials and the secrets of responses.
    pub fn secrets(mut self, secrets: SecretRegistry) -> Self {
        self.shared.secrets = secrets;
        self
    }

    /// Builds the client.
    #[must_use]
    pub fn build(self) -> Client {
        self.auth.register(&self.shared.secrets);
        Client {
            shared: Arc::new(self.shared),
            auth: Arc::new(self.auth),
            on_retry: self.on_retry,
            rate_limiter: None,
            write_log: None,
        }
    }
}

impl Client {
    /// Starts a client that sends to `base` through `transport` as `auth` and waits on `clock`.
    pub fn builder(base: BaseUrl, transport: Arc<dyn Transport>, auth: Auth, clock: Clock) -> ClientBuilder {
        // Jitter separates clients that wait at the same time. On a virtual clock, it only makes runs differ.
        let jitter = match clock.is_virtual() {
            true => Jitter::ceiling(),
            false => Jitter::random(),
        };
        ClientBuilder {
            shared: ClientShared {
                base,
                transport,
                clock,
                policy: RetryPolicy::default(),
                jitter,
                concurrency_limiter: AdaptiveLimiter::new(DEFAULT_CONCURRENCY),
                wire_trace: None,
                list_budget: Arc::default(),
                secrets: SecretRegistry::default(),
            },
            auth,
            on_retry: None,
        }
    }

    /// Returns a client for the same service and limits with other credentials.
    #[must_use]
    pub fn with_auth(&self, auth: Auth) -> Self {
        auth.register(&self.shared.secrets);
        Self {
            auth: Arc::new(auth),
            ..self.clone()
        }
    }

    /// Returns a client for the same service that also obeys `allowance`. It has its own concurrency limit, so that
    /// waiting for this rate limit does not delay other requests.
    #[must_use]
    pub fn with_rate_limiter(&self, allowance: Arc<SharedRateLimiter>) -> Self {
        Self {
            shared: Arc::new(self.shared.fork()),
            rate_limiter: Some(allowance),
            ..self.clone()
        }
    }

    /// Returns how long the client-side rate limit would delay the next request.
    pub(super) fn rate_limit_wait(&self) -> std::time::Duration {
        self.rate_limiter
            .as_ref()
            .map_or_else(Default::default, |own| own.wait_time())
    }

    /// Returns a client for another service, with the same transport and retry policy and a concurrency limit of its
    /// own.
    #[must_use]
    pub fn with_base_url(&self, base: BaseUrl, auth: Auth) -> Self {
        auth.register(&self.shared.secrets);
        Self {
            shared: Arc::new(ClientShared {
                base,
                ..self.shared.fork()
            }),
            auth: Arc::new(auth),
            on_retry: self.on_retry.clone(),
            rate_limiter: None,
            write_log: None,
        }
    }

    /// Returns the same client with another retry policy.
    #[must_use]
    pub fn with_policy(&self, policy: RetryPolicy) -> Self {
        Self {
            shared: Arc::new(ClientShared {
                policy,
                ..self.shared.fork()
            }),
            ..self.clone()
        }
    }

    /// Returns the same client with another retry listener, for a step that reports its own retries.
    #[must_use]
    pub fn with_on_retry(&self, listener: RetryListener) -> Self {
        Self {
            on_retry: Some(listener),
            ..self.clone()
        }
    }

    /// Returns the same client, which also records the ids of its requests that write.
    #[must_use]
    pub fn with_write_log(&self, log: Arc<WriteLog>) -> Self {
        Self {
            write_log: Some(log),
            ..self.clone()
        }
    }

    /// Returns the base URL.
    #[must_use]
    pub fn base(&self) -> &BaseUrl {
        &self.shared.base
    }

    /// Returns the credentials.
    #[must_use]
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// Returns the budget for the sizes of lists.
    #[must_use]
    pub fn list_budget(&self) -> &ListBudget {
        &self.shared.list_budget
    }

    /// Returns the registry of secret values.
    #[must_use]
    pub fn secrets(&self) -> &SecretRegistry {
        &self.shared.secrets
    }

    /// Returns the clock that waits use.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Returns how many requests may currently be in flight: the limit, or less after a 429.
    #[must_use]
    pub fn allowed_concurrency(&self) -> usize {
        self.shared.concurrency_limiter.allowed()
    }

    /// Sends one endpoint and decodes the response.
    pub async fn send<E: Endpoint>(&self, endpoint: &E) -> Result<ApiResponse<E::Response>, ClientError> {
        let prepared = self.prepare(endpoint, None)?;
        let answer = self.send_with_retries(&prepared).await?;
        if let (Some(log), Some(id), false) = (&self.write_log, &answer.request_id, prepared.call.method == Method::GET)
        {
            log.add(id);
        }
        if E::EMPTY_RESPONSE && answer.is_error_in_success() {
            return Err(prepared.rejected(self.error_response(&prepared, &answer), Attempts::default()));
        }
        let body: &[u8] = if E::EMPTY_RESPONSE { b"null" } else { &answer.body };
        let value = E::parse_response(body).map_err(|error| prepared.invalid_response(&answer, &error))?;
        Ok(ApiResponse {
            value,
            request_id: answer.request_id,
            status: answer.status,
            body_bytes: answer.body.len(),
        })
    }

    /// Returns the description of the call for `endpoint`, for errors about its response.
    pub(super) fn describe_call<E: Endpoint>(&self, endpoint: &E) -> Result<Box<ApiCall>, ClientError> {
        Ok(self.prepare(endpoint, None)?.call)
    }

    pub(super) fn prepare<E: Endpoint>(
        &self,
        endpoint: &E,
        page_token: Option<&str>,
    ) -> Result<PreparedRequest, ClientError> {
        PreparedRequest::new(&self.shared.base, &self.auth, endpoint, page_token)
    }
}
