//! `group-mapping`: a role that people get by logging in.

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport, binding_location::BindingLocation, context::AuditContext, principal_class::PrincipalClass,
        visibility::RequiredData,
    },
    diag::{Assignee, Severity},
    model::ResourceKind,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "group-mapping",
    threat: "T16",
    severity: Severity::Warning,
    summary: "a role that people get by logging in",
    why: "A group mapping gives roles to everybody whom the identity provider puts into a group. The one that Confluent makes by \
          default, for all users of single sign-on, gives FlinkDeveloper and DataDiscovery (docs `predefined-rbac-roles`): \
          names and descriptions of everybody's topics and schemas.",
    evidence: "A role binding of a group (`User:group-…`) on the organization, or on the environment or the cluster of the \
               stage, or on service accounts. On names of departments it is `third-party-grant`.",
    remedy: "An administrator of the organization: trim the mapping, or accept it with a reason.",
    needs: &[
        RequiredData::Organization,
        RequiredData::Environment,
        RequiredData::Cluster,
    ],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for held in context
        .bindings
        .iter()
        .filter(|held| matches!(held.holder, PrincipalClass::Group))
    {
        let wide = match held.location {
            BindingLocation::Scope(kind) => kind != ResourceKind::SchemaRegistry,
            _ => false,
        };
        if !wide {
            continue;
        }
        let id = held.observed.id.as_str();
        let message = format!("{}: everybody in the group", context.describe_binding(held));
        let found = report.warning(id, message);
        found.binding(held.observed).owned_by(Assignee::Administrator);
        found.fix("Ask an administrator of the organization to trim the group mapping.");
    }
}

#[cfg(test)]
mod tests {
    use crate::{access::audit::fixture::Org, diag::Assignee};

    const ID: &str = super::RULE.id;

    // T16: FlinkDeveloper and DataDiscovery for each user of single sign-on.
    #[test]
    fn the_default_mapping_is_found_with_the_administrator_as_owner() {
        let mut org = Org::clean();
        let flink = org.bind("group-sso", "FlinkDeveloper", "$O");
        let discovery = org.bind("group-sso", "DataDiscovery", "$E");
        let cluster = org.bind("group-sso", "Operator", "$C");
        org.bind("group-sso", "Operator", "$O/environment=env-other");
        let result = org.assert_only_findings(ID, &[&flink, &discovery, &cluster]);
        assert!(
            result
                .findings
                .iter()
                .all(|found| found.finding.owner == Assignee::Administrator)
        );
    }

    #[test]
    fn the_rule_is_unknown_for_the_provisioner() {
        assert_eq!(
            Org::observed_by_provisioner().assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
