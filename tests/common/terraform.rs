//! The Terraform provider's view of a connector (docs/reference/connect.md#keys-added-by-the-service).

use serde_json::Value;

/// Keys that the provider ignores when it reads: `confluentinc/terraform-provider-confluent`
/// `internal/provider/resource_connector.go`.
const IGNORED_KEYS: [&str; 11] = [
    "cloud.environment",
    "cloud.provider",
    "connector.crn",
    "kafka.endpoint",
    "kafka.max.partition.validation.disable",
    "kafka.region",
    "kafka.dedicated",
    "schema.registry.url",
    "valid.kafka.api.key",
    "confluent.custom.plugin.type",
    "confluent.resource.connector.tier",
];

/// Part of the configuration that a plan compares with the resource.
pub(crate) fn as_read_by_terraform(config: &Value) -> Value {
    let mut config = config.clone();
    let fields = config.as_object_mut().expect("a configuration is a map");
    fields.retain(|key, _| !IGNORED_KEYS.contains(&key.as_str()) && !key.starts_with("config.internal."));
    config
}
