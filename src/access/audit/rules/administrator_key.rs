//! `administrator-key`: an API key of an administrator for the stage.

use super::AuditRule;
use crate::{
    access::audit::{RuleReport, context::AuditContext, privileged::Privilege},
    api::keys::CLOUD,
    diag::{Assignee, Severity},
    model::Principal,
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "administrator-key",
    threat: "T11",
    severity: Severity::Warning,
    summary: "an API key of an administrator for the cluster or the Schema Registry",
    why: "A key for the cluster or the Schema Registry opens all data that its owner can access. For an \
          administrator these are the data of all departments, and a program that uses such a key needs far \
          less.",
    evidence: "An API key for the cluster or the Schema Registry of the stage that is owned by a principal under \
               `administrators` in `ebs.toml`, or by a service account with a role above all departments. Keys \
               under `adopt` are information. The age and the number of all keys of administrators are judged by \
               `key-age` and `key-count`; keys of other users by `user-key`.",
    remedy: "Platform team: find out which program uses the key, give it a service account with the roles it \
             needs, and have the owner delete the key.",
    needs: &[],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    for privileged in context.privileged() {
        let owner = &privileged.principal;
        match privileged.privilege {
            Privilege::Administrator => {}
            Privilege::UnnamedAdministrator if matches!(owner, Principal::ServiceAccount(_)) => {}
            _ => continue,
        }
        report.unknown.extend(context.missing_keys(owner));
        for key in context.keys_of_principal(owner) {
            if context.key_kind(key).is_none() || key.resource == CLOUD {
                continue;
            }
            let name = context.display_name(owner);
            let message = format!(
                "API key `{}` for `{}` belongs to {name}, {}",
                key.id,
                key.resource,
                privileged.privilege.description()
            );
            let found = match context.desired.is_adopted(key.id.as_str()) {
                true => report.info(key.id.as_str(), message),
                false => report.warning(key.id.as_str(), message),
            };
            found.key(&key.id).principal(owner).owned_by(Assignee::Administrator);
            found.fix(format!(
                "Find out which program uses it, give the program a service account of its own, and have {name} delete the key."
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::{AuditVerdict, fixture::Org};

    const ID: &str = super::RULE.id;

    // T11: a key of an administrator opens the data of all departments.
    #[test]
    fn a_key_of_an_administrator_for_the_stage_is_found() {
        let mut org = Org::clean();
        org.key("FORCLUSTER", "u-admin", "lkc-abc123", 1);
        org.key("FORREGISTRY", "u-admin", "lsrc-abc123", 1);
        org.key("FORCLOUD", "u-admin", "cloud", 1);
        org.key("ELSEWHERE", "u-admin", "lkc-other", 1);
        org.key("CENTRAL", "sa-central", "lkc-abc123", 1);
        org.assert_only_findings(ID, &["FORCLUSTER", "FORREGISTRY"]);
        org.adopted.extend(["FORCLUSTER".to_owned(), "FORREGISTRY".to_owned()]);
        org.assert_only_findings(ID, &[]);
        org.bind("sa-central", "CloudClusterAdmin", "$C");
        org.assert_findings(ID, &["CENTRAL"]);
    }

    #[test]
    fn keys_of_administrators_are_unknown_to_the_provisioner() {
        let org = Org::observed_by_provisioner();
        assert_eq!(org.assert_findings(ID, &[]).verdict(), AuditVerdict::Unknown);
    }
}
