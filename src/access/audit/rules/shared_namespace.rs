//! `shared-namespace`: undeclared access to names that all departments share.

use super::{AuditRule, declared::DeclaredGrants};
use crate::{
    access::audit::{
        RuleReport,
        binding_location::{BindingLocation, shared_prefix},
        context::{AuditContext, BindingInContext},
        principal_class::{DepartmentAccount, PrincipalClass},
        visibility::RequiredData,
    },
    diag::Severity,
    model::NamePattern,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "shared-namespace",
    threat: "T7",
    severity: Severity::Error,
    summary: "undeclared access to names that all departments share",
    why: "Consumer groups of sink connectors (`connect-lcc…`) and topics for failed, successful and previewed \
          records (`dlq-lcc…`, `success-lcc…`, `error-lcc…`, `data-preview…`) contain the id of a connector and not \
          its name, so prefixes cannot isolate them. A role on these prefixes gives access to the data of all \
          departments, including payloads of failed records.",
    evidence: "A role binding within one of these prefixes that no template declares, unless it names the group or \
               topic of one of the department's own connectors. Grants declared in a template are information.",
    remedy: "Platform team: delete the role binding, or narrow it to the name of the department's own connector \
             (`connect-lcc-abc123`).",
    needs: &[RequiredData::Accounts, RequiredData::Cluster, RequiredData::Connectors],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let mut declared = DeclaredGrants::default();
    for held in &context.bindings {
        let BindingLocation::Names(kind, name) = held.location else {
            continue;
        };
        let Some(begins) = shared_prefix(kind, name) else {
            continue;
        };
        match held.holder {
            // Leftovers of an off-boarding are reported by `orphan-department` or `retired-prefix`.
            PrincipalClass::Provisioner
            | PrincipalClass::Named
            | PrincipalClass::Deleted
            | PrincipalClass::Orphan
            | PrincipalClass::Retired(_) => continue,
            PrincipalClass::DepartmentAccount(member) => {
                if let Some(grant) = held.declared {
                    declared.add(grant, &member);
                    continue;
                }
                if is_own_connector(context, &member, name) {
                    continue;
                }
            }
            _ => {}
        }
        let id = held.observed.id.as_str();
        let message = match context.connector_of(name) {
            Some(connector) => format!(
                "{}, which belongs to connector `{}`",
                context.describe_binding(held),
                connector.name
            ),
            None => format!(
                "{}, but `{begins}…` is shared by all departments",
                context.describe_binding(held)
            ),
        };
        report_binding(context, held, id, message, report);
    }
    declared.report(report);
}

fn report_binding(
    context: &AuditContext<'_>,
    held: &BindingInContext<'_>,
    id: &str,
    message: String,
    report: &mut RuleReport,
) {
    let found = report.error(id, message);
    found.binding(held.observed).fix(format!(
        "Delete role binding `{id}`, or narrow it to the name of one of the department's own connectors."
    ));
    if let PrincipalClass::DepartmentAccount(member) = held.holder {
        found.concerning(&member.department.department.code);
    }
    if let BindingLocation::Names(_, name) = held.location
        && let Some(connector) = context.connector_of(name)
    {
        found.connector(connector);
        if let Some(owner) = context.owner(&connector.name) {
            found.concerning(&owner.department.code);
        }
    }
}

/// Whether the name belongs to one of the department's own connectors. Read access to their dead letters and groups is
/// granted when their ids are known (docs/reference/rbac.md#personas).
pub(super) fn is_own_connector(context: &AuditContext<'_>, member: &DepartmentAccount<'_>, name: &NamePattern) -> bool {
    let connector = context.connector_of(name);
    let owner = connector.and_then(|connector| context.owner(&connector.name));
    owner.is_some_and(|owner| member.belongs_to(owner))
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T7: role bindings on shared prefixes that are wider than needed.
    #[test]
    fn an_undeclared_binding_on_shared_names_is_found() {
        for (who, role, on) in [
            ("sa-claims-runtime", "DeveloperManage", "$K/topic=dlq-lcc*"),
            ("sa-claims-operator", "DeveloperRead", "$K/topic=success-lcc*"),
            ("sa-claims-operator", "DeveloperRead", "$K/topic=error-lcc-abc"),
            ("sa-claims-operator", "DeveloperRead", "$K/topic=data-preview*"),
            ("sa-claims-operator", "DeveloperRead", "$K/group=connect-lcc*"),
            ("u-eve", "DeveloperRead", "$K/group=connect-lcc*"),
        ] {
            let mut org = Org::clean();
            let binding = org.bind(who, role, on);
            org.assert_only_findings(ID, &[&binding]);
        }
    }

    // The operator gets DeveloperRead on `dlq-<lcc>` of its own connectors after they are created
    // (docs/reference/rbac.md#personas).
    #[test]
    fn bindings_on_shared_names_of_own_connectors_are_accepted_and_of_foreign_ones_found() {
        let mut org = Org::clean();
        org.connector("claims-sink", "lcc-own", "sa-claims-runtime", "claims-a");
        org.connector("fraud-sink", "lcc-other", "sa-fraud-runtime", "fraud-a");
        org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=dlq-lcc-own");
        org.bind("sa-claims-operator", "DeveloperRead", "$K/group=connect-lcc-own");
        org.assert_only_findings(ID, &[]);
        let binding = org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=dlq-lcc-other");
        let result = org.assert_only_findings(ID, &[&binding]);
        assert_eq!(result.findings[0].departments.len(), 2);
    }

    #[test]
    fn bindings_left_by_an_offboarding_belong_to_another_rule() {
        let mut org = Org::clean();
        org.tagged("sa-ghost", "ghost", "runtime");
        org.bind("sa-ghost", "DeveloperRead", "$K/group=connect-lcc*");
        org.assert_only_findings("orphan-department", &["ghost"]);
    }

    // Source: docs/reference/rbac.md#personas. `connect-lcc*` is in the shipped templates, with its reason.
    #[test]
    fn a_declared_grant_is_reported_once_as_information() {
        let result = Org::clean().assert_findings(ID, &[]);
        let found: Vec<&str> = result
            .findings
            .iter()
            .map(|found| found.finding.message.as_str())
            .collect();
        assert_eq!(
            found,
            ["the template grants 2 departments DeveloperRead on group:connect-lcc*: sinks consume"]
        );
    }
}
