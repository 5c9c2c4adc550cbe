//! `group-mapping`: a role that people get by logging in.

use super::Rule;
use crate::{
    access::audit::{Report, place::Place, sight::Need, subject::Subject, whose::Who},
    diag::{Owner, Severity},
    model::ResourceKind,
};

pub(super) const RULE: Rule = Rule {
    id: "group-mapping",
    threat: "T16",
    severity: Severity::Warning,
    summary: "a role that people get by logging in",
    why: "A group mapping gives roles to everybody whom the identity provider puts into a group. The one that Confluent makes by \
          default, for all users of single sign-on, gives FlinkDeveloper and DataDiscovery (docs `predefined-rbac-roles`): \
          names and descriptions of everybody's topics and schemas.",
    evidence: "A role binding of a group (`User:group-…`) on the organization, or on the environment or the cluster of the \
               stage, or on service accounts. On names of departments it is `granted-onward`.",
    remedy: "An administrator of the organization: trim the mapping, or accept it with a reason.",
    needs: &[Need::Organization, Need::Environment, Need::Cluster],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    for held in subject.bindings.iter().filter(|held| matches!(held.who, Who::Group)) {
        let wide = match held.place {
            Place::Scope(kind) => kind != ResourceKind::SchemaRegistry,
            _ => false,
        };
        if !wide {
            continue;
        }
        let id = held.seen.id.as_str();
        let message = format!("{}: everybody in the group", subject.holds(held));
        let found = report.warning(id, message);
        found.binding(held.seen).owned_by(Owner::Administrator);
        found.fix("Ask an administrator of the organization to trim the group mapping.");
    }
}

#[cfg(test)]
mod tests {
    use crate::{access::audit::testing::Org, diag::Owner};

    const ID: &str = super::RULE.id;

    // T16: "FlinkDeveloper + DataDiscovery to every SSO user".
    #[test]
    fn the_default_mapping_is_found_and_an_administrator_can_lift_it() {
        let mut org = Org::clean();
        let flink = org.bind("group-sso", "FlinkDeveloper", "$O");
        let discovery = org.bind("group-sso", "DataDiscovery", "$E");
        let cluster = org.bind("group-sso", "Operator", "$C");
        org.bind("group-sso", "Operator", "$O/environment=env-other");
        let ruling = org.only(ID, &[&flink, &discovery, &cluster]);
        assert!(
            ruling
                .findings
                .iter()
                .all(|found| found.finding.owner == Owner::Administrator)
        );
    }

    #[test]
    fn the_provisioner_cannot_see_them() {
        assert_eq!(
            Org::seen_by_provisioner().found(ID, &[]).verdict(),
            crate::access::audit::Verdict::Unknown
        );
    }
}
