//! `orphan-department`: accounts of a department that has no file.

use std::collections::BTreeMap;

use super::Rule;
use crate::{
    access::audit::{Report, count, sight::Need, subject::Subject, whose::Who},
    diag::Severity,
    model::{DepartmentCode, SeenAccount},
};

pub(super) const RULE: Rule = Rule {
    id: "orphan-department",
    threat: "T15",
    severity: Severity::Warning,
    summary: "accounts of a department that has no file",
    why: "A file that was deleted instead of marked as retired leaves accounts, keys and bindings behind that no command looks \
          after any more, and a prefix that looks free.",
    evidence: "Service accounts with our tag and name in this stage, of a department without a file.",
    remedy: "EBS: bring the file back from Git and off-board the department, so that its tombstone stays.",
    needs: &[Need::Accounts],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    let mut orphans: BTreeMap<DepartmentCode, Vec<&SeenAccount>> = BTreeMap::new();
    for account in &subject.seen.accounts {
        if let (Some(Who::Orphan), Some(tag)) = (subject.who(account.id.as_str()), account.tag()) {
            orphans.entry(tag.department).or_default().push(account);
        }
    }
    for (code, accounts) in orphans {
        let message = format!("{code} has no file and {}", count(accounts.len(), "account"));
        let found = report.warning(code.as_str(), message);
        for account in accounts {
            found.account(account);
        }
        found.fix(format!(
            "Bring departments/{code}.toml back from Git, then run `confluent ebs offboard {code}`."
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    #[test]
    fn accounts_without_a_file_are_found_once_for_each_department_and_only_in_this_stage() {
        let mut org = Org::clean();
        org.tagged("sa-ghost-operator", "ghost", "operator")
            .tagged("sa-ghost-viewer", "ghost", "viewer");
        org.tagged_in("sa-test-ghost", "test", "spectre", "viewer");
        let ruling = org.only(ID, &["ghost"]);
        assert_eq!(ruling.findings[0].evidence.len(), 2);
    }
}
