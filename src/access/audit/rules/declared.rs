//! What templates declare although a rule would ask about it: told once for each grant, with its reason.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    access::audit::{Report, whose::Member},
    model::{DepartmentCode, Grant},
};

/// The grants that were met, and the departments that they were met at.
#[derive(Default)]
pub(super) struct Declared<'a>(BTreeMap<String, (&'a Grant, BTreeSet<DepartmentCode>)>);

impl<'a> Declared<'a> {
    pub(super) fn add(&mut self, grant: &'a Grant, member: &Member<'_>) {
        let key = format!("{} {} {}", grant.role, grant.on, grant.why);
        let (_, departments) = self.0.entry(key).or_insert((grant, BTreeSet::new()));
        departments.insert(member.department.department.code.clone());
    }

    pub(super) fn report(self, report: &mut Report) {
        for (grant, departments) in self.0.into_values() {
            let whose = match departments.len() {
                1 => departments.iter().map(ToString::to_string).collect(),
                count => format!("{count} departments"),
            };
            let message = format!(
                "the template gives {whose} {} on {}: {}",
                grant.role, grant.on, grant.why
            );
            let found = report.info(&format!("{} {}", grant.role, grant.on), message);
            found.departments = departments;
        }
    }
}
