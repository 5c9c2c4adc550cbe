//! `runtime-owner`: a department that owns its runtime account.

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport,
        context::{AuditContext, account_name},
        principal_class::{DepartmentAccount, PrincipalClass},
        visibility::RequiredData,
    },
    diag::Severity,
    model::Role,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "runtime-owner",
    threat: "T5",
    severity: Severity::Error,
    summary: "a department that owns the account its connectors run under",
    why: "Assigner allows running connectors under an account, and nothing else. ResourceOwner also allows creating \
          keys for it (support article 45142562011924). With a Kafka key of the runtime account a department can \
          read and write outside of Connect and bypass all limits enforced there.",
    evidence: "A role other than Assigner on the runtime account of a department, held by one of its own accounts. \
               Roles of other principals are reported by `impersonating-account`.",
    remedy: "Platform team: delete the role binding, and check for keys created in the meantime (`runtime-key`).",
    needs: &[RequiredData::Members],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for runtime in context.department_accounts.iter().filter(|member| member.is_runtime()) {
        let name = account_name(runtime.account);
        report
            .unknown
            .extend(context.visibility.missing_account_bindings(&runtime.account.id, &name));
        for held in context.bindings_on_account(runtime.account) {
            let own = matches!(held.holder, PrincipalClass::DepartmentAccount(member) if DepartmentAccount::belongs_to(&member, runtime.department));
            if !own || held.declared.is_some() || *held.role() == Role::Assigner {
                continue;
            }
            let id = held.observed.id.as_str();
            let message = format!(
                "{}, the account that connectors run under; Assigner is sufficient",
                context.describe_binding(held)
            );
            let found = report.error(id, message);
            found.concerning(&runtime.department.department.code);
            found.binding(held.observed).account(runtime.account);
            found.fix(format!("Delete role binding `{id}`, and check {name} for keys."));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{access::audit::fixture::Org, model::Listing};

    const ID: &str = super::RULE.id;

    // T5: the department has ResourceOwner instead of Assigner on its runtime account.
    #[test]
    fn resource_owner_on_the_runtime_account_is_found_and_assigner_is_not() {
        let mut org = Org::clean();
        let binding = org.bind(
            "sa-claims-deployer",
            "ResourceOwner",
            "$O/service-account=sa-claims-runtime",
        );
        org.assert_only_findings(ID, &[&binding]);
    }

    #[test]
    fn the_provisioner_can_evaluate_this_rule() {
        let mut org = Org::observed_by_provisioner();
        assert_eq!(
            org.assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Absent
        );
        org.observed.unknown.insert(
            Listing::AccountBindings("sa-claims-runtime".parse().unwrap()),
            "403".into(),
        );
        assert_eq!(
            org.assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
