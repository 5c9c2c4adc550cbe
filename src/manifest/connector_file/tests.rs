//! Tests of the connector file parser.

use std::fmt::Write as _;

use super::*;

fn parse_as(name: &str, text: &str) -> Result<ConnectorConfigFile, Vec<Finding>> {
    parse(&SourceFile::new(name, text))
}

fn entries(file: &ConnectorConfigFile) -> Vec<(&str, &str, ValueKind)> {
    let entries = file.entries.iter();
    entries
        .map(|entry| (entry.key.as_str(), entry.value.as_str(), entry.kind))
        .collect()
}

/// Returns the text at the key and value spans of an entry.
fn slices(file: &ConnectorConfigFile, key: &str) -> (String, String) {
    let entry = file.entry(key).unwrap();
    let text = |range: &Range<usize>| file.source.text[range.clone()].to_owned();
    (text(&entry.key_span), text(&entry.value_span))
}

#[test]
fn both_json_forms_are_parsed_with_spans() {
    let native = r#"{"name": "claims-a", "config": {"connector.class": "DatagenSource", "tasks.max": 1},
        "offsets": [{"partition": {"p": 0}, "offset": {"o": 12345678901}}], "type": "source"}"#;
    let file = parse_as("a.json", native).unwrap();
    assert_eq!(file.layout, FileLayout::Wrapped);
    assert_eq!(file.connector_name().unwrap().value, "claims-a");
    assert_eq!(
        entries(&file),
        [
            ("connector.class", "DatagenSource", ValueKind::String),
            ("tasks.max", "1", ValueKind::Number)
        ]
    );
    assert_eq!(slices(&file, "tasks.max"), ("\"tasks.max\"".to_owned(), "1".to_owned()));
    assert_eq!(file.offsets.unwrap()[0]["offset"]["o"], 12_345_678_901_u64);
    assert_eq!(file.unexpected.len(), 1);

    let bare = parse_as(
        "a.json",
        r#"{"name": "claims-a", "connector.class": "X", "a": null, "b": [1], "c": {"d": 1}, "e": 1.50}"#,
    )
    .unwrap();
    assert_eq!(bare.layout, FileLayout::Bare);
    let kinds: Vec<_> = entries(&bare).into_iter().skip(2).collect();
    assert_eq!(
        kinds,
        [
            ("a", "null", ValueKind::Null),
            ("b", "[1]", ValueKind::Array),
            ("c", "{\"d\": 1}", ValueKind::Object),
            ("e", "1.50", ValueKind::Number),
        ]
    );
}

#[test]
fn yaml_values_keep_their_source_text() {
    let text = "# a comment\nname: claims-a\nconfig:\n  connector.class: DatagenSource\n  tasks.max: 2\n  flag: no\n  \
                code: 012\n  big: 1e3\n  yes: true\n  quoted: \"a # b\"\n  long: |\n    one\n    two\n  empty:\n\
                offsets:\n  - offset: {o: 5}\n";
    let file = parse_as("a.yaml", text).unwrap();
    assert_eq!(file.layout, FileLayout::Wrapped);
    let values: Vec<_> = entries(&file).into_iter().map(|(key, value, _)| (key, value)).collect();
    assert_eq!(
        values,
        [
            ("connector.class", "DatagenSource"),
            ("tasks.max", "2"),
            ("flag", "no"),
            ("code", "012"),
            ("big", "1e3"),
            ("yes", "true"),
            ("quoted", "a # b"),
            ("long", "one\ntwo\n"),
            ("empty", ""),
        ]
    );
    assert_eq!(file.entry("tasks.max").unwrap().kind, ValueKind::String);
    assert_eq!(file.entry("empty").unwrap().kind, ValueKind::Null);
    assert_eq!(slices(&file, "tasks.max"), ("tasks.max".to_owned(), "2".to_owned()));
    assert_eq!(slices(&file, "quoted").1, "\"a # b\"");
    assert_eq!(file.offsets.unwrap()[0]["offset"]["o"], 5);
    assert!(parse_as("a.yml", "connector.class: X\nname: y\n").unwrap().layout == FileLayout::Bare);
}

#[test]
fn spans_are_correct_after_a_byte_order_mark_and_non_ascii_text() {
    for (name, text) in [
        ("a.json", "\u{feff}{\"name\": \"Käse\", \"topics\": \"a\"}"),
        ("a.yaml", "\u{feff}name: Käse\ntopics: a\n"),
    ] {
        let file = parse_as(name, text).unwrap();
        let (key, value) = slices(&file, "topics");
        assert!(
            key.trim_matches('"') == "topics" && value.trim_matches('"') == "a",
            "{name}: {key} {value}"
        );
    }
}

