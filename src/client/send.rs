//! Retry loop of the client.

use std::{fmt, time::Duration};

use http::{StatusCode, header};

use super::{
    adaptive_limiter::ConcurrencyPermit,
    base_url::host_and_port,
    builder::Client,
    error::{ClientError, ErrorResponse, RequestFailure, is_quota_error, is_unknown_plugin},
    message::{PreparedRequest, RawResponse},
    response_limits::exceeded_structure,
    retry::{Attempts, DisplaySeconds, RetryNotice, requested_wait},
    transport::TransportError,
};
use crate::{
    api::{RetrySafety, parse_error},
    redact::{TextRedactor, WeakSecrets},
};

impl Client {
    /// Sends a request until it succeeds or must not be retried.
    pub(super) async fn send_with_retries(&self, prepared: &PreparedRequest) -> Result<RawResponse, ClientError> {
        let shared = &*self.shared;
        let mut tries = Attempts::default();
        let (mut throttlings, mut failures) = (0, 0);
        let mut last_refusal = None;
        loop {
            let permit = self.acquire_permit(prepared, &mut tries, last_refusal.take()).await?;
            // The rate limiter comes last, so that each counted request is sent.
            if let Some(allowance) = &self.rate_limiter {
                allowance.acquire().await;
            }
            tries.count += 1;
            let outcome = self.send_once(prepared, tries.count).await;
            let (failure, asked) = match outcome {
                Ok(answer) if answer.status.is_success() => {
                    permit.on_success();
                    return Ok(answer);
                }
                Ok(answer) if answer.status == StatusCode::TOO_MANY_REQUESTS => {
                    throttlings += 1;
                    let now = shared.clock.now();
                    let wait = shared
                        .policy
                        .throttle_backoff(&answer.headers, now, throttlings, &shared.jitter);
                    permit.on_throttled(now.saturating_add(wait).unwrap_or(jiff::Timestamp::MAX));
                    let refusal = self.error_response(prepared, &answer);
                    if tries.waited.saturating_add(wait) > shared.policy.budget {
                        return Err(prepared.rejected(refusal, tries));
                    }
                    self.notify_retry(prepared, &refusal, wait, tries);
                    // The next permit waits for the pause.
                    last_refusal = Some(refusal);
                    continue;
                }
                Ok(answer) => {
                    drop(permit);
                    let asked = requested_wait(&answer.headers, shared.clock.now())
                        .filter(|_| answer.status == StatusCode::SERVICE_UNAVAILABLE);
                    let refusal = self.error_response(prepared, &answer);
                    if !is_retryable_status(&refusal) {
                        return Err(prepared.rejected(refusal, tries));
                    }
                    (RequestFailure::Response(refusal), asked)
                }
                Err(error) => {
                    drop(permit);
                    (RequestFailure::Transport(error), None)
                }
            };
            failures += 1;
            let wait = asked
                .unwrap_or_default()
                .max(shared.policy.backoff(failures, &shared.jitter));
            let patient =
                failures < shared.policy.max_attempts && tries.waited.saturating_add(wait) <= shared.policy.budget;
            if !patient || !can_retry(prepared.call.retry_safety, &failure) {
                return Err(prepared.failed(failure, tries));
            }
            self.notify_retry(prepared, &failure, wait, tries);
            shared.clock.sleep(wait).await;
            tries.waited += wait;
        }
    }

