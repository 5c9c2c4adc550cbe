//! Tests of the readers of policy files.

use super::*;
use crate::manifest::tests::findings_text;

const RULE: &str = "\
[[rule]]
id = \"tasks\"
severity = \"error\"
expression = 'connector.tasks_max < 5'
message = \"too many tasks\"
fix = \"Reduce `tasks.max`.\"
";

fn read(rules: &str, tests: &str) -> PolicyFiles {
    PolicyFiles::from_texts(&[("policies/a.toml", rules), ("policies/tests/a.toml", tests)])
}

fn findings(rules: &str, tests: &str) -> String {
    findings_text(&read(rules, tests).findings)
}

#[test]
fn a_rule_has_a_severity_an_expression_texts_and_exceptions() {
    let exception = "[[rule.exception]]\nconnector = \"claims-*\"\nreason = \"migration\"\nuntil = 2027-01-31\n";
    let files = read(&format!("{RULE}key = \"tasks.max\"\n{exception}"), "");
    assert_eq!(
        findings_text(&files.findings),
        "policies/tests/a.toml:1:1 warning no-test: the file contains no tests\n    Add a `[[violates]]` or `[[satisfies]]` table.\n"
    );
    let rule = &files.rules[0];
    assert_eq!((rule.id, rule.severity), ("tasks", crate::diag::Severity::Error));
    assert_eq!(rule.expression_span.location(), "policies/a.toml:4:14");
    let exception = &rule.exceptions[0];
    let last = jiff::civil::date(2027, 1, 31);
    assert!(exception.applies_to("claims-a", last));
    assert!(!exception.applies_to("motor-a", last));
    assert!(!exception.applies_to("claims-a", last.tomorrow().unwrap()));
}

#[test]
fn all_mistakes_in_rules_are_reported_together() {
    let text = RULE.replace("\"tasks\"", "\"Tasks\"")
        + &RULE.replace("\"error\"", "\"fatal\"").replace("fix =", "fixes =")
        + &RULE.replace("\"too many tasks\"", "\" \"")
        + RULE
        + RULE
        + "[[rule.exception]]\nconnector = \"a[\"\nreason = \"\"\nuntil = \"soon\"\n";
    insta::assert_snapshot!(findings(&text, "[[violates]]\nrule = \"tasks\"\n"), @r"
    policies/a.toml:2:6 error invalid-value: `Tasks` is not a rule id: expected lower case letters, digits and `-`
    policies/a.toml:7:1 error missing-key: `rule.fix` is missing
    policies/a.toml:9:12 error invalid-value: unknown severity `fatal`
        Write `error` or `warning`.
    policies/a.toml:17:11 error invalid-value: `message` is empty
    policies/a.toml:33:10 error invalid-value: `reason` is empty
    policies/a.toml:34:9 error wrong-type: `rule.exception.until` is a string, expected a date without quotes such as 2026-11-30
    policies/a.toml:32:13 error invalid-value: `connector` is not a valid pattern: unclosed character class; missing ']'
    policies/a.toml:12:1 error unknown-key: unknown key `rule.fixes`
        Known keys: `exception`, `expression`, `fix`, `id`, `key`, `message`, `severity`.
    policies/a.toml:26:6 error duplicate-rule: rule `tasks` is also defined at policies/a.toml:20:6
        Rename one of the two rules.
    ");
}

#[test]
fn all_mistakes_in_tests_are_reported_together() {
    let tests = "\
[[violates]]
rule = \"task\"
[[violates]]
rule = \"tasks\"
connectr.class = \"X\"
connector.clas = \"X\"
connector.config.\"tasks.max\" = 3
change.keys = \"x\"
[[satisfies]]
stage = \"test\"
";
    insta::assert_snapshot!(findings(RULE, tests), @r#"
    policies/tests/a.toml:2:8 error unknown-rule: no rule `task`
        Did you mean `tasks`?
    policies/tests/a.toml:7:32 error wrong-type: `violates.connector.config.tasks.max` is an integer, expected a string
    policies/tests/a.toml:6:11 error unknown-key: unknown key `violates.connector.clas`
        Did you mean `class`?
    policies/tests/a.toml:8:15 error wrong-type: `violates.change.keys` is a string, expected a list of strings
        Write `keys = ["…"]`.
    policies/tests/a.toml:5:1 error unknown-key: unknown key `violates.connectr`
        Did you mean `connector`?
    policies/tests/a.toml:9:1 error missing-key: `satisfies.rule` is missing
    "#);
}

#[test]
fn a_test_sets_only_what_matters() {
    let tests =
        "[[violates]]\nrule = \"tasks\"\nconnector.class = \"S3_SINK\"\nconnector.config.\"tasks.max\" = \"7\"\n";
    let files = read(RULE, tests);
    assert!(files.findings.is_empty(), "{:?}", files.findings);
    let facts = &files.tests[0].facts;
    assert_eq!(facts.stage, "prod");
    assert_eq!(facts.connector["tasks_max"], FactValue::Number(7));
    assert_eq!(facts.connector["direction"], "sink".into());
    assert_eq!(files.tests[0].span.location(), "policies/tests/a.toml:2:8");
    // Every declared field has a value.
    for (object, values) in [
        (fields::CONNECTOR, &facts.connector),
        (fields::DEPARTMENT, &facts.department),
        (fields::CHANGE, facts.change.as_ref().unwrap()),
    ] {
        let declared: std::collections::BTreeSet<&str> = object.fields.iter().map(|field| field.name).collect();
        assert_eq!(
            values.keys().copied().collect::<std::collections::BTreeSet<&str>>(),
            declared
        );
    }
}
