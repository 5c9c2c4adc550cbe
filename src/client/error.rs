//! Why a call gave no answer that can be used: what was done, on what, why it failed, and what to do about it.
//!
//! A message is complete in itself (the innermost cause is part of it), so that it can stand in one line of a report.
//! Texts of the service are kept as they came; whoever shows them escapes them.

use std::{error::Error, fmt, time::Duration};

use http::{Method, StatusCode};

use super::{
    retry::{Attempts, DisplaySeconds},
    transport::{TransportError, root_cause},
};
use crate::api::{ErrorBody, RetrySafety};

/// One call, as messages and traces name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiCall {
    /// The endpoint's name: `CreateRoleBinding`.
    pub operation: &'static str,
    /// What is done, as a verb.
    pub verb: &'static str,
    /// On what: `service account "sa-1"`.
    pub subject: String,
    /// The HTTP method.
    pub method: Method,
    /// The path, without the query.
    pub path: String,
    /// Whether it may be sent again when its answer was lost.
    pub retry_safety: RetrySafety,
}

impl fmt::Display for ApiCall {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.verb, self.subject)
    }
}

/// An answer that is not the wanted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    /// The status, always looked at before anything else: a refusal can come with a body that reads like success.
    pub status: StatusCode,
    /// The service's own words.
    pub body: ErrorBody,
    /// The id to give to support.
    pub request_id: Option<String>,
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Confluent Cloud answered {}", self.status.as_u16())?;
        let code = self.body.code.as_deref().filter(|code| *code != self.status.as_str());
        match (code, self.body.detail.as_str()) {
            (None, "") => write!(out, " {}", self.status.canonical_reason().unwrap_or("without a word"))?,
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

/// What made an answer get lost.
#[derive(Debug)]
pub enum RequestFailure {
    /// The way to the service.
    Transport(TransportError),
    /// The service, which failed in the middle: a 5xx says nothing about what was done before it.
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

/// Why a call gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The service answered, and not with success.
    #[error("could not {call}: {response}{tries}")]
    Rejected {
        /// The call.
        call: Box<ApiCall>,
        /// What the service said.
        response: Box<ErrorResponse>,
        /// How often it was tried.
        tries: Attempts,
    },
    /// No answer. Nothing was done, or what was done may be done again without harm.
    #[error("could not {call}: {}{tries}", WithRootCause(.cause))]
    NoResponse {
        /// The call.
        call: Box<ApiCall>,
        /// Why.
        cause: Box<TransportError>,
        /// How often it was tried.
        tries: Attempts,
    },
    /// The call may have been carried out, and must not be repeated blindly: look the object up by its natural key.
    #[error("it is not known whether it worked to {call}: {failure}{tries}")]
    OutcomeUnknown {
        /// The call.
        call: Box<ApiCall>,
        /// What happened to the answer.
        failure: Box<RequestFailure>,
        /// How often it was tried.
        tries: Attempts,
    },
    /// The service wants a pause from everybody that is longer than this client is willing to wait.
    #[error("could not {call}: Confluent Cloud asks for a pause of {}, and only {} of waiting are left", DisplaySeconds(*.wait), DisplaySeconds(*.remaining))]
    RetryBudgetExceeded {
        /// The call.
        call: Box<ApiCall>,
        /// The pause.
        wait: Duration,
        /// What is left of the budget.
        remaining: Duration,
    },
    /// A good status with an answer that cannot be read.
    #[error("could not {call}: the answer cannot be read: {reason}{}", request_suffix(.request_id.as_deref()))]
    InvalidResponse {
        /// The call.
        call: Box<ApiCall>,
        /// The status it came with.
        status: StatusCode,
        /// Why it cannot be read.
        reason: String,
        /// The id to give to support.
        request_id: Option<String>,
    },
    /// The pages of a list do not lead to an end.
    #[error("could not {call} to its end: {reason}")]
    Pagination {
        /// The call.
        call: Box<ApiCall>,
        /// What is wrong with the pages.
        reason: String,
    },
    /// The request cannot be written down, so nothing was sent.
    #[error("could not {call}: {reason}")]
    InvalidRequest {
        /// The call.
        call: Box<ApiCall>,
        /// Why not.
        reason: String,
    },
}

fn request_suffix(id: Option<&str>) -> String {
    id.map(|id| format!(" (request {id})")).unwrap_or_default()
}

/// An error with its innermost cause, where that says more.
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
    /// The call that failed.
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

    /// What the service said, if it said something.
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

    /// The status of the answer, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::InvalidResponse { status, .. } => Some(*status),
            other => other.error_response().map(|refusal| refusal.status),
        }
    }

    /// The machine's word for the refusal (`forbidden_access`).
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.error_response().and_then(|refusal| refusal.body.code.as_deref())
    }

    /// The service's words for the refusal.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.error_response().map(|refusal| refusal.body.detail.as_str())
    }

    /// The id to give to support, if there was an answer with one.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::InvalidResponse { request_id, .. } => request_id.as_deref(),
            other => other.error_response().and_then(|refusal| refusal.request_id.as_deref()),
        }
    }

    /// How often it was tried, and how long it waited.
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

    /// 404, or what Connect says instead of a plugin. A 403 can mean the same, and is [`Self::is_forbidden`]: unknown,
    /// never absent.
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        let no_plugin = |refusal: &ErrorResponse| is_unknown_plugin(refusal.status, &refusal.body.detail);
        self.has_status(StatusCode::NOT_FOUND) || self.error_response().is_some_and(no_plugin)
    }

    /// 403, unless it is a quota in disguise.
    #[must_use]
    pub fn is_forbidden(&self) -> bool {
        self.has_status(StatusCode::FORBIDDEN) && !self.is_quota_exceeded()
    }

    /// 409.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        self.has_status(StatusCode::CONFLICT)
    }

    /// 401.
    #[must_use]
    pub fn is_unauthorized(&self) -> bool {
        self.has_status(StatusCode::UNAUTHORIZED)
    }

    /// A provider quota is used up.
    #[must_use]
    pub fn is_quota_exceeded(&self) -> bool {
        self.error_response()
            .is_some_and(|refusal| is_quota_error(refusal.status, &refusal.body.detail))
    }

    /// The service wanted more patience than there was.
    #[must_use]
    pub fn is_throttled(&self) -> bool {
        matches!(self, Self::RetryBudgetExceeded { .. }) || self.has_status(StatusCode::TOO_MANY_REQUESTS)
    }

    /// The call may have been carried out, or has been and nobody can read the answer: look the object up by its natural
    /// key.
    #[must_use]
    pub fn is_outcome_unknown(&self) -> bool {
        match self {
            Self::OutcomeUnknown { .. } => true,
            Self::InvalidResponse { call, .. } => call.retry_safety == RetrySafety::CheckFirst,
            _ => false,
        }
    }

    /// Whether the trouble passes by itself, so that the same command later may well work.
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

