//! `retired-prefix`: access or resources on the prefix of a retired department.

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
    summary: "access or resources on the prefix of a retired department",
    why: "The file of a retired department remains and reserves its prefix, because topics, groups, offsets and \
          schemas outlive the department. Principals with a role on these names have access to that data.",
    evidence: "A role binding on names with the prefix of a retired department, a connector with such a name, or an \
               account with its ownership tag.",
    remedy: "Platform team: `confluent ebs offboard CODE` completes the off-boarding. Remove access of other \
             principals after asking them.",
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
            "{}, which are names of the retired department `{code}`",
            context.describe_binding(held)
        );
        let found = report.warning(id, message);
        found.concerning(code).binding(held.observed);
        found.fix(format!(
            "Delete role binding `{id}`, or run `confluent ebs offboard {code}` if an account of `{code}` holds it."
        ));
    }
    for connector in &context.observed.connectors {
        let Some(owner) = context.owner(&connector.name).filter(|owner| owner.is_retired()) else {
            continue;
        };
        let code = &owner.department.code;
        let message = format!(
            "connector `{}` has the prefix of the retired department `{code}`",
            connector.name
        );
        let found = report.warning(&connector.name, message);
        found.concerning(code).connector(connector);
        found.fix("Find out who owns it, and delete it or have it recreated under another name.");
    }
    for account in &context.observed.accounts {
        let Some(PrincipalClass::Retired(expected)) = context.account_class(account.id.as_str()) else {
            continue;
        };
        let code = &expected.department.code;
        let message = format!(
            "{} of the retired department `{code}` still exists",
            account_name(account)
        );
        let found = report.warning(account.id.as_str(), message);
        found.concerning(code).account(account);
        found.fix(format!(
            "Run `confluent ebs offboard {code}` to complete the off-boarding."
        ));
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
