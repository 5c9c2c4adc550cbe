//! `unrecorded-key`: an API key on a managed account that is not recorded.

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
    id: "unrecorded-key",
    threat: "T11",
    severity: Severity::Error,
    summary: "an API key on a managed account that is not recorded",
    why: "The holder of a key has all access of its account, and may be able to create further keys for it \
          (docs/assumptions.md, Q4). A key in no journal and no evidence file was created manually or by an intruder, \
          and is not replaced by rotations.",
    evidence: "An API key of a department's account whose id is in no journal, evidence file or profile that this \
               program can read, and not under `adopt` in `ebs.toml`. Without any journal and evidence the verdict \
               is unknown.",
    remedy: "Platform team: revoke the key. If another machine created it, use the evidence of that machine \
             (`--evidence-dir`); if the key is known, add it under `adopt`.",
    needs: &[RequiredData::Members],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
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
