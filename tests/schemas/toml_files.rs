//! Schemas of the TOML files against their readers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::Arc,
};

use confluent_ebs::{
    catalog::catalog,
    diag::{Finding, Severity, SourceFile},
    manifest::{Platform, department, platform, schema::FileKind, template},
};
use serde_json::{Map, Value};
use toml_edit::DocumentMut;

use crate::{
    policies::{POLICY, POLICY_TESTS, mistakes_in_policies, read_policy, read_policy_tests},
    resolve, schema_errors,
};

/// The file as JSON, as editors see it: a date is a text.
fn to_json(text: &str) -> Value {
    fn convert(item: &toml_edit::Item) -> Value {
        match item {
            toml_edit::Item::Table(table) => members(table.iter()),
            toml_edit::Item::ArrayOfTables(tables) => {
                Value::Array(tables.iter().map(|table| members(table.iter())).collect())
            }
            toml_edit::Item::Value(value) => convert_value(value),
            toml_edit::Item::None => Value::Null,
        }
    }
    fn members<'a>(entries: impl Iterator<Item = (&'a str, &'a toml_edit::Item)>) -> Value {
        let entries: Map<String, Value> = entries.map(|(key, item)| (key.to_owned(), convert(item))).collect();
        Value::Object(entries)
    }
    fn convert_value(value: &toml_edit::Value) -> Value {
        match value {
            toml_edit::Value::String(text) => text.value().as_str().into(),
            toml_edit::Value::Integer(number) => (*number.value()).into(),
            toml_edit::Value::Float(number) => (*number.value()).into(),
            toml_edit::Value::Boolean(flag) => (*flag.value()).into(),
            toml_edit::Value::Datetime(date) => date.value().to_string().into(),
            toml_edit::Value::Array(items) => Value::Array(items.iter().map(convert_value).collect()),
            toml_edit::Value::InlineTable(table) => Value::Object(
                table
                    .iter()
                    .map(|(key, value)| (key.to_owned(), convert_value(value)))
                    .collect(),
            ),
        }
    }
    let document: DocumentMut = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    members(document.iter())
}

fn read(kind: FileKind, text: &str) -> Vec<Finding> {
    let source: Arc<SourceFile> = SourceFile::new("test.toml", text);
    match kind {
        FileKind::Platform => platform::read(&source).1,
        FileKind::Department => department::read(&source, "claims", &Platform::default()).1,
        FileKind::Template => template::read(&source, "own").1,
        FileKind::Policy => read_policy(text),
        FileKind::PolicyTests => read_policy_tests(text),
        FileKind::Connector => unreachable!("no TOML file"),
    }
}

fn errors(findings: &[Finding]) -> Vec<String> {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors
        .map(|finding| format!("{}: {}", finding.rule, finding.message))
        .collect()
}

const PLATFORM: &str = r#"default_stage = "prod"
provisioner = "sa-abc123"
provisioner_keys = ["ABCDEFGHIJKLMNOP"]
adopt = ["sa-def456", "ABCDEFGHIJKLMNOP"]
administrators = ["u-abc123"]
platform.team = "EBS"
platform.contact = "ebs@example.com"
organization.id = "11111111-2222-3333-4444-555555555555"
[stages.prod]
environment = "env-prod01"
cluster = "lkc-prod01"
schema_registry = "lsrc-prod01"
task_ceiling = 250
reserve_percent = 10
[naming]
minimum_length = 3
reserved = ["shared-"]
connector = "*-{source,sink}"
[defaults]
template = "hybrid"
[defaults.quota]
connectors = 5
tasks = 8
tasks_per_connector = 2
plugins = ["*"]
[defaults.quota.throughput]
ingress = "5 MB/s"
egress = "20MB/s"
[lint]
some-rule = "agreed until June"
"#;

const DEPARTMENT: &str = r#"name = "Claims"
prefix = "claims-"
template = "hybrid"
cost_center = "CC-4711"
contacts = ["claims-data@example.com"]
recipients = ["age1mp5rpkkyvlrwdlr8jnttm6yk373dl8y5jqwdwfv2xw6dm9mma4eqlex5al"]
stages = ["prod"]
retired = 2026-11-30
[quota]
connectors = 12
tasks = 20
tasks_per_connector = 4
plugins = ["S3_SINK"]
[quota.throughput]
ingress = "5 MB/s"
egress = "100 GB/s"
[quota.stages.prod]
connectors = 10
[lint]
some-rule = "agreed until June"
"#;

