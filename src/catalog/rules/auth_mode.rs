//! Rule `auth-mode`: the connector authenticates to Kafka with a service account.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings, quote},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "auth-mode",
    severity: Severity::Error,
    summary: "the connector does not run under a service account",
    explanation: "With `kafka.auth.mode=SERVICE_ACCOUNT` the service creates and hides the Kafka key, so no Kafka \
                  secret can leak, and the grants of the department's runtime account limit the connector. With a key \
                  of its own, the connector has all permissions of that key. The service's default is `KAFKA_API_KEY` \
                  (docs/reference/connect.md#kafka-identity).",
    applies_to_self_managed: false,
    check,
};

/// The only allowed value of `kafka.auth.mode`.
pub(super) const WANTED: &str = "SERVICE_ACCOUNT";
const FIX: &str = "Set `kafka.auth.mode` to `SERVICE_ACCOUNT`, or omit it, and remove `kafka.api.key` and \
                   `kafka.api.secret`.";

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let mode = input.file.entry("kafka.auth.mode");
    let keys: Vec<_> = ["kafka.api.key", "kafka.api.secret"]
        .into_iter()
        .filter_map(|key| input.file.entry(key))
        .collect();
    match mode {
        Some(mode) if mode.value == WANTED => {
            for key in keys {
                let message = format!("`{}` has no effect with `kafka.auth.mode=SERVICE_ACCOUNT`", key.key);
                findings.warning(&key.key_span, message, format!("Remove `{}`.", key.key));
            }
            let named = input.file.entry("kafka.service.account.id").is_some();
            let known = input
                .options
                .department
                .is_some_and(|department| department.runtime_account.is_some());
            if !named && !known {
                let message = "`kafka.auth.mode=SERVICE_ACCOUNT` without `kafka.service.account.id`";
                let fix = "Set it to the runtime account (`sa-…`); with a profile, `create` sets it.";
                findings.warning(&mode.key_span, message, fix);
            }
        }
        Some(mode) => {
            let message = format!("`kafka.auth.mode` is {}, not `{WANTED}`", quote(&mode.value));
            report_auth_mode(input, findings, &mode.value_span, message);
        }
        // If it is missing, `create` sets it, unless a Kafka key is configured.
        None => {
            if let Some(key) = keys.first() {
                let message = format!("`{}` makes the connector use a Kafka key", key.key);
                report_auth_mode(input, findings, &key.key_span, message);
            }
        }
    }
}

/// Reports an error if the department is known, because it has a runtime account; else a warning.
fn report_auth_mode(
    input: &LintInput<'_>,
    findings: &mut RuleFindings<'_>,
    range: &std::ops::Range<usize>,
    message: String,
) {
    if input.options.department.is_some() {
        findings.error(range, message, FIX);
    } else {
        findings.warning(range, message, FIX);
    }
}
