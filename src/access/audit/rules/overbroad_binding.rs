//! `overbroad-binding`: a department's binding that is wider than the department.

use super::{AuditRule, declared::DeclaredGrants};
use crate::{
    access::audit::{
        RuleReport,
        binding_location::{BindingLocation, is_every_subject, shared_prefix},
        context::{AuditContext, BindingInContext, describe_departments},
        principal_class::PrincipalClass,
        visibility::RequiredData,
    },
    diag::Severity,
    model::ResourceKind,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "overbroad-binding",
    threat: "T2",
    severity: Severity::Error,
    summary: "a binding of a department's account that is wider than the department",
    why: "`topic=*`, `topic=fin*` without the delimiter, or a role on the whole cluster instead of on names in it: one slip of \
          the hand, and a department reaches all others.",
    evidence: "A role binding of one of the department's accounts on names that do not begin with its prefix and are not \
               another department's (`third-party-grant` has those), or on a cluster, an environment or the organization. What \
               the template declares is information.",
    remedy: "EBS: remove the binding. If it is meant, declare it in the template with its reason.",
    needs: &[
        RequiredData::Accounts,
        RequiredData::Organization,
        RequiredData::Environment,
        RequiredData::Cluster,
        RequiredData::Subjects,
    ],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let mut declared = DeclaredGrants::default();
    for held in &context.bindings {
        if !is_overbroad(context, held) {
            continue;
        }
        if let (PrincipalClass::DepartmentAccount(member), Some(grant)) = (held.holder, held.declared) {
            declared.add(grant, &member);
            continue;
        }
        let id = held.observed.id.as_str();
        let reached = match held.location {
            BindingLocation::Names(_, name) => context.departments_reached(name),
            _ => Vec::new(),
        };
        let wide = match (held.location, reached.is_empty()) {
            (BindingLocation::Names(..), true) => ", outside its prefix".to_owned(),
            (BindingLocation::Names(..), false) => {
                format!(", which reaches names of {}", describe_departments(&reached))
            }
            _ => ", a whole scope".to_owned(),
        };
        let message = context.describe_binding(held) + &wide;
        let found = report.error(id, message);
        found.binding(held.observed).fix(format!(
            "Remove role binding {id}; if it is meant, declare it in the template with its reason."
        ));
        if let PrincipalClass::DepartmentAccount(member) = held.holder {
            found.concerning(&member.department.department.code);
        }
        for expected in reached {
            found.concerning(&expected.department.code);
        }
    }
    declared.report(report);
}

fn is_overbroad(context: &AuditContext<'_>, held: &BindingInContext<'_>) -> bool {
    match (held.holder, held.location) {
        // An account of ours has no business on a scope, whichever stage or department it is of.
        (
            PrincipalClass::DepartmentAccount(_)
            | PrincipalClass::Retired(_)
            | PrincipalClass::Orphan
            | PrincipalClass::OtherStage,
            BindingLocation::Scope(kind),
        ) => kind != ResourceKind::SchemaRegistry,
        (PrincipalClass::DepartmentAccount(member), BindingLocation::Names(kind, name)) => {
            let inside = member.department.department.prefix.pattern().covers(name);
            let anothers = || context.owner(name.stem()).is_some();
            !inside && !is_every_subject(kind, name) && shared_prefix(kind, name).is_none() && !anothers()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T2: `topic=*`, `subject=*`, `topic=fin*` without its delimiter, a role on the cluster instead of a resource.
    #[test]
    fn every_overbroad_binding_is_found() {
        for slip in [
            "$K/topic=*",
            "$K/topic=claims*",
            "$K/topic=c*",
            "$K/topic=audit",
            "$C",
            "$E",
            "$O",
            "$C/connector=*",
        ] {
            let mut org = Org::clean();
            let binding = org.bind("sa-claims-operator", "DeveloperRead", slip);
            org.assert_only_findings(ID, &[&binding]);
        }
    }

    #[test]
    fn bindings_on_the_own_prefix_are_accepted_and_on_foreign_names_belong_to_another_rule() {
        let mut org = Org::clean();
        org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=claims-a*");
        org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=fraud-*");
        org.bind("sa-claims-operator", "DeveloperRead", "$S/subject=*");
        org.bind("sa-claims-operator", "DeveloperRead", "$K/group=connect-lcc-abc");
        org.assert_findings(ID, &[]);
    }

    // "What a template declares with a why is information."
    #[test]
    fn a_declared_grant_is_information() {
        let mut org = Org::clean();
        org.grant(
            "claims",
            "operator",
            "MetricsViewer",
            "cluster",
            "agreed with the owner of the cluster",
        );
        org.bind("sa-claims-operator", "MetricsViewer", "$C");
        let result = org.assert_findings(ID, &[]);
        assert!(
            result.findings[0].finding.message.contains("agreed with the owner"),
            "{result:?}"
        );
        assert_eq!(result.findings.len(), 1);
    }

    #[test]
    fn a_scope_binding_of_an_account_of_another_stage_is_found() {
        let mut org = Org::clean();
        org.tagged_in("sa-other", "test", "claims", "operator");
        let binding = org.bind("sa-other", "CloudClusterAdmin", "$C");
        org.assert_findings(ID, &[&binding]);
    }

    #[test]
    fn the_rule_is_unknown_for_scopes_hidden_from_the_provisioner() {
        let org = Org::observed_by_provisioner();
        let result = org.assert_findings(ID, &[]);
        let unknown: String = result.unknown.iter().map(|hidden| hidden.what.clone()).collect();
        assert!(
            unknown.contains("organization itself") && unknown.contains("environment itself"),
            "{unknown}"
        );
        assert!(
            !unknown.contains("cluster and on names"),
            "the provisioner sees its cluster: {unknown}"
        );
    }
}
