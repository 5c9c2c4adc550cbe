//! `literal-secret`: a secret in clear.

use super::LintRule;
use crate::{
    catalog::{
        lint::{LintInput, RuleFindings},
        secret::{Secrecy, ValueReference, is_masked_value, variable_for},
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "literal-secret",
    severity: Severity::Error,
    summary: "a secret stands in the file",
    explanation: "Connector files are made to be committed and sent around. The type decides what a secret is: every value \
                  under a PASSWORD key, whatever the key is called. A few PASSWORD keys hold no secret (ids, user names, \
                  certificates, statements) and only warn.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries() {
        let value = &entry.value;
        // Other rules speak about references, masks and what the service fills in.
        if value.is_empty()
            || is_masked_value(value)
            || ValueReference::parse(value).is_some()
            || value.starts_with("${")
        {
            continue;
        }
        let key = &entry.key;
        let variable = variable_for(key);
        let fix = format!(
            "Write `${{env:{variable}}}`, `${{file:PATH}}` or `${{prompt:}}` in its place, and change the secret."
        );
        match input.secrecy(key) {
            Secrecy::NotSecret => {}
            Secrecy::Secret => findings.error(
                &entry.value_span,
                format!("the secret of `{key}` stands here in clear"),
                fix,
            ),
            Secrecy::MaskedOnly(reason) => {
                let message = format!("`{key}` {reason}, but the service masks it: it cannot be read back");
                findings.warning(
                    &entry.value_span,
                    message,
                    "Leave it, or use a reference like for a secret.",
                );
            }
            Secrecy::Likely => {
                let message = format!("`{key}` looks like a secret, and stands here in clear");
                findings.warning(&entry.value_span, message, fix);
            }
        }
    }
}
