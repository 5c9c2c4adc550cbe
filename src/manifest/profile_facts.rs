//! Facts in a profile besides its key; department commands use them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::{
    ClusterId, ConnectorNamePattern, DepartmentCode, DepartmentQuota, EnvironmentId, OrganizationId, PlatformTeam,
    Prefix, SchemaRegistryId, StageAddress, ownership::short_hash,
};

/// Content of a profile that is derived from the files.
///
/// The endpoint, the id of the runtime account, the issue date and the key are excluded from the [hash](Self::hash),
/// because they are known only later or differ between machines. The ownership tag of an account therefore stays the
/// same on every run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfileFacts {
    /// Organization.
    pub organization: OrganizationId,
    /// Stage.
    pub stage: String,
    /// Environment.
    pub environment: EnvironmentId,
    /// Kafka cluster.
    pub cluster: ClusterId,
    /// Schema Registry, if any.
    pub schema_registry: Option<SchemaRegistryId>,
    /// Department code.
    pub department: DepartmentCode,
    /// Department name.
    pub department_name: String,
    /// Persona.
    pub persona: String,
    /// Prefix of the department.
    pub prefix: Prefix,
    /// Quota of the department.
    pub quota: DepartmentQuota,
    /// Naming convention of the platform for connectors. Without one, it is excluded from the hash.
    #[serde(skip_serializing_if = "ConnectorNamePattern::is_any")]
    pub connector_names: ConnectorNamePattern,
    /// Disabled lint rules, each with its reason.
    pub lint_exceptions: Vec<(String, String)>,
    /// Name of the service account that runs its connectors, if the template has one.
    pub runtime: Option<String>,
    /// Platform team. Without a name, it is excluded from the hash, so that tags of such platforms stay the same.
    #[serde(rename = "platform", skip_serializing_if = "PlatformTeam::is_unnamed")]
    pub platform_team: PlatformTeam,
}

impl ProfileFacts {
    /// Returns a short hash of the facts; the order of plugins does not matter.
    pub fn hash(&self) -> String {
        let mut facts = self.clone();
        facts.quota.plugins.sort();
        // Serialization cannot fail for plain data with text keys. The fallback would only make the profile look
        // changed.
        short_hash(&serde_json::to_vec(&facts).unwrap_or_default())
    }

    /// Returns the file name of the profile: `<department>-<persona>.toml`, in a folder named after the stage unless it
    /// is the default stage.
    pub fn file_name(&self, default_stage: &str) -> PathBuf {
        let name = format!("{}-{}.toml", self.department, self.persona);
        if self.stage == default_stage {
            PathBuf::from(name)
        } else {
            Path::new(&self.stage).join(name)
        }
    }

    /// Returns the address of the stage.
    pub fn address(&self) -> StageAddress {
        StageAddress {
            organization: self.organization.clone(),
            environment: self.environment.clone(),
            cluster: self.cluster.clone(),
            schema_registry: self.schema_registry.clone(),
        }
    }
}
