//! Tests of policies: shipped rules, findings, exceptions and hashes.

mod expressions;
mod properties;

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use jiff::civil::{Date, date};

use super::{PolicySet, expression::*, facts::*, *};
use crate::{
    catalog::catalog,
    gitops::file_tree::{ConnectorTree, KnownNames, RepositoryFile},
    manifest::policy::{
        FactValue, Facts,
        fields::{CHANGE, CONNECTOR, DEPARTMENT},
    },
};

const TODAY: Date = date(2026, 11, 22);

fn policies(rules: &str, tests: &str) -> PolicySet {
    let files = [("policies/site.toml", rules), ("policies/tests/site.toml", tests)];
    let files: Vec<(&str, &str)> = files.into_iter().filter(|(_, text)| !text.is_empty()).collect();
    PolicySet::new(PolicyFiles::from_texts(&files), TODAY)
}

fn rule(id: &str, expression: &str) -> String {
    format!(
        "[[rule]]\nid = \"{id}\"\nseverity = \"error\"\nexpression = '''{expression}'''\nmessage = \"wrong\"\nfix = \"Change it.\"\n"
    )
}

fn tree(files: &[(&str, &str)]) -> ConnectorTree {
    let files = files.iter().map(|(path, text)| RepositoryFile {
        path: path.into(),
        content: text.as_bytes().to_vec(),
    });
    ConnectorTree::from_files(Path::new("connectors"), files.collect(), &KnownNames::default())
}

fn lines(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let place = finding.span.as_ref().map(SourceSpan::location).unwrap_or_default();
        let _ = writeln!(out, "{place} {}: {}", finding.rule, finding.message);
        if let Some(fix) = &finding.fix {
            let _ = writeln!(out, "    {fix}");
        }
    }
    out
}

/// Findings about rules, tests and exceptions.
fn file_findings(rules: &str, tests: &str) -> String {
    lines(&policies(rules, tests).findings)
}

/// Findings about connectors of rules that need no test here.
fn violations(rules: &str, files: &[(&str, &str)]) -> String {
    let set = policies(rules, "");
    let tree = tree(files);
    assert!(tree.findings.is_empty(), "{:?}", tree.findings);
    let findings: Vec<Finding> = tree
        .connectors
        .values()
        .flat_map(|file| set.check_file(file, None, catalog()))
        .collect();
    lines(&findings)
}

#[test]
fn every_shipped_rule_is_valid_and_passes_its_tests() {
    let set = PolicySet::new(PolicyFiles::from_texts(shipped_policies()), TODAY);
    assert_eq!(lines(&set.findings), "");
    let ids: Vec<&str> = set.descriptions().iter().map(|rule| rule.id).collect();
    assert_eq!(
        ids,
        [
            "delete-needs-ticket",
            "sink-needs-dead-letters",
            "source-tolerates-no-errors",
            "own-runtime-account",
            "plugin-of-stage",
            "tasks-of-plugin"
        ]
    );
}

#[test]
fn every_shipped_file_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["policies", "policies/tests"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if Path::new(&name).extension().is_some_and(|end| end == "toml") {
                found.push(format!("{folder}/{name}"));
            }
        }
    }
    found.sort();
    let mut listed: Vec<&str> = shipped_policies().iter().map(|(path, _)| *path).collect();
    listed.sort_unstable();
    assert_eq!(found, listed);
}

fn facts(config: &BTreeMap<String, String>) -> Facts {
    let mut file = String::from("config:\n  connector.class: S3_SINK\n");
    for (key, value) in config {
        let _ = writeln!(file, "  {}: {}", serde_json::json!(key), serde_json::json!(value));
    }
    let tree = tree(&[("claims/prod/claims-a.yaml", &file)]);
    file_facts(tree.connectors.values().next().unwrap(), None, "", catalog())
}

const SINK: &str = "config:\n  connector.class: S3_SINK\n  topics: claims-t\n";

