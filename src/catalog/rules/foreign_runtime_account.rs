//! Rule `foreign-runtime-account`: the connector uses another department's identity.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "foreign-runtime-account",
    severity: Severity::Error,
    summary: "the connector runs as an account that is not the department's",
    explanation: "A connector has the permissions of its account, so another department's account gives it that \
                  department's data (docs/reference/rbac.md#threats, T6). The service rejects an account that the \
                  caller is not allowed to assign.",
    applies_to_self_managed: false,
    check,
};

/// The second key is the account that reads schemas and encryption keys (client-side field level encryption).
const KEYS: [&str; 2] = ["kafka.service.account.id", "sr.service.account.id"];

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let Some(own) = input
        .options
        .department
        .and_then(|department| department.runtime_account)
    else {
        return;
    };
    for entry in KEYS.into_iter().filter_map(|key| input.file.entry(key)) {
        if entry.value != own.as_str() {
            let message = format!("{} is not the department's runtime account", quote(&entry.value));
            let fix = format!("Use `{own}`, or omit it: `create` sets it.");
            findings.error(&entry.value_span, message, fix);
        }
    }
}
