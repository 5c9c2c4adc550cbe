//! One loop that sends a request, looks at what came back, and decides whether to send it again.

use std::{fmt, time::Duration};

use http::{StatusCode, header};

use super::{
    builder::Client,
    error::{ClientError, Lost, Refusal, is_quota, is_unknown_plugin},
    governor::Permit,
    message::{Prepared, RawAnswer},
    redact::Secrets,
    retry::{RetryNotice, Seconds, Tries, asked_wait},
    transport::TransportError,
};
use crate::api::{Repeat, parse_error};

impl Client {
    /// Sends until there is an answer to keep, or no point in going on.
    pub(super) async fn exchange(&self, prepared: &Prepared) -> Result<RawAnswer, ClientError> {
        let shared = &*self.shared;
        let mut tries = Tries::default();
        let (mut throttlings, mut failures) = (0, 0);
        let mut last_refusal = None;
        loop {
            let permit = self.permit(prepared, &mut tries, last_refusal.take()).await?;
            // Last, so that what is counted as sent is sent.
            if let Some(allowance) = &self.allowance {
                allowance.pass().await;
            }
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
            trace.request(prepared.request(), &self.auth);
        }
        let started = shared.clock.now();
        let outcome = shared.transport.send(prepared.request().clone()).await;
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
                        prepared.request(),
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

    /// What an answer says against the request.
    pub(super) fn refusal(&self, prepared: &Prepared, answer: &RawAnswer) -> Refusal {
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
        secrets.learn_body(prepared.request().body());
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

/// Whether a refusal may be gone the next time: a failure of the service, but not "not implemented", and neither a quota
/// nor a misspelt plugin, which arrive as 500s, too.
fn may_pass(refusal: &Refusal) -> bool {
    refusal.status.is_server_error()
        && refusal.status != StatusCode::NOT_IMPLEMENTED
        && !is_quota(refusal.status, &refusal.body.detail)
        && !is_unknown_plugin(refusal.status, &refusal.body.detail)
}

/// Whether to send again after `failure`.
fn may_repeat(repeat: Repeat, failure: &Lost) -> bool {
    match failure {
        // Never sent, so anything may be sent again.
        Lost::OnTheWay(TransportError::Connect { .. }) => true,
        // Another try meets the same certificate, the same rule, and the same answer.
        Lost::OnTheWay(
            TransportError::Certificate { .. } | TransportError::Forbidden(_) | TransportError::TooLong { .. },
        ) => false,
        Lost::OnTheWay(TransportError::Broken { .. } | TransportError::Timeout { .. }) | Lost::InTheService(_) => {
            repeat == Repeat::Safe
        }
    }
}
