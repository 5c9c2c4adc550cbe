//! Checks whether departments can share a Kafka cluster and its Schema Registry.

use super::CheckResult;
use crate::{api::cmk::Cluster, model::SchemaRegistryId, session::Options};

/// Checks whether the cluster type supports role bindings on single topics and connectors.
pub(super) fn check_kind(cluster: &Cluster) -> CheckResult {
    let kind = cluster.spec.config.kind.as_str();
    let name = format!("{} is {kind}", cluster.id);
    match kind {
        // docs.confluent.io, managed-connector-rbac (docs/reference/rbac.md#cluster-types-with-rbac).
        "Standard" | "Enterprise" | "Dedicated" | "Freight" => CheckResult::ok("cluster type", name),
        "Basic" => CheckResult::problem(
            "cluster type",
            format!("{name}, which does not support role bindings on connectors and topics"),
            "Upgrade the cluster to Standard, or use a cluster of another type for this stage.",
        ),
        _ => CheckResult::unknown(
            "cluster type",
            format!("{name}; unknown whether it supports role bindings on connectors and topics"),
        ),
    }
}

/// Checks whether the cluster is provisioned.
pub(super) fn check_phase(cluster: &Cluster) -> CheckResult {
    let phase = cluster.status.phase.as_str();
    match phase {
        "PROVISIONED" => CheckResult::ok("cluster state", "provisioned"),
        "" => CheckResult::unknown("cluster state", "not reported by the service"),
        _ => CheckResult::problem(
            "cluster state",
            format!("{} is {phase}", cluster.id),
            "Wait until the cluster is provisioned, then re-run the command.",
        ),
    }
}

/// Checks whether the Schema Registry is the configured one. Suggested commands have the flags of `options`.
pub(super) fn check_registry(
    found: Option<&SchemaRegistryId>,
    wanted: Option<&SchemaRegistryId>,
    options: &Options,
) -> CheckResult {
    let print = options.suggest("init --print");
    match (found, wanted) {
        (Some(found), _) => CheckResult::ok("Schema Registry", found.to_string()),
        (None, Some(wanted)) => CheckResult::problem(
            "Schema Registry",
            format!("`ebs.toml` names `{wanted}`, but this key cannot see a Schema Registry in the environment"),
            format!(
                "Grant the provisioner ResourceOwner on its subjects (`{print}` shows the command). If there is none, remove \
                 `schema_registry` of the stage from `ebs.toml` or enable Stream Governance."
            ),
        ),
        (None, None) => CheckResult::unknown(
            "Schema Registry",
            "none in the environment: grants on subjects are skipped",
        ),
    }
}
