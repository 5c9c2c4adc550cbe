//! `orphan-department`: accounts of a department that has no file.

use std::collections::BTreeMap;

use super::AuditRule;
use crate::{
    access::audit::{
        RuleReport, context::AuditContext, count_noun, principal_class::PrincipalClass, visibility::RequiredData,
    },
    diag::Severity,
    model::{DepartmentCode, ObservedAccount},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "orphan-department",
    threat: "T15",
    severity: Severity::Warning,
    summary: "accounts of a department that has no file",
    why: "If a department file is deleted instead of marked as retired, its accounts, keys and role bindings remain, \
          no command manages them any more, and the prefix appears to be free.",
    evidence: "Service accounts in this stage with the name and ownership tag of a department that has no file.",
    remedy: "Platform team: restore the file from Git and off-board the department, so that its prefix stays \
             reserved.",
    needs: &[RequiredData::Accounts],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let mut orphans: BTreeMap<DepartmentCode, Vec<&ObservedAccount>> = BTreeMap::new();
    for account in &context.observed.accounts {
        if let (Some(PrincipalClass::Orphan), Some(tag)) = (context.account_class(account.id.as_str()), account.tag()) {
            orphans.entry(tag.department).or_default().push(account);
        }
    }
    for (code, accounts) in orphans {
        let message = format!(
            "department `{code}` has no file but {}",
            count_noun(accounts.len(), "account")
        );
        let found = report.warning(code.as_str(), message);
        for account in accounts {
            found.account(account);
        }
        found.fix(format!(
            "Restore `departments/{code}.toml` from Git, then run `confluent ebs offboard {code}`."
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    #[test]
    fn an_orphan_department_of_this_stage_is_reported_once() {
        let mut org = Org::clean();
        org.tagged("sa-ghost-operator", "ghost", "operator")
            .tagged("sa-ghost-viewer", "ghost", "viewer");
        org.tagged_in("sa-test-ghost", "test", "spectre", "viewer");
        let result = org.assert_only_findings(ID, &["ghost"]);
        assert_eq!(result.findings[0].evidence.len(), 2);
    }
}
