//! `forged-account`: an account that looks like ours and is controlled by somebody else.

use super::Rule;
use crate::{
    access::audit::{
        Report,
        place::Place,
        sight::Need,
        subject::{Held, Subject, account_name},
        whose::{Member, Who},
    },
    diag::Severity,
    model::{NamePattern, OwnershipTag, Principal, Role, SeenAccount},
};

pub(super) const RULE: Rule = Rule {
    id: "forged-account",
    threat: "T4",
    severity: Severity::Error,
    summary: "an account that looks like ours and is controlled by somebody else",
    why: "Whoever may make accounts can write our name and our tag. An account that is adopted by mistake hands its maker the \
          next department: `onboard` refuses it, and the audit finds it before. Only who controls an account decides whose it \
          is.",
    evidence: "A name that begins like ours without our tag; our tag under another name; or both, while the provisioner is \
               not the owner or somebody else holds a role on it. A role on the provisioner's own account, which makes all \
               others. Assigners of the own department do not count, nor what `adopt` in `ebs.toml` accepts.",
    remedy: "EBS: do not hand anything over. Find out in the audit log who made it, and delete it or take the roles away.",
    needs: &[Need::Accounts],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    let begin = format!("ebs-{}-", subject.blueprint.stage);
    for account in &subject.seen.accounts {
        let tag = account.description.parse::<OwnershipTag>().ok();
        let ours = account.name.starts_with(&begin);
        let stage = tag.as_ref().is_some_and(|tag| tag.stage == subject.blueprint.stage);
        if subject.blueprint.accepts(account.id.as_str()) {
            continue;
        }
        match tag {
            Some(tag) if stage && tag.account_name() == account.name => control(subject, account, &tag, report),
            Some(tag) if stage || ours => {
                let message = format!(
                    "{} carries the tag of `{}`, which is another name",
                    account_name(account),
                    tag.account_name()
                );
                looks_like(subject, account, &tag, message, report);
            }
            None if ours => {
                let message = format!(
                    "{} is called like an account of ours and carries no tag",
                    account_name(account)
                );
                let found = report.error(account.id.as_str(), message);
                found.account(account).fix(remove(account));
            }
            _ => {}
        }
    }
    provisioner(subject, report);
    families(subject, report);
}

/// Whoever controls the provisioner controls everything that it has made.
fn provisioner(subject: &Subject<'_>, report: &mut Report) {
    let principal = Principal::from(subject.blueprint.provisioner.clone());
    let Some(account) = subject.account(&principal) else {
        return;
    };
    let strange = |held: &&Held<'_>| !matches!(held.who, Who::Provisioner | Who::Named | Who::Gone);
    for held in subject.on_account(account).filter(strange) {
        let id = held.seen.id.as_str();
        let found = report.error(id, format!("{}, the provisioner itself", subject.holds(held)));
        found.binding(held.seen).account(account);
        found.fix(format!(
            "Remove role binding {id}, and look for keys of the provisioner that nobody knows."
        ));
    }
}

fn remove(account: &SeenAccount) -> String {
    format!(
        "Find out in the audit log who made it; delete it with `confluent iam service-account delete {}` unless it is wanted.",
        account.id
    )
}

fn looks_like(subject: &Subject<'_>, account: &SeenAccount, tag: &OwnershipTag, message: String, report: &mut Report) {
    let found = report.error(account.id.as_str(), message);
    found.account(account).fix(remove(account));
    if subject.is_known(&tag.department) {
        found.about(&tag.department);
    }
}

/// Who controls an account whose name and tag are right.
fn control(subject: &Subject<'_>, account: &SeenAccount, tag: &OwnershipTag, report: &mut Report) {
    let name = account_name(account);
    let hidden = subject.sight.hidden_control(&account.id, &name);
    let strangers: Vec<&Held<'_>> = subject
        .on_account(account)
        .filter(|held| is_strange(subject, tag, held))
        .collect();
    let owned = subject
        .on_account(account)
        .any(|held| matches!(held.who, Who::Provisioner) && *held.role() == Role::ResourceOwner);
    let provisioner = &subject.blueprint.provisioner;
    // The provisioner sees what it owns, so what it does not see it does not own.
    let certain = hidden.is_none() || subject.seen.seen_by.service_account() == Some(provisioner);
    let message = if !strangers.is_empty() {
        let who: Vec<String> = strangers
            .iter()
            .map(|held| format!("{} holds {}", subject.name(&held.seen.binding.principal), held.role()))
            .collect();
        format!(
            "{name} carries our tag and is controlled by somebody else: {}",
            who.join(", ")
        )
    } else if !owned && certain {
        format!("{name} carries our tag, and {provisioner} is not its ResourceOwner")
    } else {
        report.unknown.extend(hidden);
        return;
    };
    let found = report.error(account.id.as_str(), message);
    found.account(account);
    for held in strangers {
        found.binding(held.seen);
    }
    found.fix(format!(
        "Hand nothing over for it. Take those roles away, or delete it with `confluent iam service-account delete {}` and \
         onboard again.",
        account.id
    ));
    if subject.is_known(&tag.department) {
        found.about(&tag.department);
    }
}

