//! `prefix-overlap`: names that belong to two departments.

use std::collections::{BTreeMap, BTreeSet};

use super::Rule;
use crate::{
    access::{
        audit::{
            Expected, Report,
            place::{Place, is_every_subject},
            sight::Need,
            subject::{Subject, whose},
            whose::Who,
        },
        index::beginnings,
    },
    diag::Severity,
    model::{NamePattern, SeenAccount, SeenBinding, prefix::fold},
};

pub(super) const RULE: Rule = Rule {
    id: "prefix-overlap",
    threat: "T1",
    severity: Severity::Error,
    summary: "names that belong to two departments",
    why: "The prefix is the boundary. Where one begins with another, `fin-` and `fin-ops-`, whoever holds the shorter one holds \
          the longer one's names as well. Lower and upper case, `.` and `_` count as the same, because metrics and several \
          systems behind Connect cannot tell them apart.",
    evidence: "Two departments whose prefixes begin alike; or role bindings of accounts with our tag, whose department has no \
               file, on names of a department that has one. `department validate` finds the first kind before it happens.",
    remedy: "EBS: give one of the two another prefix, as a new department, and off-board the old one. For accounts without a \
             file: off-board that department, or bring its file back.",
    needs: &[Need::Accounts, Need::Cluster, Need::Subjects],
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report) {
    let mut folded: Vec<(String, &Expected)> = subject
        .blueprint
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
                "prefix `{}` of {} reaches the names of {}, which begin with `{}`",
                a.prefix, a.code, b.code, b.prefix
            );
            let fix = "Move one of them to another prefix: add a new department and off-board the old one.";
            let found = report.error(&format!("{} {}", a.code, b.code), message);
            found.about(&a.code).about(&b.code).fix(fix);
        }
    }
    let prefixes: BTreeMap<String, &Expected> = folded.into_iter().collect();
    orphans(subject, &prefixes, report);
}

/// What accounts of departments without a file still hold on the names of others.
fn orphans(subject: &Subject<'_>, prefixes: &BTreeMap<String, &Expected>, report: &mut Report) {
    let mut overlaps: BTreeMap<(String, String), (&SeenAccount, Vec<&SeenBinding>)> = BTreeMap::new();
    for held in &subject.bindings {
        let Place::Names(kind, name) = held.place else { continue };
        let account = subject.account(&held.seen.binding.principal);
        let (Who::Orphan, Some(account)) = (held.who, account) else {
            continue;
        };
        if is_every_subject(kind, name) || reached(prefixes, name).is_empty() {
            continue;
        }
        let code = account.tag().map(|tag| tag.department.to_string()).unwrap_or_default();
        let entry = overlaps
            .entry((code, name.to_string()))
            .or_insert((account, Vec::new()));
        entry.1.push(held.seen);
    }
    for ((code, name), (account, bindings)) in overlaps {
        let pattern = bindings[0].binding.pattern.name();
        let reached = reached(prefixes, pattern);
        let message = format!(
            "{code}, a department without a file, is still bound on `{name}`, which reaches names of {}",
            whose(&reached)
        );
        let fix = format!("Off-board {code}, or bring departments/{code}.toml back under another prefix.");
        let found = report.error(&format!("{code} {name}"), message);
        found.account(account).fix(fix);
        for binding in bindings {
            found.binding(binding);
        }
        for expected in reached {
            found.about(&expected.department.code);
        }
    }
}

fn reached<'a>(prefixes: &BTreeMap<String, &'a Expected>, name: &NamePattern) -> Vec<&'a Expected> {
    let stem = fold(name.stem());
    let mut found: Vec<&Expected> = beginnings(prefixes, &stem).map(|(_, expected)| *expected).collect();
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
    use crate::access::audit::testing::Org;

    const ID: &str = super::RULE.id;

    // T1: "`fin` covers `finance-…`; equal after `.`/`_` folding".
    #[test]
    fn prefixes_that_begin_alike_are_found_in_both_directions_and_folded() {
        let mut org = Org::clean();
        org.department("eu", "claims-eu-");
        org.found(ID, &["claims eu"]);
        let mut org = Org::clean();
        org.department("cc", "c-");
        org.found(ID, &[]);
        let mut org = Org::clean();
        org.department("dotted", "fin.ops.").department("lined", "fin_ops_");
        org.found(ID, &["dotted lined"]);
    }

    // T15 and T1 together: the tombstone of `legacy` counts.
    #[test]
    fn a_tombstone_counts() {
        let mut org = Org::clean();
        org.department("heir", "legacy-new-");
        org.found(ID, &["legacy heir"]);
    }

    #[test]
    fn an_account_without_a_department_may_not_stay_on_the_names_of_one() {
        let mut org = Org::clean();
        org.tagged("sa-ghost", "ghost", "operator");
        org.bind("sa-ghost", "ConnectManager", "$C/connector=ghost-*");
        org.found(ID, &[]);
        org.bind("sa-ghost", "ConnectManager", "$C/connector=claims-eu-*");
        org.bind("sa-ghost", "DeveloperRead", "$K/topic=claims-eu-*");
        org.bind("sa-ghost", "DeveloperRead", "$K/topic=Fraud-*");
        let ruling = org.found(ID, &["ghost Fraud-*", "ghost claims-eu-*"]);
        assert_eq!(ruling.findings[1].evidence.len(), 3, "two bindings and the account");
    }
}
