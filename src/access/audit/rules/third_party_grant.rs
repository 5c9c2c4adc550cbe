//! `third-party-grant`: a role on names of a department that a foreign principal holds.

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport,
        binding_location::{BindingLocation, is_every_subject, shared_prefix},
        context::{AuditContext, BindingInContext, describe_departments},
        principal_class::PrincipalClass,
        visibility::RequiredData,
    },
    diag::Severity,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "third-party-grant",
    threat: "T3",
    severity: Severity::Error,
    summary: "a role on names of a department that a foreign principal holds",
    why: "A ResourceOwner of a prefix may bind roles on it for any principal (*Manage access*), and Confluent Cloud \
          does not report this. The deployer of a department can share its connectors with a colleague, a contractor \
          or another department.",
    evidence: "A role binding on names of a department whose principal is not one of its accounts: users, identity \
               pools, groups, other departments, unmanaged accounts. Also wider bindings (`topic=*`) of principals \
               outside all departments. The provisioner and principals under `administrators` or `adopt` in \
               `ebs.toml` are ignored.",
    remedy: "Platform team: find out who granted it and why (the audit log of the organization records it), and \
             delete the role binding; if it is intended, accept it with a reason and an expiry date.",
    needs: &[RequiredData::Cluster, RequiredData::Subjects],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for held in context.bindings.iter().filter(|held| !held.is_expected()) {
        let BindingLocation::Names(kind, name) = held.location else {
            continue;
        };
        if is_every_subject(kind, name)
            || shared_prefix(kind, name).is_some()
            || is_covered_by_another_rule(context, held)
        {
            continue;
        }
        let reached = context.departments_reached(name);
        if reached.is_empty() {
            continue;
        }
        let id = held.observed.id.as_str();
        let message = format!(
            "{}, which covers names of {}",
            context.describe_binding(held),
            describe_departments(&reached)
        );
        let found = report.error(id, message);
        found.binding(held.observed).fix(format!(
            "Find out in the audit log who granted it, and delete role binding `{id}`. If it is intended, accept it with a reason."
        ));
        for expected in reached {
            found.concerning(&expected.department.code);
        }
        if let PrincipalClass::DepartmentAccount(member) = held.holder {
            found.concerning(&member.department.department.code);
        }
    }
}

fn is_covered_by_another_rule(context: &AuditContext<'_>, held: &BindingInContext<'_>) -> bool {
    let BindingLocation::Names(_, name) = held.location else {
        return true;
    };
    let owner = context.owner(name.stem());
    match (held.holder, owner) {
        // Retired departments are reported by `retired-prefix`.
        (_, Some(owner)) if owner.is_retired() => true,
        // Bindings on own names are reported by `template-drift`.
        (PrincipalClass::DepartmentAccount(member), Some(owner)) => member.belongs_to(owner),
        // Reported by other rules: deleted accounts by `dangling-binding`, orphan accounts by `prefix-overlap`, names
        // of no department by `overbroad-binding`.
        (PrincipalClass::Deleted | PrincipalClass::Orphan, _) | (PrincipalClass::DepartmentAccount(_), None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::{access::audit::fixture::Org, model::Listing};

    const ID: &str = super::RULE.id;

    // T3: a role binding on the prefix whose principal is not a managed account.
    #[test]
    fn users_pools_groups_and_unmanaged_accounts_on_a_prefix_are_found() {
        for who in ["u-eve", "pool-abc", "group-abc", "sa-external", "sa-fraud-operator"] {
            for on in [
                "$C/connector=claims-*",
                "$C/connector=claims-orders",
                "$K/topic=claims-a*",
                "$K/group=claims-*",
                "$K/transactional-id=claims-*",
                "$S/subject=claims-*",
            ] {
                let mut org = Org::clean();
                let binding = org.bind(who, "DeveloperRead", on);
                let result = org.assert_only_findings(ID, &[&binding]);
                let departments = &result.findings[0].departments;
                assert!(departments.contains(&"claims".parse().unwrap()), "{who} {on}");
            }
        }
    }

    #[test]
    fn a_third_party_on_all_names_is_reported_once() {
        let mut org = Org::clean();
        let binding = org.bind("u-eve", "DeveloperRead", "$K/topic=*");
        let result = org.assert_only_findings(ID, &[&binding]);
        assert!(
            result.findings[0].finding.message.ends_with("3 departments"),
            "{result:?}"
        );
    }

    #[test]
    fn unowned_names_the_provisioner_and_named_principals_are_accepted() {
        let mut org = Org::clean();
        org.bind("u-eve", "DeveloperRead", "$K/topic=central-*");
        org.bind("sa-provisioner", "ResourceOwner", "$K/topic=claims-*");
        org.bind("u-known", "ResourceOwner", "$K/topic=claims-*");
        org.administrators.insert("u-known".into());
        org.bind("pool-agreed", "DeveloperRead", "$K/topic=claims-*");
        org.adopted.insert("pool-agreed".into());
        org.assert_only_findings(ID, &[]);
    }

    // T12.
    #[test]
    fn a_failed_listing_makes_the_rule_unknown() {
        let mut org = Org::clean();
        org.observed.unknown.insert(Listing::SubjectBindings, "403".into());
        let result = org.assert_findings(ID, &[]);
        assert_eq!(result.verdict(), crate::access::audit::AuditVerdict::Unknown);
    }
}
