//! `unnamed-administrator`: a role above all departments that nobody announced.

use super::Rule;
use crate::{
    access::audit::{Report, place::Place, sight::Need, subject::Subject, whose::Who},
    diag::{Owner, Severity},
    model::ResourceKind,
};

pub(super) const RULE: Rule = Rule {
    id: "unnamed-administrator",
    threat: "T17",
    severity: Severity::Warning,
    summary: "a role above all departments of somebody whom ebs.toml does not name",
    why: "A role on the organization, the environment or the cluster reaches every department, and no prefix stops it. It is as \
          good as the provisioner's key. There must be few such people and accounts, and somebody must know which.",
    evidence: "A role binding on the organization, or on the environment or the cluster of the stage, of anybody but the \
               provisioner, departments (`wildcard-slip`) and groups (`group-mapping`). While `administrators` in `ebs.toml` \
               names nobody, it is information.",
    remedy: "EBS: name them in `administrators` of `ebs.toml`. An administrator of the organization: remove the others.",
    needs: &[Need::Organization, Need::Environment, Need::Cluster],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    for held in subject.bindings.iter().filter(|held| matches!(held.who, Who::Stranger)) {
        let above = match held.place {
            Place::Scope(kind) => kind != ResourceKind::SchemaRegistry,
            _ => false,
        };
        if !above {
            continue;
        }
        let id = held.seen.id.as_str();
        let message = subject.holds(held);
        let found = match subject.blueprint.administrators.is_empty() {
            true => report.info(id, message + ": `administrators` in ebs.toml names nobody"),
            false => report.warning(id, message + ", and ebs.toml does not name it"),
        };
        found.binding(held.seen).owned_by(Owner::Administrator).fix(format!(
            "Add \"{}\" to `administrators` in ebs.toml, or have role binding {id} removed.",
            held.seen.binding.principal.id()
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    #[test]
    fn who_is_not_named_is_found_once_somebody_is() {
        let mut org = Org::clean();
        let eve = org.bind("u-eve", "EnvironmentAdmin", "$E");
        let auditor = org.bind("sa-auditor", "Operator", "$C");
        let manager = org.bind("u-eve", "ConnectManager", "$C");
        org.bind(
            "u-eve",
            "CloudClusterAdmin",
            "$O/environment=env-other/cloud-cluster=lkc-other",
        );
        org.only(ID, &[&eve, &auditor, &manager]);
        org.administrators.clear();
        let ruling = org.only(ID, &[]);
        assert_eq!(ruling.findings.len(), 4, "with the administrator of the organization");
    }

    #[test]
    fn the_provisioner_sees_the_cluster_alone() {
        let ruling = Org::seen_by_provisioner().found(ID, &[]);
        assert_eq!(ruling.unknown.len(), 2, "{ruling:?}");
    }
}
