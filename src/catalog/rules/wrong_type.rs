//! Rule `wrong-type`: the value does not have the type of its key.

use crate::{
    catalog::{
        file::ValueKind,
        rule::{LintInput, LintRule, RuleFindings, is_template, quote},
        schema::{KeySchema, ValueType},
        secret::is_masked_value,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "wrong-type",
    severity: Severity::Error,
    summary: "a value that does not have its key's type",
    explanation: "All values are sent as strings, but the service parses numbers and booleans.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries() {
        let Some(fact) = input.key_schema(&entry.key) else {
            continue;
        };
        // Other rules cover masked values, values that are not strings, and the number of tasks.
        let judged_elsewhere = is_masked_value(&entry.value) || fact.name == "tasks.max";
        let no_text = matches!(entry.kind, ValueKind::Null | ValueKind::Array | ValueKind::Object);
        if judged_elsewhere || no_text || is_template(&entry.value) || has_type(fact, &entry.value) {
            continue;
        }
        let message = format!(
            "`{}` is {}, not {}",
            entry.key,
            quote(&entry.value),
            fact.value_type.to_noun()
        );
        let fix = match fact.default {
            Some(default) => format!("Use {}; the default is {}.", fact.value_type.to_noun(), quote(default)),
            None => format!("Use {}.", fact.value_type.to_noun()),
        };
        findings.error(&entry.value_span, message, fix);
    }
}

fn has_type(fact: &KeySchema, value: &str) -> bool {
    let trimmed = value.trim();
    // An empty optional value counts as missing.
    if trimmed.is_empty() && !fact.required {
        return true;
    }
    match fact.value_type {
        ValueType::String | ValueType::Password | ValueType::List => true,
        // Kafka's `ConfigDef.parseType` ignores case.
        ValueType::Boolean => ["true", "false"].iter().any(|word| trimmed.eq_ignore_ascii_case(word)),
        ValueType::Int => trimmed.parse::<i32>().is_ok(),
        ValueType::Long => trimmed.parse::<i64>().is_ok(),
        ValueType::Short => trimmed.parse::<i16>().is_ok(),
        ValueType::Double => trimmed.parse::<f64>().is_ok(),
    }
}
