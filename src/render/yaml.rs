//! YAML that all parsers read alike: strings that some parsers would read as another type are quoted.

use std::{fmt::Write as _, io};

use serde::Serialize;
use serde_json::{Map, Value};

use super::escape::is_deceptive;

/// Renders one document, for `-o yaml`.
pub(super) fn render(value: &impl Serialize) -> io::Result<String> {
    let options = serde_saphyr::ser_options! {
        // Lists are indented with `- ` below their key, as in Go's YAML and the Confluent CLI.
        compact_list_indent: true,
        // Long strings stay on one line, so that `grep` finds them.
        prefer_block_scalars: false,
    };
    // The library does not escape some invisible characters; such strings are inserted afterwards, escaped.
    let value = serde_json::to_value(value)?;
    let mut mark = "ebs-text".to_owned();
    while value.to_string().contains(&mark) {
        mark.push('x');
    }
    let mut texts = DeferredTexts {
        mark,
        texts: Vec::new(),
    };
    let value = texts.defer_texts(value);
    let yaml = serde_saphyr::to_string_with_options(&value, options).map_err(io::Error::other)?;
    Ok(texts.restore(yaml))
}

/// Strings with deceptive characters, replaced by placeholders.
struct DeferredTexts {
    mark: String,
    texts: Vec<String>,
}

impl DeferredTexts {
    fn defer_texts(&mut self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.placeholder_for(text)),
            Value::Array(items) => items.into_iter().map(|item| self.defer_texts(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.into_iter();
                let plain = fields.map(|(name, value)| (self.placeholder_for(name), self.defer_texts(value)));
                Value::Object(plain.collect::<Map<_, _>>())
            }
            other => other,
        }
    }

    fn placeholder_for(&mut self, text: String) -> String {
        if !text.contains(|c| is_deceptive(c) && c != '\n') {
            return text;
        }
        self.texts.push(text);
        format!("{}-{}-", self.mark, self.texts.len() - 1)
    }

    fn restore(self, yaml: String) -> String {
        let names = self.texts.iter().enumerate();
        names.fold(yaml, |yaml, (place, text)| {
            yaml.replace(&format!("{}-{place}-", self.mark), &quote(text))
        })
    }
}

/// Returns a double-quoted scalar without deceptive characters (YAML 1.2, §5.7).
fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            c if is_deceptive(c) && u32::from(c) <= 0xFFFF => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c if is_deceptive(c) => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{super::escape::is_deceptive, render};

    #[test]
    fn texts_that_look_like_other_types_are_quoted() {
        let value = json!({
            "no": "no", "zeros": "012", "float": "1e3", "yes": "Yes", "tilde": "~", "null": "null", "sexagesimal": "1:20",
            "date": "2026-11-22", "under": "1_000", "hex": "0x1F", "empty": "", "stars": "****", "comment": "a #b",
            "colon": "a: b", "true": true, "number": 12, "nothing": null, "list": ["a", "on"], "none": [], "word": "claims-*",
        });
        insta::assert_snapshot!(render(&value).unwrap(), @r#"
        "no": "no"
        zeros: "012"
        float: "1e3"
        "yes": "Yes"
        tilde: "~"
        "null": "null"
        sexagesimal: "1:20"
        date: "2026-11-22"
        under: "1_000"
        hex: "0x1F"
        empty: ""
        stars: "****"
        comment: "a #b"
        colon: "a: b"
        "true": true
        number: 12
        nothing: null
        list:
        - a
        - "on"
        none: []
        word: claims-*
        "#);
    }

    #[test]
    fn rows_are_list_items() {
        let rows = json!([{"id": "sa-123456", "keys": [{"id": "K"}]}, {"id": "sa-2"}]);
        insta::assert_snapshot!(render(&rows).unwrap(), @r"
        - id: sa-123456
          keys:
          - id: K
        - id: sa-2
        ");
        assert_eq!(render(&json!([])).unwrap(), "[]\n");
    }

    proptest! {
        #[test]
        fn any_text_survives_yaml_without_control_characters(text in any::<String>()) {
            let yaml = render(&json!({"text": text})).unwrap();
            prop_assert!(!yaml.trim_end_matches('\n').contains(|c| is_deceptive(c) && c != '\n'), "{:?}", yaml);
            let read: std::collections::BTreeMap<String, String> = serde_saphyr::from_str(&yaml).unwrap();
            prop_assert_eq!(&read["text"], &text);
        }
    }

    #[test]
    fn invisible_characters_are_escaped() {
        let value = json!({ "a\u{115f}": ["\u{115f}", "\u{e0041}\"\\\n\u{202e}", "ebs-text-0-"] });
        let yaml = render(&value).unwrap();
        assert_eq!(
            yaml,
            "\"a\\u115f\":\n- \"\\u115f\"\n- \"\\U000e0041\\\"\\\\\\n\\u202e\"\n- ebs-text-0-\n"
        );
        let read: serde_json::Value = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(read, value);
    }
}
