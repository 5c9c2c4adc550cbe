//! `overbroad-binding`: a role binding of a department's account that exceeds the department.

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
    summary: "a role binding of a department's account that exceeds the department",
    why: "A mistake such as `topic=*`, `topic=fin*` without the delimiter, or a role on the whole cluster gives a \
          department access to all others.",
    evidence: "A role binding of a department's account on names without its prefix that belong to no other \
               department (`third-party-grant` reports those), or on a cluster, an environment or the organization. \
               Grants declared in the template are information.",
    remedy: "Platform team: delete the role binding. If it is intended, declare it in the template with a reason.",
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
            (BindingLocation::Names(..), true) => ", which is outside its prefix".to_owned(),
            (BindingLocation::Names(..), false) => {
                format!(", which covers names of {}", describe_departments(&reached))
            }
            _ => ", which is a whole scope".to_owned(),
        };
        let message = context.describe_binding(held) + &wide;
        let found = report.error(id, message);
        found.binding(held.observed).fix(format!(
            "Delete role binding `{id}`. If it is intended, declare it in the template with a reason."
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
        // Managed accounts need no roles on scopes, regardless of stage and department.
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
