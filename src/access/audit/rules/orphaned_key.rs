//! `orphaned-key`: an API key whose secret is lost.

use super::AuditRule;
use crate::{
    access::audit::{
        KeyRecordStatus, RuleReport,
        context::{AuditContext, account_name},
        visibility::RequiredData,
    },
    diag::Severity,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "orphaned-key",
    threat: "T11",
    severity: Severity::Warning,
    summary: "a managed API key whose secret is lost",
    why: "A key is created with `state=new` in its description, which changes to `state=live` when its secret is on \
          disk. A key left by an interrupted run is useless and counts against the quota of its account.",
    evidence: "An API key of a department's account that is still `new` and was created by a recorded run or is \
               older than any run takes; or a live key whose profile disappeared before delivery.",
    remedy: "Platform team: `confluent ebs onboard CODE` deletes it and creates a new key; `access audit --fix` only \
             deletes it.",
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
            if context.desired.key_status(&key.id) != Some(KeyRecordStatus::Orphaned) {
                continue;
            }
            let code = &member.department.department.code;
            let message = format!("the secret of API key `{}` of {name} is lost", key.id);
            let found = report.warning(key.id.as_str(), message);
            found.concerning(code).key(&key.id).account(member.account).fix(format!(
                "Run `confluent ebs onboard {code}`; it deletes the key and creates a new one if needed."
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::{KeyRecordStatus, fixture::Org};

    const ID: &str = super::RULE.id;

    // A rerun deletes keys that an interrupted run left in state `new`.
    #[test]
    fn a_key_left_by_a_crash_is_found() {
        let mut org = Org::clean();
        org.key("LEFTBEHIND", "sa-claims-operator", "cloud", 1);
        org.key_statuses
            .as_mut()
            .unwrap()
            .insert("LEFTBEHIND".parse().unwrap(), KeyRecordStatus::Orphaned);
        org.assert_only_findings(ID, &["LEFTBEHIND"]);
    }
}
