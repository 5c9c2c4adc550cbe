//! `shadow-account`: an account beside the plan that a department controls.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::Rule;
use crate::{
    access::{
        Operation,
        audit::{
            Report,
            place::Place,
            sight::Need,
            subject::{Held, Subject, account_name},
            whose::{Member, Who, controls},
        },
        roles::gives_on_accounts,
    },
    diag::Severity,
    model::{DepartmentCode, NamePattern, Principal, SeenBinding},
};

pub(super) const RULE: Rule = Rule {
    id: "shadow-account",
    threat: "T4",
    severity: Severity::Error,
    summary: "an account beside the plan that a department controls",
    why: "ResourceOwner on any one resource lets its holder make service accounts in the whole organization (docs \
          `create-service-accounts`), name itself their owner, make keys for them and share its prefix with them: principals \
          that no plan knows and no off-boarding removes. A department that holds Assigner on such an account runs connectors \
          as it.",
    evidence: "A role binding on a service account that is none of the department's own, held by one of its accounts, or by an \
               account that one of them owns, over any number of steps. With `--since FILE`, accounts that were not there in \
               an earlier snapshot and that nobody knows. Who may make accounts is information.",
    remedy: "EBS: ask the department what it is for, then delete the account, which deletes its keys and bindings, too. Keep \
             the deployer's key in the pipeline alone.",
    needs: &[Need::Accounts, Need::AccountBindings],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    let owned = owned(subject, report);
    let mut reported = BTreeSet::new();
    for (id, shadow) in owned {
        reported.insert(id.clone());
        let name = subject.name(&Principal::from_id(&id));
        let verb = if shadow.owns {
            "controls"
        } else {
            "may run connectors as"
        };
        let message = format!("{} {verb} {name}, an account beside the plan", subject.name(&shadow.by));
        let found = match shadow.owns {
            true => report.error(&id, message),
            false => report.warning(&id, message),
        };
        found.about(&shadow.department);
        found.fix(format!(
            "Ask {} what it is for, then delete service account {id}: its keys and bindings go with it.",
            shadow.department
        ));
        if let Some(account) = subject.account(&Principal::from_id(&id)) {
            found.account(account);
        }
        for binding in shadow.bindings {
            found.binding(binding);
        }
    }
    newcomers(subject, &reported, report);
    makers(subject, report);
}

/// An account that somebody of a department controls.
struct Shadow<'a> {
    department: DepartmentCode,
    by: Principal,
    /// Whether it is owned, and not only attached to connectors.
    owns: bool,
    bindings: Vec<&'a SeenBinding>,
}

fn owned<'a>(subject: &Subject<'a>, report: &mut Report) -> BTreeMap<String, Shadow<'a>> {
    let mut by_principal: BTreeMap<&str, Vec<&Held<'a>>> = BTreeMap::new();
    for held in &subject.bindings {
        if let Place::Accounts(_) = held.place {
            by_principal
                .entry(held.seen.binding.principal.id())
                .or_default()
                .push(held);
        }
    }
    let mut found: BTreeMap<String, Shadow<'a>> = BTreeMap::new();
    let start = subject
        .members
        .iter()
        .map(|member| (member.account.id.to_string(), *member));
    let mut queue: VecDeque<(String, Member<'_>)> = start.collect();
    while let Some((principal, member)) = queue.pop_front() {
        for held in by_principal.get(principal.as_str()).into_iter().flatten() {
            let (Place::Accounts(name), Some(owns)) = (held.place, controls(held.role())) else {
                continue;
            };
            let NamePattern::Literal(id) = name else {
                family(subject, held, &member, report);
                continue;
            };
            if !is_beside_the_plan(subject, held, id) {
                continue;
            }
            let department = member.department.department.code.clone();
            let shadow = found.entry(id.clone()).or_insert_with(|| Shadow {
                department,
                by: held.seen.binding.principal.clone(),
                owns: false,
                bindings: Vec::new(),
            });
            shadow.bindings.push(held.seen);
            if owns && !shadow.owns {
                shadow.owns = true;
                shadow.by = held.seen.binding.principal.clone();
                queue.push_back((id.clone(), member));
            }
        }
    }
    found
}

fn is_beside_the_plan(subject: &Subject<'_>, held: &Held<'_>, id: &str) -> bool {
    let known = held.target.is_some() || subject.blueprint.provisioner.as_str() == id;
    let exists = || {
        // A binding on what is gone controls nothing: `dangling-binding`.
        subject.account(&Principal::from_id(id)).is_some() || subject.hidden(Need::Accounts).is_some()
    };
    !known && !subject.blueprint.accepts(id) && exists()
}