#[test]
fn a_rule_needs_a_test_for_each_result_and_a_wrong_test_is_found() {
    let rules = rule("tasks", "connector.tasks_max < 5");
    let violates = "[[violates]]\nrule = \"tasks\"\nconnector.config.\"tasks.max\" = \"5\"\n";
    let satisfies = "[[satisfies]]\nrule = \"tasks\"\n";
    assert_eq!(file_findings(&rules, &format!("{violates}{satisfies}")), "");
    assert_eq!(
        file_findings(&rules, violates),
        "policies/site.toml:2:6 policy-untested: rule `tasks` has no test that satisfies it\n    Add a `[[satisfies]]` table \
         with `rule = \"tasks\"` to a file in `policies/tests`.\n"
    );
    let wrong = format!("{violates}{satisfies}connector.tasks_max = 9\n");
    assert_eq!(
        file_findings(&rules, &wrong),
        "policies/tests/site.toml:5:8 policy-test: the connector violates rule `tasks`, the test expects none\n    Correct the \
         test, or the expression at policies/site.toml:4:14.\n"
    );
    let unevaluable = rule("tasks", "int(connector.config[\"tasks.max\"]) < 5");
    let found = file_findings(&unevaluable, &format!("{violates}{satisfies}"));
    assert!(
        found.starts_with(
            "policies/tests/site.toml:5:8 policy-test: rule `tasks` cannot be evaluated: `tasks.max` is missing"
        ),
        "{found}"
    );
}

#[test]
fn a_violation_is_at_the_key_of_the_rule_or_at_the_first_key_of_the_expression() {
    let files = [
        (
            "claims/claims-a.yaml",
            "config:\n  connector.class: S3_SINK\n  tasks.max: \"7\"\n",
        ),
        (
            "claims/prod/claims-a.yaml",
            "state: paused\nconfig:\n  topics: claims-t\n",
        ),
    ];
    let tasks = rule("a", "connector.tasks_max < 5");
    for (rules, place) in [
        (tasks.clone(), "claims-a.yaml:3:14"),
        (format!("{tasks}key = \"topics\"\n"), "prod/claims-a.yaml:3:11"),
        (
            rule("a", "connector.config[?\"x\"].orValue(\"\") == connector.state"),
            "prod/claims-a.yaml:1:8",
        ),
        (rule("a", "department.code == \"motor\""), "prod/claims-a.yaml:1:1"),
    ] {
        assert_eq!(
            violations(&rules, &files),
            format!("connectors/claims/{place} a: wrong\n    Change it.\n")
        );
    }
}

#[test]
fn an_expression_that_cannot_be_evaluated_is_violated_and_names_rule_file_and_field() {
    for (expression, error, field) in [
        (
            "connector.config[\"flush.size\"] == \"1\"",
            "`flush.size` is missing",
            "connector.config",
        ),
        (
            "int(connector.config[\"topics\"]) == 1",
            "`int` cannot convert the value",
            "connector.config",
        ),
        (
            "connector.config[\"topics\"] > 5",
            "`>` cannot be applied to string and int",
            "connector.config",
        ),
        (
            "5 / (connector.tasks_max - 1) > 1",
            "division by zero",
            "connector.tasks_max",
        ),
        (
            "connector.name.matches(\"(\")",
            "the regular expression is not valid",
            "connector.name",
        ),
        (
            "connector.name.matches(\"(a{1000}){1000}\")",
            "the regular expression is not valid",
            "connector.name",
        ),
        (
            "connector.name",
            "the result is not `true` or `false`",
            "connector.name",
        ),
        (
            "[1][3] == connector.tasks_max",
            "the list has no such element",
            "connector.tasks_max",
        ),
    ] {
        let found = violations(&rule("a", expression), &[("claims/prod/claims-a.yaml", SINK)]);
        assert!(
            found.contains(&format!(" a: rule `a` cannot be evaluated: {error}\n")),
            "{expression}: {found}"
        );
        assert!(
            found.starts_with("connectors/claims/prod/claims-a.yaml:")
                && found.contains("policies/site.toml:4:14")
                && found.contains(&format!("it reads `{field}`.")),
            "{expression}: {found}"
        );
    }
}