const TEMPLATE: &str = r#"description = "People operate."
[[persona]]
name = "operator"
description = "People."
keys = ["cloud"]
[[persona.grant]]
role = "ConnectManager"
on = "connector:{prefix}*"
fallback = "DeveloperRead"
why = "status"
[[persona]]
name = "runtime"
keys = ["kafka"]
[[persona.grant]]
role = "DeveloperRead"
on = "topic:{prefix}*"
why = "sinks read"
[[persona.acl]]
operations = ["CREATE", "WRITE"]
on = "topic:dlq-lcc*"
why = "dead letters"
"#;

fn base(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Platform => PLATFORM,
        FileKind::Department => DEPARTMENT,
        FileKind::Template => TEMPLATE,
        FileKind::Policy => POLICY,
        FileKind::PolicyTests => POLICY_TESTS,
        FileKind::Connector => unreachable!("no TOML file"),
    }
}

fn toml_files_in(folder: &str) -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect()
}

/// The TOML blocks of a page whose first line is this comment.
fn examples(page: &str, title: &str) -> Vec<(String, String)> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let blocks = text
        .split("```toml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    blocks
        .filter(|block| block.starts_with(&format!("# {title}")))
        .map(|block| (format!("{page}: {title}"), block.to_owned()))
        .collect()
}

#[test]
fn every_example_and_shipped_file_is_valid() {
    let page = "docs/files.md";
    let mut files: BTreeMap<FileKind, Vec<(String, String)>> = BTreeMap::new();
    let mut add = |kind, found: Vec<(String, String)>, least: usize| {
        assert!(found.len() >= least, "{kind:?}: {} files", found.len());
        files.entry(kind).or_default().extend(found);
    };
    add(FileKind::Platform, examples(page, "ebs.toml"), 1);
    add(FileKind::Platform, toml_files_in("examples/platform"), 1);
    add(FileKind::Department, examples(page, "departments/"), 1);
    add(FileKind::Department, toml_files_in("examples/platform/departments"), 24);
    add(FileKind::Template, examples(page, "rbac-templates/"), 1);
    add(FileKind::Template, examples(page, "a persona with ACLs"), 1);
    add(FileKind::Template, toml_files_in("rbac-templates"), 4);
    add(FileKind::Template, toml_files_in("examples/templates"), 1);
    add(FileKind::Policy, examples("docs/gitops.md", "policies/plugins"), 1);
    add(FileKind::Policy, toml_files_in("policies"), 4);
    add(FileKind::PolicyTests, examples("docs/gitops.md", "policies/tests/"), 1);
    add(FileKind::PolicyTests, toml_files_in("policies/tests"), 4);
    for kind in FileKind::ALL.into_iter().filter(|kind| *kind != FileKind::Connector) {
        files
            .entry(kind)
            .or_default()
            .push(("the file of this test".to_owned(), base(kind).to_owned()));
        let schema = kind.schema(catalog());
        for (name, text) in &files[&kind] {
            assert_eq!(schema_errors(&schema, &to_json(text)), [""; 0], "{name}");
            assert_eq!(errors(&read(kind, text)), [""; 0], "{name}");
        }
    }
}

