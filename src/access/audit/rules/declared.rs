//! What templates declare although a rule would ask about it: told once for each grant, with its reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    access::audit::{Report, whose::Member},
    model::{AclGrant, AclOperation, DepartmentCode, Grant},
};

/// The grants that were met, with their reasons, and the departments that they were met at.
#[derive(Default)]
pub(super) struct Declared<'a>(BTreeMap<(String, &'a str), BTreeSet<DepartmentCode>>);

impl<'a> Declared<'a> {
    pub(super) fn add(&mut self, grant: &'a Grant, member: &Member<'_>) {
        self.note(format!("{} on {}", grant.role, grant.on), &grant.why, member);
    }

    pub(super) fn add_acls(&mut self, grant: &'a AclGrant, member: &Member<'_>) {
        let operations: Vec<&str> = grant.operations.iter().map(AclOperation::as_str).collect();
        let what = format!("ACLs for {} on {}", operations.join(", "), grant.on);
        self.note(what, &grant.why, member);
    }

    fn note(&mut self, what: String, why: &'a str, member: &Member<'_>) {
        let departments = self.0.entry((what, why)).or_default();
        departments.insert(member.department.department.code.clone());
    }

    pub(super) fn report(self, report: &mut Report) {
        for ((what, why), departments) in self.0 {
            let whose = match departments.len() {
                1 => departments.iter().map(ToString::to_string).collect(),
                count => format!("{count} departments"),
            };
            let message = format!("the template gives {whose} {what}: {why}");
            report.info(&what, message).departments = departments;
        }
    }
}
