//! Schemas of connector files against the linter and the checks of `gitops validate`.

use std::collections::BTreeSet;

use confluent_ebs::{
    catalog::{
        LintOptions, SETTING_KEYS, catalog, lint, rules,
        starter::{FILL_IN, proposed_name, starter},
    },
    diag::{Severity, SourceFile},
    manifest::{
        connector_file,
        schema::{FileKind, SchemaCoverage, connector_schema},
        starter::{render_json, render_yaml},
    },
    model::Prefix,
};
use serde_json::{Value, json};

use crate::{
    common::{Cli, JsonAccess as _},
    plugin_schema, schema_errors,
};

/// Rules of the linter with an error about `text`.
pub(crate) fn lint_errors(text: &str) -> BTreeSet<&'static str> {
    let file = connector_file::parse(&SourceFile::new("orders.json", text)).unwrap();
    let linted = lint(&file, &LintOptions::default());
    let errors = linted.findings.iter().filter(|found| found.severity == Severity::Error);
    errors.map(|finding| finding.rule).collect()
}

/// A valid configuration with values of several types.
fn valid() -> Value {
    json!({
        "name": "claims-lake",
        "connector.class": "S3_SINK",
        "topics": "claims-orders",
        "input.data.format": "JSON",
        "aws.access.key.id": "AKIAEXAMPLE",
        "aws.secret.access.key": "${env:EBS_SECRET_AWS}",
        "s3.bucket.name": "lake",
        "time.interval": "HOURLY",
        "flush.size": "1000",
        "tasks.max": "1",
    })
}

/// A change of the valid configuration, `null` for a removed key, and the rule that reports it. For one that a schema
/// cannot express, the reason.
const MISTAKES: [(&str, &str, &str, Option<&str>); 31] = [
    ("flush.sise", "\"1000\"", "unknown-key", None),
    ("s3.bucket.name", "null", "missing-key", None),
    ("s3.bucket.name", "\"\"", "missing-key", None),
    ("connector.class", "null", "missing-key", None),
    ("name", "null", "missing-key", None),
    ("flush.size", "\"many\"", "wrong-type", None),
    ("flush.size", "true", "wrong-type", None),
    ("flush.size", "\"1000.5\"", "wrong-type", None),
    ("flush.size", "[1000]", "not-a-string", None),
    ("s3.bucket.name", "{\"a\": \"b\"}", "not-a-string", None),
    ("s3.bucket.name", "[\"a\"]", "not-a-string", None),
    ("input.data.format", "\"Json\"", "value-not-allowed", None),
    ("tasks.max", "\"0\"", "tasks-max", None),
    ("tasks.max", "\"two\"", "tasks-max", None),
    ("aws.secret.access.key", "\"hunter2hunter2\"", "literal-secret", None),
    ("aws.secret.access.key", "\"****************\"", "masked-value", None),
    ("s3.bucket.name", "\"****\"", "masked-value", None),
    ("s3.bucket.name", "\"<fill in>\"", "placeholder", None),
    ("s3.bucket.name", "\"${env:EBS_SECRET_AWS}\"", "secret-reference", None),
    (
        "aws.secret.access.key",
        "\"${env:CONFLUENT_CLOUD_API_SECRET}\"",
        "secret-reference",
        None,
    ),
    ("aws.secret.access.key", "\"${file:../key}\"", "secret-reference", None),
    (
        "aws.secret.access.key",
        "\"${file:/etc/key}\"",
        "secret-reference",
        None,
    ),
    ("topics.regex", "\"claims-.*\"", "one-of", None),
    ("topics", "null", "one-of", None),
    ("name", "\"claims/lake\"", "connector-name", None),
    (
        "connector.class",
        "\"io.confluent.connect.s3.S3SinkConnector\"",
        "self-managed",
        None,
    ),
    ("connector.class", "\"S3_SNK\"", "unknown-plugin", None),
    ("connector.class", "\"S3_SINK,DatagenSource\"", "several-classes", None),
    (
        "aws.secret.access.key",
        "\"${env:AWS}\"",
        "secret-reference",
        Some("a profile can allow other variables"),
    ),
    ("flush.size", "\"10\"", "out-of-range", Some("the number is a text")),
    (
        "transforms",
        "\"route\"",
        "transform",
        Some("the names of transforms are defined in the same file"),
    ),
];

