//! `key-age`: a key that is older than it should be.

use jiff::SignedDuration;

use super::Rule;
use crate::{
    access::audit::{
        KeyStanding, Report, count,
        sight::Need,
        subject::{Subject, account_name},
    },
    diag::Severity,
    model::SeenKey,
};

pub(super) const RULE: Rule = Rule {
    id: "key-age",
    threat: "T11",
    severity: Severity::Warning,
    summary: "an API key that is older than it should be",
    why: "Keys never expire on their own. The older one is, the more files, pipelines and notebooks have seen it, and the less \
          anybody dares to replace it. Confluent advises to rotate keys regularly and names no number (docs \
          `best-practices-api-keys`); 90 days is what audits of cloud accounts ask for most often, and often enough that \
          rotating stays a habit. `--max-key-age` sets another number.",
    evidence: "The date of creation of a key on a department's account, against the moment of the look. Keys that nobody vouches \
               for, or whose secret nobody has, are other rules'. The provisioner's keys are information.",
    remedy: "EBS: `confluent ebs keys rotate CODE --persona PERSONA`, with an overlap for whoever still uses the old one.",
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
            if !matches!(subject.blueprint.standing(&key.id), Some(KeyStanding::Vouched) | None) {
                continue;
            }
            match age(subject, key) {
                None => report.unknown(
                    format!("age of API key {}", key.id),
                    "the service does not say when it was made",
                ),
                Some(age) if age > limit(subject) => {
                    let message = format!("API key {} of {name} is {} old", key.id, days(age));
                    let code = &member.department.department.code;
                    let persona = member.persona.map_or("", |persona| persona.tag.persona.as_str());
                    let found = report.warning(key.id.as_str(), message);
                    found.about(code).key(&key.id).account(member.account);
                    found.fix(format!(
                        "Replace it with `confluent ebs keys rotate {code} --persona {persona}`."
                    ));
                }
                Some(_) => {}
            }
        }
    }
    provisioner(subject, report);
}

fn provisioner(subject: &Subject<'_>, report: &mut Report) {
    let id = &subject.blueprint.provisioner;
    for key in subject
        .seen
        .keys
        .iter()
        .filter(|key| key.owner.service_account() == Some(id))
    {
        if let Some(age) = age(subject, key).filter(|age| *age > limit(subject)) {
            let message = format!("API key {} of the provisioner is {} old", key.id, days(age));
            report.info(key.id.as_str(), message).key(&key.id);
        }
    }
}

fn age(subject: &Subject<'_>, key: &SeenKey) -> Option<SignedDuration> {
    Some(subject.seen.taken_at.duration_since(key.created_at?))
}

fn limit(subject: &Subject<'_>) -> SignedDuration {
    SignedDuration::try_from(subject.blueprint.max_key_age).unwrap_or(SignedDuration::MAX)
}

fn days(age: SignedDuration) -> String {
    count(usize::try_from(age.as_hours() / 24).unwrap_or_default(), "day")
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T11: "age from `metadata.created_at`".
    #[test]
    fn a_key_older_than_the_limit_is_found_to_the_day() {
        let mut org = Org::clean();
        org.key("YOUNG", "sa-claims-operator", "cloud", 90).vouch("YOUNG");
        org.only(ID, &[]);
        org.key("OLD", "sa-claims-deployer", "cloud", 91).vouch("OLD");
        let ruling = org.only(ID, &["OLD"]);
        assert!(
            ruling.findings[0].finding.message.ends_with("is 91 days old"),
            "{ruling:?}"
        );
        org.max_key_age = 30;
        org.only(ID, &["OLD", "YOUNG"]);
    }

    #[test]
    fn the_provisioners_key_is_information() {
        let mut org = Org::clean();
        org.key("TIERZERO", "sa-provisioner", "cloud", 400);
        let ruling = org.only(ID, &[]);
        assert_eq!(ruling.findings[0].subject, "TIERZERO");
    }

    #[test]
    fn a_key_without_a_date_is_unknown() {
        let mut org = Org::clean();
        org.seen.keys[0].created_at = None;
        assert_eq!(org.found(ID, &[]).verdict(), crate::access::audit::Verdict::Unknown);
    }
}
