//! Whether a Kafka cluster, and the Schema Registry beside it, can be shared by departments.

use super::CheckResult;
use crate::{api::cmk::Cluster, model::SchemaRegistryId};

/// Whether its type knows role bindings on single topics and connectors.
pub(super) fn check_kind(cluster: &Cluster) -> CheckResult {
    let kind = cluster.spec.config.kind.as_str();
    let name = format!("{} is {kind}", cluster.id);
    match kind {
        // docs.confluent.io, managed-connector-rbac (docs/reference/rbac.md#cluster-types-with-rbac).
        "Standard" | "Enterprise" | "Dedicated" | "Freight" => CheckResult::ok("cluster type", name),
        "Basic" => CheckResult::problem(
            "cluster type",
            format!("{name}: role bindings on connectors and topics do not exist there"),
            "Upgrade the cluster to Standard, or use a cluster of another type for this stage.",
        ),
        _ => CheckResult::unknown(
            "cluster type",
            format!("{name}: whether it knows granular role bindings is not known"),
        ),
    }
}

/// Whether it is ready.
pub(super) fn check_phase(cluster: &Cluster) -> CheckResult {
    let phase = cluster.status.phase.as_str();
    match phase {
        "PROVISIONED" => CheckResult::ok("cluster state", "provisioned"),
        "" => CheckResult::unknown("cluster state", "the service does not tell it"),
        _ => CheckResult::problem(
            "cluster state",
            format!("{} is {phase}", cluster.id),
            "Wait until the cluster is provisioned, then run the command again.",
        ),
    }
}

/// Whether there is the Schema Registry that is wanted.
pub(super) fn check_registry(found: Option<&SchemaRegistryId>, wanted: Option<&SchemaRegistryId>) -> CheckResult {
    match (found, wanted) {
        (Some(found), _) => CheckResult::ok("Schema Registry", found.to_string()),
        (None, Some(wanted)) => CheckResult::problem(
            "Schema Registry",
            format!("ebs.toml names {wanted}, but this key sees none in the environment"),
            "Give the provisioner ResourceOwner on its subjects (`confluent ebs init --print` shows the command); if \
             there is none, remove `schema_registry` of the stage from ebs.toml or enable Stream Governance.",
        ),
        (None, None) => CheckResult::unknown(
            "Schema Registry",
            "the environment has none: grants on subjects are left out",
        ),
    }
}