    /// Waits for the pause that the service requested, then for a concurrency permit.
    async fn acquire_permit(
        &self,
        prepared: &PreparedRequest,
        tries: &mut Attempts,
        last_refusal: Option<ErrorResponse>,
    ) -> Result<ConcurrencyPermit<'_>, ClientError> {
        let shared = &*self.shared;
        loop {
            while let Some(until) = shared.concurrency_limiter.paused_until(shared.clock.now()) {
                let wait = until.duration_since(shared.clock.now());
                let wait = Duration::try_from(wait).unwrap_or(Duration::ZERO);
                let left = shared.policy.budget.saturating_sub(tries.waited);
                if wait > left {
                    return Err(match last_refusal {
                        Some(refusal) => prepared.rejected(refusal, *tries),
                        None => ClientError::RetryBudgetExceeded {
                            call: prepared.call.clone(),
                            wait,
                            remaining: left,
                        },
                    });
                }
                shared.clock.sleep(wait).await;
                tries.waited += wait;
            }
            let permit = shared.concurrency_limiter.acquire().await;
            // Another request may have been throttled while this one waited.
            if shared.concurrency_limiter.paused_until(shared.clock.now()).is_none() {
                return Ok(permit);
            }
        }
    }

    /// Sends one attempt and logs one event.
    async fn send_once(&self, prepared: &PreparedRequest, attempt: u32) -> Result<RawResponse, TransportError> {
        let shared = &*self.shared;
        let call = &*prepared.call;
        if let Some(trace) = &shared.wire_trace {
            trace.request(prepared.request(), self.secrets());
        }
        let started = shared.clock.now();
        let outcome = shared.transport.send(prepared.request().clone()).await;
        let duration_ms = u64::try_from(shared.clock.elapsed_since(started).as_millis()).unwrap_or(u64::MAX);
        let outcome = outcome
            .map(RawResponse::from)
            .and_then(|answer| match exceeded_structure(&answer.body) {
                Some(limit) => Err(TransportError::ResponseTooLarge {
                    host: host_and_port(prepared.request().uri()),
                    limit,
                }),
                None => Ok(answer),
            });
        match outcome {
            Ok(answer) => {
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
                    trace.response(
                        prepared.request(),
                        answer.status,
                        &answer.headers,
                        &answer.body,
                        self.secrets(),
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
                    "no response"
                );
                if let Some(trace) = &shared.wire_trace {
                    trace.failure(&error, self.secrets());
                }
                Err(error)
            }
        }
    }

    /// Returns the error of an unsuccessful response.
    pub(super) fn error_response(&self, prepared: &PreparedRequest, answer: &RawResponse) -> ErrorResponse {
        let mut body = parse_error(&answer.body);
        if body.detail.is_empty() && answer.status.is_redirection() {
            let location = answer
                .headers
                .get(header::LOCATION)
                .and_then(|value| value.to_str().ok());
            body.detail = match location {
                Some(location) => format!("redirect to `{location}` not followed"),
                None => "redirect without a target".to_owned(),
            };
        }
        // An error can quote a rejected value, which may be a secret of the request. Without a body, it can quote a secret that
        // only the service knows, such as the stored password of a connector that is restarted; then its form decides.
        let (secrets, sent) = (self.secrets(), prepared.request().body());
        secrets.add_from_body(sent);
        let weak = WeakSecrets::from_body(sent);
        let redact = |text: &str| {
            let known = weak.redact(None, &secrets.redact(text));
            match sent.is_empty() {
                true => TextRedactor::default().redact(&known).into_owned(),
                false => known,
            }
        };
        body.detail = redact(&body.detail);
        body.resolution = body.resolution.map(|text| redact(&text));
        ErrorResponse {
            status: answer.status,
            request_id: answer.request_id.clone().or_else(|| body.request_id.clone()),
            body,
        }
    }

    fn notify_retry(&self, prepared: &PreparedRequest, reason: &dyn fmt::Display, wait: Duration, tries: Attempts) {
        let notice = RetryNotice {
            call: prepared.call.to_string(),
            reason: reason.to_string(),
            wait,
            attempts: tries.count,
        };
        tracing::info!(
            call = notice.call,
            reason = notice.reason,
            wait = %DisplaySeconds(wait),
            tries = notice.attempts,
            "waiting to retry"
        );
        if let Some(listener) = &self.on_retry {
            listener(&notice);
        }
    }
}

/// Returns whether an error may be temporary: a 5xx, except 501, quota errors and unknown plugins, which can arrive as
/// 500.
fn is_retryable_status(refusal: &ErrorResponse) -> bool {
    refusal.status.is_server_error()
        && refusal.status != StatusCode::NOT_IMPLEMENTED
        && !is_quota_error(refusal.status, &refusal.body.detail)
        && !is_unknown_plugin(refusal.status, &refusal.body.detail)
}

/// Returns whether to retry after `failure`.
fn can_retry(repeat: RetrySafety, failure: &RequestFailure) -> bool {
    match failure {
        // Never sent, so every request may be repeated.
        RequestFailure::Transport(TransportError::Connect { .. }) => true,
        // A retry would fail in the same way.
        RequestFailure::Transport(
            TransportError::Certificate { .. } | TransportError::NotSent(_) | TransportError::ResponseTooLarge { .. },
        ) => false,
        RequestFailure::Transport(TransportError::ConnectionLost { .. } | TransportError::Timeout { .. })
        | RequestFailure::Response(_) => repeat == RetrySafety::Idempotent,
    }
}
