//! What a rule has found, with its evidence.

use std::collections::BTreeSet;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::rules::AuditRule;
use crate::{
    diag::{Assignee, Finding, Severity},
    model::{AclBinding, ApiKeyId, DepartmentCode, ObservedAccount, ObservedBinding, ObservedConnector},
};

/// An object that shows a finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AuditEvidence {
    /// What it is: `role-binding`, `acl`, `service-account`, `api-key`, `connector`, `department`.
    pub kind: &'static str,
    /// Its id; a name for what has none.
    pub id: String,
}

/// A finding of the audit.
#[derive(Clone, Debug)]
pub struct AuditFinding {
    /// Rule, severity, message, what to do, and who.
    pub finding: Finding,
    /// The threat, as numbered in docs/reference/rbac.md#threats.
    pub threat: &'static str,
    /// What it is about, by its id: with the rule it names the finding, in a file of accepted ones.
    pub subject: String,
    /// The departments that it concerns; none when it concerns everybody.
    pub departments: BTreeSet<DepartmentCode>,
    /// The objects that show it.
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

    /// It concerns a department.
    pub(super) fn concerning(&mut self, department: &DepartmentCode) -> &mut Self {
        self.departments.insert(department.clone());
        self
    }

    /// What to do, a whole sentence.
    pub(super) fn fix(&mut self, sentence: impl Into<String>) -> &mut Self {
        self.finding.fix = Some(sentence.into());
        self
    }

    /// Who can lift it, when it is not the platform team.
    pub(super) fn owned_by(&mut self, owner: Assignee) -> &mut Self {
        self.finding.owner = owner;
        self
    }

    fn add_evidence(&mut self, kind: &'static str, id: &str) -> &mut Self {
        let id = id.to_owned();
        self.evidence.insert(AuditEvidence { kind, id });
        self
    }

    /// A role binding shows it.
    pub(super) fn binding(&mut self, seen: &ObservedBinding) -> &mut Self {
        self.add_evidence("role-binding", seen.id.as_str());
        let principal = &seen.binding.principal;
        match principal.service_account() {
            Some(id) => self.add_evidence("service-account", id.as_str()),
            None => self.add_evidence("principal", principal.id()),
        }
    }

    /// An ACL shows it.
    pub(super) fn acl(&mut self, acl: &AclBinding) -> &mut Self {
        self.add_evidence("acl", &acl.to_string());
        match acl.principal.service_account() {
            Some(id) => self.add_evidence("service-account", id.as_str()),
            None => self.add_evidence("principal", acl.principal.id()),
        }
    }

    /// A service account shows it.
    pub(super) fn account(&mut self, account: &ObservedAccount) -> &mut Self {
        self.add_evidence("service-account", account.id.as_str())
    }

    /// An API key shows it.
    pub(super) fn key(&mut self, key: &ApiKeyId) -> &mut Self {
        self.add_evidence("api-key", key.as_str())
    }

    /// A connector shows it.
    pub(super) fn connector(&mut self, connector: &ObservedConnector) -> &mut Self {
        self.add_evidence("connector", &connector.name);
        if connector.id.is_empty() {
            return self;
        }
        self.add_evidence("connector", &connector.id)
    }

    /// Whether somebody should act on it. What a template declares, and what is only worth knowing, is information.
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
