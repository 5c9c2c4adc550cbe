//! `wildcard-slip`: a department's binding that is wider than the department.

use super::{Rule, declared::Declared};
use crate::{
    access::audit::{
        Report,
        place::{Place, is_every_subject, shared},
        sight::Need,
        subject::{Held, Subject, whose},
        whose::Who,
    },
    diag::Severity,
    model::ResourceKind,
};

pub(super) const RULE: Rule = Rule {
    id: "wildcard-slip",
    threat: "T2",
    severity: Severity::Error,
    summary: "a binding of a department's account that is wider than the department",
    why: "`topic=*`, `topic=fin*` without the delimiter, or a role on the whole cluster instead of on names in it: one slip of \
          the hand, and a department reaches all others.",
    evidence: "A role binding of one of the department's accounts on names that do not begin with its prefix and are not \
               another department's (`granted-onward` has those), or on a cluster, an environment or the organization. What \
               the template declares is information.",
    remedy: "EBS: remove the binding. If it is meant, declare it in the template with its reason.",
    needs: &[
        Need::Accounts,
        Need::Organization,
        Need::Environment,
        Need::Cluster,
        Need::Subjects,
    ],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    let mut declared = Declared::default();
    for held in &subject.bindings {
        if !is_wide(subject, held) {
            continue;
        }
        if let (Who::Member(member), Some(grant)) = (held.who, held.declared) {
            declared.add(grant, &member);
            continue;
        }
        let id = held.seen.id.as_str();
        let reached = match held.place {
            Place::Names(_, name) => subject.reached(name),
            _ => Vec::new(),
        };
        let wide = match (held.place, reached.is_empty()) {
            (Place::Names(..), true) => ", outside its prefix".to_owned(),
            (Place::Names(..), false) => format!(", which reaches names of {}", whose(&reached)),
            _ => ", a whole scope".to_owned(),
        };
        let message = subject.holds(held) + &wide;
        let found = report.error(id, message);
        found.binding(held.seen).fix(format!(
            "Remove role binding {id}; if it is meant, declare it in the template with its reason."
        ));
        if let Who::Member(member) = held.who {
            found.about(&member.department.department.code);
        }
        for expected in reached {
            found.about(&expected.department.code);
        }
    }
    declared.report(report);
}

fn is_wide(subject: &Subject<'_>, held: &Held<'_>) -> bool {
    match (held.who, held.place) {
        // An account of ours has no business on a scope, whichever stage or department it is of.
        (Who::Member(_) | Who::Retired(_) | Who::Orphan | Who::OtherStage, Place::Scope(kind)) => {
            kind != ResourceKind::SchemaRegistry
        }
        (Who::Member(member), Place::Names(kind, name)) => {
            let inside = member.department.department.prefix.pattern().covers(name);
            let anothers = || subject.owner(name.stem()).is_some();
            !inside && !is_every_subject(kind, name) && shared(kind, name).is_none() && !anothers()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T2: "`topic=*`, `subject=*`, `topic=fin*` without delimiter, cluster-scope instead of resource-scope".
    #[test]
    fn every_slip_of_the_threat_is_found() {
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
            org.only(ID, &[&binding]);
        }
    }

    #[test]
    fn the_own_prefix_is_no_slip_and_what_is_anothers_is_another_rules() {
        let mut org = Org::clean();
        org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=claims-a*");
        org.bind("sa-claims-operator", "DeveloperRead", "$K/topic=fraud-*");
        org.bind("sa-claims-operator", "DeveloperRead", "$S/subject=*");
        org.bind("sa-claims-operator", "DeveloperRead", "$K/group=connect-lcc-abc");
        org.found(ID, &[]);
    }

    // "What a template declares with a why is information."
    #[test]
    fn what_the_template_declares_is_information() {
        let mut org = Org::clean();
        org.grant(
            "claims",
            "operator",
            "MetricsViewer",
            "cluster",
            "agreed with the owner of the cluster",
        );
        org.bind("sa-claims-operator", "MetricsViewer", "$C");
        let ruling = org.found(ID, &[]);
        assert!(
            ruling.findings[0].finding.message.contains("agreed with the owner"),
            "{ruling:?}"
        );
        assert_eq!(ruling.findings.len(), 1);
    }

    #[test]
    fn an_account_of_another_stage_has_no_business_on_a_scope_either() {
        let mut org = Org::clean();
        org.tagged_in("sa-other", "test", "claims", "operator");
        let binding = org.bind("sa-other", "CloudClusterAdmin", "$C");
        org.found(ID, &[&binding]);
    }

    #[test]
    fn what_cannot_be_seen_is_unknown() {
        let org = Org::seen_by_provisioner();
        let ruling = org.found(ID, &[]);
        let unknown: String = ruling.unknown.iter().map(|hidden| hidden.what.clone()).collect();
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
