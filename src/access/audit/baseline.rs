//! Baseline of the audit: accepted findings, each with a reason and an expiry date.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use super::{AuditFinding, RuleResult};
use crate::diag::{Finding, SourceSpan};

/// Entry of a baseline file.
#[derive(Clone, Debug)]
pub struct BaselineEntry {
    /// Id of the rule, such as `key-unrecorded`.
    pub rule: String,
    /// Subject id of the finding.
    pub subject: String,
    /// Reason for accepting the finding.
    pub reason: String,
    /// Last day on which the entry is valid.
    pub until: Date,
    /// Location in the baseline file.
    pub span: SourceSpan,
}

/// A finding accepted by the baseline.
#[derive(Clone, Debug, Serialize)]
pub struct AcceptedFinding {
    /// Finding that the entry accepts.
    #[serde(flatten)]
    pub finding: AuditFinding,
    /// Reason for accepting it.
    pub reason: String,
    /// Last day on which the entry is valid.
    pub until: Date,
}

/// Removes accepted findings from `results`. Returns them, and findings about expired entries and entries that match
/// nothing. With `narrowed` results, unmatched entries are not reported.
pub fn apply_baseline(
    results: &mut [RuleResult],
    acceptances: &[BaselineEntry],
    today: Date,
    narrowed: bool,
) -> (Vec<AcceptedFinding>, Vec<Finding>) {
    let mut accepted = Vec::new();
    let mut findings = Vec::new();
    let mut matched = BTreeSet::new();
    for result in &mut *results {
        let id = result.rule.id;
        let all = std::mem::take(&mut result.findings);
        for found in all {
            let mut fitting = acceptances.iter().enumerate();
            let fitting = fitting.find(|(_, one)| found.is_problem() && one.rule == id && one.subject == found.subject);
            let Some((index, acceptance)) = fitting else {
                result.findings.push(found);
                continue;
            };
            matched.insert(index);
            if acceptance.until < today {
                findings.push(expired_finding(acceptance));
                result.findings.push(found);
                continue;
            }
            accepted.push(AcceptedFinding {
                finding: found,
                reason: acceptance.reason.clone(),
                until: acceptance.until,
            });
        }
    }
    for (index, acceptance) in acceptances.iter().enumerate() {
        let result = results.iter().find(|result| result.rule.id == acceptance.rule);
        // With incomplete data, the finding may still exist.
        let decided = result.is_none_or(|result| result.unknown.is_empty());
        if !matched.contains(&index) && decided && !narrowed {
            findings.push(unused_finding(acceptance));
        }
    }
    (accepted, findings)
}

fn expired_finding(acceptance: &BaselineEntry) -> Finding {
    let message = format!(
        "finding `{}` of rule `{}` was accepted until {}: {}",
        acceptance.subject, acceptance.rule, acceptance.until, acceptance.reason
    );
    Finding::warning("baseline-expired", message)
        .with_span(acceptance.span.clone())
        .with_fix("Fix the finding, or extend the `until` date.")
}

fn unused_finding(acceptance: &BaselineEntry) -> Finding {
    let message = format!(
        "baseline entry `{}` of rule `{}` matches no finding",
        acceptance.subject, acceptance.rule
    );
    Finding::warning("baseline-unused", message)
        .with_span(acceptance.span.clone())
        .with_fix("Remove the entry, so that a new finding with this id is reported.")
}

#[cfg(test)]
mod tests {
    use super::{super::fixture::Org, *};
    use crate::{access::audit::AuditVerdict, diag::SourceFile, model::Listing};

    fn entry(rule: &str, subject: &str, until: &str) -> BaselineEntry {
        BaselineEntry {
            rule: rule.to_owned(),
            subject: subject.to_owned(),
            reason: "agreed".to_owned(),
            until: until.parse().unwrap(),
            span: SourceSpan::new(&SourceFile::new("accepted.toml", ""), 0..0),
        }
    }

    const TODAY: Date = jiff::civil::date(2026, 11, 22);

    fn results_with_a_third_party_grant() -> (Vec<RuleResult>, String) {
        let mut org = Org::clean();
        let binding = org.bind("u-eve", "DeveloperRead", "$K/topic=claims-*");
        (org.run_audit(), binding)
    }

    fn verdict(results: &[RuleResult], rule: &str) -> AuditVerdict {
        results.iter().find(|result| result.rule.id == rule).unwrap().verdict()
    }

    #[test]
    fn an_accepted_finding_is_suppressed_until_the_last_day_has_passed() {
        let (mut results, id) = results_with_a_third_party_grant();
        let today = [entry("third-party-grant", &id, "2026-11-22")];
        let (accepted, findings) = apply_baseline(&mut results, &today, TODAY, false);
        assert_eq!((accepted.len(), findings.len()), (1, 0));
        assert_eq!(verdict(&results, "third-party-grant"), AuditVerdict::Absent);

        let (mut results, id) = results_with_a_third_party_grant();
        let yesterday = [entry("third-party-grant", &id, "2026-11-21")];
        let (accepted, findings) = apply_baseline(&mut results, &yesterday, TODAY, false);
        assert_eq!((accepted.len(), findings[0].rule), (0, "baseline-expired"));
        assert_eq!(verdict(&results, "third-party-grant"), AuditVerdict::Present);
    }

    #[test]
    fn an_entry_for_another_rule_or_subject_suppresses_nothing() {
        let (mut results, id) = results_with_a_third_party_grant();
        let others = [
            entry("key-age", &id, "2027-01-01"),
            entry("third-party-grant", "rb-other", "2027-01-01"),
        ];
        let (accepted, findings) = apply_baseline(&mut results, &others, TODAY, false);
        assert!(accepted.is_empty());
        assert_eq!(
            findings.iter().map(|f| f.rule).collect::<Vec<_>>(),
            ["baseline-unused"; 2]
        );
        assert_eq!(verdict(&results, "third-party-grant"), AuditVerdict::Present);
    }

    #[test]
    fn an_entry_is_reported_unused_only_when_the_rule_saw_everything() {
        let entries = [entry("unmanaged-acl", "acl-1", "2027-01-01")];
        let mut org = Org::clean();
        org.observed.unknown.insert(Listing::Acls, "no key".into());
        let mut results = org.run_audit();
        assert!(
            apply_baseline(&mut results, &entries, TODAY, false).1.is_empty(),
            "the rule lacks data"
        );
        let entries = [entry("key-age", "GONE", "2027-01-01")];
        assert!(
            apply_baseline(&mut results, &entries, TODAY, true).1.is_empty(),
            "narrowed"
        );
        assert_eq!(apply_baseline(&mut results, &entries, TODAY, false).1.len(), 1);
    }
}
