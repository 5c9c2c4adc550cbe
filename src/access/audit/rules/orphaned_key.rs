//! `orphaned-key`: a key whose secret nobody has.

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
    summary: "an API key of ours whose secret nobody has",
    why: "A key is born with `state=new` in its description and becomes `state=live` when its secret is on disk. One that an \
          interrupted run left behind opens nothing for anybody who should have it, and counts against the quota of its \
          account.",
    evidence: "An API key of a department's account that is still `new` and was made by a run of ours, or is older than any run \
               takes; or a live one whose profile is gone before it was handed over.",
    remedy: "EBS: `confluent ebs onboard CODE` deletes it and makes another one; `access audit --fix` only deletes it.",
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
            let message = format!("nobody has the secret of API key {} of {name}", key.id);
            let found = report.warning(key.id.as_str(), message);
            found.concerning(code).key(&key.id).account(member.account).fix(format!(
                "`confluent ebs onboard {code}` deletes it and makes another one where one is missing."
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