#[test]
fn secrets_are_neither_read_nor_shown() {
    let secret = "hunter2hunter2";
    let file = format!(
        "config:\n  connector.class: S3_SINK\n  aws.secret.access.key: {secret}\n  url: http://u:{secret}@h\n  topics: x\n"
    );
    let files = [("claims/prod/claims-a.yaml", file.as_str())];
    for expression in [
        "!connector.config.exists(k, connector.config[k].contains(\"hunter2\"))",
        "connector.config[\"aws.secret.access.key\"] == \"****************\"",
    ] {
        assert_eq!(violations(&rule("a", expression), &files), "");
    }
    let set = policies(&rule("a", "connector.config[\"aws.secret.access.key\"] == \"x\""), "");
    let tree = tree(&files);
    for file in tree.connectors.values() {
        let findings = set.check_file(file, None, catalog());
        let span = findings[0].span.as_ref().unwrap();
        assert!(span.location().ends_with("claims-a.yaml:3:26"), "{}", span.location());
        assert!(!span.source.text.contains("hunter2"), "{}", span.source.text);
    }
    let reference = "config:\n  connector.class: S3_SINK\n  aws.secret.access.key: ${env:EBS_SECRET_X}\n";
    let expression = "connector.config[\"aws.secret.access.key\"].startsWith(\"${env:\")";
    assert_eq!(
        violations(&rule("a", expression), &[("claims/prod/claims-a.yaml", reference)]),
        ""
    );
}

#[test]
fn an_exception_ends_after_its_last_day_and_is_reported_then() {
    let files = [
        ("claims/prod/claims-old.yaml", SINK),
        ("claims/prod/claims-new.yaml", SINK),
    ];
    let exception = |until: &str| {
        let table =
            format!("[[rule.exception]]\nconnector = \"*-old\"\nreason = \"moves in spring\"\nuntil = {until}\n");
        rule("a", "false") + &table
    };
    let tests = "[[violates]]\nrule = \"a\"\n";
    let current = exception("2026-11-22");
    assert!(!violations(&current, &files).contains("claims-old"));
    assert!(violations(&current, &files).contains("claims-new"));
    assert!(!file_findings(&current, tests).contains("expired"));
    let expired = exception("2026-11-21");
    assert!(violations(&expired, &files).contains("claims-old"));
    let found = file_findings(&expired, tests);
    assert!(
        found.contains(
            "policies/site.toml:8:13 policy-exception-expired: the exception of `*-old` from rule `a` ended on 2026-11-21: \
             moves in spring\n"
        ),
        "{found}"
    );
}

#[test]
fn a_rule_about_changes_and_a_tombstone_are_not_judged_without_a_plan() {
    let files = [
        ("claims/prod/claims-a.yaml", SINK),
        ("claims/prod/claims-b.yaml", "state: absent\n"),
    ];
    assert_eq!(violations(&rule("a", "change.action == \"delete\""), &files), "");
    let found = violations(&rule("a", "false"), &files);
    assert!(found.contains("claims-a") && !found.contains("claims-b"), "{found}");
}

#[test]
fn the_hash_depends_only_on_what_decides() {
    let hash = |rules: &str, tests: &str| policies(rules, tests).hash;
    let (first, second) = (rule("a", "stage == \"prod\""), rule("b", "true"));
    let both = format!("{first}{second}");
    let base = hash(&both, "");
    assert_eq!(base.len(), 64);
    for (same, tests) in [
        (format!("# comment\n{second}\n\n{first}"), ""),
        (both.clone(), "[[violates]]\nrule = \"a\"\n"),
        (both.replace("\"wrong\"", "\"another text\""), ""),
        (format!("{first}key = \"topics\"\n{second}"), ""),
    ] {
        assert_eq!(hash(&same, tests), base, "{same}");
    }
    let exception = |connector: &str, until: &str| {
        format!("{first}[[rule.exception]]\nconnector = \"{connector}\"\nreason = \"r\"\nuntil = {until}\n{second}")
    };
    let different = [
        first.clone(),
        both.replace("prod", "test"),
        format!("{first}{}", second.replace("\"error\"", "\"warning\"")),
        exception("a", "2027-01-01"),
        exception("b", "2027-01-01"),
        exception("a", "2027-01-02"),
    ];
    let mut hashes: Vec<String> = different.iter().map(|rules| hash(rules, "")).chain([base]).collect();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), different.len() + 1);
    assert_eq!(hash("", ""), "");
}
