//! Output data of the `department` commands.

use std::path::PathBuf;

use serde::Serialize;

use super::{Workspace, desired::DesiredDepartment, template::key_kind_name};
use crate::{
    access::isolation::SHARED_NAMES,
    diag::{Finding, Severity},
    model::{
        AclGrant, AclOperation, Department, DepartmentQuota, GrantTarget, NamePattern, Prefix, Recipient, ResourceKind,
        RoleGrant, ownership::account_name,
    },
};

/// Row of `department list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DepartmentListRow {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Prefix.
    pub prefix: String,
    /// Template.
    pub template: String,
    /// Maximum number of connectors.
    pub connectors: u32,
    /// Maximum number of tasks.
    pub tasks: u32,
    /// Stages in which it may be onboarded; `None` for all.
    pub stages: Option<Vec<String>>,
    /// Cost center.
    pub cost_center: String,
    /// Date of off-boarding; empty for an active department.
    pub retired: String,
}

impl From<&Department> for DepartmentListRow {
    fn from(department: &Department) -> Self {
        Self {
            code: department.code.to_string(),
            name: department.name.clone(),
            prefix: department.prefix.to_string(),
            template: department.template.clone(),
            connectors: department.quota.connectors,
            tasks: department.quota.tasks,
            stages: department.stages.clone(),
            cost_center: department.cost_center.clone().unwrap_or_default(),
            retired: department.retired.map_or(String::new(), |day| day.to_string()),
        }
    }
}

/// Output of `department describe`: desired state of a department in one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DepartmentView {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Prefix.
    pub prefix: String,
    /// Cost center.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<String>,
    /// E-mail addresses of contacts.
    pub contacts: Vec<String>,
    /// Date of off-boarding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired: Option<String>,
    /// Template.
    pub template: String,
    /// Purpose of the template.
    pub template_description: String,
    /// Stages in which it may be onboarded; `None` for all.
    pub stages: Option<Vec<String>>,
    /// Stage.
    pub stage: String,
    /// Environment.
    pub environment: String,
    /// Kafka cluster.
    pub cluster: String,
    /// Schema Registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_registry: Option<String>,
    /// Quota.
    pub quota: DepartmentQuota,
    /// Whether its profiles are encrypted.
    pub encrypted: bool,
    /// Recipients of encrypted profiles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Recipient>,
    /// Disabled lint rules.
    pub lint_exceptions: Vec<LintExceptionView>,
    /// Personas.
    pub personas: Vec<PersonaView>,
}

/// A disabled lint rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LintExceptionView {
    /// Rule id.
    pub rule: String,
    /// Reason.
    pub reason: String,
}

/// A persona of a department.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonaView {
    /// Name.
    pub persona: String,
    /// Purpose.
    pub description: String,
    /// Name of its service account.
    pub account: String,
    /// Kinds of API keys it has: `cloud`, `kafka`, `schema-registry`.
    pub keys: Vec<&'static str>,
    /// Path of its profile below the profile folder; `None` without keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<PathBuf>,
    /// Granted roles.
    pub grants: Vec<GrantView>,
    /// Granted Kafka ACLs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acls: Vec<AclView>,
}

/// An ACL grant of a persona.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AclView {
    /// Operations.
    pub operations: Vec<AclOperation>,
    /// Target, a kind and a name: `topic dlq-lcc*`.
    pub on: String,
    /// Reason.
    pub why: String,
    /// Whether all departments share these names by design of Confluent Cloud.
    pub shared: bool,
}

/// A role grant of a persona.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantView {
    /// Role.
    pub role: String,
    /// Fallback role, if the API rejects the requested one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Target, a kind and a name: `connector claims-*`.
    pub on: String,
    /// Reason.
    pub why: String,
    /// Whether all departments share these names by design of Confluent Cloud.
    pub shared: bool,
    /// Whether it is omitted, because the stage has no Schema Registry.
    pub left_out: bool,
}

/// Output of `department validate`.
#[derive(Clone, Debug, Serialize)]
pub struct WorkspaceValidation {
    /// Location of the files.
    pub platform: String,
    /// Hash of the commit that the files were compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared_with: Option<String>,
    /// Number of valid stages.
    pub stages: usize,
    /// Number of valid departments.
    pub departments: usize,
    /// Number of valid templates, including shipped ones.
    pub templates: usize,
    /// Number of errors.
    pub errors: usize,
    /// Number of warnings.
    pub warnings: usize,
    /// Findings, ordered by file and line.
    pub findings: Vec<Finding>,
}

