//! `runtime-key`: an API key on an account that must not have keys.

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport,
        context::{AuditContext, account_name},
        visibility::RequiredData,
    },
    diag::Severity,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "runtime-key",
    threat: "T5",
    severity: Severity::Error,
    summary: "an API key on an account that must not have keys",
    why: "Connectors run under the runtime account without a key (`kafka.auth.mode=SERVICE_ACCOUNT`), so no \
          principal can act as it outside of Connect. A key of this account bypasses Connect and gives access to all \
          data that the department's connectors may read and write.",
    evidence: "Any API key of an account whose persona gets no key. Keys under `adopt` in `ebs.toml` are \
               information.",
    remedy: "Platform team: revoke the key, and find out who created it: only an owner of the account \
             (`runtime-owner`) or an administrator of the cluster can.",
    needs: &[RequiredData::Members],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for runtime in context.department_accounts.iter().filter(|member| member.is_runtime()) {
        let name = account_name(runtime.account);
        report
            .unknown
            .extend(context.visibility.missing_keys(&runtime.account.id, &name));
        for key in context.keys_of(runtime.account) {
            let message = format!("runtime account {name} has API key `{}`", key.id);
            let accepted = context.desired.is_adopted(key.id.as_str());
            let found = match accepted {
                true => report.info(key.id.as_str(), message),
                false => report.error(key.id.as_str(), message),
            };
            found.concerning(&runtime.department.department.code);
            found.key(&key.id).account(runtime.account);
            found.fix(format!(
                "Revoke it with `confluent api-key delete {}`, and find out who created it.",
                key.id
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{access::audit::fixture::Org, model::Listing};

    const ID: &str = super::RULE.id;

    // The runtime account has no API key at all (docs/reference/rbac.md#personas).
    #[test]
    fn a_key_of_the_runtime_account_is_found_even_when_recorded() {
        let mut org = Org::clean();
        org.key("RUNTIMEKEY", "sa-claims-runtime", "lkc-abc123", 1)
            .record_key("RUNTIMEKEY");
        org.assert_only_findings(ID, &["RUNTIMEKEY"]);
        org.adopted.insert("RUNTIMEKEY".into());
        org.assert_only_findings(ID, &[]);
    }

    #[test]
    fn a_failed_key_listing_makes_the_rule_unknown() {
        let mut org = Org::clean();
        org.observed.unknown.insert(Listing::ApiKeys, "403".into());
        assert_eq!(
            org.assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
