//! Applied quotas and their default limits.

use crate::api::quota::{
    BINDINGS_PER_CLUSTER, BINDINGS_PER_ORG, BINDINGS_PER_ORG_PLUS_ENVS, CLOUD_KEYS_PER_ORG, KEYS_PER_CLUSTER,
    SERVICE_ACCOUNTS_PER_ORG,
};

/// Code, name, default limit, and whether the usage is reported (docs/reference/quotas.md#service-quota-codes; limits
/// as observed in one organization). The limit of API keys per cluster depends on the cluster type and is set in code.
pub(super) type QuotaDefault = (&'static str, &'static str, i64, bool);

pub(super) const ORGANIZATION_QUOTAS: [QuotaDefault; 11] = [
    (
        "iam.max_environments.per_org",
        "Max Environments Per Organization",
        25,
        true,
    ),
    (
        "iam.max_kafka_clusters.per_org",
        "Max Kafka Clusters Per Organization",
        400,
        true,
    ),
    (
        SERVICE_ACCOUNTS_PER_ORG,
        "Max Service Accounts Per Organization",
        1_000,
        true,
    ),
    (CLOUD_KEYS_PER_ORG, "Max Cloud API Keys Per Organization", 1_000, true),
    (
        BINDINGS_PER_ORG_PLUS_ENVS,
        "Max RBAC Role Bindings Per Organization And Environments",
        1_000,
        true,
    ),
    (
        BINDINGS_PER_ORG,
        "Max RBAC Role Bindings Of All Roles Per Organization",
        250_000,
        true,
    ),
    ("iam.max_users.per_org", "Max Users Per Organization", 1_000, true),
    (
        "iam.max_pending_invitations.per_organization",
        "Max Pending Invitations Per Organization",
        150,
        false,
    ),
    (
        "iam.max_group_mappings.per_org",
        "Max Group Mappings Per Organization",
        12,
        false,
    ),
    (
        "iam.max_identity_providers.per_organization",
        "Max Identity Providers Per Organization",
        5,
        false,
    ),
    (
        "kafka.max_kafka_creation.per_day",
        "Max Kafka Clusters Created Per Day",
        20,
        false,
    ),
];
pub(super) const ENVIRONMENT_QUOTAS: [QuotaDefault; 3] = [
    (
        "kafka.max_kafka_clusters.per_env",
        "Max Kafka Clusters Per Environment",
        20,
        true,
    ),
    (
        "kafka.max_pending_kafka_clusters.per_env",
        "Max Pending Kafka Clusters Per Environment",
        3,
        false,
    ),
    ("kafka.max_ckus.per_env", "Max CKUs Per Environment", 50, true),
];
pub(super) const CLUSTER_QUOTAS: [QuotaDefault; 4] = [
    (KEYS_PER_CLUSTER, "Max API Keys Per Kafka Cluster", 0, true),
    (
        BINDINGS_PER_CLUSTER,
        "Max RBAC Role Bindings Per Kafka Cluster",
        5_000,
        false,
    ),
    ("kafka.max_ckus.per_cluster", "Max CKUs Per Kafka Cluster", 4, false),
    (
        "kafka.max_private_links.per_cluster",
        "Max Private Links Per Kafka Cluster",
        10,
        false,
    ),
];
pub(super) const ACCOUNT_QUOTAS: [QuotaDefault; 2] = [
    (
        "iam.max_cloud_api_keys.per_service_account",
        "Max Cloud API Keys Per Service Account",
        100,
        true,
    ),
    (
        "iam.max_cluster_api_keys.per_service_account",
        "Max Cluster API Keys Per Service Account",
        100,
        true,
    ),
];
pub(super) const USER_QUOTAS: [QuotaDefault; 2] = [
    (
        "iam.max_cloud_api_keys.per_user",
        "Max Cloud API Keys Per User",
        10,
        true,
    ),
    (
        "iam.max_cluster_api_keys.per_user",
        "Max Cluster API Keys Per User",
        10,
        true,
    ),
];