/// Rules whose mistakes depend on more than the file, or that an editor reports itself.
const OTHER_RULES: [(&str, &str); 13] = [
    ("auth-mode", "an error only with the department of a profile"),
    ("backslash-in-secret", "a literal secret is an error in any case"),
    ("dead-letter-loop", "compares two topics"),
    ("duplicate-key", "an editor reports it as a mistake of JSON or YAML"),
    ("foreign-dead-letters", "needs the prefix of the department"),
    ("foreign-group", "needs the prefix of the department"),
    ("foreign-name", "needs the prefix of the department"),
    ("foreign-runtime-account", "needs the account of the department"),
    ("foreign-topic", "needs the prefix of the department"),
    ("plugin-not-allowed", "needs the quota of the department"),
    ("connector-naming", "needs the naming convention of the platform"),
    ("weak-secret", "needs the values of variables"),
    ("file-name", "needs the name of the file"),
];

fn changed(key: &str, value: &str) -> Value {
    let mut config = valid();
    let members = config.as_object_mut().unwrap();
    match serde_json::from_str(value).unwrap() {
        Value::Null => drop(members.remove(key)),
        value => drop(members.insert(key.to_owned(), value)),
    }
    config
}

#[test]
fn a_mistake_is_an_error_of_both_the_schema_and_the_linter() {
    let (own, any) = (plugin_schema("S3_SINK"), FileKind::Connector.schema(catalog()));
    assert_eq!(lint_errors(&valid().to_string()), BTreeSet::new());
    for schema in [&own, &any] {
        assert_eq!(schema_errors(schema, &valid()), [""; 0]);
    }
    for (key, value, rule, not_expressible) in MISTAKES {
        let config = changed(key, value);
        let what = format!("{key}: {value}");
        let found = lint_errors(&config.to_string());
        assert!(found.contains(rule), "{what}: {found:?}");
        // The schema of a plugin is not for other plugins.
        let schema = if key == "connector.class" { &any } else { &own };
        let wrapped = json!({"name": config["name"], "config": config});
        for document in [&config, &wrapped] {
            if document == &wrapped && key == "name" {
                continue;
            }
            let refused = schema_errors(schema, document);
            match not_expressible {
                None => assert_ne!(refused, [""; 0], "{what}: the schema accepts it"),
                Some(reason) => assert_eq!(refused, [""; 0], "{what}: expressible, but listed as not: {reason}"),
            }
        }
    }
}

#[test]
fn every_error_rule_of_the_linter_has_a_mistake_or_a_reason() {
    let mut known: BTreeSet<&str> = MISTAKES.iter().map(|(_, _, rule, _)| *rule).collect();
    known.extend(OTHER_RULES.iter().map(|(rule, _)| *rule));
    for rule in rules::RULES.iter().filter(|rule| rule.severity == Severity::Error) {
        assert!(known.contains(rule.id), "no mistake for rule `{}`", rule.id);
    }
    for (id, _) in OTHER_RULES {
        assert!(rules::find(id).is_some(), "no rule `{id}`");
    }
}

