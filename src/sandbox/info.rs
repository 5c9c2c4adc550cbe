//! What a person needs to know to use a sandbox.

use serde::{Deserialize, Serialize};

use super::{
    crypt::derived_secret,
    seed::{ADMIN_EMAIL, ADMIN_PASSWORD, ClusterKind, Seed},
    state::SandboxState,
};

/// Where everything is, and which keys open it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SandboxInfo {
    /// The address of the server; absent while none runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The organization.
    pub organization: String,
    /// The environment of the first stage.
    pub environment: String,
    /// The Kafka cluster of the first stage.
    pub cluster: String,
    /// The Schema Registry of the first stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_registry: Option<String>,
    /// The human administrator's e-mail address.
    pub admin_email: String,
    /// The human administrator's password: a word, the same everywhere.
    pub admin_password: String,
    /// The human administrator's id.
    pub admin: String,
    /// The human administrator's Cloud key.
    pub admin_key: String,
    /// The provisioner's service account.
    pub provisioner: String,
    /// The provisioner's Cloud key.
    pub provisioner_key: String,
    /// The secret of the administrator's key, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub admin_secret: Option<String>,
    /// The secret of the provisioner's key, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provisioner_secret: Option<String>,
    /// All stages.
    pub stages: Vec<StageInfo>,
}

/// Where one stage is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageInfo {
    /// Its name.
    pub name: String,
    /// Its environment.
    pub environment: String,
    /// Its Kafka cluster.
    pub cluster: String,
    /// The type of its cluster.
    pub cluster_kind: ClusterKind,
    /// Its Schema Registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema_registry: Option<String>,
    /// The provisioner's key of the Kafka cluster.
    #[serde(default)]
    pub provisioner_kafka_key: String,
    /// The secret of that key, when asked for.
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
        // A seed without stages is refused, so there is a first one.
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
