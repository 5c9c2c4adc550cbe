//! `foreign-topic`: topics outside the department.

use super::LintRule;
use crate::{
    catalog::{
        lint::{LintDepartment, LintInput, RuleFindings, quote},
        schema::ConnectorDirection,
        topic_keys::{DESTINATIONS, TopicUse, topic_use},
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "foreign-topic",
    severity: Severity::Error,
    summary: "a topic outside the department's prefix",
    explanation: "The runtime account may read and write the department's topics only, so a connector on others fails; \
                  and if the account may do more than it should, this is where another department's data would leave \
                  it (docs/reference/rbac.md#threats, T6). A regular expression must begin with the prefix in every \
                  branch.",
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
                "{foreign} matches topics that do not begin with `{}`",
                department.prefix
            );
            let begin = department.prefix.as_str().replace('.', "\\.");
            let fix = format!("Begin every branch with `{begin}`, like `{begin}orders.*`.");
            findings.error(&entry.value_span, message, fix);
        } else {
            let message = format!(
                "topic {foreign} of `{}` does not begin with `{}`",
                entry.key, department.prefix
            );
            let fix = format!("Use topics that begin with `{}`.", department.prefix);
            findings.error(&entry.value_span, message, fix);
        }
    }
    check_defaults(input, department, findings);
}

/// A source that does not say where its records go uses names of its own choice.
fn check_defaults(input: &LintInput<'_>, department: LintDepartment<'_>, findings: &mut RuleFindings<'_>) {
    let Some(plugin) = input.plugin else { return };
    if plugin.direction == ConnectorDirection::Sink {
        return;
    }
    for fact in DESTINATIONS.into_iter().filter_map(|key| plugin.keys.get(key)) {
        // A key that must be given is missed by another rule.
        if fact.is_required() || input.entry_for(&fact.name).is_some() {
            continue;
        }
        let message = match fact.default {
            Some(default) if department.prefix.owns(default) => continue,
            Some(default) => format!("without `{}` topics are called {}", fact.name, quote(default)),
            None => format!("without `{}` topics are called after what is read", fact.name),
        };
        let fix = format!(
            "Set `{}` to something that begins with `{}`.",
            fact.name, department.prefix
        );
        findings.error(&input.file.opening_range, message, fix);
    }
}
