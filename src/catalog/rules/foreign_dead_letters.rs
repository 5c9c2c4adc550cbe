//! Rule `foreign-dead-letters`: failed records or reports go to topics outside the department's prefix.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings, quote},
        topic_keys::{TopicUse, topic_use},
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "foreign-dead-letters",
    severity: Severity::Error,
    summary: "a dead letter, error or success topic outside the department's prefix",
    explanation: "Failed records are the department's data. All departments share the service's default names \
                  (`dlq-lcc-…`, `error-lcc-…`, `success-lcc-…`), so a grant to read one of these topics applies to all \
                  of them (docs/reference/rbac.md#threats, T7).",
    applies_to_self_managed: false,
    check,
};

/// Prefixes of the service's default names.
const SHARED: [&str; 3] = ["dlq-", "error-", "success-"];

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(department) = input.options.department else {
        return;
    };
    let class = input.file.class().unwrap_or_default();
    for entry in input.entries() {
        let dead = topic_use(class, &entry.key) == Some(TopicUse::DeadLetters);
        if !dead || entry.value.is_empty() || department.prefix.owns(&entry.value) {
            continue;
        }
        let fix = format!("Use a topic that starts with `{}`.", department.prefix);
        let shared = |begin: &&str| {
            entry
                .value
                .strip_prefix(*begin)
                .is_some_and(|rest| rest.starts_with("${connector}"))
        };
        if SHARED.iter().any(shared) {
            let message = format!(
                "{} is in the shared namespace for dead letters of all departments",
                quote(&entry.value)
            );
            findings.warning(&entry.value_span, message, fix);
        } else {
            let message = format!("{} does not start with `{}`", quote(&entry.value), department.prefix);
            findings.error(&entry.value_span, message, fix);
        }
    }
}
