//! Connector logs: a key is exchanged for a token, and the token opens the search (docs/reference/logs.md).
//!
//! Neither endpoint is in a published document, and the vendor calls such endpoints private: they may change or vanish.
//! Each lives on a host of its own.

use std::time::Duration;

use http::Method;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Endpoint, RetrySafety};
use crate::model::{Crn, Secret};

/// Where a key, or a session, is exchanged for a data-plane token (docs/reference/logs.md#access-token). The one path
/// with `/api` in it.
pub const ACCESS_TOKENS: &str = "/api/access_tokens";
/// Where log lines are searched (docs/reference/logs.md#search-request).
pub const SEARCH: &str = "/logs/v1/search";

/// The host of the exchange: not the API's own (docs/reference/logs.md#access-token).
pub const TOKEN_HOST: &str = "https://confluent.cloud";
/// The host of the search, the same for all regions (docs/reference/logs.md#search-request).
pub const LOGS_HOST: &str = "https://api.logging.confluent.cloud";

/// The largest page (docs/reference/logs.md#search-request).
pub const PAGE_SIZE: u32 = 200;
/// How far back lines are kept (docs/reference/logs.md#search-request).
pub const HISTORY: Duration = Duration::from_hours(72);
/// How many requests a connector stands per minute, each page counted (docs/reference/logs.md#limits-and-errors).
pub const REQUESTS_PER_MINUTE: u32 = 5;
/// How long a token lives that does not say so: what Confluent's own client assumes
/// (docs/reference/logs.md#access-token).
pub const TOKEN_LIFETIME: Duration = Duration::from_mins(10);

/// Exchanges the caller's credentials for a token (docs/reference/logs.md#access-token).
#[derive(Clone, Copy, Debug)]
pub struct ExchangeToken;

impl Endpoint for ExchangeToken {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = ACCESS_TOKENS;
    // Another token does no harm.
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

/// What the exchange answers: a token, or with 200 an error all the same.
#[derive(Clone, Debug, Deserialize)]
pub struct AccessToken {
    /// The token. It carries every right of the key's owner.
    #[serde(default)]
    pub token: Option<Secret>,
    /// When it ends.
    #[serde(default, deserialize_with = "moment")]
    pub expires_at: Option<Timestamp>,
    /// Why there is none.
    #[serde(default, deserialize_with = "text")]
    pub error: String,
}

/// Which lines.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSearch {
    /// Levels; always sent, since nobody knows what leaving them out means (docs/reference/logs.md#search-request).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub level: Vec<String>,
    /// A text or a regular expression; whose dialect is not documented.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search_text: Option<String>,
    /// The connector's id: one that was made anew shares the CRN of the old one, not its id
    /// (docs/reference/logs.md#search-request).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// The body of a search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogSearchRequest {
    /// The connector, by NAME (docs/reference/logs.md#search-request).
    pub crn: String,
    /// Which lines.
    pub search: LogSearch,
    /// `desc`, the newest first: the only order that any client is known to use.
    #[serde(default)]
    pub sort: String,
    /// The beginning of the time that is searched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<Timestamp>,
    /// Its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<Timestamp>,
}

/// Searches log lines of one connector, newest first.
#[derive(Clone, Debug)]
pub struct SearchLogs {
    /// The connector.
    pub connector: Crn,
    /// Which lines.
    pub search: LogSearch,
    /// From when on, to the second.
    pub from: Timestamp,
    /// Until when.
    pub to: Timestamp,
    /// The page; `None` for the first.
    pub page: Option<String>,
}

/// What clients send: no fraction of a second (docs/reference/logs.md#search-request).
fn truncate_to_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

impl Endpoint for SearchLogs {
    const METHOD: Method = Method::POST;
    const ROUTE: &'static str = SEARCH;
    // It only reads.
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
        format!("log lines of connector \"{}\"", self.connector.name())
    }
}

/// One page of lines.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LogPage {
    /// The lines.
    #[serde(default, deserialize_with = "list")]
    pub data: Vec<LogEntry>,
    /// Where the next page is.
    #[serde(default)]
    pub metadata: LogMeta,
    /// `v1`.
    #[serde(default, deserialize_with = "text")]
    pub api_version: String,
    /// `LoggingSearchResponse`.
    #[serde(default, deserialize_with = "text")]
    pub kind: String,
    /// The connector.
    #[serde(default, deserialize_with = "text")]
    pub crn: String,
}

/// Where the next page is: a link, or the token alone (docs/reference/logs.md#log-lines-and-pages).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct LogMeta {
    /// Absent on the last page; some services name one all the same, which is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl LogPage {
    /// The token of the next page, if there may be one: an empty page is the last, whatever it points to
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

/// One line. Everything may be missing; the timestamp is kept as it came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// When, to the millisecond.
    #[serde(default, deserialize_with = "text")]
    pub timestamp: String,
    /// `INFO`, `WARN`, `ERROR`.
    #[serde(default, deserialize_with = "text")]
    pub level: String,
    /// `task-0`; empty for lines of the connector itself.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub task_id: String,
    /// The connector's id.
    #[serde(default, deserialize_with = "text", skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What it says.
    #[serde(default, deserialize_with = "text")]
    pub message: String,
    /// The stack trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<LogStackTrace>,
}

/// The stack trace of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogStackTrace {
    /// All of it.
    #[serde(default, deserialize_with = "text")]
    pub stacktrace: String,
}

impl LogEntry {
    /// When, as a moment; none when it cannot be read.
    #[must_use]
    pub fn parsed_timestamp(&self) -> Option<Timestamp> {
        self.timestamp.parse().ok()
    }

    /// The stack trace; empty for most lines.
    #[must_use]
    pub fn trace(&self) -> &str {
        self.exception.as_ref().map_or("", |exception| &exception.stacktrace)
    }
}

/// A text that may be missing or null.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A list that may be missing or null.
fn list<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LogEntry>, D::Error> {
    Option::<Vec<LogEntry>>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A moment as text or in seconds; one that cannot be read is none, and the caller goes by what is usual.
fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().and_then(|number| match number {
            // Later than the year 5000 in seconds: these are milliseconds.
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

    // Source: docs/reference/logs.md#search-request and the stock CLI's trace (`traces/stock-cli.jsonl`).
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
