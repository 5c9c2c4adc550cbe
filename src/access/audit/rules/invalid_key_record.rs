//! `invalid-key-record`: a record that names a key which it cannot vouch for.

use std::path::Path;

use super::AuditRule;
use crate::{
    access::audit::{RuleReport, context::AuditContext},
    diag::Severity,
    model::Listing,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "invalid-key-record",
    threat: "T11",
    severity: Severity::Error,
    summary: "an evidence file or profile that names an API key which it does not record",
    why: "Evidence and profiles decide which API keys are expected. Evidence is made to be committed, so \
          everyone who may change the repository could hide a key with a file that names it.",
    evidence: "An evidence file whose stage, department, persona and account are not those of the owner of a key \
               it lists, or that is older than the key; a profile in the profile folder that is incomplete, or \
               whose stage, department and persona are not those of the owner. Such a file records nothing: if \
               nothing else records the key, `unrecorded-key` reports it.",
    remedy: "Platform team: find out in the history of the repository who added the file. Revoke the key if it \
             is not needed, and delete the file.",
    needs: &[],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    if let Some(reason) = context.observed.unknown_reason(&Listing::ApiKeys) {
        report.unknown("owners of recorded API keys", reason);
    }
    for record in &context.desired.rejected_records {
        let message = format!(
            "`{}` does not record API key `{}`: {}",
            record.file, record.key, record.reason
        );
        let name = Path::new(&record.file)
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let found = report.error(&format!("{} {name}", record.key), message);
        found.key(&record.key).fix(format!(
            "Find out who added the file, and delete it. Revoke the key with `confluent api-key delete {}` if it is not needed.",
            record.key
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::{RejectedKeyRecord, fixture::Org};

    const ID: &str = super::RULE.id;

    #[test]
    fn a_rejected_record_is_found() {
        let mut org = Org::clean();
        org.rejected_records.push(RejectedKeyRecord {
            key: "KEYCLAIMSOPERATOR".parse().unwrap(),
            file: "evidence/forged.json".to_owned(),
            reason: "the key belongs to another account".to_owned(),
        });
        org.assert_only_findings(ID, &["KEYCLAIMSOPERATOR forged.json"]);
    }
}
