//! `unrecorded-key`: an API key of a managed or privileged account that is not recorded.

use super::AuditRule;
use crate::{
    access::audit::{
        KeyRecordStatus, RuleReport,
        context::{AuditContext, account_name},
        privileged::Privilege,
        visibility::RequiredData,
    },
    diag::Severity,
    model::{ObservedKey, Principal},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "unrecorded-key",
    threat: "T11",
    severity: Severity::Error,
    summary: "an API key of a managed account, of the provisioner or of an adopted account that is not recorded",
    why: "The holder of a key has all access of its account, and may be able to create further keys for it \
          (docs/assumptions.md, Q4). A key in no journal and no evidence file was created manually or by an intruder, \
          and is not replaced by rotations. A thief of the provisioner's key can create its successor, so replacing \
          the stolen key alone does not end the theft.",
    evidence: "An API key of a department's account whose id is in no journal, evidence file or profile that this \
               program can read, and not under `adopt` in `ebs.toml`; the same for accounts under `adopt`. An API \
               key of the provisioner that is not under `provisioner_keys` in `ebs.toml`. Without that list, all keys \
               of the provisioner except the oldest one for each resource, and the verdict is unknown. Without any \
               journal and evidence the verdict is unknown, too.",
    remedy: "Platform team: revoke the key. If another machine created it, use the evidence of that machine \
             (`--evidence-dir`); if the key is known, add it under `adopt`, or under `provisioner_keys` if it is the \
             provisioner's.",
    needs: &[RequiredData::Members],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    check_department_keys(context, report);
    for privileged in context.privileged() {
        match privileged.privilege {
            Privilege::Provisioner => check_provisioner_keys(context, &privileged.principal, report),
            Privilege::Adopted => check_adopted_keys(context, &privileged.principal, report),
            // Nothing records the keys of administrators; `administrator-key`, `key-age` and `key-count` judge them.
            Privilege::Administrator | Privilege::UnnamedAdministrator => {}
        }
    }
}

/// Checks the keys of an account under `adopt` that belongs to no department.
fn check_adopted_keys(context: &AuditContext<'_>, owner: &Principal, report: &mut RuleReport) {
    report.unknown.extend(context.missing_keys(owner));
    let name = context.display_name(owner);
    for key in context.keys_of_principal(owner) {
        if context
            .desired
            .key_status(&key.id)
            .is_some_and(|status| status == KeyRecordStatus::Recorded)
        {
            continue;
        }
        let message = format!("API key `{}` of {name}, an adopted account, is not recorded", key.id);
        let found = report.error(key.id.as_str(), message);
        found.key(&key.id).principal(owner).fix(format!(
            "Add `{0}` to `adopt` in `ebs.toml` if you know it; otherwise revoke it with `confluent api-key delete {0}`.",
            key.id
        ));
    }
}

fn check_provisioner_keys(context: &AuditContext<'_>, owner: &Principal, report: &mut RuleReport) {
    report.unknown.extend(context.missing_keys(owner));
    let keys = context.keys_of_principal(owner);
    let listed = context.desired.provisioner_keys.as_ref();
    if listed.is_none() && !keys.is_empty() {
        report.unknown(
            "records of the provisioner's API keys",
            "`provisioner_keys` in `ebs.toml` is not set",
        );
    }
    // Without the list, the oldest key of each resource is taken for the one in use.
    let is_oldest = |key: &ObservedKey| {
        let same = keys.iter().filter(|other| other.resource == key.resource);
        same.min_by_key(|other| (other.created_at, &other.id))
            .is_some_and(|oldest| oldest.id == key.id)
    };
    for key in keys {
        let is_recorded = match listed {
            Some(listed) => listed.contains(key.id.as_str()),
            None => is_oldest(key),
        };
        if is_recorded || context.desired.is_adopted(key.id.as_str()) {
            continue;
        }
        let message = format!(
            "API key `{}` for `{}` of the provisioner {} is not recorded",
            key.id,
            key.resource,
            context.display_name(owner)
        );
        let found = report.error(key.id.as_str(), message);
        found.key(&key.id).principal(owner).fix(format!(
            "Revoke it with `confluent api-key delete {0}`, and find out in the audit log who created it. If it is yours, add `{0}` to \
             `provisioner_keys` in `ebs.toml`.",
            key.id
        ));
    }
}