#[test]
fn values_that_the_linter_accepts_or_only_warns_about_are_valid() {
    let own = plugin_schema("S3_SINK");
    for (key, value) in [
        ("flush.size", "5000"),
        ("flush.size", "\" 5000 \""),
        ("flush.size", "\"${input.flush}\""),
        ("tasks.max", "2"),
        ("s3.bucket.name", "\"{{bucket}}\""),
        ("aws.secret.access.key", "\"${file:aws/key.txt}\""),
        ("aws.secret.access.key", "\"${prompt:}\""),
        ("aws.secret.access.key", "\"${secretManager:aws}\""),
        ("aws.access.key.id", "\"${env:EBS_SECRET_ID}\""),
        ("kafka.auth.mode", "\"SERVICE_ACCOUNT\""),
        ("kafka.service.account.id", "\"sa-abc123\""),
        ("transforms", "\"\""),
        ("kafka.region", "\"eu-central-1\""),
        ("topics", "5"),
    ] {
        let config = changed(key, value);
        assert_eq!(lint_errors(&config.to_string()), BTreeSet::new(), "{key}: {value}");
        assert_eq!(schema_errors(&own, &config), [""; 0], "{key}: {value}");
    }
}

/// The valid configuration below `config`, with settings of a connector in Git.
fn file_with(settings: &Value) -> Value {
    let mut config = valid();
    config.as_object_mut().unwrap().remove("name");
    let mut file = json!({"config": config});
    file.as_object_mut()
        .unwrap()
        .extend(settings.as_object().unwrap().clone());
    file
}

#[test]
fn a_mistake_in_a_setting_is_found_by_both_the_schema_and_gitops_validate() {
    let own = plugin_schema("S3_SINK");
    let mistakes = [
        json!({"state": "stopped"}),
        json!({"replace": "keep"}),
        json!({"protect": "yes"}),
        json!({"renamed_from": ""}),
        json!({"renamed_from": 5}),
        json!({"ticket": ""}),
        json!({"ticket": true}),
        json!({"offsets": {}}),
        json!({"stat": "running"}),
        json!({"state": "absent", "protect": true}),
        json!({"name": ""}),
        json!({"name": "x".repeat(65)}),
    ];
    let cli = Cli::with_platform([("claims", "name = \"Claims\"\nprefix = \"claims-\"\n")]);
    for (number, settings) in mistakes.iter().enumerate() {
        let file = file_with(settings);
        assert_ne!(schema_errors(&own, &file), [""; 0], "{settings}");
        cli.write(format!("connectors/claims/prod/claims-{number}.json"), file.to_string());
    }
    assert_eq!(schema_errors(&own, &file_with(&json!({}))), [""; 0]);
    cli.write(
        "connectors/claims/prod/claims-valid.json",
        file_with(&json!({})).to_string(),
    );
    let only = json!({"state": "running"});
    assert_ne!(schema_errors(&own, &only), [""; 0]);
    cli.write("connectors/claims/prod/claims-only.json", only.to_string());
    let report = cli.run("gitops validate -o json").expect_code(5).json();
    let found: BTreeSet<String> = report
        .items("/findings")
        .iter()
        .filter(|finding| ["gitops-setting", "unknown-key"].contains(&finding.text("/rule")))
        .filter_map(|finding| {
            let file = finding["file"].as_str()?.rsplit('/').next()?;
            Some(file.to_owned())
        })
        .collect();
    let mut expected: BTreeSet<String> = (0..mistakes.len())
        .map(|number| format!("claims-{number}.json"))
        .collect();
    expected.insert("claims-only.json".to_owned());
    assert_eq!(found, expected, "{report:#}");
}

#[test]
fn the_settings_of_a_connector_in_git_are_those_that_are_read() {
    for schema in [plugin_schema("S3_SINK"), FileKind::Connector.schema(catalog())] {
        let properties = schema["$defs"]["file"]["properties"].as_object().unwrap();
        let settings: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
        let mut read: BTreeSet<&str> = SETTING_KEYS.into_iter().collect();
        read.extend(["config", "name", "offsets"]);
        assert_eq!(settings, read);
    }
}

