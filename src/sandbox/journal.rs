//! Journal of the requests to the sandbox: caller, request and result.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Journal entry of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxJournalEntry {
    /// Sequence number, starting at 1.
    pub seq: u64,
    /// Sandbox time of the request.
    pub at: Timestamp,
    /// Caller (`sa-…`, `u-…`); absent if the credentials were missing or wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// HTTP method.
    pub method: String,
    /// Path without a leading `/api`.
    pub path: String,
    /// Raw query.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// Status of the response, even if the response was lost; 0 if the request was not processed.
    pub status: u16,
    /// Fault that affected the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// `X-Request-Id` of the response.
    pub request_id: String,
}

impl SandboxJournalEntry {
    /// Returns whether the request changed an object of the organization. Login, telemetry and read-only POSTs do not
    /// count.
    #[must_use]
    pub fn is_write(&self) -> bool {
        const HOUSEKEEPING: [&str; 5] = [
            "/sessions",
            "/access_tokens",
            "/cli/v1/usages",
            crate::api::logs::SEARCH,
            crate::api::metrics::QUERY,
        ];
        self.method != "GET"
            && (200..300).contains(&self.status)
            && !HOUSEKEEPING.contains(&self.path.as_str())
            && !self.path.ends_with("/config/validate")
    }
}
