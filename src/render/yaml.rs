//! YAML that every reader understands alike: texts that some YAML would take for something else are quoted.

use serde::Serialize;

pub(super) fn render(value: &impl Serialize) -> Result<String, serde_saphyr::ser::Error> {
    let options = serde_saphyr::ser_options! {
        // `- ` below its key, as Go's YAML and so the stock CLI writes it.
        compact_list_indent: true,
        // Long texts stay on their line, so that `grep` finds them.
        prefer_block_scalars: false,
    };
    serde_saphyr::to_string_with_options(value, options)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::{super::escape::is_deceptive, render};

    #[test]
    fn texts_that_look_like_something_else_are_quoted() {
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
        fn any_text_comes_back_and_cannot_speak_to_a_terminal(text in any::<String>()) {
            let yaml = render(&json!({"text": text})).unwrap();
            prop_assert!(!yaml.trim_end_matches('\n').contains(|c| is_deceptive(c) && c != '\n'), "{:?}", yaml);
            let read: std::collections::BTreeMap<String, String> = serde_saphyr::from_str(&yaml).unwrap();
            prop_assert_eq!(&read["text"], &text);
        }
    }
}
