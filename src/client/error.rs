//! Errors of calls: which operation on which object failed, why, and what to do next.
//!
//! A message is self-contained (it includes the innermost cause), so that it fits into one line of a report. Texts of
//! the service are kept unchanged; the renderer escapes them.

use std::{error::Error, fmt, time::Duration};

use http::{Method, StatusCode};

use super::{
    retry::{Attempts, DisplaySeconds},
    transport::{TransportError, root_cause},
};
use crate::api::{ErrorBody, RetrySafety};

/// Description of a call, for messages and traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiCall {
    /// Name of the endpoint: `CreateRoleBinding`.
    pub operation: &'static str,
    /// Verb of the operation.
    pub verb: &'static str,
    /// Object of the operation: ``service account `sa-1` ``.
    pub subject: String,
    /// HTTP method.
    pub method: Method,
    /// Path without the query.
    pub path: String,
    /// Whether the request may be sent again if its response was lost.
    pub retry_safety: RetrySafety,
}

impl fmt::Display for ApiCall {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.verb, self.subject)
    }
}

/// Unsuccessful response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    /// HTTP status. It is checked before the body, because an error can carry a body that looks like a success.
    pub status: StatusCode,
    /// Error body of the service.
    pub body: ErrorBody,
    /// Request id, for support.
    pub request_id: Option<String>,
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Confluent Cloud returned {}", self.status.as_u16())?;
        let code = self.body.code.as_deref().filter(|code| *code != self.status.as_str());
        match (code, self.body.detail.as_str()) {
            (None, "") => write!(out, " {}", self.status.canonical_reason().unwrap_or("without details"))?,
            (Some(code), "") => write!(out, " {code}")?,
            (None, detail) => write!(out, ": {detail}")?,
            (Some(code), detail) => write!(out, " {code}: {detail}")?,
        }
        match &self.request_id {
            Some(id) => write!(out, " (request {id})"),
            None => Ok(()),
        }
    }
}

/// Cause of a lost response.
#[derive(Debug)]
pub enum RequestFailure {
    /// Failure of the connection.
    Transport(TransportError),
    /// Response with a 5xx status, which does not tell whether the operation took effect.
    Response(ErrorResponse),
}

impl fmt::Display for RequestFailure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(cause) => WithRootCause(cause).fmt(out),
            Self::Response(refusal) => refusal.fmt(out),
        }
    }
}

/// Error of a call.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service rejected the request.
    #[error("could not {call}: {response}{tries}")]
    Rejected {
        /// Call.
        call: Box<ApiCall>,
        /// Response of the service.
        response: Box<ErrorResponse>,
        /// Number of attempts.
        tries: Attempts,
    },
    /// No response. The operation had no effect or can be repeated safely.
    #[error("could not {call}: {}{tries}", WithRootCause(.cause))]
    NoResponse {
        /// Call.
        call: Box<ApiCall>,
        /// Transport error.
        cause: Box<TransportError>,
        /// Number of attempts.
        tries: Attempts,
    },
    /// The operation may have taken effect and must not be repeated blindly: look up the object by its natural key.
    #[error("unknown whether the request to {call} succeeded: {failure}{tries}")]
    OutcomeUnknown {
        /// Call.
        call: Box<ApiCall>,
        /// Cause of the lost response.
        failure: Box<RequestFailure>,
        /// Number of attempts.
        tries: Attempts,
    },
    /// The service asks to wait longer than the time that is left for retries.
    #[error("could not {call}: Confluent Cloud asks to wait {}, but only {} are left for retries", DisplaySeconds(*.wait), DisplaySeconds(*.remaining))]
    RetryBudgetExceeded {
        /// Call.
        call: Box<ApiCall>,
        /// Time that the service asks to wait.
        wait: Duration,
        /// Time left for retries.
        remaining: Duration,
    },
    /// Successful status with a body that cannot be decoded.
    #[error("could not {call}: invalid response: {reason}{}", request_suffix(.request_id.as_deref()))]
    InvalidResponse {
        /// Call.
        call: Box<ApiCall>,
        /// HTTP status.
        status: StatusCode,
        /// Reason of the decoding error.
        reason: String,
        /// Request id, for support.
        request_id: Option<String>,
    },
    /// The pages of a list do not end.
    #[error("could not {call} completely: {reason}")]
    Pagination {
        /// Call.
        call: Box<ApiCall>,
        /// Pagination error.
        reason: String,
    },
    /// The request cannot be encoded; nothing was sent.
    #[error("could not {call}: {reason}")]
    InvalidRequest {
        /// Call.
        call: Box<ApiCall>,
        /// Reason.
        reason: String,
    },
}

