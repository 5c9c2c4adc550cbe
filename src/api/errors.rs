//! Parser for the four formats of error bodies (docs/reference/rbac.md#error-bodies and
//! docs/reference/connect.md#error-bodies).

use serde_json::Value;

/// Error of the service, independent of the format of the body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorBody {
    /// Machine-readable code (`forbidden_access`, `40301`), if there is one.
    pub code: Option<String>,
    /// Human-readable message, without a full stop at the end.
    pub detail: String,
    /// Suggestion of the service.
    pub resolution: Option<String>,
    /// Request id, for Confluent's support.
    pub request_id: Option<String>,
    /// Field or parameter that caused the error.
    pub source: Option<String>,
}

fn non_empty_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Maximum length of a detail: enough for a configuration with a hundred invalid keys.
const MAX_DETAIL_LENGTH: usize = 8_000;

/// Parses an error body. Never fails: a body in an unknown format becomes the detail, truncated.
#[must_use]
pub fn parse_error(body: &[u8]) -> ErrorBody {
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        let plain = String::from_utf8_lossy(body);
        let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
        return ErrorBody {
            detail: line.chars().take(200).collect(),
            ..ErrorBody::default()
        };
    };
    let mut error = ErrorBody::default();
    if let Some(first) = value["errors"].as_array().and_then(|errors| errors.first()) {
        // 1: SDK documents, gateway.
        error.code = non_empty_text(&first["code"]).or_else(|| non_empty_text(&first["status"]));
        error.detail = non_empty_text(&first["detail"])
            .or_else(|| non_empty_text(&first["title"]))
            .unwrap_or_default();
        error.resolution = non_empty_text(&first["resolution"]);
        error.request_id = non_empty_text(&first["id"]);
        error.source =
            non_empty_text(&first["source"]["pointer"]).or_else(|| non_empty_text(&first["source"]["parameter"]));
    } else if value["error"].is_object() {
        // 2: the newer standard; 4: Connect.
        let inner = &value["error"];
        error.code = non_empty_text(&inner["code"]);
        error.detail = non_empty_text(&inner["message"])
            .or_else(|| non_empty_text(&inner["details"]))
            .unwrap_or_default();
        error.resolution = non_empty_text(&inner["suggestion"]);
        error.request_id = non_empty_text(&value["requestId"]);
    } else if let Some(words) = non_empty_text(&value["error"]) {
        // Token exchange (docs/reference/logs.md#access-token).
        error.detail = words;
    } else {
        // 3: MDS, Kafka REST, Connect's 5xx.
        error.code = non_empty_text(&value["error_code"]).or_else(|| non_empty_text(&value["code"]));
        error.detail = non_empty_text(&value["message"]).unwrap_or_default();
    }
    error.detail = error
        .detail
        .trim_end_matches('.')
        .chars()
        .take(MAX_DETAIL_LENGTH)
        .collect();
    error
}

#[cfg(test)]
mod tests {
    use super::parse_error;

    // Formats from docs/reference/rbac.md#error-bodies; the texts are invented where the service's texts are unknown.
    #[test]
    fn error_code_and_detail_are_read_from_each_shape() {
        let read = |text: &str| {
            let error = parse_error(text.as_bytes());
            (
                error.code.unwrap_or_default(),
                error.detail,
                error.request_id.unwrap_or_default(),
            )
        };
        let owned = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        let first = r#"{"errors":[{"id":"r1","status":"403","code":"forbidden_access","detail":"Forbidden Access."}]}"#;
        assert_eq!(read(first), owned("forbidden_access", "Forbidden Access", "r1"));
        let second = r#"{"status":403,"error":{"code":"FORBIDDEN","message":"no"},"requestId":"r2"}"#;
        assert_eq!(read(second), owned("FORBIDDEN", "no", "r2"));
        assert_eq!(
            read(r#"{"error_code":40301,"message":"Either or"}"#),
            owned("40301", "Either or", "")
        );
        assert_eq!(
            read(r#"{"error":{"code":400,"message":"bad"}}"#),
            owned("400", "bad", "")
        );
        assert_eq!(read(r#"{"error":"no"}"#), owned("", "no", ""));
        assert_eq!(
            read("<html>\n <b>Bad   Gateway</b>"),
            owned("", "<html> <b>Bad Gateway</b>", "")
        );
        assert_eq!(read(""), owned("", "", ""));
    }
}
