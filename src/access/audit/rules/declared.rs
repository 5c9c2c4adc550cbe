//! Declared grants: grants that a rule would report if no template declared them. Each is reported once as information.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    access::audit::{RuleReport, principal_class::DepartmentAccount},
    model::{AclGrant, AclOperation, DepartmentCode, RoleGrant},
};

/// Declared grants with their reasons, and the departments that hold them.
#[derive(Default)]
pub(super) struct DeclaredGrants<'a>(BTreeMap<(String, &'a str), BTreeSet<DepartmentCode>>);

impl<'a> DeclaredGrants<'a> {
    pub(super) fn add(&mut self, grant: &'a RoleGrant, member: &DepartmentAccount<'_>) {
        self.record(format!("{} on {}", grant.role, grant.on), &grant.why, member);
    }

    pub(super) fn add_acls(&mut self, grant: &'a AclGrant, member: &DepartmentAccount<'_>) {
        let operations: Vec<&str> = grant.operations.iter().map(AclOperation::as_str).collect();
        let what = format!("ACLs for {} on {}", operations.join(", "), grant.on);
        self.record(what, &grant.why, member);
    }

    fn record(&mut self, what: String, why: &'a str, member: &DepartmentAccount<'_>) {
        let departments = self.0.entry((what, why)).or_default();
        departments.insert(member.department.department.code.clone());
    }

    pub(super) fn report(self, report: &mut RuleReport) {
        for ((what, why), departments) in self.0 {
            let whose = match (departments.first(), departments.len()) {
                (Some(code), 1) => format!("`{code}`"),
                (_, count) => format!("{count} departments"),
            };
            let message = format!("the template grants {whose} {what}: {why}");
            report.info(&what, message).departments = departments;
        }
    }
}
