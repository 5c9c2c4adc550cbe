//! Addresses and credentials of a sandbox, for its users.

use serde::{Deserialize, Serialize};

use super::{
    crypt::derived_secret,
    seed::{ADMIN_EMAIL, ADMIN_PASSWORD, ClusterKind, Seed},
    state::SandboxState,
};

/// Addresses and keys of a sandbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxInfo {
    /// URL of the server; absent if none runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Id of the organization.
    pub organization: String,
    /// Environment of the first stage.
    pub environment: String,
    /// The Kafka cluster of the first stage.
    pub cluster: String,
    /// The Schema Registry of the first stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_registry: Option<String>,
    /// E-mail address of the human administrator.
    pub admin_email: String,
    /// Password of the human administrator, the same in every sandbox.
    pub admin_password: String,
    /// Id of the human administrator.
    pub admin: String,
    /// Cloud key of the human administrator.
    pub admin_key: String,
    /// Service account of the provisioner.
    pub provisioner: String,
    /// Cloud key of the provisioner.
    pub provisioner_key: String,
    /// Secret of the administrator's Cloud key, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_secret: Option<String>,
    /// Secret of the provisioner's Cloud key, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioner_secret: Option<String>,
    /// All stages.
    pub stages: Vec<StageInfo>,
}

/// Addresses of one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageInfo {
    /// Name of the stage.
    pub name: String,
    /// Environment of the stage.
    pub environment: String,
    /// Kafka cluster of the stage.
    pub cluster: String,
    /// Type of the Kafka cluster.
    pub cluster_kind: ClusterKind,
    /// Schema Registry of the stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_registry: Option<String>,
    /// Kafka API key of the provisioner.
    #[serde(default)]
    pub provisioner_kafka_key: String,
    /// Secret of the provisioner's Kafka API key, if requested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioner_kafka_secret: Option<String>,
}

impl SandboxInfo {
    pub(crate) fn from_state(state: &SandboxState, url: Option<String>, token: Option<&str>) -> Self {
        let seed = &state.seed;
        let stages: Vec<_> = seed
            .stages
            .iter()
            .map(|stage| StageInfo {
                name: stage.name.clone(),
                environment: stage.address.environment.to_string(),
                cluster: stage.address.cluster.to_string(),
                cluster_kind: stage.cluster_kind,
                schema_registry: stage.address.schema_registry.as_ref().map(ToString::to_string),
                provisioner_kafka_key: seed.provisioner_kafka_key(&stage.address.cluster).to_string(),
                provisioner_kafka_secret: token
                    .map(|token| Seed::provisioner_kafka_secret(token, &stage.address.cluster)),
            })
            .collect();
        // Seeds without stages are rejected, so there is a first stage.
        let first = stages.first();
        let text = |of: fn(&StageInfo) -> &String| first.map(of).cloned().unwrap_or_default();
        Self {
            url,
            organization: seed.organization.to_string(),
            environment: text(|stage| &stage.environment),
            cluster: text(|stage| &stage.cluster),
            schema_registry: first.and_then(|stage| stage.schema_registry.clone()),
            admin_email: ADMIN_EMAIL.to_owned(),
            admin_password: ADMIN_PASSWORD.to_owned(),
            admin: seed.admin().to_string(),
            admin_key: seed.admin_key().to_string(),
            provisioner: seed.provisioner().to_string(),
            provisioner_key: seed.provisioner_key().to_string(),
            admin_secret: token.map(|token| derived_secret(token, "admin")),
            provisioner_secret: token.map(|token| derived_secret(token, "provisioner")),
            stages,
        }
    }
}