fn check_department_keys(context: &AuditContext<'_>, report: &mut RuleReport) {
    if context.desired.key_statuses.is_none() && !context.department_accounts.is_empty() {
        report.unknown(
            "records of API keys",
            "neither a journal nor an evidence file was found",
        );
    }
    for member in context.department_accounts.iter().filter(|member| !member.is_runtime()) {
        let name = account_name(member.account);
        report
            .unknown
            .extend(context.visibility.missing_keys(&member.account.id, &name));
        for key in context.keys_of(member.account) {
            let is_unrecorded = context.desired.key_status(&key.id) == Some(KeyRecordStatus::Unrecorded);
            if !is_unrecorded {
                continue;
            }
            let message = format!("API key `{}` of {name} is not recorded", key.id);
            let found = report.error(key.id.as_str(), message);
            found.concerning(&member.department.department.code);
            found.key(&key.id).account(member.account).fix(format!(
                "Revoke it with `confluent api-key delete {}`, unless the evidence of another machine records it.",
                key.id
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T11: a key that no evidence names is unrecorded, whatever its description says.
    #[test]
    fn a_key_in_no_journal_is_found_regardless_of_its_description() {
        let mut org = Org::clean();
        org.key("BYHAND", "sa-claims-operator", "cloud", 1);
        org.observed.keys.last_mut().unwrap().description =
            "ebs:v1 stage=prod dept=claims role=operator state=live run=0badcafe".into();
        org.key("FORKAFKA", "sa-claims-deployer", "lkc-abc123", 1);
        org.assert_only_findings(ID, &["BYHAND", "FORKAFKA"]);
        org.adopted.extend(["BYHAND".to_owned(), "FORKAFKA".to_owned()]);
        org.assert_only_findings(ID, &[]);
    }

    // T17: a stolen key of the provisioner can create its successor.
    #[test]
    fn a_key_of_the_provisioner_that_no_file_lists_is_found() {
        let mut org = Org::clean();
        org.key("LISTED", "sa-provisioner", "cloud", 30);
        org.provisioner_keys = Some(["LISTED".to_owned()].into());
        org.assert_only_findings(ID, &[]);
        org.key("CLOUDSPARE", "sa-provisioner", "cloud", 1);
        org.key("KAFKASPARE", "sa-provisioner", "lkc-abc123", 1);
        org.assert_only_findings(ID, &["CLOUDSPARE", "KAFKASPARE"]);
        // Without the list, the oldest key for a resource counts as the one in use, and the verdict is unknown.
        org.provisioner_keys = None;
        org.assert_findings(ID, &["CLOUDSPARE"]);
        org.observed.keys.retain(|key| key.id.as_str() != "CLOUDSPARE");
        assert_eq!(
            org.assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }

    #[test]
    fn a_key_of_an_adopted_account_that_nothing_records_is_found() {
        let mut org = Org::clean();
        org.adopted.insert("sa-central".into());
        org.key("CENTRAL", "sa-central", "lkc-abc123", 1);
        org.assert_only_findings(ID, &["CENTRAL"]);
        org.adopted.insert("CENTRAL".into());
        org.assert_only_findings(ID, &[]);
    }

    #[test]
    fn the_rule_is_unknown_without_journal_and_evidence() {
        let mut org = Org::clean();
        org.key("BYHAND", "sa-claims-operator", "cloud", 1);
        org.key_statuses = None;
        assert_eq!(
            org.assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
