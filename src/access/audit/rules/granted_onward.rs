//! `granted-onward`: somebody who is not of the department holds a role on its names.

use super::Rule;
use crate::{
    access::audit::{
        Report,
        place::{Place, is_every_subject, shared},
        sight::Need,
        subject::{Held, Subject, whose},
        whose::Who,
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "granted-onward",
    threat: "T3",
    severity: Severity::Error,
    summary: "somebody who is not of the department holds a role on its names",
    why: "Whoever is ResourceOwner of a prefix may give roles on it to anybody (*Manage access*), and nothing in Confluent Cloud \
          reports it. The deployer of a department can share its connectors with a colleague, a contractor or another \
          department.",
    evidence: "A role binding on names of a department whose principal is not one of its accounts: people, identity pools, \
               groups, other departments, accounts that nobody planned. Also wider ones (`topic=*`) of whoever is not of a \
               department. The provisioner and whoever `administrators` or `adopt` in `ebs.toml` name do not count.",
    remedy: "EBS: find out who granted it and why (the audit log of the organization names them), and remove the binding; if \
             it is wanted, accept it with a reason and a date.",
    needs: &[Need::Cluster, Need::Subjects],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    for held in subject.bindings.iter().filter(|held| !held.is_expected()) {
        let Place::Names(kind, name) = held.place else { continue };
        if is_every_subject(kind, name) || shared(kind, name).is_some() || is_another_rules(subject, held) {
            continue;
        }
        let reached = subject.reached(name);
        if reached.is_empty() {
            continue;
        }
        let id = held.seen.id.as_str();
        let message = format!("{}: names of {}", subject.holds(held), whose(&reached));
        let found = report.error(id, message);
        found.binding(held.seen).fix(format!(
            "Find out in the audit log who granted it, and remove role binding {id}; if it is wanted, accept it with a reason."
        ));
        for expected in reached {
            found.about(&expected.department.code);
        }
        if let Who::Member(member) = held.who {
            found.about(&member.department.department.code);
        }
    }
}

fn is_another_rules(subject: &Subject<'_>, held: &Held<'_>) -> bool {
    let Place::Names(_, name) = held.place else { return true };
    let owner = subject.owner(name.stem());
    match (held.who, owner) {
        // A tombstone: `retired-prefix`.
        (_, Some(owner)) if owner.is_retired() => true,
        // Its own names: `template-drift`.
        (Who::Member(member), Some(owner)) => member.is_of(owner),
        // Nobody can act as it: `dangling-binding`. No department: `prefix-overlap`. Wider than any: `wildcard-slip`.
        (Who::Gone | Who::Orphan, _) | (Who::Member(_), None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T3: "bindings on `P*` whose principal is not in the inventory".
    #[test]
    fn people_pools_groups_and_unknown_accounts_on_a_prefix_are_found() {
        for who in ["u-eve", "pool-abc", "group-abc", "sa-stranger", "sa-fraud-operator"] {
            for on in [
                "$C/connector=claims-*",
                "$C/connector=claims-orders",
                "$K/topic=claims-a*",
                "$K/group=claims-*",
                "$K/transactional-id=claims-*",
                "$S/subject=claims-*",
            ] {
                let mut org = Org::clean();
                let binding = org.bind(who, "DeveloperRead", on);
                let ruling = org.only(ID, &[&binding]);
                let departments = &ruling.findings[0].departments;
                assert!(departments.contains(&"claims".parse().unwrap()), "{who} {on}");
            }
        }
    }

    #[test]
    fn whoever_is_not_of_a_department_and_reaches_all_is_found_once() {
        let mut org = Org::clean();
        let binding = org.bind("u-eve", "DeveloperRead", "$K/topic=*");
        let ruling = org.only(ID, &[&binding]);
        assert!(
            ruling.findings[0].finding.message.ends_with("3 departments"),
            "{ruling:?}"
        );
    }

    #[test]
    fn names_of_nobody_the_provisioner_and_the_named_are_no_findings() {
        let mut org = Org::clean();
        org.bind("u-eve", "DeveloperRead", "$K/topic=central-*");
        org.bind("sa-provisioner", "ResourceOwner", "$K/topic=claims-*");
        org.bind("u-known", "ResourceOwner", "$K/topic=claims-*");
        org.administrators.insert("u-known".into());
        org.bind("pool-agreed", "DeveloperRead", "$K/topic=claims-*");
        org.adopted.insert("pool-agreed".into());
        org.only(ID, &[]);
    }

    // T12.
    #[test]
    fn a_refused_list_is_unknown() {
        let mut org = Org::clean();
        org.seen
            .unknown
            .insert("role bindings on subjects".into(), "403".into());
        let ruling = org.found(ID, &[]);
        assert_eq!(ruling.verdict(), crate::access::audit::Verdict::Unknown);
    }
}
