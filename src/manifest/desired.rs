//! Desired state of a department in a stage: accounts, ownership tags, keys and grants.

use serde::Serialize;

use super::{ProfileFacts, Workspace};
use crate::model::{
    AclGrant, Department, KeyKind, OwnershipTag, Persona, ResourceKind, RoleGrant, StageAddress, Template,
    ownership::account_name,
};

/// Desired state of a department in a stage.
#[derive(Clone, Debug)]
pub struct DesiredDepartment {
    /// Department.
    pub department: Department,
    /// Stage.
    pub stage: String,
    /// Address of the stage.
    pub address: StageAddress,
    /// Template.
    pub template: Template,
    /// Personas, in the template's order.
    pub personas: Vec<DesiredPersona>,
}

/// Desired state of a persona.
#[derive(Clone, Debug)]
pub struct DesiredPersona {
    /// Name.
    pub persona: String,
    /// Purpose, one sentence.
    pub description: String,
    /// Name of its service account.
    pub account_name: String,
    /// Ownership tag in the account's description.
    pub tag: OwnershipTag,
    /// Kinds of API keys it gets.
    pub keys: Vec<KeyKind>,
    /// Granted roles.
    pub grants: Vec<RoleGrant>,
    /// Granted Kafka ACLs.
    pub acls: Vec<AclGrant>,
    /// Grants and keys of the template that do not apply in this stage: those for subjects, if there is no Schema
    /// Registry.
    pub left_out: LeftOut,
    /// Facts in its profile.
    pub facts: ProfileFacts,
}

/// Grants and keys of a template that do not apply in a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Grants on subjects.
    pub grants: Vec<RoleGrant>,
    /// Keys of the Schema Registry.
    pub keys: Vec<KeyKind>,
}

impl LeftOut {
    /// Whether all grants and keys apply.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty() && self.keys.is_empty()
    }
}

impl DesiredDepartment {
    /// Returns the persona called `name`.
    pub fn persona(&self, name: &str) -> Option<&DesiredPersona> {
        self.personas.iter().find(|persona| persona.persona == name)
    }

    /// Returns the persona whose account runs the department's connectors.
    pub fn runtime_persona(&self) -> Option<&DesiredPersona> {
        find_runtime_persona(&self.template).and_then(|persona| self.persona(&persona.name))
    }
}

/// Placeholder for the profile hash in the tag of an account without profile.
pub const NO_PROFILE: &str = "-";

/// Returns the persona that runs connectors: `runtime`, otherwise the first one without keys.
pub fn find_runtime_persona(template: &Template) -> Option<&Persona> {
    let keyless = || template.personas.iter().filter(|persona| persona.keys.is_empty());
    keyless()
        .find(|persona| persona.name == "runtime")
        .or_else(|| keyless().next())
}

impl Workspace {
    /// Returns the desired state of `department` in `stage` at `address`, which is from `ebs.toml` or discovered.
    ///
    /// `None` if its template is unknown; [`Workspace::load`] reports that.
    pub fn desired_department(
        &self,
        department: &Department,
        stage: &str,
        address: &StageAddress,
    ) -> Option<DesiredDepartment> {
        let template = self.template(&department.template)?;
        let runtime = find_runtime_persona(template);
        let runtime_name = runtime.map(|persona| account_name(stage, &department.code, &persona.name));
        let personas = template.personas.iter().map(|persona| {
            let facts = ProfileFacts {
                organization: address.organization.clone(),
                stage: stage.to_owned(),
                environment: address.environment.clone(),
                cluster: address.cluster.clone(),
                schema_registry: address.schema_registry.clone(),
                department: department.code.clone(),
                department_name: department.name.clone(),
                persona: persona.name.clone(),
                prefix: department.prefix.clone(),
                quota: department.quota_in(stage).clone(),
                connector_names: self.platform.naming.connector.clone(),
                lint_exceptions: self.lint_exceptions(department),
                runtime: runtime_name.clone(),
                platform_team: self.platform.team.clone(),
            };
            let tag = OwnershipTag {
                stage: stage.to_owned(),
                department: department.code.clone(),
                persona: persona.name.clone(),
                template: template.name.clone(),
                template_hash: template.hash.clone(),
                // An account without keys has no profile, so a new quota must not change its tag.
                profile_hash: if persona.keys.is_empty() {
                    NO_PROFILE.to_owned()
                } else {
                    facts.hash()
                },
            };
            let has_registry = address.schema_registry.is_some();
            let (grants, grants_left) = persona
                .grants
                .iter()
                .cloned()
                .partition(|grant| has_registry || grant.on.kind() != ResourceKind::Subject);
            let (keys, keys_left) = persona
                .keys
                .iter()
                .partition(|key| has_registry || **key != KeyKind::SchemaRegistry);
            DesiredPersona {
                persona: persona.name.clone(),
                description: persona.description.clone(),
                account_name: tag.account_name(),
                tag,
                keys,
                grants,
                acls: persona.acls.clone(),
                left_out: LeftOut {
                    grants: grants_left,
                    keys: keys_left,
                },
                facts,
            }
        });
        Some(DesiredDepartment {
            department: department.in_stage(stage),
            stage: stage.to_owned(),
            address: address.clone(),
            template: template.clone(),
            personas: personas.collect(),
        })
    }

    /// Returns the lint exceptions of the platform and the department; the department's reason takes precedence.
    fn lint_exceptions(&self, department: &Department) -> Vec<(String, String)> {
        let mut exceptions = department.lint_exceptions.clone();
        for (rule, reason) in &self.platform.lint_exceptions {
            if !exceptions.iter().any(|(own, _)| own == rule) {
                exceptions.push((rule.clone(), reason.clone()));
            }
        }
        exceptions.sort();
        exceptions
    }
}
