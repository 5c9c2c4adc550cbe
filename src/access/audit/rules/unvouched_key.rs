//! `unvouched-key`: a key of ours that nobody knows of.

use super::Rule;
use crate::{
    access::audit::{
        KeyStanding, Report,
        sight::Need,
        subject::{Subject, account_name},
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "unvouched-key",
    threat: "T11",
    severity: Severity::Error,
    summary: "an API key on an account of ours that nobody vouches for",
    why: "Whoever holds a key of an account may do what the account may do, and may be able to make further keys for it \
          (dossier `rbac.md` §9, Q4). A key that neither a journal nor an evidence file names was made by hand or by somebody \
          who should not, and outlives every rotation.",
    evidence: "An API key of a department's account whose id stands in no journal, no evidence file and no finished profile \
               that this program can read here, and that `adopt` in `ebs.toml` does not accept. Without any journal or \
               evidence this is unknown.",
    remedy: "EBS: revoke it. If another machine made it, use that machine's evidence (`--evidence-dir`); if it is known, accept \
             it with `adopt`.",
    needs: &[Need::Members],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    if subject.blueprint.keys.is_none() && !subject.members.is_empty() {
        report.unknown(
            "which API keys are ours",
            "there is neither a journal nor an evidence file here",
        );
    }
    for member in subject.members.iter().filter(|member| !member.is_runtime()) {
        let name = account_name(member.account);
        report
            .unknown
            .extend(subject.sight.hidden_keys(&member.account.id, &name));
        for key in subject.keys_of(member.account) {
            let unvouched = subject.blueprint.standing(&key.id) == Some(KeyStanding::Unvouched);
            if !unvouched {
                continue;
            }
            let message = format!("nobody vouches for API key {} of {name}", key.id);
            let found = report.error(key.id.as_str(), message);
            found.about(&member.department.department.code);
            found.key(&key.id).account(member.account).fix(format!(
                "Revoke it with `confluent api-key delete {}`, unless another machine's evidence names it.",
                key.id
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T11; design §4: "any other is *unvouched*".
    #[test]
    fn a_key_that_no_journal_names_is_found_whatever_it_says_of_itself() {
        let mut org = Org::clean();
        org.key("BYHAND", "sa-claims-operator", "cloud", 1);
        org.seen.keys.last_mut().unwrap().description =
            "ebs:v1 stage=prod dept=claims role=operator state=live run=0badcafe".into();
        org.key("FORKAFKA", "sa-claims-deployer", "lkc-abc123", 1);
        org.only(ID, &["BYHAND", "FORKAFKA"]);
        org.adopted.extend(["BYHAND".to_owned(), "FORKAFKA".to_owned()]);
        org.only(ID, &[]);
    }

    #[test]
    fn where_nothing_vouches_for_any_key_nothing_is_known() {
        let mut org = Org::clean();
        org.key("BYHAND", "sa-claims-operator", "cloud", 1);
        org.keys = None;
        assert_eq!(org.found(ID, &[]).verdict(), crate::access::audit::Verdict::Unknown);
    }
}
