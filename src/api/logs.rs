//! Connector logs: an API key is exchanged for a token, and the token authorizes the log search
//! (docs/reference/logs.md).
//!
//! No published document describes these endpoints, and Confluent calls such endpoints private: they may change or
//! disappear. Each has its own host.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Endpoint, RetrySafety};
use crate::model::{Crn, Secret};

/// Path that exchanges an API key or a session for a data-plane token (docs/reference/logs.md#access-token). The only
/// path that starts with `/api`.
pub const ACCESS_TOKENS: &str = "/api/access_tokens";
/// Path of the log search (docs/reference/logs.md#search-request).
pub const SEARCH: &str = "/logs/v1/search";

/// Host of the token exchange; it differs from the API host (docs/reference/logs.md#access-token).
pub const TOKEN_HOST: &str = "https://confluent.cloud";
/// Host of the log search, the same for all regions (docs/reference/logs.md#search-request).
pub const LOGS_HOST: &str = "https://api.logging.confluent.cloud";

/// Maximum page size (docs/reference/logs.md#search-request).
pub const PAGE_SIZE: u32 = 200;
/// Retention of log lines (docs/reference/logs.md#search-request).
pub const HISTORY: Duration = Duration::from_hours(72);
/// Rate limit per connector; each page counts as a request (docs/reference/logs.md#limits-and-errors).
pub const REQUESTS_PER_MINUTE: u32 = 5;
/// Assumed lifetime of a token without an expiry; Confluent's own client assumes the same
/// (docs/reference/logs.md#access-token).
pub const TOKEN_LIFETIME: Duration = Duration::from_mins(10);

/// Exchanges the credentials of the caller for a token (docs/reference/logs.md#access-token).
#[derive(Clone, Copy, Debug)]
pub struct ExchangeToken;

impl Endpoint for ExchangeToken {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = ACCESS_TOKENS;
    // A second token has no side effects.
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = AccessToken;

    fn body(&self) -> Option<Value> {
        Some(serde_json::json!({}))
    }

    fn action(&self) -> &'static str {
        "get"
    }

    fn subject(&self) -> String {
        "a token for logs".to_owned()
    }
}

/// Response to a token exchange. An error can come with status 200.
#[derive(Clone, Debug, Deserialize)]
pub struct AccessToken {
    /// The token. It carries all permissions of the key's owner.
    #[serde(default)]
    pub token: Option<Secret>,
    /// Expiry of the token.
    #[serde(default, deserialize_with = "moment")]
    pub expires_at: Option<Timestamp>,
    /// Reason for a missing token.
    #[serde(default, deserialize_with = "text")]
    pub error: String,
}

/// Filter of a log search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSearch {
    /// Log levels. Always sent, because the effect of omitting them is undocumented
    /// (docs/reference/logs.md#search-request).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub level: Vec<String>,
    /// Text or regular expression; the dialect is undocumented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_text: Option<String>,
    /// Id of the connector. A recreated connector has the same CRN but another id
    /// (docs/reference/logs.md#search-request).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Body of a log search request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSearchRequest {
    /// CRN of the connector, which contains its NAME instead of its id (docs/reference/logs.md#search-request).
    pub crn: String,
    /// Filter of the lines.
    pub search: LogSearch,
    /// Sort order. `desc`, newest first, is the only order that known clients use.
    #[serde(default)]
    pub sort: String,
    /// Start of the time range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// End of the time range.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
}

/// Searches the log of one connector, newest lines first.
#[derive(Clone, Debug)]
pub struct SearchLogs {
    /// CRN of the connector.
    pub connector: Crn,
    /// Filter of the lines.
    pub search: LogSearch,
    /// Start of the time range, truncated to seconds.
    pub from: Timestamp,
    /// End of the time range.
    pub to: Timestamp,
    /// Page token; `None` for the first page.
    pub page: Option<String>,
}

/// Truncates a time to whole seconds, because clients send no fractions (docs/reference/logs.md#search-request).
fn truncate_to_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