#[test]
fn settings_of_a_connector_in_git_have_a_form() {
    let own = plugin_schema("S3_SINK");
    let partial = connector_schema(catalog(), catalog().plugin("S3_SINK").unwrap(), SchemaCoverage::Partial);
    for settings in [
        json!({}),
        json!({"state": "paused", "replace": "carry", "renamed_from": "claims-old", "protect": true, "ticket": "CHG-1"}),
        json!({"offsets": [{"partition": {"kafka_topic": "a"}, "offset": {"kafka_offset": 3}}], "name": "claims-lake"}),
    ] {
        assert_eq!(schema_errors(&own, &file_with(&settings)), [""; 0], "{settings}");
    }
    // A tombstone needs nothing else; a stage file with a base file only what it changes.
    assert_eq!(schema_errors(&own, &json!({"state": "absent"})), [""; 0]);
    assert_ne!(schema_errors(&own, &json!({"state": "running"})), [""; 0]);
    for document in [
        json!({"state": "running"}),
        json!({"config": {"flush.size": null, "tasks.max": "2"}}),
        json!({"config": {"connector.class": "S3_SINK"}}),
    ] {
        assert_ne!(schema_errors(&own, &document), [""; 0], "{document}");
        assert_eq!(schema_errors(&partial, &document), [""; 0], "{document}");
    }
    for document in [
        json!({"config": {"flush.size": "x"}}),
        json!({"config": {"flush.sise": null}}),
    ] {
        assert_ne!(schema_errors(&partial, &document), [""; 0], "{document}");
    }
}

/// The values that must be written are errors of both; a completed starter has none of either.
#[test]
fn starter_files_of_all_plugins_are_as_valid_as_the_linter_says() {
    let prefix = Prefix::parse("claims-").unwrap();
    let mut completed = 0;
    for plugin in catalog().plugins() {
        let made = starter(plugin, &proposed_name(plugin, Some(&prefix)), Some(&prefix));
        let schema = plugin_schema(plugin.class);
        let yaml = render_yaml(&made, "a.yaml", None);
        let json: Value = serde_json::from_str(&render_json(&made)).unwrap();
        let written = render_json(&made);
        let from_yaml: Value = serde_saphyr::from_str(&yaml).unwrap();
        for document in [&json, &from_yaml] {
            let red = !lint_errors(&document.to_string()).is_empty();
            let errors = schema_errors(&schema, document);
            assert_eq!(red, !errors.is_empty(), "{}: {errors:?}", plugin.class);
        }
        let is_open = written.contains(FILL_IN);
        let findings = lint_errors(&written);
        assert_eq!(is_open, findings.contains("placeholder"), "{}", plugin.class);
        completed += usize::from(!is_open);
    }
    assert!(completed > 0);
}

#[test]
fn examples_in_the_pages_are_valid() {
    let mut found = 0;
    for page in [
        "docs/gitops.md",
        "docs/connector-secrets.md",
        "docs/department.md",
        "README.md",
    ] {
        let text = std::fs::read_to_string(format!("{}/{page}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let blocks = text.split("```").skip(1).step_by(2);
        for block in blocks {
            let document: Value = match block.split_once('\n') {
                Some(("yaml", body)) => serde_saphyr::from_str(body).unwrap(),
                Some(("json", body)) if body.contains("connector.class") => serde_json::from_str(body).unwrap(),
                _ => continue,
            };
            if document.get("config").is_none() && document.get("connector.class").is_none() {
                continue;
            }
            let config = document.get("config").unwrap_or(&document);
            // A file without a class is a stage file with a base file.
            let class = config["connector.class"].as_str().unwrap_or("PostgresSource");
            let plugin = catalog().plugin(class).unwrap();
            let partial = connector_schema(catalog(), plugin, SchemaCoverage::Partial);
            assert_eq!(schema_errors(&partial, &document), [""; 0], "{page}: {document:#}");
            found += 1;
        }
    }
    assert!(found >= 1, "{found} examples");
}
