//! The client: one loop that sends a request, looks at what came back, and decides whether to send it again.

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::Value;

use super::{
    address::BaseUrl,
    credentials::Auth,
    error::{Call, ClientError, Lost, Refusal, is_quota},
    governor::{Governor, Permit},
    redact::Secrets,
    retry::{Jitter, OnRetry, RetryNotice, RetryPolicy, Seconds, Tries, asked_wait},
    trace::WireTrace,
    transport::{Transport, TransportError},
};
use crate::{
    api::{Endpoint, Repeat, endpoint::target, parse_error},
    clock::Clock,
};

/// How many requests are under way at once unless told otherwise (design, `--concurrency`).
pub const DEFAULT_CONCURRENCY: usize = 8;

/// The `User-Agent`: the service may refuse clients without a sensible one (dossier `rbac.md` §4).
#[must_use]
pub fn user_agent() -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("confluent-ebs/{} ({os}; {arch})", env!("CARGO_PKG_VERSION"))
}

/// A good answer.
#[derive(Clone, Debug)]
pub struct Answered<T> {
    /// What it holds.
    pub value: T,
    /// The request's id, for evidence and support.
    pub request_id: Option<String>,
    /// The status.
    pub status: StatusCode,
}

/// Sends endpoints to one service as one caller. Cheap to clone; clones share their rate limit.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    auth: Arc<Auth>,
    on_retry: Option<OnRetry>,
}

struct Shared {
    base: BaseUrl,
    transport: Arc<dyn Transport>,
    clock: Clock,
    policy: RetryPolicy,
    jitter: Jitter,
    governor: Governor,
    wire_trace: Option<Arc<WireTrace>>,
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

/// A client in the making: what is not set has the default of the design.
#[must_use]
pub struct ClientBuilder {
    shared: Shared,
    auth: Auth,
    on_retry: Option<OnRetry>,
}

impl ClientBuilder {
    /// How patient the client is.
    pub fn policy(mut self, policy: RetryPolicy) -> Self {
        self.shared.policy = policy;
        self
    }

    /// How many requests may be under way at once; at least one.
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.shared.governor = Governor::new(limit);
        self
    }

    /// Where chance comes from.
    pub fn jitter(mut self, jitter: Jitter) -> Self {
        self.shared.jitter = jitter;
        self
    }

    /// Who is told when a call waits to be sent again.
    pub fn on_retry(mut self, listener: OnRetry) -> Self {
        self.on_retry = Some(listener);
        self
    }

    /// Where requests and answers are written down, without their secrets (`--unsafe-trace`).
    pub fn wire_trace(mut self, trace: Arc<WireTrace>) -> Self {
        self.shared.wire_trace = Some(trace);
        self
    }

    /// The client.
    #[must_use]
    pub fn build(self) -> Client {
        Client {
            shared: Arc::new(self.shared),
            auth: Arc::new(self.auth),
            on_retry: self.on_retry,
        }
    }
}

impl Client {
    /// Begins a client that sends to `base` through `transport` as `auth`, and waits on `clock`.
    pub fn builder(base: BaseUrl, transport: Arc<dyn Transport>, auth: Auth, clock: Clock) -> ClientBuilder {
        ClientBuilder {
            shared: Shared {
                base,
                transport,
                clock,
                policy: RetryPolicy::default(),
                jitter: Jitter::random(),
                governor: Governor::new(DEFAULT_CONCURRENCY),
                wire_trace: None,
            },
            auth,
            on_retry: None,
        }
    }

    /// The same way to the same service, with its rate limit, as somebody else.
    #[must_use]
    pub fn with_auth(&self, auth: Auth) -> Self {
        Self {
            auth: Arc::new(auth),
            ..self.clone()
        }
    }

    /// The same client with another listener: a step that wants its waits under its own name.
    #[must_use]
    pub fn with_on_retry(&self, listener: OnRetry) -> Self {
        Self {
            on_retry: Some(listener),
            ..self.clone()
        }
    }

    /// Where it sends to.
    #[must_use]
    pub fn base(&self) -> &BaseUrl {
        &self.shared.base
    }

    /// As whom it sends.
    #[must_use]
    pub fn auth(&self) -> &Auth {
        &self.auth
    }

    /// The clock it waits on.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// How many requests may be under way at the moment: the limit, or less after a 429.
    #[must_use]
    pub fn allowed_concurrency(&self) -> usize {
        self.shared.governor.allowed()
    }