impl Endpoint for SearchLogs {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = SEARCH;
    // The search only reads.
    const RETRY: RetrySafety = RetrySafety::Idempotent;
    type Response = LogPage;

    fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = vec![("page_size", PAGE_SIZE.to_string())];
        query.extend(self.page.iter().map(|token| ("page_token", token.clone())));
        query
    }

    fn body(&self) -> Option<Value> {
        let request = LogSearchRequest {
            crn: self.connector.to_string(),
            search: self.search.clone(),
            sort: "desc".to_owned(),
            start_time: Some(truncate_to_second(self.from)),
            end_time: Some(truncate_to_second(self.to)),
        };
        serde_json::to_value(request).ok()
    }

    fn action(&self) -> &'static str {
        "read"
    }

    fn subject(&self) -> String {
        format!("log lines of connector `{}`", self.connector.name())
    }
}

/// Page of log lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LogPage {
    /// Lines of this page.
    #[serde(default, deserialize_with = "list")]
    pub data: Vec<LogEntry>,
    /// Link to the next page.
    #[serde(default)]
    pub metadata: LogMeta,
    /// `v1`.
    #[serde(default, deserialize_with = "text")]
    pub api_version: String,
    /// `LoggingSearchResponse`.
    #[serde(default, deserialize_with = "text")]
    pub kind: String,
    /// CRN of the connector.
    #[serde(default, deserialize_with = "text")]
    pub crn: String,
}

/// Link to the next page, either a URL or the bare token (docs/reference/logs.md#log-lines-and-pages).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LogMeta {
    /// Absent on the last page. Some services return a link to an empty page instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl LogPage {
    /// Returns the token of the next page, if there may be one. An empty page is always the last one
    /// (docs/reference/logs.md#log-lines-and-pages).
    #[must_use]
    pub fn next_page_token(&self) -> Option<String> {
        let next = self.metadata.next.as_deref().filter(|next| !next.is_empty())?;
        if self.data.is_empty() {
            return None;
        }
        super::common::page_token(next).or_else(|| (!next.contains("://")).then(|| next.to_owned()))
    }
}

/// Log line. All fields are optional; the timestamp keeps its original format.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogEntry {
    /// Time with millisecond precision.
    #[serde(default, deserialize_with = "text")]
    pub timestamp: String,
    /// `INFO`, `WARN`, `ERROR`.
    #[serde(default, deserialize_with = "text")]
    pub level: String,
    /// `task-0`; empty for lines of the connector itself.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub task_id: String,
    /// Id of the connector.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Log message.
    #[serde(default, deserialize_with = "text")]
    pub message: String,
    /// Stack trace, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<LogStackTrace>,
}

/// Stack trace of a log line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogStackTrace {
    /// Complete stack trace.
    #[serde(default, deserialize_with = "text")]
    pub stacktrace: String,
}

impl LogEntry {
    /// Returns the parsed timestamp, or `None` if the format is unknown.
    #[must_use]
    pub fn parsed_timestamp(&self) -> Option<Timestamp> {
        self.timestamp.parse().ok()
    }

    /// Returns the stack trace, or an empty text.
    #[must_use]
    pub fn trace(&self) -> &str {
        self.exception.as_ref().map_or("", |exception| &exception.stacktrace)
    }
}