/// Tables of each file, with a text that contains only an unknown setting of the table, and what the path needs.
const TABLES: [(FileKind, &str, &str); 28] = [
    (FileKind::Platform, "", "zzzzzz = 1"),
    (FileKind::Platform, "platform", "[platform]\nzzzzzz = 1"),
    (FileKind::Platform, "organization", "[organization]\nzzzzzz = 1"),
    (FileKind::Platform, "stages.prod", "[stages.prod]\nzzzzzz = 1"),
    (FileKind::Platform, "naming", "[naming]\nzzzzzz = 1"),
    (FileKind::Platform, "defaults", "[defaults]\nzzzzzz = 1"),
    (FileKind::Platform, "defaults.quota", "[defaults.quota]\nzzzzzz = 1"),
    (
        FileKind::Platform,
        "defaults.quota.throughput",
        "[defaults.quota.throughput]\nzzzzzz = 1",
    ),
    (FileKind::Platform, "gitops", "[gitops]\nzzzzzz = 1"),
    (FileKind::Platform, "gitops.freeze", "[[gitops.freeze]]\nzzzzzz = 1"),
    (FileKind::Department, "", "zzzzzz = 1"),
    (FileKind::Department, "quota", "[quota]\nzzzzzz = 1"),
    (
        FileKind::Department,
        "quota.throughput",
        "[quota.throughput]\nzzzzzz = 1",
    ),
    (
        FileKind::Department,
        "quota.stages.prod",
        "[quota.stages.prod]\nzzzzzz = 1",
    ),
    (
        FileKind::Department,
        "quota.stages.prod.throughput",
        "[quota.stages.prod.throughput]\nzzzzzz = 1",
    ),
    (FileKind::Template, "", "zzzzzz = 1"),
    (FileKind::Template, "persona", "[[persona]]\nzzzzzz = 1"),
    (
        FileKind::Template,
        "persona.grant",
        "[[persona]]\nname = \"a\"\n[[persona.grant]]\nzzzzzz = 1",
    ),
    (
        FileKind::Template,
        "persona.acl",
        "[[persona]]\nname = \"a\"\n[[persona.acl]]\nzzzzzz = 1",
    ),
    (FileKind::Policy, "", "zzzzzz = 1"),
    (FileKind::Policy, "rule", "[[rule]]\nzzzzzz = 1"),
    (
        FileKind::Policy,
        "rule.exception",
        "[[rule]]\n[[rule.exception]]\nzzzzzz = 1",
    ),
    (FileKind::PolicyTests, "", "zzzzzz = 1"),
    (FileKind::PolicyTests, "violates", "[[violates]]\nzzzzzz = 1"),
    (FileKind::PolicyTests, "satisfies", "[[satisfies]]\nzzzzzz = 1"),
    (
        FileKind::PolicyTests,
        "violates.connector",
        "[[violates]]\nconnector.zzzzzz = 1",
    ),
    (
        FileKind::PolicyTests,
        "violates.department",
        "[[violates]]\ndepartment.zzzzzz = 1",
    ),
    (
        FileKind::PolicyTests,
        "satisfies.change",
        "[[satisfies]]\nchange.zzzzzz = 1",
    ),
];

/// The schema of the table at `path`.
fn table_schema<'a>(root: &'a Value, path: &str) -> &'a Value {
    path.split('.')
        .filter(|part| !part.is_empty())
        .fold(root, |schema, part| {
            let inner = match schema["properties"].get(part) {
                Some(inner) => inner,
                // A name that the file defines.
                None => &schema["additionalProperties"],
            };
            let inner = resolve(root, inner);
            match inner["type"].as_str() {
                Some("array") => resolve(root, &inner["items"]),
                _ => inner,
            }
        })
}

/// The words in backticks of a text.
fn quoted(text: &str) -> BTreeSet<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_settings_of_every_table_are_those_that_the_reader_knows() {
    let mut seen: BTreeMap<FileKind, BTreeSet<String>> = BTreeMap::new();
    for (kind, path, text) in TABLES {
        let root = kind.schema(catalog());
        let schema = table_schema(&root, path);
        let findings = read(kind, text);
        let unknown = findings
            .iter()
            .find(|finding| finding.rule == "unknown-key")
            .unwrap_or_else(|| panic!("{kind:?} {path}: {:?}", errors(&findings)));
        let known = unknown.fix.as_ref().unwrap();
        assert!(known.starts_with("Known keys: "), "{kind:?} {path}: {known}");
        let properties = schema["properties"].as_object().unwrap();
        assert_eq!(
            properties.keys().cloned().collect::<BTreeSet<_>>(),
            quoted(known),
            "{kind:?} {path}: settings of the schema, and those of the reader"
        );
        assert_eq!(schema["additionalProperties"], false, "{kind:?} {path}");
        let prefix = if path.is_empty() {
            String::new()
        } else {
            format!("{path}.")
        };
        let missing: BTreeSet<String> = findings
            .iter()
            .filter(|finding| finding.rule == "missing-key")
            .flat_map(|finding| quoted(&finding.message))
            .filter_map(|setting| setting.strip_prefix(&prefix).map(str::to_owned))
            .filter(|setting| !setting.contains('.'))
            .collect();
        let required = schema["required"].as_array().cloned().unwrap_or_default();
        let required: BTreeSet<String> = required.iter().map(|key| key.as_str().unwrap().to_owned()).collect();
        assert_eq!(required, missing, "{kind:?} {path}: required settings");
        let name = schema["description"].as_str().unwrap_or_default().to_owned();
        seen.entry(kind).or_default().insert(name);
    }
    // No table of a schema is left out.
    for (kind, seen) in seen {
        let root = kind.schema(catalog());
        for (name, definition) in root["$defs"].as_object().unwrap() {
            assert!(
                seen.contains(definition["description"].as_str().unwrap()),
                "{kind:?}: {name}"
            );
        }
    }
}

