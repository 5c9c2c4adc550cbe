//! `key-age`: an API key that exceeds the maximum age.

use jiff::SignedDuration;

use super::AuditRule;
use crate::{
    access::audit::{
        KeyRecordStatus, RuleReport,
        context::{AuditContext, account_name},
        count_noun,
        visibility::RequiredData,
    },
    diag::Severity,
    model::ObservedKey,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "key-age",
    threat: "T11",
    severity: Severity::Warning,
    summary: "an API key that exceeds the maximum age",
    why: "API keys do not expire. The longer a key exists, the more files, pipelines and notebooks contain it, and \
          the harder it is to replace. Confluent recommends regular rotation but gives no number (docs \
          `best-practices-api-keys`); 90 days is the most common limit in audits of cloud accounts. `--max-key-age` \
          changes the limit.",
    evidence: "The creation date of a key on a department's account, compared with the time of the snapshot. \
               Unrecorded and orphaned keys are reported by other rules. Old keys of the provisioner are \
               information.",
    remedy: "Platform team: `confluent ebs keys rotate CODE --persona PERSONA`, with an overlap for users of the old \
             key.",
    needs: &[RequiredData::Members],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for member in context.department_accounts.iter().filter(|member| !member.is_runtime()) {
        let name = account_name(member.account);
        report
            .unknown
            .extend(context.visibility.missing_keys(&member.account.id, &name));
        for key in context.keys_of(member.account) {
            if !matches!(
                context.desired.key_status(&key.id),
                Some(KeyRecordStatus::Recorded) | None
            ) {
                continue;
            }
            match age(context, key) {
                None => report.unknown(
                    format!("age of API key `{}`", key.id),
                    "the API does not report its creation time",
                ),
                Some(age) if age > max_age(context) => {
                    let message = format!("API key `{}` of {name} is {} old", key.id, format_days(age));
                    let code = &member.department.department.code;
                    let persona = member.persona.map_or("", |persona| persona.tag.persona.as_str());
                    let found = report.warning(key.id.as_str(), message);
                    found.concerning(code).key(&key.id).account(member.account);
                    found.fix(format!(
                        "Replace it with `confluent ebs keys rotate {code} --persona {persona}`."
                    ));
                }
                Some(_) => {}
            }
        }
    }
    check_provisioner_keys(context, report);
}

fn check_provisioner_keys(context: &AuditContext<'_>, report: &mut RuleReport) {
    let id = &context.desired.provisioner;
    for key in context
        .observed
        .keys
        .iter()
        .filter(|key| key.owner.service_account() == Some(id))
    {
        if let Some(age) = age(context, key).filter(|age| *age > max_age(context)) {
            let message = format!("API key `{}` of the provisioner is {} old", key.id, format_days(age));
            report.info(key.id.as_str(), message).key(&key.id);
        }
    }
}

fn age(context: &AuditContext<'_>, key: &ObservedKey) -> Option<SignedDuration> {
    Some(context.observed.taken_at.duration_since(key.created_at?))
}

fn max_age(context: &AuditContext<'_>) -> SignedDuration {
    SignedDuration::try_from(context.desired.max_key_age).unwrap_or(SignedDuration::MAX)
}

fn format_days(age: SignedDuration) -> String {
    count_noun(usize::try_from(age.as_hours() / 24).unwrap_or_default(), "day")
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T11: a key's age is counted from `metadata.created_at`.
    #[test]
    fn a_key_older_than_the_limit_is_found() {
        let mut org = Org::clean();
        org.key("YOUNG", "sa-claims-operator", "cloud", 90).record_key("YOUNG");
        org.assert_only_findings(ID, &[]);
        org.key("OLD", "sa-claims-deployer", "cloud", 91).record_key("OLD");
        let result = org.assert_only_findings(ID, &["OLD"]);
        assert!(
            result.findings[0].finding.message.ends_with("is 91 days old"),
            "{result:?}"
        );
        org.max_key_age = 30;
        org.assert_only_findings(ID, &["OLD", "YOUNG"]);
    }

    #[test]
    fn an_old_provisioner_key_is_information() {
        let mut org = Org::clean();
        org.key("TIERZERO", "sa-provisioner", "cloud", 400);
        let result = org.assert_only_findings(ID, &[]);
        assert_eq!(result.findings[0].subject, "TIERZERO");
    }

    #[test]
    fn a_key_without_a_date_is_unknown() {
        let mut org = Org::clean();
        org.observed.keys[0].created_at = None;
        assert_eq!(
            org.assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
