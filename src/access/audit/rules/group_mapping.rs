//! `group-mapping`: a role that users obtain through a group mapping.

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
    summary: "a role that users obtain through single sign-on",
    why: "A group mapping grants roles to all members of an identity provider group. The default mapping of \
          Confluent Cloud for all users of single sign-on grants FlinkDeveloper and DataDiscovery (docs \
          `predefined-rbac-roles`), which show names and descriptions of all topics and schemas.",
    evidence: "A role binding of a group (`User:group-…`) on the organization, or on the environment or cluster of \
               the stage. Bindings on names of departments are reported by `third-party-grant`.",
    remedy: "Organization administrator: restrict the mapping, or accept the finding with a reason.",
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
        let message = format!(
            "{}, which applies to all members of the group",
            context.describe_binding(held)
        );
        let found = report.warning(id, message);
        found.binding(held.observed).owned_by(Assignee::Administrator);
        found.fix("Ask an administrator of the organization to restrict the group mapping.");
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
    fn group_mappings_are_unknown_to_the_provisioner() {
        assert_eq!(
            Org::observed_by_provisioner().assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
