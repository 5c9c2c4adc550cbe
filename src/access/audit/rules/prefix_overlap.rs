//! `prefix-overlap`: names that belong to two departments.

use std::collections::{BTreeMap, BTreeSet};

use super::AuditRule;
use crate::{
    access::{
        audit::{
            ExpectedDepartment, RuleReport,
            binding_location::{BindingLocation, is_every_subject},
            context::{AuditContext, describe_departments},
            principal_class::PrincipalClass,
            visibility::RequiredData,
        },
        index::prefixes_of,
    },
    diag::Severity,
    model::{NamePattern, ObservedAccount, ObservedBinding, prefix::fold},
};

pub(super) const RULE: AuditRule = AuditRule {
    id: "prefix-overlap",
    threat: "T1",
    severity: Severity::Error,
    summary: "names that belong to two departments",
    why: "Prefixes isolate departments. If one prefix begins with another, such as `fin-` and `fin-ops-`, the \
          department with the shorter one also has access to the names of the other. Upper and lower case, and `.` \
          and `_`, count as equal, because metrics and several systems behind Connect do not distinguish them.",
    evidence: "Two departments with overlapping prefixes; or role bindings of accounts with an ownership tag, whose \
               department has no file, on names of a department that has one. `department validate` reports \
               overlapping prefixes in advance.",
    remedy: "Platform team: add one of the departments again under another prefix, and off-board the old one. For \
             accounts without a department file: off-board that department, or restore its file.",
    needs: &[RequiredData::Accounts, RequiredData::Cluster, RequiredData::Subjects],
    check,
};

fn check(context: &AuditContext<'_>, report: &mut RuleReport) {
    let mut folded: Vec<(String, &ExpectedDepartment)> = context
        .desired
        .departments
        .iter()
        .map(|expected| (expected.department.prefix.folded(), expected))
        .collect();
    folded.sort_by(|a, b| a.0.cmp(&b.0));
    for (place, (shorter, one)) in folded.iter().enumerate() {
        let behind = folded[place + 1..].iter();
        for (_, other) in behind.take_while(|(longer, _)| longer.starts_with(shorter.as_str())) {
            let (a, b) = (&one.department, &other.department);
            let message = format!(
                "prefix `{}` of department `{}` covers the names of department `{}` with prefix `{}`",
                a.prefix, a.code, b.code, b.prefix
            );
            let fix = "Move one of them to another prefix: add a new department, and off-board the old one.";
            let found = report.error(&format!("{} {}", a.code, b.code), message);
            found.concerning(&a.code).concerning(&b.code).fix(fix);
        }
    }
    let prefixes: BTreeMap<String, &ExpectedDepartment> = folded.into_iter().collect();
    check_orphan_accounts(context, &prefixes, report);
}

/// Checks bindings of orphan accounts on names of other departments.
fn check_orphan_accounts(
    context: &AuditContext<'_>,
    prefixes: &BTreeMap<String, &ExpectedDepartment>,
    report: &mut RuleReport,
) {
    let mut overlaps: BTreeMap<(String, String), (&ObservedAccount, Vec<&ObservedBinding>)> = BTreeMap::new();
    for held in &context.bindings {
        let BindingLocation::Names(kind, name) = held.location else {
            continue;
        };
        let account = context.account(&held.observed.binding.principal);
        let (PrincipalClass::Orphan, Some(account)) = (held.holder, account) else {
            continue;
        };
        if is_every_subject(kind, name) || departments_reached(prefixes, name).is_empty() {
            continue;
        }
        let code = account.tag().map(|tag| tag.department.to_string()).unwrap_or_default();
        let entry = overlaps
            .entry((code, name.to_string()))
            .or_insert((account, Vec::new()));
        entry.1.push(held.observed);
    }
    for ((code, name), (account, bindings)) in overlaps {
        let pattern = bindings[0].binding.pattern.name();
        let reached = departments_reached(prefixes, pattern);
        let message = format!(
            "department `{code}` has no file but still holds role bindings on `{name}`, which covers names of {}",
            describe_departments(&reached)
        );
        let fix = format!("Off-board `{code}`, or restore `departments/{code}.toml` with another prefix.");
        let found = report.error(&format!("{code} {name}"), message);
        found.account(account).fix(fix);
        for binding in bindings {
            found.binding(binding);
        }
        for expected in reached {
            found.concerning(&expected.department.code);
        }
    }
}

fn departments_reached<'a>(
    prefixes: &BTreeMap<String, &'a ExpectedDepartment>,
    name: &NamePattern,
) -> Vec<&'a ExpectedDepartment> {
    let stem = fold(name.stem());
    let mut found: Vec<&ExpectedDepartment> = prefixes_of(prefixes, &stem).map(|(_, expected)| *expected).collect();
    if let NamePattern::Prefixed(_) = name {
        let inside = prefixes.range(stem.clone()..);
        let inside = inside.take_while(|(prefix, _)| prefix.starts_with(&stem));
        found.extend(inside.map(|(_, expected)| *expected));
    }
    let mut seen = BTreeSet::new();
    found.retain(|expected| seen.insert(expected.department.code.clone()));
    found
}

#[cfg(test)]
mod tests {
    use crate::access::audit::fixture::Org;

    const ID: &str = super::RULE.id;

    // T1: `fin` covers `finance-…`, and prefixes can be equal after folding `.` and `_`.
    #[test]
    fn overlapping_prefixes_are_found_in_both_directions_and_after_folding() {
        let mut org = Org::clean();
        org.department("eu", "claims-eu-");
        org.assert_findings(ID, &["claims eu"]);
        let mut org = Org::clean();
        org.department("cc", "c-");
        org.assert_findings(ID, &[]);
        let mut org = Org::clean();
        org.department("dotted", "fin.ops.").department("lined", "fin_ops_");
        org.assert_findings(ID, &["dotted lined"]);
    }

    // T15 and T1 together: the prefix of the retired department `legacy` counts.
    #[test]
    fn the_prefix_of_a_retired_department_counts() {
        let mut org = Org::clean();
        org.department("heir", "legacy-new-");
        org.assert_findings(ID, &["legacy heir"]);
    }

    #[test]
    fn bindings_of_an_orphan_account_on_names_of_a_department_are_found() {
        let mut org = Org::clean();
        org.tagged("sa-ghost", "ghost", "operator");
        org.bind("sa-ghost", "ConnectManager", "$C/connector=ghost-*");
        org.assert_findings(ID, &[]);
        org.bind("sa-ghost", "ConnectManager", "$C/connector=claims-eu-*");
        org.bind("sa-ghost", "DeveloperRead", "$K/topic=claims-eu-*");
        org.bind("sa-ghost", "DeveloperRead", "$K/topic=Fraud-*");
        let result = org.assert_findings(ID, &["ghost Fraud-*", "ghost claims-eu-*"]);
        assert_eq!(result.findings[1].evidence.len(), 3, "two bindings and the account");
    }
}
