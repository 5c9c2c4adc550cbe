//! `literal-secret`: a secret in clear.

use super::Rule;
use crate::{
    catalog::{
        lint::{Report, Subject},
        secret::{Reference, Secrecy, is_mask, variable_for},
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "literal-secret",
    severity: Severity::Error,
    summary: "a secret stands in the file",
    explanation: "Connector files are made to be committed and sent around. The type decides what a secret is: every value \
                  under a PASSWORD key, whatever the key is called. A few PASSWORD keys hold no secret (ids, user names, \
                  certificates, statements) and only warn.",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for entry in subject.entries() {
        let value = &entry.value;
        // Other rules speak about references, masks and what the service fills in.
        if value.is_empty() || is_mask(value) || Reference::parse(value).is_some() || value.starts_with("${") {
            continue;
        }
        let key = &entry.key;
        let variable = variable_for(key);
        let fix = format!(
            "Write `${{env:{variable}}}`, `${{file:PATH}}` or `${{prompt:}}` in its place, and change the secret."
        );
        match subject.secrecy(key) {
            Secrecy::Open => {}
            Secrecy::Secret => report.error(
                &entry.value_span,
                format!("the secret of `{key}` stands here in clear"),
                fix,
            ),
            Secrecy::Masked(reason) => {
                let message = format!("`{key}` {reason}, but the service masks it: it cannot be read back");
                report.warning(
                    &entry.value_span,
                    message,
                    "Leave it, or use a reference like for a secret.",
                );
            }
            Secrecy::Likely => {
                let message = format!("`{key}` looks like a secret, and stands here in clear");
                report.warning(&entry.value_span, message, fix);
            }
        }
    }
}
