//! Rule `out-of-range`: a number that is too small or too large.

use crate::{
    catalog::{
        limits::{ValueLimits, value_limits},
        rule::{LintInput, LintRule, RuleFindings},
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "out-of-range",
    severity: Severity::Error,
    summary: "a number that is too small or too large",
    explanation: "The service rejects it: `\"flush.size\" should be greater than or equal to 1000`. A Dedicated cluster \
                  accepts a smaller `flush.size`; for it, make an exception \
                  (docs/reference/connect.md#limits-of-values).",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(plugin) = input.plugin else { return };
    for entry in input.entries() {
        let limits = plugin.key(&entry.key).and_then(|key| value_limits(plugin, key));
        let number = entry.value.trim().parse::<i64>().ok();
        let (Some(limits), Some(number)) = (limits, number) else {
            continue;
        };
        if !limits.excludes(number) {
            continue;
        }
        let message = format!("`{}` is {number}, {}", entry.key, describe_violation(limits, number));
        let fix = match limits {
            ValueLimits {
                min, max: Some(max), ..
            } => format!("Use a number from {min} to {max}."),
            ValueLimits { min, min_dedicated, .. } if min_dedicated < min => {
                format!("Use at least {min}; a Dedicated cluster accepts {min_dedicated} or more.")
            }
            ValueLimits { min, .. } => format!("Use at least {min}."),
        };
        findings.error(&entry.value_span, message, fix);
    }
}

fn describe_violation(limits: ValueLimits, number: i64) -> String {
    match limits.max {
        Some(max) if number > max => format!("more than {max}"),
        _ => format!("less than {}", limits.min),
    }
}
