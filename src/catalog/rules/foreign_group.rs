//! Rule `foreign-group`: a consumer group outside the department's prefix.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "foreign-group",
    severity: Severity::Error,
    summary: "a consumer group outside the department's prefix",
    explanation: "A sink uses the consumer group `connect-lcc-…`, assigned by the service. A configured group of \
                  another department would consume its records and move its offsets.",
    applies_to_self_managed: false,
    check,
};

const KEYS: [&str; 2] = ["consumer.override.group.id", "group.id"];

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(department) = input.options.department else {
        return;
    };
    for entry in KEYS.into_iter().filter_map(|key| input.file.entry(key)) {
        if !department.prefix.owns(&entry.value) {
            let message = format!(
                "consumer group {} does not start with `{}`",
                quote(&entry.value),
                department.prefix
            );
            findings.error(
                &entry.value_span,
                message,
                "Remove it: the service assigns a separate group to every sink.",
            );
        }
    }
}
