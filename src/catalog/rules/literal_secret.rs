//! Rule `literal-secret`: a secret as a literal value.

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings},
        secret::{Secrecy, ValueReference, is_masked_value, variable_for},
    },
    diag::Severity,
};

pub(in crate::catalog) const ID: &str = "literal-secret";

pub(super) const RULE: LintRule = LintRule {
    id: ID,
    severity: Severity::Error,
    summary: "the file contains a secret",
    explanation: "Connector files are meant to be committed and shared. The type determines what is a secret: every \
                  value of a PASSWORD key, regardless of its name. Where the definition of a key is unknown, its name \
                  decides. A few PASSWORD keys hold no secret (ids, user \
                  names, certificates, queries) and cause only a warning.",
    applies_to_self_managed: false,
    check,
};

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries() {
        let value = &entry.value;
        // Other rules cover references, masked values and templates of the service.
        if value.is_empty()
            || input.is_from_secret_manager(&entry.key)
            || is_masked_value(value)
            || ValueReference::parse(value).is_some()
            || value.starts_with("${")
        {
            continue;
        }
        let key = &entry.key;
        let variable = variable_for(key);
        let fix =
            format!("Replace it by `${{env:{variable}}}`, `${{file:PATH}}` or `${{prompt:}}`, and rotate the secret.");
        match input.secrecy(key) {
            Secrecy::NotSecret => {}
            Secrecy::Secret => findings.error(
                &entry.value_span,
                format!("the secret of `{key}` is a literal value"),
                fix,
            ),
            Secrecy::MaskedOnly(reason) => {
                let message =
                    format!("`{key}` {reason}, not a secret; the service masks it, so it cannot be read back");
                findings.warning(
                    &entry.value_span,
                    message,
                    "Keep it, or use a reference as for a secret.",
                );
            }
            Secrecy::Likely => {
                let message = format!("`{key}` has the name of a secret and is a literal value");
                findings.error(&entry.value_span, message, fix);
            }
        }
    }
}
