//! What the `department` commands show, as data: rows, one record, the outcome of a check. Nothing here prints.

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

/// One row of `department list`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DepartmentListRow {
    /// The code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The prefix.
    pub prefix: String,
    /// The template.
    pub template: String,
    /// Connectors it may have.
    pub connectors: u32,
    /// Tasks it may have.
    pub tasks: u32,
    /// Where its costs go.
    pub cost_center: String,
    /// The day it was off-boarded; empty while it is there.
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
            cost_center: department.cost_center.clone().unwrap_or_default(),
            retired: department.retired.map_or(String::new(), |day| day.to_string()),
        }
    }
}

/// `department describe`: a department in one stage, as its files want it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DepartmentView {
    /// The code.
    pub code: String,
    /// The name.
    pub name: String,
    /// The prefix.
    pub prefix: String,
    /// Where its costs go.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_center: Option<String>,
    /// Whom to write to.
    pub contacts: Vec<String>,
    /// The day it was off-boarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retired: Option<String>,
    /// The template.
    pub template: String,
    /// What the template is for.
    pub template_description: String,
    /// The stage.
    pub stage: String,
    /// The environment.
    pub environment: String,
    /// The Kafka cluster.
    pub cluster: String,
    /// The Schema Registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_registry: Option<String>,
    /// What it may use.
    pub quota: DepartmentQuota,
    /// Whether its profiles are handed over encrypted.
    pub encrypted: bool,
    /// To whom.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<Recipient>,
    /// Lint rules that do not apply.
    pub lint_exceptions: Vec<LintExceptionView>,
    /// Who acts for it.
    pub personas: Vec<PersonaView>,
}

/// A lint rule that does not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LintExceptionView {
    /// The rule.
    pub rule: String,
    /// Why not.
    pub reason: String,
}

/// One persona of a department.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonaView {
    /// Its name.
    pub persona: String,
    /// What it is for.
    pub description: String,
    /// The name of its service account.
    pub account: String,
    /// The keys it holds: `cloud`, `kafka`, `schema-registry`.
    pub keys: Vec<&'static str>,
    /// Its profile below the hand-over folder; `None` without a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<PathBuf>,
    /// What it may do.
    pub grants: Vec<GrantView>,
    /// What it may do in Kafka beyond its roles.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub acls: Vec<AclView>,
}

/// One ACL grant of a persona.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AclView {
    /// The operations.
    pub operations: Vec<AclOperation>,
    /// Where: a kind and a name, `topic dlq-lcc*`.
    pub on: String,
    /// Why.
    pub why: String,
    /// Whether Confluent makes all departments share these names, so that this is a known exposure.
    pub shared: bool,
}

/// One grant of a persona.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GrantView {
    /// The role.
    pub role: String,
    /// What is asked for when the service refuses the role there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Where: a kind and a name, `connector claims-*`.
    pub on: String,
    /// Why.
    pub why: String,
    /// Whether Confluent makes all departments share these names, so that this is a known exposure.
    pub shared: bool,
    /// Whether it is left out, because the stage has no Schema Registry.
    pub left_out: bool,
}

/// `department validate`: the outcome of all checks.
#[derive(Clone, Debug, Serialize)]
pub struct WorkspaceValidation {
    /// Where the files are.
    pub platform: String,
    /// Stages that could be read.
    pub stages: usize,
    /// Departments that could be read.
    pub departments: usize,
    /// Templates that could be read, shipped ones included.
    pub templates: usize,
    /// Findings that must be changed.
    pub errors: usize,
    /// Findings that likely are not as meant.
    pub warnings: usize,
    /// All findings, in the order of files and lines.
    pub findings: Vec<Finding>,
}

impl WorkspaceValidation {
    /// What was found in `workspace`.
    pub fn new(workspace: &Workspace, findings: Vec<Finding>) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self {
            platform: workspace.origin.to_string(),
            stages: workspace.platform.stages.len(),
            departments: workspace.departments().count(),
            templates: workspace.templates().count(),
            errors: count(Severity::Error),
            warnings: count(Severity::Warning),
            findings,
        }
    }

    /// Whether everything may be used as it is.
    pub fn is_valid(&self) -> bool {
        self.errors == 0
    }
}

impl Workspace {
    /// The rows of `department list`, in order of codes.
    pub fn department_rows(&self) -> Vec<DepartmentListRow> {
        self.departments().map(DepartmentListRow::from).collect()
    }

    /// The record of `department describe`.
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
            stage: desired.stage.clone(),
            environment: desired.address.environment.to_string(),
            cluster: desired.address.cluster.to_string(),
            schema_registry: desired.address.schema_registry.as_ref().map(ToString::to_string),
            quota: department.quota.clone(),
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

/// A target with its prefix filled in, and accounts by name, because their ids are known only after apply.
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
