//! `unrecorded-key`: a key of ours that nobody knows of.

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
    summary: "an API key on an account of ours that nobody vouches for",
    why: "Whoever holds a key of an account may do what the account may do, and may be able to make further keys for \
          it (docs/assumptions.md, Q4). A key that neither a journal nor an evidence file names was made by hand or by \
          somebody who should not, and outlives every rotation.",
    evidence: "An API key of a department's account whose id stands in no journal, no evidence file and no finished profile \
               that this program can read here, and that `adopt` in `ebs.toml` does not accept. Without any journal or \
               evidence this is unknown.",
    remedy: "EBS: revoke it. If another machine made it, use that machine's evidence (`--evidence-dir`); if it is known, accept \
             it with `adopt`.",
    needs: &[RequiredData::Members],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    if context.desired.key_statuses.is_none() && !context.department_accounts.is_empty() {
        report.unknown(
            "which API keys are ours",
            "there is neither a journal nor an evidence file here",
        );
    }
    for member in context.department_accounts.iter().filter(|member| !member.is_runtime()) {
        let name = account_name(member.account);
        report
            .unknown
            .extend(context.visibility.missing_keys(&member.account.id, &name));
        for key in context.keys_of(member.account) {
            let unvouched = context.desired.key_status(&key.id) == Some(KeyRecordStatus::Unrecorded);
            if !unvouched {
                continue;
            }
            let message = format!("nobody vouches for API key {} of {name}", key.id);
            let found = report.error(key.id.as_str(), message);
            found.concerning(&member.department.department.code);
            found.key(&key.id).account(member.account).fix(format!(
                "Revoke it with `confluent api-key delete {}`, unless another machine's evidence names it.",
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
