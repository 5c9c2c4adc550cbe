//! What was asked of the sandbox, by whom, and with what result.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxJournalEntry {
    /// Its number, from 1.
    pub seq: u64,
    /// When, in the sandbox's time.
    pub at: Timestamp,
    /// Who (`sa-…`, `u-…`); nobody when the credentials were missing or wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The verb.
    pub method: String,
    /// The path, without a leading `/api`.
    pub path: String,
    /// The query as it was sent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query: String,
    /// The status of the answer, also when the answer was lost; 0 when the request was not processed at all.
    pub status: u16,
    /// The fault that hit it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// `X-Request-Id` of the answer.
    pub request_id: String,
}

impl SandboxJournalEntry {
    /// Whether it changed something that the organization consists of: logging in, telemetry and questions do not.
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