/// Whether a refusal is about a provider quota: 402, or another status with the words by which the stock CLI knows it
/// (docs/reference/rbac.md#error-bodies), or with the word itself: `connect/v1` declares no 402
/// (docs/reference/quotas.md#service-quota-api).
pub(super) fn is_quota_error(status: StatusCode, detail: &str) -> bool {
    let words = || {
        let detail = detail.to_ascii_lowercase();
        let exceeded = ["exceed", "reached", "limit"].iter().any(|word| detail.contains(word));
        detail.contains("is currently limited to") || (detail.contains("quota") && exceeded)
    };
    status == StatusCode::PAYMENT_REQUIRED || (matches!(status.as_u16(), 400 | 403 | 500) && words())
}

/// Whether a refusal says that there is no such plugin: a 500, and yet it will not pass
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
             Confluent Cloud answered 403 forbidden_access: Forbidden Access (request 3f1c)"
        );
        let bare = rejected(502, "", None).to_string();
        assert!(bare.ends_with("Confluent Cloud answered 502 Bad Gateway"), "{bare}");
        // The code of Connect's shape repeats the status; it is said once.
        let connect = rejected(400, r#"{"error":{"code":400,"message":"bad"}}"#, None).to_string();
        assert!(connect.ends_with("answered 400: bad"), "{connect}");
    }

    // Source: docs/reference/rbac.md#error-bodies. 402 is the quota, some still arrive as 400, and the stock CLI knows
    // them by their text.
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
