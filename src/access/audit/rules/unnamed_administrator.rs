//! `unnamed-administrator`: an administrator that `ebs.toml` does not name.

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport, binding_location::BindingLocation, context::AuditContext, principal_class::PrincipalClass,
        visibility::RequiredData,
    },
    diag::{Assignee, Severity},
    model::{Principal, ResourceKind},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "unnamed-administrator",
    threat: "T17",
    severity: Severity::Warning,
    summary: "a role above all departments of a principal that `ebs.toml` does not name",
    why: "A role on the organization, the environment or the cluster covers all departments, regardless of prefixes. \
          It is as powerful as the provisioner's key. There should be few such users and accounts, and all should be \
          documented.",
    evidence: "A role binding on the organization, or on the environment or cluster of the stage, except those of \
               the provisioner, of departments (`overbroad-binding`) and of groups (`group-mapping`). While \
               `administrators` in `ebs.toml` is empty, users may be the intended administrators: they make the \
               verdict unknown, and only service accounts are findings.",
    remedy: "Platform team: list the principals under `administrators` in `ebs.toml`. Organization administrator: \
             delete the other role bindings.",
    needs: &[
        RequiredData::Organization,
        RequiredData::Environment,
        RequiredData::Cluster,
    ],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    if context.desired.provisioner.is_none() {
        report.unknown(
            "which account is the provisioner",
            "several accounts administrate the cluster, and `provisioner` in `ebs.toml` is not set",
        );
    }
    for held in context
        .bindings
        .iter()
        .filter(|held| matches!(held.holder, PrincipalClass::Unmanaged))
    {
        let above = match held.location {
            BindingLocation::Scope(kind) => kind != ResourceKind::SchemaRegistry,
            _ => false,
        };
        if !above {
            continue;
        }
        let id = held.observed.id.as_str();
        let message = context.describe_binding(held);
        let is_account = matches!(held.observed.binding.principal, Principal::ServiceAccount(_));
        if context.desired.administrators.is_empty() && !is_account {
            report.unknown(
                format!("whether {message} on purpose"),
                "`administrators` in `ebs.toml` is empty",
            );
            continue;
        }
        let found = report.warning(id, message + ", but `ebs.toml` does not name it");
        found
            .binding(held.observed)
            .owned_by(Assignee::Administrator)
            .fix(format!(
                "Add `{}` to `administrators` in `ebs.toml`, or have role binding `{id}` deleted.",
                held.observed.binding.principal.id()
            ));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    #[test]
    fn unnamed_administrators_are_findings_once_some_are_named() {
        let mut org = Org::clean();
        let eve = org.bind("u-eve", "EnvironmentAdmin", "$E");
        let auditor = org.bind("sa-auditor", "Operator", "$C");
        let manager = org.bind("u-eve", "ConnectManager", "$C");
        org.bind(
            "u-eve",
            "CloudClusterAdmin",
            "$O/environment=env-other/cloud-cluster=lkc-other",
        );
        org.assert_only_findings(ID, &[&eve, &auditor, &manager]);
        // A user may be an administrator that nobody listed yet; a service account beside the provisioner is not.
        org.administrators.clear();
        let result = org.assert_findings(ID, &[&auditor]);
        assert_eq!(result.unknown.len(), 3, "with the administrator of the organization");
        org.unbind("sa-auditor", "$C");
        let result = org.assert_findings(ID, &[]);
        assert_eq!(result.verdict(), crate::access::audit::AuditVerdict::Unknown);
    }

    // An intruder's role must not stop the audit.
    #[test]
    fn accounts_that_can_be_the_provisioner_are_found_if_none_is_known() {
        let mut org = Org::clean();
        let intruder = org.bind("sa-central", "CloudClusterAdmin", "$C");
        org.assert_only_findings(ID, &[&intruder]);
        org.provisioner = None;
        let result = org.assert_findings(ID, &["rb-0001", &intruder]);
        assert_eq!(result.unknown.len(), 1, "{result:?}");
    }

    #[test]
    fn the_provisioner_sees_bindings_on_the_cluster_only() {
        let result = Org::observed_by_provisioner().assert_findings(ID, &[]);
        assert_eq!(result.unknown.len(), 2, "{result:?}");
    }
}