/// A role on a family of accounts reaches those of everybody.
fn family(subject: &Subject<'_>, held: &Held<'_>, member: &Member<'_>, report: &mut Report) {
    let id = held.seen.id.as_str();
    let message = format!("{}: accounts of everybody", subject.holds(held));
    let found = report.error(id, message);
    found.about(&member.department.department.code).binding(held.seen);
    found.fix(format!("Remove role binding {id}."));
}

/// Accounts that an earlier look did not show and that nobody knows.
fn newcomers(subject: &Subject<'_>, reported: &BTreeSet<String>, report: &mut Report) {
    let Some(earlier) = subject.blueprint.earlier else {
        return;
    };
    let before: BTreeSet<&str> = earlier.accounts.iter().map(|account| account.id.as_str()).collect();
    for account in &subject.seen.accounts {
        let id = account.id.as_str();
        let stranger = matches!(subject.who(id), Some(Who::Stranger));
        if !stranger || before.contains(id) || reported.contains(id) {
            continue;
        }
        let name = account_name(account);
        let message = format!("{name} was not there on {}, and nobody knows it", earlier.taken_at);
        let found = report.warning(id, message);
        found
            .account(account)
            .fix("Find out in the audit log who made it. If it belongs to somebody, accept it with a reason.");
    }
}

/// Who may make accounts because the template says so.
fn makers(subject: &Subject<'_>, report: &mut Report) {
    let makes = |held: &Held<'_>| gives_on_accounts(held.role()).contains(Operation::Create);
    let mut makers = BTreeSet::new();
    let mut departments = BTreeSet::new();
    for (held, member) in subject.held_by_members() {
        if held.declared.is_some() && makes(held) {
            makers.insert(member.account.id.as_str());
            departments.insert(member.department.department.code.clone());
        }
    }
    if makers.is_empty() {
        return;
    }
    let message = format!(
        "{} of {} may make service accounts, because their template gives them ResourceOwner on their names",
        crate::access::audit::count(makers.len(), "account"),
        crate::access::audit::count(departments.len(), "department"),
    );
    report.info("account-makers", message).departments = departments;
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T4: "naming itself owner … sharing its prefix with them: shadow principals".
    #[test]
    fn an_account_that_a_deployer_owns_is_found_and_whatever_that_one_owns() {
        let mut org = Org::clean();
        org.account("sa-shadow", "innocent")
            .account("sa-second", "more-innocent");
        org.bind("sa-claims-deployer", "ResourceOwner", "$O/service-account=sa-shadow");
        org.bind("sa-shadow", "ResourceOwner", "$O/service-account=sa-second");
        let ruling = org.only(ID, &["sa-second", "sa-shadow"]);
        for found in ruling.findings.iter().filter(|found| found.counts()) {
            assert!(found.departments.contains(&"claims".parse().unwrap()), "{found:?}");
        }
    }

    #[test]
    fn an_account_that_a_deployer_may_attach_is_found() {
        let mut org = Org::clean();
        org.account("sa-shadow", "innocent");
        org.bind("sa-claims-deployer", "Assigner", "$O/service-account=sa-shadow");
        org.only(ID, &["sa-shadow"]);
    }

    #[test]
    fn a_role_on_every_account_is_found() {
        let mut org = Org::clean();
        let binding = org.bind("sa-claims-deployer", "Assigner", "$O/service-account=*");
        org.only(ID, &[&binding]);
    }

    #[test]
    fn accounts_of_others_are_nobodys_business() {
        let mut org = Org::clean();
        org.account("sa-billing", "billing");
        org.bind("u-known", "ResourceOwner", "$O/service-account=sa-billing");
        org.bind("sa-billing", "DeveloperRead", "$K/topic=central-*");
        org.account("sa-agreed", "agreed").adopted.insert("sa-agreed".into());
        org.bind("sa-claims-deployer", "Assigner", "$O/service-account=sa-agreed");
        org.only(ID, &[]);
    }

    // T4, detect: "flag unknown SAs created since last run".
    #[test]
    fn who_is_new_and_unknown_is_found_against_an_earlier_look() {
        let mut org = Org::clean();
        let earlier = org.seen.clone();
        org.account("sa-new", "newcomer");
        org.only(ID, &[]);
        org.earlier = Some(earlier);
        org.only(ID, &["sa-new"]);
    }

    #[test]
    fn that_owners_of_a_prefix_may_make_accounts_is_information() {
        let ruling = Org::clean().found(ID, &[]);
        let makers = ruling
            .findings
            .iter()
            .find(|found| found.subject == "account-makers")
            .unwrap();
        assert!(
            makers.finding.message.starts_with("2 accounts of 2 departments"),
            "{makers:?}"
        );
    }

    #[test]
    fn the_provisioner_cannot_see_what_others_own() {
        let ruling = Org::seen_by_provisioner().found(ID, &[]);
        assert_eq!(ruling.verdict(), crate::access::audit::Verdict::Unknown);
    }
}
