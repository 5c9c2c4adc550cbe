//! `key-count`: more API keys than a rotation needs.

use std::collections::BTreeMap;

use super::AuditRule;
use crate::{
    access::audit::{
        AuditFinding, KeyRecordStatus, RuleReport,
        context::{AuditContext, account_name},
        privileged::Privilege,
        visibility::RequiredData,
    },
    diag::Severity,
    model::{ObservedKey, Principal},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "key-count",
    threat: "T11",
    severity: Severity::Warning,
    summary: "more API keys than a rotation needs",
    why: "During a rotation an account has two keys: the old one and its successor \
          (docs/reference/rbac.md#key-rotation). A third key indicates an unfinished rotation, and an unused key is a \
          risk.",
    evidence: "More than two keys of one account of a department, of the provisioner, of an adopted account or of a \
               principal under `administrators` for the same resource. Unrecorded and orphaned keys of departments \
               are reported by other rules and do not count.",
    remedy: "Platform team: find out which keys are in use (the audit log records each use), and revoke the others.",
    needs: &[RequiredData::Members],
    check,
};

/// Number of keys during a rotation: the old one and its successor.
const MAX_KEYS: usize = 2;

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for member in context.department_accounts.iter().filter(|member| !member.is_runtime()) {
        let name = account_name(member.account);
        report
            .unknown
            .extend(context.visibility.missing_keys(&member.account.id, &name));
        let recorded = context.keys_of(member.account).iter().copied().filter(|key| {
            matches!(
                context.desired.key_status(&key.id),
                Some(KeyRecordStatus::Recorded) | None
            )
        });
        let owner = Principal::from(member.account.id.clone());
        for found in check_keys(&owner, &name, recorded, report) {
            found.concerning(&member.department.department.code);
            found.fix("Find out in the audit log which keys are in use, and revoke the others with `confluent ebs keys revoke`.");
        }
    }
    for privileged in context.privileged() {
        if privileged.privilege == Privilege::UnnamedAdministrator {
            continue;
        }
        let owner = &privileged.principal;
        report.unknown.extend(context.missing_keys(owner));
        let name = format!(
            "{}, {},",
            context.display_name(owner),
            privileged.privilege.description()
        );
        let keys = context.keys_of_principal(owner).iter().copied();
        for found in check_keys(owner, &name, keys, report) {
            found.fix("Find out in the audit log which keys are in use, and have the others deleted with `confluent api-key delete`.");
        }
    }
}

/// Reports the resources for which an owner has too many keys, and returns the findings.
fn check_keys<'a, 'r>(
    owner: &Principal,
    name: &str,
    keys: impl Iterator<Item = &'a ObservedKey>,
    report: &'r mut RuleReport,
) -> &'r mut [AuditFinding] {
    let first = report.findings.len();
    let mut by_resource: BTreeMap<&str, Vec<&ObservedKey>> = BTreeMap::new();
    for key in keys {
        by_resource.entry(&key.resource).or_default().push(key);
    }
    for (resource, keys) in by_resource.into_iter().filter(|(_, keys)| keys.len() > MAX_KEYS) {
        let message = format!("{name} has {} API keys for `{resource}`", keys.len());
        let found = report.warning(&format!("{} {resource}", owner.id()), message);
        found.principal(owner);
        for key in keys {
            found.key(&key.id);
        }
    }
    &mut report.findings[first..]
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T11: a rotation needs two keys of an account and a resource (docs/reference/rbac.md#key-rotation), a third one is
    // a finding.
    #[test]
    fn a_third_key_for_one_resource_is_found() {
        let mut org = Org::clean();
        org.key("SECOND", "sa-claims-operator", "cloud", 1).record_key("SECOND");
        org.assert_only_findings(ID, &[]);
        org.key("THIRD", "sa-claims-operator", "cloud", 1);
        org.adopted.insert("THIRD".into());
        let result = org.assert_only_findings(ID, &["sa-claims-operator cloud"]);
        assert_eq!(result.findings[0].evidence.len(), 4, "three keys and the account");
    }

    #[test]
    fn a_third_key_of_a_privileged_principal_is_found() {
        let mut org = Org::clean();
        let keys = ["ONE", "TWO", "THREE"];
        for key in keys {
            org.key(key, "sa-provisioner", "cloud", 1);
            org.key(&format!("ADMIN{key}"), "u-admin", "cloud", 1);
            org.key(&format!("USER{key}"), "u-eve", "cloud", 1);
        }
        org.provisioner_keys = Some(keys.map(str::to_owned).into());
        org.assert_only_findings(ID, &["sa-provisioner cloud", "u-admin cloud"]);
    }
}
