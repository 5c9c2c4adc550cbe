//! Request processing: parse, authenticate, inject faults, count, handle, store.

use std::{
    io,
    sync::{
        MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{future, stream};
use http::{HeaderName, Method};
use jiff::Timestamp;

use super::{
    LiveState, Sandbox,
    auth::{RouteAuth, authenticate},
    control,
    crypt::IdGenerator,
    faults::{FaultKind, match_request},
    journal::SandboxJournalEntry,
    reply::{ErrorReply, Reply},
    request::ApiRequest,
    routes::{RouteMatch, match_route},
    server::is_loopback,
    state::StateChange,
    store::StoreGuard,
    tx::Tx,
};

/// Maximum body size, far above that of any real request.
const MAX_BODY: usize = 4 << 20;

/// Origin of the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceMode {
    /// The same process.
    InProcess,
    /// A socket. `Host` must be on loopback, to protect against DNS rebinding by web pages.
    Served,
}

/// Result of processing a request.
enum RequestOutcome {
    Respond(Response),
    /// The connection breaks.
    Disconnect,
    /// The caller's process is killed.
    KillCaller,
    /// The request is processed again after a delay.
    Delay(Duration),
}

/// Returns the sandbox as an HTTP service.
pub(crate) fn router(sandbox: Sandbox, mode: ServiceMode) -> Router {
    // One handler for all paths, so that unknown paths and methods are journaled and subject to faults as well.
    Router::new().fallback(move |request: http::Request<Body>| {
        let sandbox = sandbox.clone();
        async move { sandbox.handle(mode, request).await }
    })
}

impl Sandbox {
    async fn handle(&self, mode: ServiceMode, request: http::Request<Body>) -> Response {
        let (parts, body) = request.into_parts();
        if mode == ServiceMode::Served && !is_loopback(&parts) {
            return unjournaled(Err(ErrorReply::forbidden(
                "the Host header must be 127.0.0.1 or localhost",
            )));
        }
        let Ok(body) = axum::body::to_bytes(body, MAX_BODY).await else {
            let path = parts.uri.path();
            let path = path.strip_prefix("/api").unwrap_or(path);
            return unjournaled_for(&parts.method, path, Err(ErrorReply::body_too_large()));
        };
        let mut request = ApiRequest::new(&parts, body);
        if request.path.starts_with(control::PREFIX) {
            return unjournaled(control::handle(self, &request));
        }
        let mut slept = false;
        loop {
            match self.process(&mut request, slept) {
                Ok(RequestOutcome::Respond(response)) => return response,
                Ok(RequestOutcome::Disconnect) => return broken_connection(),
                Ok(RequestOutcome::KillCaller) => return self.kill_caller().await,
                Ok(RequestOutcome::Delay(wait)) => {
                    slept = true;
                    self.clock().sleep(wait).await;
                }
                Err(error) => {
                    let detail = format!("cannot store the state of the sandbox: {error}");
                    return unjournaled(Err(ErrorReply::internal_error(detail)));
                }
            }
        }
    }

    /// Locks the state, after loading the changes of other processes and applying the passage of time.
    pub(super) fn lock_state(&self) -> io::Result<(MutexGuard<'_, LiveState>, StoreGuard, Timestamp)> {
        let mut live = self.lock_live();
        let guard = live.store.lock()?;
        self.time().sync_to(live.store.state.clock_base, live.store.ahead);
        let now = self.clock().now();
        live.store.state.advance_to(now);
        Ok((live, guard, now))
    }

    /// Commits changes that do not belong to a request.
    pub(super) fn commit_changes(
        &self,
        live: &mut LiveState,
        guard: &mut StoreGuard,
        changes: Vec<StateChange>,
    ) -> io::Result<()> {
        live.store.commit(guard, self.time().offset(), changes, None)
    }

    /// Processes a request. `slept`: the delay of a slow fault is over.
    fn process(&self, request: &mut ApiRequest, slept: bool) -> io::Result<RequestOutcome> {
        let (mut live, mut guard, now) = self.lock_state()?;
        let LiveState { store, windows, meters } = &mut *live;
        let found = match_route(&request.method, &request.path);
        let access = match &found {
            RouteMatch::Route(route, segments) => {
                request.segments.clone_from(segments);
                route.auth
            }
            _ => RouteAuth::Anonymous,
        };
        let authenticated = authenticate(&store.state, self.token(), now, access, request);
        let caller = authenticated.as_ref().ok().and_then(Option::as_ref);
        if let Some(caller) = caller {
            store.state.load_grants(&caller.principal, now);
        }
        let name = caller.map(|caller| caller.principal.id().to_owned());

        let mut fault = slept.then_some(FaultKind::Slow { milliseconds: 0 });
        if !slept && !store.state.faults.is_empty() {
            let method = request.method.as_str();
            if let Some((hit, left)) = match_request(&store.state.faults, method, &request.path, name.as_deref()) {
                store.commit(&mut guard, self.time().offset(), vec![StateChange::Faults(left)], None)?;
                fault = hit;
            }
            if let Some(FaultKind::Slow { milliseconds }) = fault {
                return Ok(RequestOutcome::Delay(Duration::from_millis(u64::from(milliseconds))));
            }
        }

        let seq = store.state.next;
        let request_id = store.state.ids().uuid(&["request", &seq.to_string()]);
        let mut rate = Vec::new();
        let mut changes = Vec::new();
        let result = match (fault, authenticated) {
            (Some(FaultKind::LostBefore | FaultKind::KillBefore), _) => None,
            (Some(FaultKind::TooManyRequests { .. }), _) if access == RouteAuth::Kafka => {
                Some(Err(ErrorReply::rate_limited()))
            }
            (Some(FaultKind::TooManyRequests { retry_after }), _) => Some(Err(rate_limited_by_fault(retry_after))),
            (Some(FaultKind::ServerError), _) => Some(Err(ErrorReply::internal_error("the service failed"))),
            (_, Err(refusal)) => Some(Err(refusal)),
            (fault, Ok(caller)) => {
                let mut exceeded = false;
                if let (Some(limit), Some(name)) = (store.state.settings.rate_limit, &name) {
                    let verdict = windows.record_request(limit, name, now);
                    // Kafka REST sends no rate limit headers (docs/reference/rbac.md#rate-limits-and-retries).
                    if access != RouteAuth::Kafka {
                        rate = verdict.headers();
                    }
                    exceeded = verdict.exceeded;
                }
                Some(match found {
                    _ if exceeded => Err(ErrorReply::rate_limited()),
                    RouteMatch::Route(route, _) => {
                        let lag = match fault {
                            Some(FaultKind::ListLag { seconds }) => Duration::from_secs(u64::from(seconds)),
                            _ => Duration::ZERO,
                        };
                        let mut tx = Tx::new(&store.state, now, self.token(), caller.as_ref(), lag, meters);
                        let result = (route.handler)(&mut tx, request);
                        if result.is_ok() {
                            changes = tx.into_changes();
                        }
                        result
                    }
                    RouteMatch::WrongMethod(allowed) => {
                        Err(ErrorReply::method_not_allowed(&allowed, "method not allowed"))
                    }
                    RouteMatch::NotFound => Err(ErrorReply::unknown_path(&request.path)),
                })
            }
        };
        let reply = result
            .map(|result| result.unwrap_or_else(|error| error.into_reply(&request.method, &request.path, &request_id)));
        let entry = SandboxJournalEntry {
            seq,
            at: now,
            principal: name,
            method: request.method.to_string(),
            path: request.path.clone(),
            query: request.raw_query.clone(),
            status: reply.as_ref().map_or(0, |reply| reply.status.as_u16()),
            fault: fault.map(|kind| kind.name().to_owned()),
            request_id: request_id.clone(),
        };
        store.commit(&mut guard, self.time().offset(), changes, Some(entry))?;
        Ok(match (fault, reply) {
            (Some(FaultKind::KillBefore | FaultKind::KillAfter), _) => RequestOutcome::KillCaller,
            (Some(FaultKind::LostAfter), _) | (_, None) => RequestOutcome::Disconnect,
            (_, Some(mut reply)) => {
                reply.headers.extend(rate);
                RequestOutcome::Respond(reply.into_response(&request_id))
            }
        })
    }

    /// Runs the action set with `on_kill` and never returns a response.
    async fn kill_caller(&self) -> Response {
        let Some(kill) = self.kill_hook() else {
            return broken_connection();
        };
        kill();
        future::pending().await
    }
}

/// Returns a response that is not journaled, with its own request id.
fn unjournaled(result: Result<Reply, ErrorReply>) -> Response {
    unjournaled_for(&Method::GET, "/iam", result)
}

/// Returns a response that is not journaled, in the error format of the endpoint's group.
fn unjournaled_for(method: &Method, path: &str, result: Result<Reply, ErrorReply>) -> Response {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed).to_string();
    let id = IdGenerator::new(0).uuid(&["unjournaled", &count]);
    result
        .unwrap_or_else(|error| error.into_reply(method, path, &id))
        .into_response(&id)
}

fn rate_limited_by_fault(retry_after: u32) -> ErrorReply {
    let header = |name| HeaderName::from_static(name);
    ErrorReply::rate_limited()
        .with_header(header("retry-after"), retry_after.to_string())
        .with_header(header("x-ratelimit-limit"), "1")
        .with_header(header("x-ratelimit-remaining"), "0")
        .with_header(header("x-ratelimit-reset"), retry_after.to_string())
}

/// Returns a response whose body fails at once. Over a socket and in-process, the caller sees a broken connection.
fn broken_connection() -> Response {
    let broken = io::Error::new(io::ErrorKind::ConnectionReset, "the sandbox broke the connection");
    Body::from_stream(stream::once(future::ready(Err::<Bytes, _>(broken)))).into_response()
}
