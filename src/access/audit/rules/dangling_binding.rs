//! `dangling-binding`: a role of nobody, or on nothing.

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
    summary: "a role binding of an account that does not exist, or on one",
    why: "Deleting an account takes its keys and its bindings with it; that it also takes what others hold on it is \
          not confirmed (docs/assumptions.md, Q12). What is left behind gives nobody anything, counts against the \
          quota, and hides what matters in every list.",
    evidence: "A role binding in this stage whose principal is a service account that the organization does not have, or that \
               grants on one. Only said when all service accounts could be listed.",
    remedy: "EBS: remove the binding.",
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
        let what = if holder_gone { "its holder" } else { "the account" };
        let message = format!("{}, and {what} does not exist", context.describe_binding(held));
        let found = report.warning(id, message);
        found.binding(held.observed).fix(format!("Remove role binding {id}."));
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

    // Source: docs/reference/rbac.md#deletion-order; docs/assumptions.md, Q12. What a teardown leaves behind.
    #[test]
    fn bindings_of_and_on_deleted_accounts_are_found_by_this_rule_only() {
        let mut org = Org::clean();
        let of = org.bind_missing_account("sa-gone", "ResourceOwner", "$C/connector=claims-*");
        let on = org.bind("sa-claims-deployer", "Assigner", "$O/service-account=sa-gone");
        let elsewhere = "$O/environment=env-other/cloud-cluster=lkc-other";
        org.bind_missing_account("sa-gone", "CloudClusterAdmin", elsewhere);
        org.assert_only_findings(ID, &[&of, &on]);
    }

    // T12: an account that cannot be seen may well exist.
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