    /// Sends one endpoint and reads its answer.
    pub async fn send<E: Endpoint>(&self, endpoint: &E) -> Result<Answered<E::Answer>, ClientError> {
        let prepared = self.prepare(endpoint, None)?;
        let answer = self.exchange(&prepared).await?;
        if E::EMPTY_ANSWER {
            prepared.refuse_hidden_error(&answer)?;
        }
        let body: &[u8] = if E::EMPTY_ANSWER { b"null" } else { &answer.body };
        let value = serde_json::from_slice(body).map_err(|error| prepared.unreadable(&answer, &error))?;
        Ok(Answered {
            value,
            request_id: answer.request_id,
            status: answer.status,
        })
    }

    /// Writes an endpoint down, for the page of `page_token` if it is one of several.
    pub(super) fn prepare<E: Endpoint>(&self, endpoint: &E, page_token: Option<&str>) -> Result<Prepared, ClientError> {
        let mut target = target(endpoint);
        let path = target.split('?').next().unwrap_or_default().to_owned();
        if let Some(token) = page_token {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str("page_token=");
            target.push_str(&crate::api::encode_segment(token));
        }
        let call = Box::new(Call {
            operation: short_name::<E>(),
            verb: verb(&E::METHOD),
            subject: endpoint.subject(),
            method: E::METHOD,
            path,
            repeat: E::REPEAT,
        });
        // Such a segment would change which object, or which list, the address names: no escape keeps it a name.
        if let Some(name) = endpoint
            .segments()
            .into_iter()
            .find(|part| matches!(*part, "" | "." | ".."))
        {
            let why = format!("`{name}` cannot be part of an address");
            return Err(ClientError::Unsendable { call, why });
        }
        let body = endpoint.body().map(|body| Bytes::from(body.to_string()));
        let request = self.write(&target, E::METHOD, body);
        match request {
            Ok(request) => Ok(Prepared { call, request }),
            Err(error) => {
                let why = error.to_string();
                Err(ClientError::Unsendable { call, why })
            }
        }
    }

