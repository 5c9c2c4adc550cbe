//! Rule `foreign-topic`: topics outside the department's prefix.

use crate::{
    catalog::{
        rule::{LintDepartment, LintInput, LintRule, RuleFindings, quote},
        schema::ConnectorDirection,
        topic_keys::{DESTINATIONS, TopicUse, topic_use},
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "foreign-topic",
    severity: Severity::Error,
    summary: "a topic outside the department's prefix",
    explanation: "The runtime account is allowed to use only the department's topics, so a connector on other topics \
                  fails. If the account has excess permissions, the connector could copy another department's data \
                  (docs/reference/rbac.md#threats, T6). Every branch of a regular expression must start with the \
                  prefix.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(department) = input.options.department else {
        return;
    };
    let class = input.file.class().unwrap_or_default();
    for entry in input.entries() {
        let Some(kind) = topic_use(class, &entry.key) else {
            continue;
        };
        let Some(foreign) = kind.first_outside(class, &entry.value, department.prefix) else {
            continue;
        };
        let foreign = quote(foreign);
        if kind == TopicUse::Regex {
            let message = format!(
                "{foreign} matches topics that do not start with `{}`",
                department.prefix
            );
            let begin = department.prefix.as_str().replace('.', "\\.");
            let fix = format!("Start every branch with `{begin}`, such as `{begin}orders.*`.");
            findings.error(&entry.value_span, message, fix);
        } else {
            let message = format!(
                "topic {foreign} of `{}` does not start with `{}`",
                entry.key, department.prefix
            );
            let fix = format!("Use topics that start with `{}`.", department.prefix);
            findings.error(&entry.value_span, message, fix);
        }
    }
    check_defaults(input, department, findings);
}

/// Checks the default topics of a source that does not name its topics.
fn check_defaults(input: &LintInput<'_>, department: LintDepartment<'_>, findings: &mut RuleFindings<'_>) {
    let Some(plugin) = input.plugin else { return };
    if plugin.direction == ConnectorDirection::Sink {
        return;
    }
    for fact in DESTINATIONS.into_iter().filter_map(|key| plugin.keys.get(key)) {
        // Another rule reports a missing required key.
        if fact.is_required() || input.entry_for(&fact.name).is_some() {
            continue;
        }
        let message = match fact.default {
            Some(default) if department.prefix.owns(default) => continue,
            Some(default) => format!("without `{}`, topics are named {}", fact.name, quote(default)),
            None => format!(
                "without `{}`, topics are named after the objects that are read",
                fact.name
            ),
        };
        let fix = format!(
            "Set `{}` to a value that starts with `{}`.",
            fact.name, department.prefix
        );
        findings.error(&input.file.opening_range, message, fix);
    }
}
