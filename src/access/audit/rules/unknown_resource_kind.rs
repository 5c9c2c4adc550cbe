//! `unknown-resource-kind`: a role on a resource of an unknown kind.

use super::AuditRule;
use crate::{
    access::audit::{RuleReport, context::AuditContext, principal_class::PrincipalClass, visibility::RequiredData},
    diag::Severity,
    model::{CrnPattern, ResourceKind},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "unknown-resource-kind",
    threat: "T2",
    severity: Severity::Warning,
    summary: "a role on a kind of resource that this program does not know",
    why: "The rules judge the kinds of resources that departments share. A role on another kind, such as a \
          stream processing pool or an encryption key, may open data of departments, and nothing here can \
          exclude it.",
    evidence: "A role binding below the organization, the environment or the cluster of the stage whose last CRN segment \
               is of an unknown kind. Bindings of departments' accounts are reported by `template-drift`; those of the \
               provisioner and of principals under `administrators` and `adopt` in `ebs.toml` are ignored, and so are \
               other environments and clusters.",
    remedy: "Platform team: find out what the role allows, and accept the finding with a reason, or delete the \
             role binding.",
    needs: &[
        RequiredData::Organization,
        RequiredData::Environment,
        RequiredData::Cluster,
    ],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let address = &context.observed.address;
    let text = |pattern: CrnPattern| format!("{pattern}/");
    let organization = text(address.organization_crn().into());
    let environment = text(address.environment_crn().into());
    let cluster = text(address.cluster_crn().into());
    for held in context.bindings.iter().filter(|held| !held.is_expected()) {
        let pattern = &held.observed.binding.pattern;
        let is_other_rule = matches!(
            held.holder,
            PrincipalClass::Deleted | PrincipalClass::DepartmentAccount(_)
        );
        if pattern.kind() != ResourceKind::Other || is_other_rule {
            continue;
        }
        let crn = pattern.to_string();
        let here = if crn.contains("/cloud-cluster=") {
            crn.starts_with(&cluster)
        } else if crn.contains("/environment=") {
            crn.starts_with(&environment)
        } else {
            crn.starts_with(&organization)
        };
        if !here {
            continue;
        }
        let id = held.observed.id.as_str();
        let message = format!("{}, a kind of resource without a rule", context.describe_binding(held));
        let found = report.warning(id, message);
        found.binding(held.observed).fix(format!(
            "Find out what the role allows. Accept it with a reason, or delete role binding `{id}`."
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T2: new kinds of resources get roles before this program knows them.
    #[test]
    fn roles_on_unknown_kinds_are_found() {
        let mut org = Org::clean();
        let pool = org.bind("u-eve", "FlinkAdmin", "$E/compute-pool=lfcp-1");
        let identity = org.bind("sa-stranger", "DeveloperRead", "$O/identity-provider=op-1");
        let link = org.bind("sa-central", "MadeUpRole", "$K/cluster-link=*");
        org.bind("u-eve", "FlinkAdmin", "$O/environment=env-other/compute-pool=lfcp-1");
        org.bind("u-admin", "FlinkAdmin", "$E/compute-pool=lfcp-1");
        org.assert_only_findings(ID, &[&pool, &identity, &link]);
        let mut org = Org::clean();
        let own = org.bind("sa-claims-operator", "DeveloperRead", "$E/compute-pool=lfcp-1");
        org.assert_only_findings("template-drift", &[&own]);
    }

    // A role that this program does not know is judged by where it is bound.
    #[test]
    fn unknown_roles_are_findings_of_the_rule_for_their_resource() {
        for (who, on, rule) in [
            ("u-eve", "$E", "unnamed-administrator"),
            ("u-eve", "$K/topic=claims-*", "third-party-grant"),
            ("u-eve", "$S/subject=*", "registry-wide"),
            ("u-eve", "$O/service-account=*", "impersonating-account"),
            ("sa-claims-operator", "$K/topic=*", "overbroad-binding"),
            ("sa-claims-operator", "$C", "overbroad-binding"),
            ("sa-claims-operator", "$K/topic=claims-*", "template-drift"),
        ] {
            let mut org = Org::clean();
            let id = org.bind(who, "MadeUpRole", on);
            org.assert_only_findings(rule, &[&id]);
        }
    }
}