fn request_suffix(id: Option<&str>) -> String {
    id.map(|id| format!(" (request {id})")).unwrap_or_default()
}

/// Transport error displayed with its innermost cause.
struct WithRootCause<'a>(&'a TransportError);

impl fmt::Display for WithRootCause<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)?;
        match self.0.source() {
            Some(source) => write!(out, ": {}", root_cause(source)),
            None => Ok(()),
        }
    }
}

impl ClientError {
    /// Returns the failed call.
    #[must_use]
    pub fn call(&self) -> &ApiCall {
        match self {
            Self::Rejected { call, .. }
            | Self::NoResponse { call, .. }
            | Self::OutcomeUnknown { call, .. }
            | Self::RetryBudgetExceeded { call, .. }
            | Self::InvalidResponse { call, .. }
            | Self::Pagination { call, .. }
            | Self::InvalidRequest { call, .. } => call,
        }
    }

    /// Returns the error response of the service, if there was one.
    #[must_use]
    pub fn error_response(&self) -> Option<&ErrorResponse> {
        match self {
            Self::Rejected { response: refusal, .. } => Some(refusal),
            Self::OutcomeUnknown { failure: lost, .. } => match lost.as_ref() {
                RequestFailure::Response(refusal) => Some(refusal),
                RequestFailure::Transport(_) => None,
            },
            _ => None,
        }
    }

    /// Returns the status of the response, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::InvalidResponse { status, .. } => Some(*status),
            other => other.error_response().map(|refusal| refusal.status),
        }
    }

    /// Returns the error code of the service (`forbidden_access`).
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.error_response().and_then(|refusal| refusal.body.code.as_deref())
    }

    /// Returns the error message of the service.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.error_response().map(|refusal| refusal.body.detail.as_str())
    }

    /// Returns the request id for support, if known.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::InvalidResponse { request_id, .. } => request_id.as_deref(),
            other => other.error_response().and_then(|refusal| refusal.request_id.as_deref()),
        }
    }

    /// Returns the number of attempts and the time waited.
    #[must_use]
    pub fn tries(&self) -> Attempts {
        match self {
            Self::Rejected { tries, .. } | Self::NoResponse { tries, .. } | Self::OutcomeUnknown { tries, .. } => {
                *tries
            }
            _ => Attempts::default(),
        }
    }

    fn has_status(&self, status: StatusCode) -> bool {
        self.status() == Some(status)
    }

    /// Returns whether the object does not exist: 404, or Connect's error for an unknown plugin. A 403 can hide a
    /// missing object, too, but counts as [`Self::is_forbidden`]: unknown, not absent.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        let no_plugin = |refusal: &ErrorResponse| is_unknown_plugin(refusal.status, &refusal.body.detail);
        self.has_status(StatusCode::NOT_FOUND) || self.error_response().is_some_and(no_plugin)
    }

    /// Returns whether the status is 403 and the error is not a quota error.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.has_status(StatusCode::FORBIDDEN) && !self.is_quota_exceeded()
    }

    /// Returns whether the status is 409.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.has_status(StatusCode::CONFLICT)
    }

    /// Returns whether the status is 401.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.has_status(StatusCode::UNAUTHORIZED)
    }

    /// Returns whether a quota is exceeded.
    #[must_use]
    pub fn is_quota_exceeded(&self) -> bool {
        self.error_response()
            .is_some_and(|refusal| is_quota_error(refusal.status, &refusal.body.detail))
    }

    /// Returns whether the call failed because of throttling.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::RetryBudgetExceeded { .. }) || self.has_status(StatusCode::TOO_MANY_REQUESTS)
    }

    /// Returns whether the operation may have taken effect although its response is missing or unreadable: look up the
    /// object by its natural key.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::OutcomeUnknown { .. } => true,
            Self::InvalidResponse { call, .. } => call.retry_safety == RetrySafety::CheckFirst,
            _ => false,
        }
    }

    /// Returns whether the failure is temporary, so that the same command may succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::NoResponse { cause, .. } => !matches!(
                cause.as_ref(),
                TransportError::Certificate { .. }
                    | TransportError::ResponseTooLarge { .. }
                    | TransportError::NotSent(_)
            ),
            Self::OutcomeUnknown { .. } | Self::RetryBudgetExceeded { .. } => true,
            Self::Rejected { response: refusal, .. } => {
                !self.is_quota_exceeded()
                    && !self.is_not_found()
                    && (refusal.status.is_server_error() || refusal.status == StatusCode::TOO_MANY_REQUESTS)
            }
            _ => false,
        }
    }
}

