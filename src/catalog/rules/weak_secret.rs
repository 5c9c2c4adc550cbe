//! Rule `weak-secret`: a referenced variable whose value cannot be redacted in every text.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings},
        secret::{Secrecy, ValueReference, is_referable_variable},
        weak_secret::{MIN_REGISTERED_LENGTH, OrdinaryValues, is_weak_secret},
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "weak-secret",
    severity: Severity::Warning,
    summary: "a secret that is short or the same as another value",
    explanation: "Secrets of at least 8 characters are redacted in every text that a command prints or writes. A shorter \
                  one, or one that equals a name, host, user or topic of the same file, occurs in ordinary text: it is \
                  redacted only in messages about its key. The rule checks variables that are set where it runs.",
    applies_to_self_managed: true,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(variables) = input.options.variables else {
        return;
    };
    let is_secret = |key: &str| matches!(input.secrecy(key), Secrecy::Secret | Secrecy::Likely);
    let open = input.entries().iter().filter(|entry| !is_secret(&entry.key));
    let mut ordinary: OrdinaryValues = open.map(|entry| &entry.value).collect();
    if let Some(department) = input.options.department {
        ordinary.add(department.prefix.as_str());
    }
    for entry in input.entries().iter().filter(|entry| is_secret(&entry.key)) {
        let Some(ValueReference::Env(name)) = ValueReference::parse(&entry.value) else {
            continue;
        };
        let value = variables
            .get(name)
            .filter(|_| is_referable_variable(name, input.options.secret_variables));
        if let Some(value) = value.filter(|value| !value.is_empty() && is_weak_secret(value, &ordinary)) {
            let why = match value.chars().count() < MIN_REGISTERED_LENGTH {
                true => "is too short to be redacted in every text",
                false => "is the same as an ordinary value and cannot be redacted in every text",
            };
            findings.warning(
                &entry.value_span,
                format!("the value of variable `{name}` for `{}` {why}", entry.key),
                "Choose a long, generated secret.",
            );
        }
    }
}