#[test]
fn a_value_of_another_type_is_an_error_of_both_for_every_setting() {
    let mut settings = 0;
    for (kind, path, text) in TABLES {
        let root = kind.schema(catalog());
        for (key, property) in table_schema(&root, path)["properties"].as_object().unwrap() {
            let other = if property["type"] == "boolean" { "1" } else { "true" };
            let text = text.replace("zzzzzz = 1", &format!("{key} = {other}"));
            let found = errors(&read(kind, &text));
            assert!(
                found
                    .iter()
                    .any(|error| error.starts_with("wrong-type") && error.contains(&format!("{key}`"))),
                "{kind:?} {path}: {found:?}\n{text}"
            );
            let refused = schema_errors(&root, &to_json(&text));
            let place = format!("/{key}: ");
            assert!(
                refused.iter().any(|error| error.contains(&place)),
                "{kind:?} {path}: {refused:?}\n{text}"
            );
            settings += 1;
        }
    }
    assert!(settings > 50, "{settings}");
}

/// A mistake: what is replaced in the valid file, by what, and the rule that reports it. For one that a schema cannot
/// express, the reason.
pub(crate) struct Mistake {
    kind: FileKind,
    from: &'static str,
    to: &'static str,
    rule: &'static str,
    not_expressible: Option<&'static str>,
}

pub(crate) const fn mistake(kind: FileKind, from: &'static str, to: &'static str, rule: &'static str) -> Mistake {
    Mistake {
        kind,
        from,
        to,
        rule,
        not_expressible: None,
    }
}

pub(crate) const fn not_expressible(
    kind: FileKind,
    from: &'static str,
    to: &'static str,
    rule: &'static str,
    reason: &'static str,
) -> Mistake {
    Mistake {
        kind,
        from,
        to,
        rule,
        not_expressible: Some(reason),
    }
}

