//! `retired-prefix`: something lives on the prefix of a department that is off-boarded.

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport,
        binding_location::BindingLocation,
        context::{AuditContext, account_name},
        principal_class::PrincipalClass,
        visibility::RequiredData,
    },
    diag::Severity,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "retired-prefix",
    threat: "T15",
    severity: Severity::Warning,
    summary: "something lives on the prefix of an off-boarded department",
    why: "A department's file stays as the tombstone of its prefix, because topics, groups, offsets and schemas outlive it. \
          Whoever still holds a role there, or comes to it later, inherits them.",
    evidence: "A role binding on names with the prefix of a retired department, a connector of such a name, or an account that \
               carries its tag.",
    remedy: "EBS: `confluent ebs offboard CODE` finishes what was begun; what others hold is removed after asking them.",
    needs: &[
        RequiredData::Accounts,
        RequiredData::Cluster,
        RequiredData::Subjects,
        RequiredData::Connectors,
    ],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for held in &context.bindings {
        if matches!(
            held.holder,
            PrincipalClass::Provisioner | PrincipalClass::Named | PrincipalClass::Deleted
        ) {
            continue;
        }
        let BindingLocation::Names(_, name) = held.location else {
            continue;
        };
        let Some(owner) = context.owner(name.stem()).filter(|owner| owner.is_retired()) else {
            continue;
        };
        let code = &owner.department.code;
        let id = held.observed.id.as_str();
        let message = format!(
            "{}, names of {code}, which is off-boarded",
            context.describe_binding(held)
        );
        let found = report.warning(id, message);
        found.concerning(code).binding(held.observed);
        found.fix(format!(
            "Remove role binding {id}; `confluent ebs offboard {code}` removes those of its own accounts."
        ));
    }
    for connector in &context.observed.connectors {
        let Some(owner) = context.owner(&connector.name).filter(|owner| owner.is_retired()) else {
            continue;
        };
        let code = &owner.department.code;
        let message = format!(
            "connector {} is called like one of {code}, which is off-boarded",
            connector.name
        );
        let found = report.warning(&connector.name, message);
        found.concerning(code).connector(connector);
        found.fix("Find out whose it is, and delete it or have it made anew under another name.");
    }
    for account in &context.observed.accounts {
        let Some(PrincipalClass::Retired(expected)) = context.account_class(account.id.as_str()) else {
            continue;
        };
        let code = &expected.department.code;
        let message = format!("{} is still there, and {code} is off-boarded", account_name(account));
        let found = report.warning(account.id.as_str(), message);
        found.concerning(code).account(account);
        found.fix(format!("`confluent ebs offboard {code}` finishes what was begun."));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T15: a new department would inherit data, groups, offsets and subjects.
    #[test]
    fn roles_connectors_and_accounts_on_a_retired_prefix_are_found() {
        let mut org = Org::clean();
        let person = org.bind("u-eve", "DeveloperRead", "$K/topic=legacy-*");
        let other = org.bind("sa-claims-operator", "DeveloperRead", "$K/group=legacy-x");
        org.connector("legacy-sink", "lcc-1", "sa-central", "legacy-a");
        org.tagged("sa-legacy-viewer", "legacy", "viewer");
        org.assert_only_findings(ID, &[&person, &other, "legacy-sink", "sa-legacy-viewer"]);
    }
}