#[test]
fn duplicate_keys_are_both_kept() {
    for (name, text) in [("a.json", r#"{"a": "1", "a": "2"}"#), ("a.yaml", "a: '1'\na: '2'\n")] {
        let file = parse_as(name, text).unwrap();
        let values: Vec<_> = entries(&file).into_iter().map(|(key, value, _)| (key, value)).collect();
        assert_eq!(values, [("a", "1"), ("a", "2")], "{name}");
    }
}

#[test]
fn a_syntax_error_is_reported_with_its_location_and_redacted_values() {
    let cases = [
        ("a.json", "{\"connection.password\": \"hunter2\",}", "a.json:1:"),
        ("a.json", "{\n \"connection.password\" \"hunter2\"\n}", "a.json:2:"),
        ("a.json", "{\"connection.password\": hunter2}", "a.json:1:"),
        ("a.json", "{\"connection.password\": \"hunter2", "a.json:1:"),
        ("a.json", "{\"a\": \"b\" // hunter2\n}", "a.json:1:"),
        ("a.json", "[{\"password\": \"hunter2\"}]", "a.json:1:1"),
        ("a.json", "{\"a\": \"b\"} {\"password\": \"hunter2\"}", "a.json:1:"),
        ("a.yaml", "password: \"hunter2\n", "a.yaml:1:"),
        ("a.yaml", "a: b\n  password: hunter2\n", "a.yaml:"),
        ("a.yaml", "- password: hunter2\n", "a.yaml:1:1"),
        ("a.yaml", "a: b\n---\npassword: hunter2\n", "a.yaml:"),
        ("a.yaml", "password: &x [hunter2, *y]\n", "a.yaml:"),
    ];
    for (name, text, place) in cases {
        let findings = parse_as(name, text).expect_err(text);
        let finding = &findings[0];
        let span = finding.span.as_ref().unwrap();
        assert_eq!(finding.rule, "syntax");
        assert!(span.location().starts_with(place), "{text}: {}", span.location());
        let shown = format!("{} {:?} {}", finding.message, finding.fix, span.source.text);
        assert!(!shown.contains("hunter2"), "{text}: {shown}");
    }
    for text in ["", " \n", "\u{feff}"] {
        assert_eq!(parse_as("a.json", text).unwrap_err()[0].message, "`a.json` is empty");
    }
}

#[test]
fn malformed_input_yields_a_finding() {
    let deep = "[".repeat(100_000);
    let deep_map = "{\"a\":".repeat(100_000);
    let mut bomb = "b: &b [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for n in 0..20 {
        let name = "b".repeat(n + 1);
        writeln!(
            bomb,
            "{name}b: &{name}b [*{name},*{name},*{name},*{name},*{name},*{name},*{name}]"
        )
        .unwrap();
    }
    for (name, text) in [
        ("a.json", &deep),
        ("a.json", &deep_map),
        ("a.yaml", &deep),
        ("a.yaml", &deep_map),
        ("a.yaml", &bomb),
    ] {
        assert!(parse_as(name, text).is_err(), "{name}");
    }
    let large = vec![b' '; MAX_FILE_SIZE + 1];
    let findings = read_from(Path::new("a.json"), &large[..]).unwrap().unwrap_err();
    assert_eq!(findings[0].message, "`a.json` is larger than 2 MiB");
    let findings = read_from(Path::new("-"), &b"\xff\xff"[..]).unwrap().unwrap_err();
    assert_eq!(
        findings[0].message,
        "standard input is not UTF-8 text: byte 0 is invalid"
    );
    assert!(read(Path::new("no/such/file.json")).is_err());
}

/// Output of the Confluent CLI and of this program, answers of the API, Terraform's maps, and UTF-16 are read.
#[test]
fn one_connector_is_read_from_the_shapes_that_other_tools_print() {
    let described = r#"{"connector": {"id": "lcc-1", "name": "claims-a", "status": "RUNNING"}, "tasks": [{"task": 0}],
        "configs": [{"config": "connector.class", "value": "DatagenSource"}, {"config": "name", "value": "claims-a"}]}"#;
    let expanded = r#"{"claims-a": {"info": {"name": "claims-a", "type": "source", "config":
        {"connector.class": "DatagenSource", "name": "claims-a"}}, "status": {"name": "claims-a"}, "id": {"id": "lcc-1"}}}"#;
    let terraform =
        r#"{"config_sensitive": {"name": "claims-a"}, "config_nonsensitive": {"connector.class": "DatagenSource"}}"#;
    let yaml = "connector:\n  id: lcc-1\nconfigs:\n- config: connector.class\n  value: DatagenSource\n- config: name\n  value: claims-a\n";
    for (name, text) in [
        ("a.json", described),
        ("b.json", expanded),
        ("c.json", terraform),
        ("d.yaml", yaml),
    ] {
        let file = parse_as(name, text).unwrap();
        assert_eq!(
            (file.class(), file.connector_name().map(|name| name.value.as_str())),
            (Some("DatagenSource"), Some("claims-a")),
            "{text}"
        );
        assert!(slices(&file, "connector.class").1.contains("DatagenSource"), "{text}");
    }
    let plain = r#"{"name": "claims-a", "config": {"connector.class": "DatagenSource"}}"#;
    let little = plain.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
    let big = plain.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>();
    for bytes in [
        [vec![0xff, 0xfe], little.clone()].concat(),
        little,
        [vec![0xfe, 0xff], big.clone()].concat(),
        big,
    ] {
        let file = read_from(Path::new("a.json"), &bytes[..]).unwrap().unwrap();
        assert_eq!(file.class(), Some("DatagenSource"));
    }
}

#[test]
fn other_files_are_named_with_what_to_do() {
    for (name, text, expected) in [
        (
            "main.tf",
            "resource \"confluent_connector\" \"c\" {\n  config_nonsensitive = {\n  }\n}\n",
            "Terraform file",
        ),
        (
            "a.properties",
            "# comment\nname=claims-a\nconnector.class=DatagenSource\n",
            "Java properties file",
        ),
        (
            "a.yaml",
            "apiVersion: kafka.strimzi.io/v1\nkind: KafkaConnector\nspec:\n  class: X\n",
            "Kubernetes resource",
        ),
        (
            "a.json",
            r#"{"version": 4, "terraform_version": "1.9.0", "resources": []}"#,
            "Terraform's state",
        ),
        (
            "a.json",
            r#"{"a": {"info": {"name": "a"}}, "b": {"info": {"name": "b"}}}"#,
            "several connectors",
        ),
    ] {
        let finding = &parse_as(name, text).unwrap_err()[0];
        assert!(finding.message.contains(expected), "{text}: {}", finding.message);
        assert!(
            finding
                .fix
                .as_ref()
                .is_some_and(|fix| fix.starts_with("Write the ") || fix.starts_with("Write `"))
        );
    }
}
