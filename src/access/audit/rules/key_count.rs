//! `key-count`: more keys than a rotation needs.

use std::collections::BTreeMap;

use super::Rule;
use crate::{
    access::audit::{
        KeyStanding, Report,
        sight::Need,
        subject::{Subject, account_name},
    },
    diag::Severity,
    model::SeenKey,
};

pub(super) const RULE: Rule = Rule {
    id: "key-count",
    threat: "T11",
    severity: Severity::Warning,
    summary: "more API keys than a rotation needs",
    why: "A rotation needs two keys for a while: the old one and its successor (dossier `rbac.md` §5.4). A third one is a \
          rotation that nobody finished, and a key that nobody watches.",
    evidence: "More than two keys of one account for the same resource. Keys that nobody vouches for, or whose secret nobody \
               has, are other rules' and do not count.",
    remedy: "EBS: find out which ones are used (the audit log shows each use), and revoke the others.",
    needs: &[Need::Members],
    check,
};

/// The old one and its successor.
const NEEDED: usize = 2;

fn check(subject: &Subject<'_>, report: &mut Report) {
    for member in subject.members.iter().filter(|member| !member.is_runtime()) {
        let name = account_name(member.account);
        report
            .unknown
            .extend(subject.sight.hidden_keys(&member.account.id, &name));
        let mut by_resource: BTreeMap<&str, Vec<&SeenKey>> = BTreeMap::new();
        for key in subject.keys_of(member.account) {
            if matches!(subject.blueprint.standing(&key.id), Some(KeyStanding::Vouched) | None) {
                by_resource.entry(&key.resource).or_default().push(key);
            }
        }
        for (resource, keys) in by_resource.into_iter().filter(|(_, keys)| keys.len() > NEEDED) {
            let message = format!("{name} has {} API keys for `{resource}`", keys.len());
            let id = format!("{} {resource}", member.account.id);
            let found = report.warning(&id, message);
            found.about(&member.department.department.code).account(member.account);
            for key in keys {
                found.key(&key.id);
            }
            found.fix("Find out in the audit log which ones are used, and revoke the others with `confluent ebs keys revoke`.");
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T11: "per-owner key count"; §5.4: "needs head-room of 2 keys per (SA, resource)".
    #[test]
    fn a_third_key_for_the_same_is_found() {
        let mut org = Org::clean();
        org.key("SECOND", "sa-claims-operator", "cloud", 1).vouch("SECOND");
        org.only(ID, &[]);
        org.key("THIRD", "sa-claims-operator", "cloud", 1);
        org.adopted.insert("THIRD".into());
        let ruling = org.only(ID, &["sa-claims-operator cloud"]);
        assert_eq!(ruling.findings[0].evidence.len(), 4, "three keys and the account");
    }
}
