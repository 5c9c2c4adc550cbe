//! `dangling-binding`: a role binding of or on a deleted account.

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport, binding_location::BindingLocation, context::AuditContext, principal_class::PrincipalClass,
        visibility::RequiredData,
    },
    diag::Severity,
    model::NamePattern,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "dangling-binding",
    threat: "T11",
    severity: Severity::Warning,
    summary: "a role binding of or on a deleted account",
    why: "Deleting an account deletes its keys and role bindings; whether it also deletes bindings of other principals \
          on the account is not confirmed (docs/assumptions.md, Q12). Leftover bindings grant no access, but count \
          against the quota and clutter every list.",
    evidence: "A role binding in this stage whose principal is, or that is bound on, a service account that does not \
               exist in the organization. Reported only if the list of service accounts is complete.",
    remedy: "Platform team: delete the role binding.",
    needs: &[
        RequiredData::Accounts,
        RequiredData::AccountBindings,
        RequiredData::Cluster,
        RequiredData::Subjects,
    ],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    if context.missing(RequiredData::Accounts).is_some() {
        return;
    }
    for held in context
        .bindings
        .iter()
        .filter(|held| held.location != BindingLocation::Elsewhere)
    {
        let holder_gone = matches!(held.holder, PrincipalClass::Deleted);
        let target_gone = match held.location {
            BindingLocation::Accounts(NamePattern::Literal(id)) => context.account_class(id).is_none(),
            _ => false,
        };
        if !holder_gone && !target_gone {
            continue;
        }
        let id = held.observed.id.as_str();
        let what = if holder_gone { "its holder" } else { "that account" };
        let message = format!("{}, but {what} does not exist", context.describe_binding(held));
        let found = report.warning(id, message);
        found.binding(held.observed).fix(format!("Delete role binding `{id}`."));
        if let BindingLocation::Names(_, name) = held.location {
            for expected in context.departments_reached(name) {
                found.concerning(&expected.department.code);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // Source: docs/reference/rbac.md#deletion-order; docs/assumptions.md, Q12. Bindings left after deleting an account.
    #[test]
    fn bindings_of_and_on_deleted_accounts_are_found_by_this_rule_only() {
        let mut org = Org::clean();
        let of = org.bind_missing_account("sa-gone", "ResourceOwner", "$C/connector=claims-*");
        let on = org.bind("sa-claims-deployer", "Assigner", "$O/service-account=sa-gone");
        let elsewhere = "$O/environment=env-other/cloud-cluster=lkc-other";
        org.bind_missing_account("sa-gone", "CloudClusterAdmin", elsewhere);
        org.assert_only_findings(ID, &[&of, &on]);
    }

    // T12: an account that is not visible may exist.
    #[test]
    fn an_account_that_may_be_hidden_is_not_reported_as_deleted() {
        let mut org = Org::observed_by_provisioner();
        org.bind_missing_account("sa-gone", "DeveloperRead", "$K/topic=central-*");
        assert_eq!(
            org.assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
