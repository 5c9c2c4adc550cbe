//! Audit findings with their evidence.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::rules::AuditRule;
use crate::{
    diag::{Assignee, Finding, Severity},
    model::{AclBinding, ApiKeyId, DepartmentCode, ObservedAccount, ObservedBinding, ObservedConnector, Principal},
};

/// Evidence: an object that shows a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AuditEvidence {
    /// Object kind: `role-binding`, `acl`, `service-account`, `api-key`, `connector`, `department`.
    pub kind: &'static str,
    /// Object id, or its name if it has no id.
    pub id: String,
}

/// An audit finding.
#[derive(Clone, Debug)]
pub struct AuditFinding {
    /// Rule, severity, message, suggestion and owner.
    pub finding: Finding,
    /// Threat number in docs/reference/rbac.md#threats.
    pub threat: &'static str,
    /// Subject id; together with the rule id it identifies the finding in a baseline file.
    pub subject: String,
    /// Affected departments; empty if all are affected.
    pub departments: BTreeSet<DepartmentCode>,
    /// Observed objects that prove the finding, such as role bindings and API keys.
    pub evidence: BTreeSet<AuditEvidence>,
}

impl AuditFinding {
    pub(super) fn new(rule: &AuditRule, severity: Severity, subject: impl Into<String>, message: String) -> Self {
        let finding = match severity {
            Severity::Error => Finding::error(rule.id, message),
            Severity::Warning => Finding::warning(rule.id, message),
            Severity::Info => Finding::info(rule.id, message),
        };
        Self {
            finding,
            threat: rule.threat,
            subject: subject.into(),
            departments: BTreeSet::new(),
            evidence: BTreeSet::new(),
        }
    }

    /// Adds an affected department.
    pub(super) fn concerning(&mut self, department: &DepartmentCode) -> &mut Self {
        self.departments.insert(department.clone());
        self
    }

    /// Sets the suggestion, a whole sentence.
    pub(super) fn fix(&mut self, sentence: impl Into<String>) -> &mut Self {
        self.finding.fix = Some(sentence.into());
        self
    }

    /// Sets the owner, if it is not the platform team.
    pub(super) fn owned_by(&mut self, owner: Assignee) -> &mut Self {
        self.finding.owner = owner;
        self
    }

    fn add_evidence(&mut self, kind: &'static str, id: &str) -> &mut Self {
        let id = id.to_owned();
        self.evidence.insert(AuditEvidence { kind, id });
        self
    }

    /// Adds a role binding as evidence.
    pub(super) fn binding(&mut self, seen: &ObservedBinding) -> &mut Self {
        self.add_evidence("role-binding", seen.id.as_str());
        self.principal(&seen.binding.principal)
    }

    /// Adds an ACL as evidence.
    pub(super) fn acl(&mut self, acl: &AclBinding) -> &mut Self {
        self.add_evidence("acl", &acl.to_string());
        match acl.principal.service_account() {
            Some(id) => self.add_evidence("service-account", id.as_str()),
            None => self.add_evidence("principal", acl.principal.id()),
        }
    }

    /// Adds a service account as evidence.
    pub(super) fn account(&mut self, account: &ObservedAccount) -> &mut Self {
        self.add_evidence("service-account", account.id.as_str())
    }

    /// Adds a department as evidence.
    pub(super) fn department(&mut self, code: &DepartmentCode) -> &mut Self {
        self.add_evidence("department", code.as_str())
    }

    /// Adds a principal as evidence.
    pub(super) fn principal(&mut self, principal: &Principal) -> &mut Self {
        match principal.service_account() {
            Some(id) => self.add_evidence("service-account", id.as_str()),
            None => self.add_evidence("principal", principal.id()),
        }
    }

    /// Adds an API key as evidence.
    pub(super) fn key(&mut self, key: &ApiKeyId) -> &mut Self {
        self.add_evidence("api-key", key.as_str())
    }

    /// Adds a connector as evidence.
    pub(super) fn connector(&mut self, connector: &ObservedConnector) -> &mut Self {
        self.add_evidence("connector", &connector.name);
        if connector.id.is_empty() {
            return self;
        }
        self.add_evidence("connector", &connector.id)
    }

    /// Whether the finding requires action; info findings do not.
    #[must_use]
    pub fn is_problem(&self) -> bool {
        self.finding.severity > Severity::Info
    }
}

impl Serialize for AuditFinding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("AuditFinding", 9)?;
        out.serialize_field("rule", self.finding.rule)?;
        out.serialize_field("threat", self.threat)?;
        out.serialize_field("severity", &self.finding.severity)?;
        out.serialize_field("subject", &self.subject)?;
        out.serialize_field("message", &self.finding.message)?;
        out.serialize_field("departments", &self.departments)?;
        out.serialize_field("evidence", &self.evidence)?;
        out.serialize_field("fix", &self.finding.fix)?;
        out.serialize_field("owner", &self.finding.owner)?;
        out.end()
    }
}