fn mistakes() -> Vec<Mistake> {
    use FileKind::{Department, Platform, Template};
    let mut mistakes = vec![
        // ebs.toml
        mistake(Platform, "task_ceiling", "task_cieling", "unknown-key"),
        mistake(Platform, "[naming]", "[nameing]", "unknown-key"),
        mistake(Platform, "task_ceiling = 250", "task_ceiling = \"250\"", "wrong-type"),
        mistake(Platform, "task_ceiling = 250", "task_ceiling = 0", "invalid-value"),
        mistake(
            Platform,
            "task_ceiling = 250",
            "task_ceiling = 4294967296",
            "wrong-type",
        ),
        mistake(
            Platform,
            "reserve_percent = 10",
            "reserve_percent = 100",
            "invalid-value",
        ),
        mistake(Platform, "reserve_percent = 10", "reserve_percent = -1", "wrong-type"),
        mistake(Platform, "environment = \"env-prod01\"\n", "", "missing-key"),
        mistake(Platform, "env-prod01", "prod01", "invalid-value"),
        mistake(Platform, "lkc-prod01", "lkc-prod 01", "invalid-value"),
        mistake(Platform, "lsrc-prod01", "lkc-prod01", "invalid-value"),
        mistake(Platform, "11111111-2222", "11111111/2222", "invalid-value"),
        mistake(Platform, "provisioner = \"sa-", "provisioner = \"u-", "invalid-value"),
        mistake(
            Platform,
            "provisioner_keys = [\"A",
            "provisioner_keys = [\"sa-A",
            "invalid-value",
        ),
        mistake(Platform, "adopt = [\"sa-", "adopt = [\"xy-", "invalid-value"),
        mistake(
            Platform,
            "administrators = [\"u-",
            "administrators = [\"i-",
            "invalid-value",
        ),
        mistake(
            Platform,
            "platform.team = \"EBS\"",
            "platform.team = \"\"",
            "invalid-value",
        ),
        mistake(Platform, "minimum_length = 3", "minimum_length = 1", "invalid-value"),
        mistake(Platform, "[\"shared-\"]", "[\"\"]", "invalid-value"),
        mistake(Platform, "[\"shared-\"]", "\"shared-\"", "wrong-type"),
        mistake(Platform, "[lint]\nsome-rule", "[lint]\nSome_Rule", "invalid-value"),
        mistake(Platform, "agreed until June", " ", "invalid-value"),
        mistake(Platform, "connectors = 5", "connectors = 0", "quota-zero"),
        mistake(Platform, "\"5 MB/s\"", "\"5 MiB/s\"", "invalid-value"),
        mistake(Platform, "\"5 MB/s\"", "\"999 kB/s\"", "invalid-value"),
        mistake(Platform, "\"5 MB/s\"", "\"101 GB/s\"", "invalid-value"),
        mistake(Platform, "\"5 MB/s\"", "\"1.5 GB/s\"", "invalid-value"),
        mistake(
            Platform,
            "[naming]",
            "[stages.prod-eu]\nenvironment = \"env-eu\"\ncluster = \"lkc-eu\"\n[naming]",
            "invalid-value",
        ),
        not_expressible(
            Platform,
            "default_stage = \"prod\"",
            "default_stage = \"test\"",
            "unknown-stage",
            "the names of stages are defined in the same file",
        ),
        not_expressible(
            Platform,
            "*-{source,sink}",
            "*-{source,sink",
            "invalid-value",
            "a pattern with nested braces is no regular language",
        ),
        not_expressible(
            Platform,
            "[naming]\n",
            "[naming]\n[naming]\n",
            "duplicate-key",
            "an editor reports it as a mistake of TOML",
        ),
        not_expressible(
            Platform,
            "[naming]\n",
            "[naming\n",
            "toml-syntax",
            "an editor reports it as a mistake of TOML",
        ),
        // departments/*.toml
        mistake(Department, "cost_center", "cost_centre", "unknown-key"),
        mistake(Department, "prefix = \"claims-\"\n", "", "missing-key"),
        mistake(
            Department,
            "prefix = \"claims-\"",
            "prefix = \"claims\"",
            "prefix-invalid",
        ),
        mistake(
            Department,
            "prefix = \"claims-\"",
            "prefix = \"Claims-\"",
            "prefix-invalid",
        ),
        mistake(
            Department,
            "prefix = \"claims-\"",
            "prefix = \"1claims-\"",
            "prefix-invalid",
        ),
        mistake(
            Department,
            "prefix = \"claims-\"",
            "prefix = \"dlq-claims-\"",
            "prefix-reserved",
        ),
        mistake(
            Department,
            "prefix = \"claims-\"",
            "prefix = \"data-\"",
            "prefix-reserved",
        ),
        mistake(
            Department,
            "prefix = \"claims-\"",
            "prefix = \"dbhistory_x-\"",
            "prefix-reserved",
        ),
        mistake(Department, "name = \"Claims\"", "name = \" \"", "invalid-value"),
        mistake(Department, "stages = [\"prod\"]", "stages = []", "stages-empty"),
        mistake(Department, "tasks = 20", "tasks = 0", "quota-zero"),
        mistake(Department, "tasks = 20", "tasks = \"20\"", "wrong-type"),
        mistake(Department, "connectors = 10", "connector = 10", "unknown-key"),
        mistake(Department, "ingress = \"5 MB/s\"\n", "", "missing-key"),
        mistake(Department, "age1mp5rpkky", "age1mp5rpkk", "recipient-invalid"),
        mistake(Department, "age1mp5rpkky", "ssh-ed25519 AAAA", "recipient-unsupported"),
        mistake(
            Department,
            "age1mp5rpkky",
            "AGE-SECRET-KEY-1MP5RPKKY",
            "recipient-secret",
        ),
        mistake(
            Department,
            "retired = 2026-11-30",
            "retired = 2026-11-30T10:00:00",
            "wrong-type",
        ),
        not_expressible(
            Department,
            "retired = 2026-11-30",
            "retired = \"2026-11-30\"",
            "wrong-type",
            "JSON has no dates: editors hand them to the schema as text",
        ),
        not_expressible(
            Department,
            "age1mp5rpkky",
            "age1mp5rpkkz",
            "recipient-invalid",
            "a checksum is no regular language",
        ),
        not_expressible(
            Department,
            "tasks_per_connector = 4",
            "tasks_per_connector = 40",
            "quota-contradiction",
            "a schema does not compare two settings",
        ),
        not_expressible(
            Department,
            "prefix = \"claims-\"",
            "prefix = \"c-\"",
            "prefix-too-short",
            "`ebs.toml` defines the minimum length",
        ),
        // rbac-templates/*.toml
        mistake(Template, "fallback", "falback", "unknown-key"),
        mistake(Template, "why = \"status\"\n", "", "missing-key"),
        mistake(Template, "why = \"status\"", "why = \" \"", "invalid-value"),
        mistake(Template, "[\"kafka\"]", "[\"kafak\"]", "unknown-key-kind"),
        mistake(Template, "ConnectManager", "ConnectManger", "unknown-role"),
        mistake(Template, "\"WRITE\"", "\"WRIT\"", "unknown-operation"),
        mistake(Template, "\"WRITE\"", "\"ALL\"", "acl-misplaced"),
        mistake(Template, "[\"CREATE\", \"WRITE\"]", "[]", "invalid-value"),
        mistake(Template, "name = \"operator\"", "name = \"ops-team\"", "persona-name"),
        mistake(Template, "name = \"operator\"", "name = \"prefix\"", "persona-name"),
        mistake(Template, "connector:{prefix}*", "conector:{prefix}*", "unknown-kind"),
        mistake(Template, "connector:{prefix}*", "connector", "grant-target"),
        mistake(Template, "connector:{prefix}*", "connector:{prefix}", "grant-target"),
        mistake(
            Template,
            "connector:{prefix}*",
            "connector:{department}*",
            "grant-target",
        ),
        mistake(Template, "connector:{prefix}*", "connector:a-{prefix}*", "grant-target"),
        mistake(Template, "connector:{prefix}*", "cluster:lkc-1", "grant-target"),
        not_expressible(
            Template,
            "connector:{prefix}*",
            "service-account:{nobody}",
            "unknown-persona",
            "the names of personas are defined in the same file",
        ),
        not_expressible(
            Template,
            "\"ConnectManager\"",
            "\"DeveloperManage\"",
            "role-misplaced",
            "which role fits on which resources depends on two settings",
        ),
        mistake(
            Template,
            "on = \"topic:{prefix}*\"",
            "on = \"topic:*\"",
            "grant-beyond-prefix",
        ),
        not_expressible(
            Template,
            "name = \"runtime\"",
            "name = \"operator\"",
            "duplicate-name",
            "a schema does not compare the members of a list by one setting",
        ),
    ];
    mistakes.extend(mistakes_in_policies());
    mistakes
}

