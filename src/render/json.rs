//! JSON in the format of the Confluent CLI: two spaces, a line break at the end, and short lists of scalars on one
//! line.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::escape::is_deceptive;

/// Maximum width of a list of scalars on one line.
const WIDTH: usize = 80;

/// Renders one document, for `-o json`.
pub(crate) fn render(value: &impl Serialize) -> serde_json::Result<String> {
    let mut out = String::new();
    write_value(&serde_json::to_value(value)?, 0, &mut out);
    out.push('\n');
    Ok(out)
}

/// Renders one line per element of a list, or one line for another value.
pub(super) fn render_lines(value: &impl Serialize) -> serde_json::Result<String> {
    let mut out = String::new();
    let value = serde_json::to_value(value)?;
    let items = value
        .as_array()
        .map_or_else(|| std::slice::from_ref(&value), Vec::as_slice);
    for item in items {
        write_compact(item, &mut out);
        out.push('\n');
    }
    Ok(out)
}

fn write_compact(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_compact(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                out.push_str(if index > 0 { "," } else { "" });
                write_string(name, out);
                out.push(':');
                write_compact(value, out);
            }
            out.push('}');
        }
        scalar => write_scalar(scalar, out),
    }
}

fn write_value(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Array(items) if !items.is_empty() => {
            if let Some(line) = compact_list(items, out) {
                out.push_str(&line);
                return;
            }
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                push_new_line(index > 0, indent + 2, out);
                write_value(item, indent + 2, out);
            }
            push_new_line(false, indent, out);
            out.push(']');
        }
        Value::Object(fields) if !fields.is_empty() => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                push_new_line(index > 0, indent + 2, out);
                write_string(name, out);
                out.push_str(": ");
                write_value(value, indent + 2, out);
            }
            push_new_line(false, indent, out);
            out.push('}');
        }
        scalar => write_scalar(scalar, out),
    }
}

fn compact_list(items: &[Value], out: &str) -> Option<String> {
    if items.iter().any(|item| item.is_array() || item.is_object()) {
        return None;
    }
    let mut line = String::from("[");
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            line.push_str(", ");
        }
        write_scalar(item, &mut line);
    }
    line.push(']');
    let column = out.len() - out.rfind('\n').map_or(0, |at| at + 1);
    (column + line.len() <= WIDTH).then_some(line)
}

fn push_new_line(comma: bool, indent: usize, out: &mut String) {
    if comma {
        out.push(',');
    }
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

fn write_scalar(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => write_string(text, out),
        // `Value` displays the other types as compact JSON.
        other => out.push_str(&other.to_string()),
    }
}

/// Writes a string; deceptive characters are written as `\u` escapes, which is the same value.
pub(super) fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_deceptive(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn short_lists_stay_on_one_line() {
        let value =
            json!([{"id": "sa-123456", "plugins": ["S3_SINK", "*"], "tasks": 3, "trace": null, "none": [], "o": {}}]);
        insta::assert_snapshot!(render(&value).unwrap(), @r#"
        [
          {
            "id": "sa-123456",
            "plugins": ["S3_SINK", "*"],
            "tasks": 3,
            "trace": null,
            "none": [],
            "o": {}
          }
        ]
        "#);
        let long = json!({"plugins": ["a".repeat(40), "b".repeat(40)]});
        assert_eq!(render(&long).unwrap().lines().count(), 6);
        assert_eq!(render(&json!([])).unwrap(), "[]\n");
    }

    #[test]
    fn one_line_holds_one_element() {
        let list = json!([{"a": "x\ny", "b": [1, true, null], "c": {}}, "z"]);
        assert_eq!(
            render_lines(&list).unwrap(),
            "{\"a\":\"x\\ny\",\"b\":[1,true,null],\"c\":{}}\n\"z\"\n"
        );
        assert_eq!(render_lines(&json!({"a": 1})).unwrap(), "{\"a\":1}\n");
        assert_eq!(render_lines(&json!([])).unwrap(), "");
    }

    proptest! {
        #[test]
        fn any_text_survives_json_without_control_characters(text in any::<String>()) {
            let json = render(&json!([text])).unwrap();
            prop_assert!(!json.replace('\n', "").contains(is_deceptive));
            prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), json!([text]));
        }
    }
}
