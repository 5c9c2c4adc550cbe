//! What a profile says besides its key: the facts that a department's own commands work from.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::model::{
    ClusterId, DepartmentCode, DepartmentQuota, EnvironmentId, OrganizationId, Prefix, SchemaRegistryId, StageAddress,
    ownership::short_hash,
};

/// Everything in a profile that follows from what people wrote.
///
/// The rest (endpoint, id of the runtime account, day of issue, key) is known only later or differs from one place to
/// another; it is kept out of the [hash](Self::hash), so that the tag on an account says the same on every run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProfileFacts {
    /// The organization.
    pub organization: OrganizationId,
    /// The stage.
    pub stage: String,
    /// The environment.
    pub environment: EnvironmentId,
    /// The Kafka cluster.
    pub cluster: ClusterId,
    /// The Schema Registry, when there is one.
    pub schema_registry: Option<SchemaRegistryId>,
    /// The department's code.
    pub department: DepartmentCode,
    /// The department's name.
    pub department_name: String,
    /// The persona.
    pub persona: String,
    /// The beginning of all names of the department.
    pub prefix: Prefix,
    /// What the department may use.
    pub quota: DepartmentQuota,
    /// Lint rules that do not apply, with the reason for each.
    pub lint_exceptions: Vec<(String, String)>,
    /// Name of the service account that its connectors run under, when the template has one.
    pub runtime: Option<String>,
}

impl ProfileFacts {
    /// First digits of a hash over everything here; the order of plugins does not matter.
    pub fn hash(&self) -> String {
        let mut facts = self.clone();
        facts.quota.plugins.sort();
        // Plain data with text keys always serialises; the fallback would only make the profile look changed.
        short_hash(&serde_json::to_vec(&facts).unwrap_or_default())
    }

    /// The name of the profile's file: `<department>-<persona>.toml`, in a folder of the stage's name unless it is the
    /// default stage.
    pub fn file_name(&self, default_stage: &str) -> PathBuf {
        let name = format!("{}-{}.toml", self.department, self.persona);
        if self.stage == default_stage {
            PathBuf::from(name)
        } else {
            Path::new(&self.stage).join(name)
        }
    }

    /// The address of the stage.
    pub fn address(&self) -> StageAddress {
        StageAddress {
            organization: self.organization.clone(),
            environment: self.environment.clone(),
            cluster: self.cluster.clone(),
            schema_registry: self.schema_registry.clone(),
        }
    }
}