/// Reads a text; absent and null become empty.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a list; absent and null become empty.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LogEntry>, D::Error> {
    Option::<Vec<LogEntry>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads a time in text or numeric form. An unknown format becomes `None`, and the caller uses a default.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().and_then(|number| match number {
            // In seconds this would be after the year 5000, so the value is in milliseconds.
            100_000_000_000.. => Timestamp::from_millisecond(number).ok(),
            _ => Timestamp::from_second(number).ok(),
        }),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(json: &str) -> LogPage {
        serde_json::from_str(json).unwrap()
    }

    // Source: docs/reference/logs.md#search-request and the trace of the Confluent CLI (`traces/confluent-cli.jsonl`).
    #[test]
    fn the_search_body_equals_that_of_the_confluent_cli() {
        let crn = "crn://confluent.cloud/organization=11111111-2222-3333-4444-555555555555/environment=env-abc123/\
                   cloud-cluster=lkc-abc123/connector=claims-orders";
        let search = SearchLogs {
            connector: crn.parse().unwrap(),
            search: LogSearch {
                level: vec!["ERROR".into(), "WARN".into()],
                search_text: Some("x.*".into()),
                id: Some("lcc-dd0190".into()),
            },
            from: "2026-11-22T00:00:00.250Z".parse().unwrap(),
            to: "2026-11-22T20:00:00Z".parse().unwrap(),
            page: None,
        };
        let expected = serde_json::json!({
            "crn": crn, "search": { "level": ["ERROR", "WARN"], "search_text": "x.*", "id": "lcc-dd0190" },
            "sort": "desc", "start_time": "2026-11-22T00:00:00Z", "end_time": "2026-11-22T20:00:00Z",
        });
        assert_eq!(search.body(), Some(expected));
        assert_eq!(search.query(), [("page_size", "200".to_owned())]);
    }

    // Source: docs/reference/logs.md#log-lines-and-pages
    #[test]
    fn a_page_of_log_entries_is_parsed() {
        let page = page(
            r#"{"data": [{"timestamp": "2026-08-20T08:44:23.761Z", "level": "ERROR", "task_id": "task-0", "id": "lcc-8kq2zm",
                "message": "m", "exception": {"stacktrace": "a\nCaused by: b"}}, {"message": null, "exception": null}],
                "metadata": {"next": "https://api.logging.confluent.cloud/logs/v1/search?page_token=b3BhcXVl"},
                "api_version": "v1", "kind": "LoggingSearchResponse", "crn": "crn://…"}"#,
        );
        assert_eq!(page.next_page_token().as_deref(), Some("b3BhcXVl"));
        assert_eq!(page.data[0].trace(), "a\nCaused by: b");
        assert_eq!(
            page.data[0].parsed_timestamp().unwrap().to_string(),
            "2026-08-20T08:44:23.761Z"
        );
        assert_eq!((page.data[1].trace(), page.data[1].parsed_timestamp()), ("", None));
    }

    #[test]
    fn the_last_page_is_recognised_in_each_form() {
        let next = |json: &str| page(json).next_page_token();
        let with = |next: &str| format!(r#"{{"data": [{{"level": "INFO"}}], "metadata": {{"next": {next}}}}}"#);
        assert_eq!(
            next(&with("\"b3BhcXVl\"")).as_deref(),
            Some("b3BhcXVl"),
            "the bare token"
        );
        assert_eq!(next(&with("null")), None);
        assert_eq!(next(&with("\"\"")), None);
        assert_eq!(
            next(&with("\"https://logs.example.com/\"")),
            None,
            "a link without a token"
        );
        assert_eq!(
            next(r#"{"data": [], "metadata": {"next": "b3BhcXVl"}}"#),
            None,
            "an empty page"
        );
        assert_eq!(next(r#"{"data": null}"#), None);
    }

    #[test]
    fn the_expiry_of_a_token_may_be_text_number_or_absent() {
        let ends = |json: &str| {
            let token: AccessToken = serde_json::from_str(json).unwrap();
            token.expires_at.map(Timestamp::as_second)
        };
        assert_eq!(ends(r#"{"token":"t","expires_at":"1970-01-01T00:01:00Z"}"#), Some(60));
        assert_eq!(ends(r#"{"token":"t","expires_at":1800000000}"#), Some(1_800_000_000));
        assert_eq!(ends(r#"{"token":"t","expires_at":1800000000000}"#), Some(1_800_000_000));
        assert_eq!(ends(r#"{"token":"t","expires_at":"soon"}"#), None);
        assert_eq!(ends(r#"{"error":"no"}"#), None);
        let token: AccessToken = serde_json::from_str(r#"{"token":"canary"}"#).unwrap();
        assert!(!format!("{token:?}").contains("canary"));
    }
}
