//! `orphaned-key`: a key whose secret nobody has.

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
    id: "orphaned-key",
    threat: "T11",
    severity: Severity::Warning,
    summary: "an API key of ours whose secret nobody has",
    why: "A key is born with `state=new` in its description and becomes `state=live` when its secret is on disk. One that an \
          interrupted run left behind opens nothing for anybody who should have it, and counts against the quota of its \
          account.",
    evidence: "An API key of a department's account that is still `new` and was made by a run of ours, or is older than any run \
               takes; or a live one whose profile is gone before it was handed over.",
    remedy: "EBS: `confluent ebs onboard CODE` deletes it and makes another one; `access audit --fix` only deletes it.",
    needs: &[Need::Members],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    for member in subject.members.iter().filter(|member| !member.is_runtime()) {
        let name = account_name(member.account);
        report
            .unknown
            .extend(subject.sight.hidden_keys(&member.account.id, &name));
        for key in subject.keys_of(member.account) {
            if subject.blueprint.standing(&key.id) != Some(KeyStanding::Orphan) {
                continue;
            }
            let code = &member.department.department.code;
            let message = format!("nobody has the secret of API key {} of {name}", key.id);
            let found = report.warning(key.id.as_str(), message);
            found.about(code).key(&key.id).account(member.account).fix(format!(
                "`confluent ebs onboard {code}` deletes it and makes another one where one is missing."
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::{KeyStanding, testing::Org};

    const ID: &str = super::RULE.id;

    // Design §5: "a rerun deletes `new` keys of our accounts".
    #[test]
    fn a_key_that_a_crash_left_behind_is_found() {
        let mut org = Org::clean();
        org.key("LEFTBEHIND", "sa-claims-operator", "cloud", 1);
        org.keys
            .as_mut()
            .unwrap()
            .insert("LEFTBEHIND".parse().unwrap(), KeyStanding::Orphan);
        org.only(ID, &["LEFTBEHIND"]);
    }
}
