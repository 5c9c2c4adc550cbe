//! Rule `server-key`: a key that the service adds.

use crate::{
    catalog::rule::{LintInput, LintRule, RuleFindings},
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "server-key",
    severity: Severity::Warning,
    summary: "a key that only the service sets",
    explanation: "Exports contain keys that the service added and that it ignores in requests \
                  (terraform-provider-confluent `internal/provider/resource_connector.go`, \
                  docs/reference/connect.md#keys-added-by-the-service).",
    applies_to_self_managed: false,
    check,
};

pub(in crate::catalog) const KEYS: [&str; 11] = [
    "cloud.environment",
    "cloud.provider",
    "confluent.custom.plugin.type",
    "confluent.resource.connector.tier",
    "connector.crn",
    "kafka.dedicated",
    "kafka.endpoint",
    "kafka.max.partition.validation.disable",
    "kafka.region",
    "schema.registry.url",
    "valid.kafka.api.key",
];

/// Returns whether the service adds `key` to its output.
#[must_use]
pub fn is_server_key(key: &str) -> bool {
    KEYS.contains(&key) || key.starts_with("config.internal.")
}

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    for entry in input.entries().iter().filter(|entry| is_server_key(&entry.key)) {
        let message = format!("the service sets `{}` and ignores it in a file", entry.key);
        findings.warning(&entry.key_span, message, format!("Remove `{}`.", entry.key));
    }
}
