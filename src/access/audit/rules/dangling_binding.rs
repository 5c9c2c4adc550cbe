//! `dangling-binding`: a role of nobody, or on nothing.

use super::Rule;
use crate::{
    access::audit::{Report, place::Place, sight::Need, subject::Subject, whose::Who},
    diag::Severity,
    model::NamePattern,
};

pub(super) const RULE: Rule = Rule {
    id: "dangling-binding",
    threat: "T11",
    severity: Severity::Warning,
    summary: "a role binding of an account that does not exist, or on one",
    why: "Deleting an account takes its keys and its bindings with it; that it also takes what others hold on it is not \
          confirmed (dossier `rbac.md` §9, Q12). What is left behind gives nobody anything, counts against the quota, and hides \
          what matters in every list.",
    evidence: "A role binding in this stage whose principal is a service account that the organization does not have, or that \
               grants on one. Only said when all service accounts could be listed.",
    remedy: "EBS: remove the binding.",
    needs: &[Need::Accounts, Need::AccountBindings, Need::Cluster, Need::Subjects],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    if subject.hidden(Need::Accounts).is_some() {
        return;
    }
    for held in subject.bindings.iter().filter(|held| held.place != Place::Elsewhere) {
        let holder_gone = matches!(held.who, Who::Gone);
        let target_gone = match held.place {
            Place::Accounts(NamePattern::Literal(id)) => subject.who(id).is_none(),
            _ => false,
        };
        if !holder_gone && !target_gone {
            continue;
        }
        let id = held.seen.id.as_str();
        let what = if holder_gone { "its holder" } else { "the account" };
        let message = format!("{}, and {what} does not exist", subject.holds(held));
        let found = report.warning(id, message);
        found.binding(held.seen).fix(format!("Remove role binding {id}."));
        if let Place::Names(_, name) = held.place {
            for expected in subject.reached(name) {
                found.about(&expected.department.code);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // §5.5 and Q12: what a teardown leaves behind.
    #[test]
    fn roles_of_nobody_and_on_nothing_are_found_and_are_nothing_else() {
        let mut org = Org::clean();
        let of = org.bind_unseen("sa-gone", "ResourceOwner", "$C/connector=claims-*");
        let on = org.bind("sa-claims-deployer", "Assigner", "$O/service-account=sa-gone");
        let elsewhere = "$O/environment=env-other/cloud-cluster=lkc-other";
        org.bind_unseen("sa-gone", "CloudClusterAdmin", elsewhere);
        org.only(ID, &[&of, &on]);
    }

    // T12: an account that cannot be seen may well exist.
    #[test]
    fn who_may_merely_be_hidden_is_not_called_gone() {
        let mut org = Org::seen_by_provisioner();
        org.bind_unseen("sa-gone", "DeveloperRead", "$K/topic=central-*");
        assert_eq!(org.found(ID, &[]).verdict(), crate::access::audit::Verdict::Unknown);
    }
}