/// Returns whether a response is a quota error: 402, another status with the text that the Confluent CLI checks for
/// (docs/reference/rbac.md#error-bodies), or a text that mentions an exceeded quota, because `connect/v1` declares no
/// 402 (docs/reference/quotas.md#service-quota-api).
pub(super) fn is_quota_error(status: StatusCode, detail: &str) -> bool {
    let words = || {
        let detail = detail.to_ascii_lowercase();
        let exceeded = ["exceed", "reached", "limit"].iter().any(|word| detail.contains(word));
        detail.contains("is currently limited to") || (detail.contains("quota") && exceeded)
    };
    status == StatusCode::PAYMENT_REQUIRED || (matches!(status.as_u16(), 400 | 403 | 500) && words())
}

/// Returns whether a response reports an unknown plugin: a 500 that is permanent
/// (docs/reference/connect.md#create-a-connector; docs/reference/connect.md#error-messages, pattern 7).
pub(super) fn is_unknown_plugin(status: StatusCode, detail: &str) -> bool {
    status == StatusCode::INTERNAL_SERVER_ERROR
        && detail.starts_with("Failed to find any class that implements Connector")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::parse_error;

    fn call() -> ApiCall {
        ApiCall {
            operation: "CreateRoleBinding",
            verb: "create",
            subject: "role binding DeveloperRead of `sa-1` on topic payments-*".into(),
            method: Method::POST,
            path: "/iam/v2/role-bindings".into(),
            retry_safety: RetrySafety::CheckFirst,
        }
    }

    fn rejected(status: u16, body: &str, request_id: Option<&str>) -> ClientError {
        ClientError::Rejected {
            call: Box::new(call()),
            response: Box::new(ErrorResponse {
                status: StatusCode::from_u16(status).unwrap(),
                body: parse_error(body.as_bytes()),
                request_id: request_id.map(str::to_owned),
            }),
            tries: Attempts::default(),
        }
    }

    #[test]
    fn a_rejected_call_names_operation_subject_reason_and_request_id() {
        let body = r#"{"errors":[{"status":"403","code":"forbidden_access","detail":"Forbidden Access."}]}"#;
        assert_eq!(
            rejected(403, body, Some("3f1c")).to_string(),
            "could not create role binding DeveloperRead of `sa-1` on topic payments-*: \
             Confluent Cloud returned 403 forbidden_access: Forbidden Access (request 3f1c)"
        );
        let bare = rejected(502, "", None).to_string();
        assert!(bare.ends_with("Confluent Cloud returned 502 Bad Gateway"), "{bare}");
        // Connect repeats the status as the code; the message shows it once.
        let connect = rejected(400, r#"{"error":{"code":400,"message":"bad"}}"#, None).to_string();
        assert!(connect.ends_with("returned 400: bad"), "{connect}");
    }

    // Source: docs/reference/rbac.md#error-bodies. a quota error has 402; some still arrive as 400, and the Confluent
    // CLI recognizes them by text.
    #[test]
    fn a_quota_error_is_recognized_by_status_or_text() {
        let words = r#"{"error":{"code":403,"message":"Your organization is currently limited to 5 keys"}}"#;
        assert!(rejected(402, "", None).is_quota_exceeded());
        for status in [400, 403, 500] {
            assert!(rejected(status, words, None).is_quota_exceeded(), "{status}");
        }
        assert!(!rejected(409, words, None).is_quota_exceeded());
        assert!(!rejected(403, words, None).is_forbidden());
        assert!(rejected(403, "{}", None).is_forbidden());
    }

    #[test]
    fn errors_and_clients_are_send_and_sync() {
        fn assert_send_sync<T: Send + Sync + 'static>() {}
        assert_send_sync::<ClientError>();
        assert_send_sync::<crate::client::Client>();
    }
}
