//! `key-age`: an API key that exceeds the maximum age.

use jiff::SignedDuration;

use super::AuditRule;
use crate::{
    access::audit::{
        KeyRecordStatus, RuleReport,
        context::{AuditContext, account_name},
        count_noun,
        privileged::Privilege,
        visibility::RequiredData,
    },
    diag::{Assignee, Severity},
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
    evidence: "The creation date of a key of a department's account, of the provisioner, of an adopted account or of an \
               administrator, compared with the time of the snapshot. Unrecorded and orphaned keys are reported by \
               other rules.",
    remedy: "Platform team: `confluent ebs keys rotate CODE --persona PERSONA`, with an overlap for users of the old \
             key. For the provisioner, create a second key, add it to `provisioner_keys` in `ebs.toml`, and delete the \
             old one. Administrators replace their own keys.",
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
                None => report_unknown_age(key, report),
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
    check_privileged_keys(context, report);
}

fn check_privileged_keys(context: &AuditContext<'_>, report: &mut RuleReport) {
    for privileged in context.privileged() {
        let owner = &privileged.principal;
        report.unknown.extend(context.missing_keys(owner));
        for key in context.keys_of_principal(owner) {
            let Some(age) = age(context, key) else {
                report_unknown_age(key, report);
                continue;
            };
            if age <= max_age(context) || context.desired.is_adopted(key.id.as_str()) {
                continue;
            }
            let message = format!(
                "API key `{}` of {}, {}, is {} old",
                key.id,
                context.display_name(owner),
                privileged.privilege.description(),
                format_days(age)
            );
            let found = report.warning(key.id.as_str(), message);
            found.key(&key.id).principal(owner);
            match privileged.privilege {
                Privilege::Provisioner => found.fix(format!(
                    "Create a second key, add its id to `provisioner_keys` in `ebs.toml`, use it everywhere, and delete `{}`.",
                    key.id
                )),
                _ => found
                    .owned_by(Assignee::Administrator)
                    .fix(format!("Create a second key, use it everywhere, and delete `{}`.", key.id)),
            };
        }
    }
}

fn report_unknown_age(key: &ObservedKey, report: &mut RuleReport) {
    report.unknown(
        format!("age of API key `{}`", key.id),
        "the API does not report its creation time",
    );
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
    fn old_keys_of_privileged_principals_are_found() {
        let mut org = Org::clean();
        org.key("TIERZERO", "sa-provisioner", "cloud", 400);
        org.provisioner_keys = Some(["TIERZERO".to_owned()].into());
        org.key("ADMIN", "u-admin", "cloud", 400);
        org.key("YOUNGADMIN", "u-admin", "cloud", 90);
        org.key("USER", "u-eve", "cloud", 400);
        org.key("CENTRAL", "sa-central", "cloud", 400);
        org.assert_only_findings(ID, &["ADMIN", "TIERZERO"]);
        org.bind("sa-central", "EnvironmentAdmin", "$E");
        org.assert_findings(ID, &["ADMIN", "CENTRAL", "TIERZERO"]);
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