/// Rules of files that are no property of the content of one file.
const BY_FILES: [(&str, &str); 5] = [
    ("department-code", "the name of the file"),
    ("template-name", "the name of the file"),
    ("prefix-conflict", "the prefixes of other departments"),
    ("unreadable-file", "the file itself"),
    ("duplicate-rule", "the rules of other files"),
];

#[test]
fn a_mistake_is_an_error_of_both_the_schema_and_the_reader() {
    for Mistake {
        kind,
        from,
        to,
        rule,
        not_expressible,
    } in mistakes()
    {
        let text = base(kind).replacen(from, to, 1);
        let what = format!("{kind:?}: `{from}` replaced by `{to}`");
        assert_ne!(text, base(kind), "{what}");
        let found = errors(&read(kind, &text));
        assert!(
            found.iter().any(|error| error.starts_with(&format!("{rule}: "))),
            "{what}: {found:?}"
        );
        if rule.starts_with("toml-") || rule == "duplicate-key" {
            assert!(text.parse::<DocumentMut>().is_err(), "{what}");
            continue;
        }
        let refused = schema_errors(&kind.schema(catalog()), &to_json(&text));
        match not_expressible {
            None => assert_ne!(refused, [""; 0], "{what}: the schema accepts it"),
            Some(reason) => assert_eq!(refused, [""; 0], "{what}: expressible, but listed as not: {reason}"),
        }
    }
}

/// The ids of error rules in the source text of the readers.
#[test]
fn every_rule_of_the_readers_has_a_mistake() {
    let listed: BTreeSet<&str> = mistakes().iter().map(|mistake| mistake.rule).collect();
    let elsewhere: BTreeSet<&str> = BY_FILES.iter().map(|(rule, _)| *rule).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/manifest");
    let files = [
        "platform",
        "department",
        "template",
        "acl_template",
        "naming",
        "quota",
        "lint",
        "grant_target",
        "toml",
        "policy/mod",
        "policy/rule",
        "policy/policy_test",
    ];
    let mut found = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(folder.join(format!("{file}.rs"))).unwrap();
        for begin in ["Finding::error(", "rule: "] {
            for rest in text.split(begin).skip(1) {
                if let Some(id) = rest
                    .trim_start()
                    .strip_prefix('"')
                    .and_then(|rest| rest.split('"').next())
                {
                    found.insert(id.to_owned());
                }
            }
        }
    }
    assert!(found.len() > 20, "{found:?}");
    for id in found {
        assert!(
            listed.contains(id.as_str()) || elsewhere.contains(id.as_str()),
            "no mistake for rule `{id}`"
        );
    }
}
