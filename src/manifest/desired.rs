//! What follows from the files for one department in one stage: its accounts, their tags, keys and grants.

use serde::Serialize;

use super::{ProfileFacts, Workspace};
use crate::model::{
    AclGrant, Department, KeyKind, OwnershipTag, Persona, ResourceKind, RoleGrant, StageAddress, Template,
    ownership::account_name,
};

/// One department in one stage, as it should be.
#[derive(Clone, Debug)]
pub struct DesiredDepartment {
    /// The department.
    pub department: Department,
    /// The stage.
    pub stage: String,
    /// Where the stage lives.
    pub address: StageAddress,
    /// Its template.
    pub template: Template,
    /// Its personas, in the template's order.
    pub personas: Vec<DesiredPersona>,
}

/// One persona of a department, as it should be.
#[derive(Clone, Debug)]
pub struct DesiredPersona {
    /// Its name.
    pub persona: String,
    /// What it is for, one sentence.
    pub description: String,
    /// The name of its service account.
    pub account_name: String,
    /// The tag in the account's description.
    pub tag: OwnershipTag,
    /// The keys it gets.
    pub keys: Vec<KeyKind>,
    /// What it may do.
    pub grants: Vec<RoleGrant>,
    /// What it may do in Kafka beyond its roles.
    pub acls: Vec<AclGrant>,
    /// What the template gives but this stage has no place for: subjects where there is no Schema Registry.
    pub left_out: LeftOut,
    /// What its profile says.
    pub facts: ProfileFacts,
}

/// What a stage has no place for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// Grants on subjects.
    pub grants: Vec<RoleGrant>,
    /// Keys of the Schema Registry.
    pub keys: Vec<KeyKind>,
}

impl LeftOut {
    /// Whether everything has its place.
    pub fn is_empty(&self) -> bool {
        self.grants.is_empty() && self.keys.is_empty()
    }
}

impl DesiredDepartment {
    /// The persona `name`.
    pub fn persona(&self, name: &str) -> Option<&DesiredPersona> {
        self.personas.iter().find(|persona| persona.persona == name)
    }

    /// The persona whose account the department's connectors run under.
    pub fn runtime_persona(&self) -> Option<&DesiredPersona> {
        find_runtime_persona(&self.template).and_then(|persona| self.persona(&persona.name))
    }
}

/// Stands in the tag of an account that has no profile.
pub const NO_PROFILE: &str = "-";

/// The persona that connectors run under: `runtime`, else the first one without a key.
pub fn find_runtime_persona(template: &Template) -> Option<&Persona> {
    let keyless = || template.personas.iter().filter(|persona| persona.keys.is_empty());
    keyless()
        .find(|persona| persona.name == "runtime")
        .or_else(|| keyless().next())
}

impl Workspace {
    /// What `department` should be in `stage`, which lives at `address` (written in `ebs.toml` or discovered).
    ///
    /// `None` when its template is unknown; [`Workspace::load`] has reported that.
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
                quota: department.quota.clone(),
                lint_exceptions: self.lint_exceptions(department),
                runtime: runtime_name.clone(),
            };
            let tag = OwnershipTag {
                stage: stage.to_owned(),
                department: department.code.clone(),
                persona: persona.name.clone(),
                template: template.name.clone(),
                template_hash: template.hash.clone(),
                // Without a key there is no profile, and a new quota is no reason to touch the account.
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
            department: department.clone(),
            stage: stage.to_owned(),
            address: address.clone(),
            template: template.clone(),
            personas: personas.collect(),
        })
    }

    /// The exceptions of the platform and of the department; where both have a rule, the department's reason counts.
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