    fn write(&self, target: &str, method: Method, body: Option<Bytes>) -> Result<Request<Bytes>, http::Error> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{target}", self.shared.base))
            .header(header::USER_AGENT, user_agent())
            .header(header::ACCEPT, "application/json");
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let mut request = request.body(body.unwrap_or_default())?;
        self.auth.apply(request.headers_mut());
        Ok(request)
    }

    /// Sends until there is an answer to keep, or no point in going on.
    pub(super) async fn exchange(&self, prepared: &Prepared) -> Result<RawAnswer, ClientError> {
        let shared = &*self.shared;
        let mut tries = Tries::default();
        let (mut throttlings, mut failures) = (0, 0);
        let mut last_refusal = None;
        loop {
            let permit = match self.permit(prepared, &mut tries, last_refusal.take()).await {
                Ok(permit) => permit,
                Err(error) => return Err(error),
            };
            tries.count += 1;
            let outcome = self.once(prepared, tries.count).await;
            let (failure, asked) = match outcome {
                Ok(answer) if answer.status.is_success() => {
                    permit.good();
                    return Ok(answer);
                }
                Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => {
                    throttlings += 1;
                    let now = shared.clock.now();
                    let wait = shared
                        .policy
                        .after_throttling(&answer.headers, now, throttlings, &shared.jitter);
                    permit.throttled(now.saturating_add(wait).unwrap_or(jiff::Timestamp::MAX));
                    let refusal = self.refusal(prepared, &answer);
                    if tries.waited.saturating_add(wait) > shared.policy.budget {
                        return Err(prepared.answered(refusal, tries));
                    }
                    self.notify(prepared, &refusal, wait, tries);
                    // The wait itself is the shared pause, which comes before the next permit.
                    last_refusal = Some(refusal);
                    continue;
                }
                Ok(answer) => {
                    drop(permit);
                    let asked = asked_wait(&answer.headers, shared.clock.now())
                        .filter(|_| answer.status == StatusCode::SERVICE_UNAVAILABLE);
                    let refusal = self.refusal(prepared, &answer);
                    if !may_pass(&refusal) {
                        return Err(prepared.answered(refusal, tries));
                    }
                    (Lost::InTheService(refusal), asked)
                }
                Err(error) => {
                    drop(permit);
                    (Lost::OnTheWay(error), None)
                }
            };
            failures += 1;
            let wait = asked
                .unwrap_or_default()
                .max(shared.policy.backoff(failures, &shared.jitter));
            let patient = failures < shared.policy.tries && tries.waited.saturating_add(wait) <= shared.policy.budget;
            if !patient || !may_repeat(prepared.call.repeat, &failure) {
                return Err(prepared.lost(failure, tries));
            }
            self.notify(prepared, &failure, wait, tries);
            shared.clock.sleep(wait).await;
            tries.waited += wait;
        }
    }

    /// Waits for the pause that the service has asked of everybody, then for a place among the requests under way.
    async fn permit(
        &self,
        prepared: &Prepared,
        tries: &mut Tries,
        last_refusal: Option<Refusal>,
    ) -> Result<Permit<'_>, ClientError> {
        let shared = &*self.shared;
        loop {
            while let Some(until) = shared.governor.pause(shared.clock.now()) {
                let wait = until.duration_since(shared.clock.now());
                let wait = Duration::try_from(wait).unwrap_or(Duration::ZERO);
                let left = shared.policy.budget.saturating_sub(tries.waited);
                if wait > left {
                    return Err(match last_refusal {
                        Some(refusal) => prepared.answered(refusal, *tries),
                        None => ClientError::Paused {
                            call: prepared.call.clone(),
                            wait,
                            left,
                        },
                    });
                }
                shared.clock.sleep(wait).await;
                tries.waited += wait;
            }
            let permit = shared.governor.enter().await;
            // While this one stood in line, another may have been told to wait.
            if shared.governor.pause(shared.clock.now()).is_none() {
                return Ok(permit);
            }
        }
    }

    /// Sends once. One event per request, whatever comes of it.
    async fn once(&self, prepared: &Prepared, attempt: u32) -> Result<RawAnswer, TransportError> {
        let shared = &*self.shared;
        let call = &*prepared.call;
        if let Some(trace) = &shared.wire_trace {
            trace.request(&prepared.request, &self.auth);
        }
        let started = shared.clock.now();
        let outcome = shared.transport.send(prepared.request.clone()).await;
        let duration_ms = u64::try_from(shared.clock.since(started).as_millis()).unwrap_or(u64::MAX);
        match outcome {
            Ok(response) => {
                let answer = RawAnswer::from(response);
                tracing::debug!(
                    method = %call.method,
                    path = call.path,
                    operation = call.operation,
                    status = answer.status.as_u16(),
                    duration_ms,
                    request_id = answer.request_id.as_deref().unwrap_or("-"),
                    attempt,
                    "answered"
                );
                if let Some(trace) = &shared.wire_trace {
                    trace.answer(
                        &prepared.request,
                        answer.status,
                        &answer.headers,
                        &answer.body,
                        &self.auth,
                    );
                }
                Ok(answer)
            }
            Err(error) => {
                tracing::debug!(
                    method = %call.method,
                    path = call.path,
                    operation = call.operation,
                    duration_ms,
                    attempt,
                    error = &error as &(dyn std::error::Error + 'static),
                    "not answered"
                );
                if let Some(trace) = &shared.wire_trace {
                    trace.failure(&error);
                }
                Err(error)
            }
        }
    }

    fn refusal(&self, prepared: &Prepared, answer: &RawAnswer) -> Refusal {
        let mut body = parse_error(&answer.body);
        if body.detail.is_empty() && answer.status.is_redirection() {
            let location = answer
                .headers
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok());
            body.detail = match location {
                Some(location) => format!("it points to {location}, which is not followed"),
                None => "it points nowhere".to_owned(),
            };
        }
        // Some refusals repeat the value they do not like, and that can be a secret of the request.
        let mut secrets = Secrets::new(self.auth.secrets());
        secrets.learn_body(prepared.request.body());
        body.detail = secrets.strike(&body.detail);
        body.resolution = body.resolution.map(|text| secrets.strike(&text));
        Refusal {
            status: answer.status,
            request_id: answer.request_id.clone().or_else(|| body.request_id.clone()),
            body,
        }
    }

    fn notify(&self, prepared: &Prepared, reason: &dyn fmt::Display, wait: Duration, tries: Tries) {
        let notice = RetryNotice {
            call: prepared.call.to_string(),
            reason: reason.to_string(),
            wait,
            tries: tries.count,
        };
        tracing::info!(
            call = notice.call,
            reason = notice.reason,
            wait = %Seconds(wait),
            tries = notice.tries,
            "waiting to send again"
        );
        if let Some(listener) = &self.on_retry {
            listener(&notice);
        }
    }
}

/// Whether a refusal may be gone the next time: a failure of the service, but not "not implemented", and not a quota that
/// arrives as a 500.
fn may_pass(refusal: &Refusal) -> bool {
    refusal.status.is_server_error()
        && refusal.status != StatusCode::NOT_IMPLEMENTED
        && !is_quota(refusal.status, &refusal.body.detail)
}

/// Whether to send again after `failure`.
fn may_repeat(repeat: Repeat, failure: &Lost) -> bool {
    match failure {
        // Never sent, so anything may be sent again.
        Lost::OnTheWay(TransportError::Connect { .. }) => true,
        // Another try meets the same certificate, and the same rule.
        Lost::OnTheWay(TransportError::Certificate { .. } | TransportError::Forbidden(_)) => false,
        Lost::OnTheWay(TransportError::Broken { .. } | TransportError::Timeout { .. }) | Lost::InTheService(_) => {
            repeat == Repeat::Safe
        }
    }
}