impl WorkspaceValidation {
    /// Summarizes the findings of `workspace`.
    pub fn new(workspace: &Workspace, findings: Vec<Finding>, compared_with: Option<String>) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self {
            platform: workspace.origin.to_string(),
            compared_with,
            stages: workspace.platform.stages.len(),
            departments: workspace.departments().count(),
            templates: workspace.templates().count(),
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            findings,
        }
    }

    /// Whether there are no errors.
    pub fn is_valid(&self) -> bool {
        self.errors == 0
    }
}

impl Workspace {
    /// Returns the rows of `department list`, ordered by code, with the quotas of `stage`.
    pub fn department_rows(&self, stage: Option<&str>) -> Vec<DepartmentListRow> {
        let rows = self.departments().map(|department| match stage {
            Some(stage) => DepartmentListRow::from(&department.in_stage(stage)),
            None => DepartmentListRow::from(department),
        });
        rows.collect()
    }

    /// Returns the output of `department describe`.
    pub fn describe_department(&self, desired: &DesiredDepartment) -> DepartmentView {
        let department = &desired.department;
        let exceptions = desired.personas.first().map(|persona| &persona.facts.lint_exceptions);
        DepartmentView {
            code: department.code.to_string(),
            name: department.name.clone(),
            prefix: department.prefix.to_string(),
            cost_center: department.cost_center.clone(),
            contacts: department.contacts.clone(),
            retired: department.retired.map(|day| day.to_string()),
            template: desired.template.name.clone(),
            template_description: desired.template.description.clone(),
            stages: department.stages.clone(),
            stage: desired.stage.clone(),
            environment: desired.address.environment.to_string(),
            cluster: desired.address.cluster.to_string(),
            schema_registry: desired.address.schema_registry.as_ref().map(ToString::to_string),
            quota: department.quota_in(&desired.stage).clone(),
            encrypted: !department.recipients.is_empty(),
            recipients: department.recipients.clone(),
            lint_exceptions: exceptions
                .into_iter()
                .flatten()
                .map(|(rule, reason)| LintExceptionView {
                    rule: rule.clone(),
                    reason: reason.clone(),
                })
                .collect(),
            personas: persona_views(desired, &self.platform.default_stage),
        }
    }
}

fn persona_views(desired: &DesiredDepartment, default_stage: &str) -> Vec<PersonaView> {
    let department = &desired.department;
    let view = |grant: &RoleGrant, left_out: bool| GrantView {
        role: grant.role.to_string(),
        fallback: grant.fallback.as_ref().map(ToString::to_string),
        on: resolve_target(&grant.on, &department.prefix, |persona| {
            account_name(&desired.stage, &department.code, persona)
        }),
        why: grant.why.clone(),
        shared: is_shared(&grant.on),
        left_out,
    };
    let acl = |acl: &AclGrant| AclView {
        operations: acl.operations.clone(),
        on: resolve_target(&acl.on, &department.prefix, str::to_owned),
        why: acl.why.clone(),
        shared: is_shared(&acl.on),
    };
    let personas = desired.personas.iter().map(|persona| PersonaView {
        persona: persona.persona.clone(),
        description: persona.description.clone(),
        account: persona.account_name.clone(),
        keys: persona.keys.iter().map(|key| key_kind_name(*key)).collect(),
        profile: (!persona.keys.is_empty()).then(|| persona.facts.file_name(default_stage)),
        grants: persona
            .grants
            .iter()
            .map(|grant| view(grant, false))
            .chain(persona.left_out.grants.iter().map(|grant| view(grant, true)))
            .collect(),
        acls: persona.acls.iter().map(acl).collect(),
    });
    personas.collect()
}

/// Formats a target with its prefix resolved; accounts by name, because their ids are known only after apply.
fn resolve_target(on: &GrantTarget, prefix: &Prefix, account: impl FnOnce(&str) -> String) -> String {
    let kind = on.kind().display_name();
    match on {
        GrantTarget::Fixed(ResourceKind::Organization | ResourceKind::Environment | ResourceKind::Cluster, _) => {
            kind.to_owned()
        }
        GrantTarget::Fixed(_, name) => format!("{kind} {name}"),
        GrantTarget::Prefix(_) => format!("{kind} {prefix}*"),
        GrantTarget::Prefixed(_, rest) => format!("{kind} {prefix}{rest}"),
        GrantTarget::Account(persona) => format!("{kind} {}", account(persona)),
    }
}

fn is_shared(on: &GrantTarget) -> bool {
    let GrantTarget::Fixed(kind, name) = on else {
        return false;
    };
    let covers = |(shared, stem): &(ResourceKind, &str)| {
        shared == kind && NamePattern::Prefixed((*stem).to_owned()).overlaps(name)
    };
    SHARED_NAMES.iter().any(covers)
}
