//! `user-key`: a key of a person on the stage.

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
    summary: "an API key of a person for the cluster or the Schema Registry",
    why: "A key of a person carries all roles of that person, and goes with the person: what runs with it stops on the day \
          somebody leaves, and until then does more than it needs. Keys that programs use belong to service accounts.",
    evidence: "An API key for the cluster or the Schema Registry of the stage that belongs to a user. Keys of whoever \
               `administrators` or `adopt` in `ebs.toml` name are information; Cloud keys of people are not judged.",
    remedy: "EBS: find out what runs with it, give that an account of its own, and have the key deleted by its owner.",
    needs: &[RequiredData::PeopleKeys],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let desired = context.desired;
    for key in &context.observed.keys {
        let here = context.key_kind(key).is_some() && key.resource != crate::api::keys::CLOUD;
        if !here || matches!(key.owner, Principal::ServiceAccount(_)) {
            continue;
        }
        let owner = key.owner.id();
        let message = format!("API key {} for `{}` belongs to {owner}, a person", key.id, key.resource);
        let named =
            desired.administrators.contains(owner) || desired.is_adopted(owner) || desired.is_adopted(key.id.as_str());
        let found = match named {
            true => report.info(key.id.as_str(), message),
            false => report.warning(key.id.as_str(), message),
        };
        found.key(&key.id).fix(format!(
            "Find out what runs with it, give that a service account, and have {owner} delete the key."
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
        org.assert_only_findings(ID, &[]);
    }

    #[test]
    fn the_rule_is_unknown_for_the_provisioner() {
        assert_eq!(
            Org::observed_by_provisioner().assert_findings(ID, &[]).verdict(),
            crate::access::audit::AuditVerdict::Unknown
        );
    }
}