fn verb(method: &Method) -> &'static str {
    match *method {
        Method::GET | Method::HEAD => "read",
        Method::DELETE => "delete",
        Method::POST => "create",
        _ => "update",
    }
}

/// `CreateRoleBinding`, from the type's path.
fn short_name<E>() -> &'static str {
    let path = std::any::type_name::<E>();
    path.split('<')
        .next()
        .unwrap_or(path)
        .rsplit("::")
        .next()
        .unwrap_or(path)
}

/// A request that is ready to be sent, as often as it takes.
pub(super) struct Prepared {
    pub(super) call: Box<Call>,
    request: Request<Bytes>,
}

impl Prepared {
    fn answered(&self, refusal: Refusal, tries: Tries) -> ClientError {
        ClientError::Answered {
            call: self.call.clone(),
            refusal: Box::new(refusal),
            tries,
        }
    }

    /// The error for a failure after which there is no other try.
    fn lost(&self, failure: Lost, tries: Tries) -> ClientError {
        let call = self.call.clone();
        let unsent = matches!(
            failure,
            Lost::OnTheWay(
                TransportError::Connect { .. } | TransportError::Certificate { .. } | TransportError::Forbidden(_)
            )
        );
        match failure {
            // A read has no effect that could be in doubt, and a write that may be repeated is repeated by its caller.
            Lost::OnTheWay(cause) if unsent || call.repeat == Repeat::Safe => ClientError::NoAnswer {
                call,
                cause: Box::new(cause),
                tries,
            },
            Lost::InTheService(refusal) if call.repeat == Repeat::Safe => self.answered(refusal, tries),
            lost => ClientError::AnswerLost {
                call,
                lost: Box::new(lost),
                tries,
            },
        }
    }

    pub(super) fn unreadable(&self, answer: &RawAnswer, error: &serde_json::Error) -> ClientError {
        // The parser's own words can quote the body, which may hold a secret: only the place is kept of a value.
        let what = match error.classify() {
            serde_json::error::Category::Data => "it has not the expected form",
            serde_json::error::Category::Eof if answer.body.is_empty() => "it is empty",
            serde_json::error::Category::Eof => "it is cut off",
            _ if answer.body.trim_ascii_start().starts_with(b"<") => "it is a web page, not JSON",
            _ => "it is not JSON",
        };
        let place = match error.classify() {
            serde_json::error::Category::Data => format!(" (line {}, column {})", error.line(), error.column()),
            _ => String::new(),
        };
        ClientError::Unreadable {
            call: self.call.clone(),
            status: answer.status,
            why: format!("{what}{place}"),
            request_id: answer.request_id.clone(),
        }
    }

    /// Connect answers some failed deletions with 200 and the error in the body (dossier `connect.md` §1.1, E6).
    fn refuse_hidden_error(&self, answer: &RawAnswer) -> Result<(), ClientError> {
        let hidden = serde_json::from_slice::<Value>(&answer.body).is_ok_and(|body| !body["error"].is_null());
        if !hidden {
            return Ok(());
        }
        let refusal = Refusal {
            status: answer.status,
            body: parse_error(&answer.body),
            request_id: answer.request_id.clone(),
        };
        Err(self.answered(refusal, Tries::default()))
    }
}

/// An answer as it came, with its body made readable.
pub(super) struct RawAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) request_id: Option<String>,
}

impl From<Response<Bytes>> for RawAnswer {
    fn from(response: Response<Bytes>) -> Self {
        let (parts, body) = response.into_parts();
        let text = |value: &HeaderValue| value.to_str().ok().filter(|id| !id.is_empty()).map(str::to_owned);
        Self {
            status: parts.status,
            request_id: parts.headers.get("x-request-id").and_then(text),
            headers: parts.headers,
            body: unzip(body),
        }
    }
}

/// Error bodies can arrive compressed without a header that says so (dossier `connect.md` §1): known by their first
/// bytes, which no JSON begins with.
fn unzip(body: Bytes) -> Bytes {
    /// No answer that anybody reads is longer; a bomb is.
    const LIMIT: u64 = 64 << 20;
    if !body.starts_with(&[0x1f, 0x8b]) {
        return body;
    }
    let mut plain = Vec::new();
    let reader = flate2::read::GzDecoder::new(&body[..]);
    match std::io::Read::read_to_end(&mut std::io::Read::take(reader, LIMIT), &mut plain) {
        Ok(_) => plain.into(),
        Err(_) => body,
    }
}
