//! `retired-prefix`: something lives on the prefix of a department that is off-boarded.

use super::Rule;
use crate::{
    access::audit::{
        Report,
        place::Place,
        sight::Need,
        subject::{Subject, account_name},
        whose::Who,
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "retired-prefix",
    threat: "T15",
    severity: Severity::Warning,
    summary: "something lives on the prefix of an off-boarded department",
    why: "A department's file stays as the tombstone of its prefix, because topics, groups, offsets and schemas outlive it. \
          Whoever still holds a role there, or comes to it later, inherits them.",
    evidence: "A role binding on names with the prefix of a retired department, a connector of such a name, or an account that \
               carries its tag.",
    remedy: "EBS: `confluent ebs offboard CODE` finishes what was begun; what others hold is removed after asking them.",
    needs: &[Need::Accounts, Need::Cluster, Need::Subjects, Need::Connectors],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    for held in &subject.bindings {
        if matches!(held.who, Who::Provisioner | Who::Named | Who::Gone) {
            continue;
        }
        let Place::Names(_, name) = held.place else { continue };
        let Some(owner) = subject.owner(name.stem()).filter(|owner| owner.is_retired()) else {
            continue;
        };
        let code = &owner.department.code;
        let id = held.seen.id.as_str();
        let message = format!("{}, names of {code}, which is off-boarded", subject.holds(held));
        let found = report.warning(id, message);
        found.about(code).binding(held.seen);
        found.fix(format!(
            "Remove role binding {id}; `confluent ebs offboard {code}` removes those of its own accounts."
        ));
    }
    for connector in &subject.seen.connectors {
        let Some(owner) = subject.owner(&connector.name).filter(|owner| owner.is_retired()) else {
            continue;
        };
        let code = &owner.department.code;
        let message = format!(
            "connector {} is called like one of {code}, which is off-boarded",
            connector.name
        );
        let found = report.warning(&connector.name, message);
        found.about(code).connector(connector);
        found.fix("Find out whose it is, and delete it or have it made anew under another name.");
    }
    for account in &subject.seen.accounts {
        let Some(Who::Retired(expected)) = subject.who(account.id.as_str()) else {
            continue;
        };
        let code = &expected.department.code;
        let message = format!("{} is still there, and {code} is off-boarded", account_name(account));
        let found = report.warning(account.id.as_str(), message);
        found.about(code).account(account);
        found.fix(format!("`confluent ebs offboard {code}` finishes what was begun."));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T15: "new department inherits data, stale groups/offsets, subjects".
    #[test]
    fn roles_connectors_and_accounts_of_a_tombstone_are_found() {
        let mut org = Org::clean();
        let person = org.bind("u-eve", "DeveloperRead", "$K/topic=legacy-*");
        let other = org.bind("sa-claims-operator", "DeveloperRead", "$K/group=legacy-x");
        org.connector("legacy-sink", "lcc-1", "sa-central", "legacy-a");
        org.tagged("sa-legacy-viewer", "legacy", "viewer");
        org.only(ID, &[&person, &other, "legacy-sink", "sa-legacy-viewer"]);
    }
}