fn is_strange(subject: &Subject<'_>, tag: &OwnershipTag, held: &Held<'_>) -> bool {
    match held.who {
        Who::Provisioner | Who::Named | Who::Gone => false,
        // Attaching it to connectors is what Assigner is for; owning a runtime account is `runtime-owner`.
        Who::Member(_) if held.on_own_account() => {
            *held.role() != Role::Assigner && !held.target.as_ref().is_some_and(Member::is_runtime)
        }
        Who::Retired(_) | Who::Orphan => {
            let holder = subject.account(&held.seen.binding.principal).and_then(SeenAccount::tag);
            let own = holder.is_some_and(|holder| holder.department == tag.department);
            !own || *held.role() != Role::Assigner
        }
        _ => true,
    }
}

/// Roles on families of accounts reach ours, too.
fn families(subject: &Subject<'_>, report: &mut Report) {
    for held in subject.bindings.iter().filter(|held| !held.is_expected()) {
        let Place::Accounts(NamePattern::Prefixed(_)) = held.place else {
            continue;
        };
        // Of a department: `shadow-account`.
        if matches!(held.who, Who::Member(_) | Who::Gone) {
            continue;
        }
        let id = held.seen.id.as_str();
        let message = format!("{}: accounts of departments among them", subject.holds(held));
        let found = report.error(id, message);
        found.binding(held.seen).fix(format!("Remove role binding {id}."));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;
    const OPERATOR: &str = "$O/service-account=sa-claims-operator";

    // T4 and design §4: "an account is ours only if tag and name match and the provisioner is its only ResourceOwner".
    #[test]
    fn somebody_elses_role_on_an_account_of_ours_is_found() {
        for (who, role) in [
            ("u-eve", "ResourceOwner"),
            ("sa-fraud-deployer", "Assigner"),
            ("sa-claims-deployer", "ResourceOwner"),
        ] {
            let mut org = Org::clean();
            org.bind(who, role, OPERATOR);
            org.only(ID, &["sa-claims-operator"]);
        }
        let mut org = Org::clean();
        org.bind("u-eve", "Assigner", "$O/service-account=sa-claims-runtime");
        org.only(ID, &["sa-claims-runtime"]);
    }

    #[test]
    fn an_account_that_the_provisioner_does_not_own_is_found() {
        let mut org = Org::clean();
        org.unbind("sa-provisioner", OPERATOR);
        org.only(ID, &["sa-claims-operator"]);
        let mut org = Org::seen_by_provisioner();
        org.unbind("sa-provisioner", OPERATOR);
        org.found(ID, &["sa-claims-operator"]);
    }

    #[test]
    fn a_name_without_a_tag_and_a_tag_without_the_name_are_found() {
        let mut org = Org::clean();
        org.account("sa-squatter", "ebs-prod-motor-operator");
        org.account("sa-mimic", "innocent");
        let tag = Org::tag("claims", "operator");
        org.seen.accounts.last_mut().unwrap().description = tag;
        org.account("sa-other", "ebs-production-claims");
        org.only(ID, &["sa-mimic", "sa-squatter"]);
    }

    #[test]
    fn administrators_that_are_named_and_what_is_adopted_are_no_findings() {
        let mut org = Org::clean();
        org.bind("u-known", "ResourceOwner", OPERATOR);
        org.administrators.insert("u-known".into());
        org.account("sa-squatter", "ebs-prod-motor-operator")
            .adopted
            .insert("sa-squatter".into());
        org.only(ID, &[]);
    }

    #[test]
    fn departments_without_a_file_may_use_their_own_runtime_account() {
        let mut org = Org::clean();
        org.tagged("sa-ghost-runtime", "ghost", "runtime")
            .tagged("sa-ghost-deployer", "ghost", "deployer");
        org.bind("sa-ghost-deployer", "Assigner", "$O/service-account=sa-ghost-runtime");
        org.found(ID, &[]);
        org.bind(
            "sa-ghost-deployer",
            "ResourceOwner",
            "$O/service-account=sa-ghost-runtime",
        );
        org.found(ID, &["sa-ghost-runtime"]);
    }

    #[test]
    fn a_role_on_the_provisioner_itself_is_found_whoever_holds_it() {
        for who in ["u-eve", "sa-claims-deployer", "sa-central"] {
            let mut org = Org::clean();
            let binding = org.bind(who, "ResourceOwner", "$O/service-account=sa-provisioner");
            org.only(ID, &[&binding]);
        }
    }

    #[test]
    fn a_role_on_every_account_is_found() {
        let mut org = Org::clean();
        let binding = org.bind("u-eve", "ResourceOwner", "$O/service-account=*");
        org.only(ID, &[&binding]);
    }

    // T12: whoever cannot list an account's bindings knows nothing about its owner.
    #[test]
    fn owners_that_cannot_be_listed_are_unknown() {
        let mut org = Org::clean();
        org.unbind("sa-provisioner", OPERATOR);
        org.seen
            .unknown
            .insert("role bindings on sa-claims-operator".into(), "403".into());
        let ruling = org.found(ID, &[]);
        assert_eq!(ruling.verdict(), crate::access::audit::Verdict::Unknown);
    }
}
