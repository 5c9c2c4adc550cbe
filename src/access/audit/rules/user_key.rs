//! `user-key`: an API key of a user for the stage.

use super::AuditRule;
use crate::{
    access::audit::{RuleReport, context::AuditContext, visibility::RequiredData},
    diag::Severity,
    model::Principal,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "user-key",
    threat: "T11",
    severity: Severity::Warning,
    summary: "an API key of a user for the cluster or the Schema Registry",
    why: "A key of a user has all roles of that user and is deleted with the user: programs that use it stop when \
          the user leaves, and have more access than they need until then. Programs should use keys of service \
          accounts.",
    evidence: "An API key for the cluster or the Schema Registry of the stage that is owned by a user. Keys of users \
               under `adopt` in `ebs.toml` are information; Cloud keys of users are ignored. Keys of users under \
               `administrators` are reported by `administrator-key`.",
    remedy: "Platform team: find out which program uses the key, give it a service account, and have the owner \
             delete the key.",
    needs: &[RequiredData::PeopleKeys],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let desired = context.desired;
    for key in &context.observed.keys {
        let here = context.key_kind(key).is_some() && key.resource != crate::api::keys::CLOUD;
        let is_administrator = desired.administrators.contains(key.owner.id());
        if !here || is_administrator || matches!(key.owner, Principal::ServiceAccount(_)) {
            continue;
        }
        let owner = key.owner.id();
        let message = format!("API key `{}` for `{}` belongs to user `{owner}`", key.id, key.resource);
        let named = desired.is_adopted(owner) || desired.is_adopted(key.id.as_str());
        let found = match named {
            true => report.info(key.id.as_str(), message),
            false => report.warning(key.id.as_str(), message),
        };
        found.key(&key.id).fix(format!(
            "Find out which program uses it, give the program a service account, and have `{owner}` delete the key."
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T11: keys belong to service accounts, not to people.
    #[test]
    fn a_user_key_for_the_stage_is_found() {
        let mut org = Org::clean();
        org.key("FORCLUSTER", "u-eve", "lkc-abc123", 1);
        org.key("FORREGISTRY", "u-eve", "lsrc-abc123", 1);
        org.key("FORCLOUD", "u-eve", "cloud", 1);
        org.key("ELSEWHERE", "u-eve", "lkc-other", 1);
        org.key("ACCOUNTS", "sa-central", "lkc-abc123", 1);
        org.assert_only_findings(ID, &["FORCLUSTER", "FORREGISTRY"]);
        org.administrators.insert("u-eve".into());
        org.assert_findings(ID, &[]);
    }

    #[test]
    fn keys_of_users_are_unknown_to_the_provisioner() {
        assert_eq!(
            Org::observed_by_provisioner().assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
