//! Files of policies and of their tests, with mistakes.

use confluent_ebs::{
    diag::Finding,
    gitops::policies::shipped_policies,
    manifest::{policy::PolicyFiles, schema::FileKind},
};

use crate::toml_files::{Mistake, mistake, not_expressible};

pub(crate) const POLICY: &str = r#"description = "Changes that need a ticket."
[[rule]]
id = "delete-needs-ticket"
severity = "error"
expression = 'stage != "prod" || change.action != "delete" || connector.ticket != ""'
key = "ticket"
message = "a connector in prod is deleted without a ticket"
fix = "Write the id of the ticket into the file."
[[rule.exception]]
connector = "claims-old-*"
reason = "migration, CHG-1234"
until = 2026-12-31
"#;

pub(crate) const POLICY_TESTS: &str = r#"description = "Deletions."
[[violates]]
rule = "delete-needs-ticket"
why = "no ticket"
stage = "prod"
connector.name = "claims-a"
connector.class = "S3_SINK"
connector.tasks_max = 2
connector.protect = false
connector.config."errors.tolerance" = "all"
department.plugins = ["S3_SINK"]
change.action = "delete"
change.keys = ["tasks.max"]
change.old."tasks.max" = "1"
[[satisfies]]
rule = "delete-needs-ticket"
connector.ticket = "CHG-1234"
change.action = "delete"
"#;

pub(crate) fn read_policy(text: &str) -> Vec<Finding> {
    PolicyFiles::from_texts(&[("policies/own.toml", text)]).findings
}

/// Findings about tests of the shipped rules.
pub(crate) fn read_policy_tests(text: &str) -> Vec<Finding> {
    let shipped = shipped_policies().iter().copied();
    let mut files: Vec<(&str, &str)> = shipped.filter(|(path, _)| !path.contains("/tests/")).collect();
    files.push(("policies/tests/own.toml", text));
    PolicyFiles::from_texts(&files).findings
}

pub(crate) fn mistakes_in_policies() -> Vec<Mistake> {
    use FileKind::{Policy, PolicyTests};
    vec![
        mistake(Policy, "severity =", "severty =", "unknown-key"),
        mistake(Policy, "[[rule]]", "[[rules]]", "unknown-key"),
        mistake(
            Policy,
            "fix = \"Write the id of the ticket into the file.\"\n",
            "",
            "missing-key",
        ),
        mistake(
            Policy,
            "id = \"delete-needs-ticket\"",
            "id = \"DeleteNeedsTicket\"",
            "invalid-value",
        ),
        mistake(
            Policy,
            "id = \"delete-needs-ticket\"",
            "id = \"1-ticket\"",
            "invalid-value",
        ),
        mistake(Policy, "severity = \"error\"", "severity = \"fatal\"", "invalid-value"),
        mistake(
            Policy,
            "\"a connector in prod is deleted without a ticket\"",
            "\" \"",
            "invalid-value",
        ),
        mistake(Policy, "until = 2026-12-31\n", "", "missing-key"),
        mistake(
            Policy,
            "until = 2026-12-31",
            "until = 2026-12-31T10:00:00",
            "wrong-type",
        ),
        mistake(Policy, "\"migration, CHG-1234\"", "\"\"", "invalid-value"),
        not_expressible(
            Policy,
            "until = 2026-12-31",
            "until = \"2026-12-31\"",
            "wrong-type",
            "JSON has no dates: editors hand them to the schema as text",
        ),
        not_expressible(
            Policy,
            "claims-old-*",
            "claims-[old",
            "invalid-value",
            "a pattern with brackets is no regular language that is worth a schema",
        ),
        mistake(PolicyTests, "[[violates]]", "[[violate]]", "unknown-key"),
        mistake(PolicyTests, "connector.class", "connector.plugin", "unknown-key"),
        mistake(PolicyTests, "rule = \"delete-needs-ticket\"\n", "", "missing-key"),
        mistake(PolicyTests, "tasks_max = 2", "tasks_max = \"2\"", "wrong-type"),
        mistake(PolicyTests, "tasks_max = 2", "tasks_max = -1", "wrong-type"),
        mistake(PolicyTests, "[\"S3_SINK\"]", "\"S3_SINK\"", "wrong-type"),
        mistake(
            PolicyTests,
            "\"errors.tolerance\" = \"all\"",
            "\"errors.tolerance\" = true",
            "wrong-type",
        ),
        not_expressible(
            PolicyTests,
            "rule = \"delete-needs-ticket\"",
            "rule = \"delete-need-ticket\"",
            "unknown-rule",
            "the ids of rules are defined in other files",
        ),
    ]
}
