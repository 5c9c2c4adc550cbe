//! Reads error messages as people paste them: JSON documents, escaped text, boxes of Terraform, stack traces.

use serde_json::Value;

/// Parts of key names whose values are error texts.
const TEXT_KEYS: &[&str] = &[
    "message",
    "error",
    "trace",
    "cause",
    "detail",
    "title",
    "msg",
    "reason",
    "exception",
    "stack",
    "summary",
    "description",
    "fault",
    "text",
];
/// Keys of configurations, whose values say nothing about an error.
const CONFIG_KEYS: &[&str] = &["config", "configs", "info"];

/// Returns the error texts of a message, one per line: those of JSON documents, else the unescaped text.
pub(super) fn readable_text(message: &str) -> String {
    let message = message.trim();
    if let Ok(value) = serde_json::from_str(message) {
        return document_texts(&value).unwrap_or_else(|| unescape(message));
    }
    let lines = message.lines().map(|line| {
        let start = line.find(['{', '[']);
        let value = start.and_then(|start| serde_json::from_str(line[start..].trim_end()).ok());
        let texts = value.as_ref().and_then(document_texts);
        match (texts, start) {
            (Some(texts), Some(start)) => format!("{}{texts}", &line[..start]),
            _ => unescape(line),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Returns the error texts of a JSON document, or `None` if it has none.
fn document_texts(document: &Value) -> Option<String> {
    let mut texts = Vec::new();
    collect_texts(document, true, &mut texts);
    texts.retain(|text| !text.trim().is_empty());
    (!texts.is_empty()).then(|| texts.join("\n"))
}

fn collect_texts(value: &Value, is_text: bool, texts: &mut Vec<String>) {
    match value {
        Value::String(text) if is_text => texts.push(unescape(text)),
        Value::Array(items) => {
            for item in items {
                collect_texts(item, is_text, texts);
            }
        }
        Value::Object(fields) => {
            if let Some(line) = api_error(value) {
                texts.push(line);
            }
            for (key, value) in fields {
                let key = key.to_lowercase();
                if CONFIG_KEYS.contains(&key.as_str()) {
                    continue;
                }
                let names_text = TEXT_KEYS.iter().any(|part| key.contains(part)) && !key.ends_with("code");
                collect_texts(value, names_text, texts);
            }
        }
        _ => {}
    }
}

/// Returns the error of an API in one line: its code belongs to its text.
fn api_error(object: &Value) -> Option<String> {
    let number = |key: &str| {
        let value = &object[key];
        value
            .as_u64()
            .map(|number| number.to_string())
            .or_else(|| value.as_str().map(str::to_owned))
            .filter(|code| (3..=6).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let text = ["message", "detail", "title", "error"]
        .iter()
        .find_map(|key| object[*key].as_str())?;
    if let Some(code) = number("error_code") {
        // The format of the Schema Registry and of Kafka Connect.
        return Some(format!("{text}; error code: {code}"));
    }
    let code = number("status")
        .or_else(|| number("code"))
        .or_else(|| number("statusCode"))?;
    // Confluent Cloud identifies each of its errors.
    let service = object["id"].is_string() && object["status"].is_string() && object["detail"].is_string();
    let service = if service { "api.confluent.cloud: " } else { "" };
    Some(format!("{service}{text} (status {code})"))
}

/// Replaces `\"`, and `\n` and `\t` where they stand for an end of line and an indentation.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let text = text.replace("\\\"", "\"").replace("\\r\\n", "\\n");
    let mut lines = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find("\\n") {
        let after = &rest[at + 2..];
        let begins_line = after.is_empty()
            || after.starts_with(|c: char| c.is_whitespace() || c.is_uppercase() || c.is_ascii_digit())
            || ["\\t", "\\n", "at ", "org.", "com.", "io.", "java"]
                .iter()
                .any(|start| after.starts_with(start))
            || is_key(after);
        lines.push_str(&rest[..at]);
        lines.push_str(if begins_line { "\n" } else { "\\n" });
        rest = after.strip_prefix("\\t").filter(|_| begins_line).unwrap_or(after);
    }
    lines.push_str(rest);
    lines
}

/// Returns whether a text begins with a configuration key, such as `topics: …`.
fn is_key(text: &str) -> bool {
    text.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_'))
        .starts_with(": ")
}

/// Returns the lines of a text without stack frames; lines of a Terraform box that were wrapped are one line.
pub(super) fn logical_lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut continues = false;
    for line in text.lines() {
        let trimmed = line.trim();
        if let Some(boxed) = trimmed.strip_prefix('│') {
            let boxed = boxed.trim();
            match lines.last_mut().filter(|_| continues && !boxed.is_empty()) {
                Some(last) => {
                    last.push(' ');
                    last.push_str(boxed);
                }
                None => lines.push(boxed.to_owned()),
            }
            continues = !boxed.is_empty();
            continue;
        }
        continues = false;
        let frame = trimmed.to_lowercase();
        let frame = frame.strip_prefix("at ").filter(|frame| frame.contains('('));
        match (frame, lines.last_mut()) {
            // Connectors read stored offsets in classes with these names.
            (Some(frame), Some(last)) if frame.contains("offsetcontext") || frame.contains("offsetstoragereader") => {
                last.push_str(" at ");
                last.push_str(frame);
            }
            (Some(_), _) => {}
            (None, _) => lines.push(line.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{logical_lines, readable_text};

    #[test]
    fn json_is_read_as_json() {
        for (message, expected) in [
            (
                r#"{"data": {"summary": {"connectorErrorSummary": {"message": "a", "rootCause": "b"}}}, "type": "c"}"#,
                "a\nb",
            ),
            (
                r#"{"connector": {"state": "FAILED", "trace": "slot \"x\""}, "tasks": []}"#,
                "slot \"x\"",
            ),
            (
                r#"{"error_code": 40301, "message": "denied"}"#,
                "denied; error code: 40301\ndenied",
            ),
            (
                r#"{"errors": [{"id": "1", "status": "401", "detail": "Unauthorized"}]}"#,
                "api.confluent.cloud: Unauthorized (status 401)\nUnauthorized",
            ),
            (r#"{"config": {"error": "x"}, "trace": "y"}"#, "y"),
            (r#"ERROR {"message": "a"}"#, "ERROR a"),
            (r#""quoted text""#, "quoted text"),
            (r#"a \"b\"\n\tat c"#, "a \"b\"\nat c"),
            (r"user CORP\nora", r"user CORP\nora"),
            ("{not json", "{not json"),
        ] {
            assert_eq!(readable_text(message), expected, "{message}");
        }
    }

    #[test]
    fn frames_are_dropped_and_boxes_are_unwrapped() {
        let lines = logical_lines("╷\n│ Error: error creating\n│ Connector: 401\n│\n│ x\n╵");
        assert!(
            lines.contains(&"Error: error creating Connector: 401".to_owned()),
            "{lines:?}"
        );
        let lines = logical_lines("a.B: c\n\tat d.e(F.java)\n\tat g.OffsetContext$Loader.load(H.java)");
        assert_eq!(lines, ["a.B: c at g.offsetcontext$loader.load(h.java)"]);
    }
}
