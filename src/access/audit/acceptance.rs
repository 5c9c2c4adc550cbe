//! Findings that somebody has accepted, with a reason and until a day.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::Serialize;

use super::{Found, Ruling};
use crate::diag::{Finding, Span};

/// One accepted finding, as people write it.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// The rule.
    pub rule: String,
    /// What the finding is about, by its id.
    pub subject: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub until: Date,
    /// Where it is written.
    pub span: Span,
}

/// A finding that does not count, and why.
#[derive(Clone, Debug, Serialize)]
pub struct Accepted {
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is.
    pub until: Date,
}

/// Takes what is accepted out of `rulings`. Answers it, and what is to be said about the acceptances themselves: those
/// that have expired, and those that nothing matches any more. With `narrowed` rulings the latter cannot be told.
pub fn accept(
    rulings: &mut [Ruling],
    acceptances: &[Acceptance],
    today: Date,
    narrowed: bool,
) -> (Vec<Accepted>, Vec<Finding>) {
    let mut accepted = Vec::new();
    let mut findings = Vec::new();
    let mut matched = BTreeSet::new();
    for ruling in &mut *rulings {
        let id = ruling.rule.id;
        let all = std::mem::take(&mut ruling.findings);
        for found in all {
            let mut fitting = acceptances.iter().enumerate();
            let fitting = fitting.find(|(_, one)| found.counts() && one.rule == id && one.subject == found.subject);
            let Some((index, acceptance)) = fitting else {
                ruling.findings.push(found);
                continue;
            };
            matched.insert(index);
            if acceptance.until < today {
                findings.push(expired(acceptance));
                ruling.findings.push(found);
                continue;
            }
            accepted.push(Accepted {
                found,
                reason: acceptance.reason.clone(),
                until: acceptance.until,
            });
        }
    }
    for (index, acceptance) in acceptances.iter().enumerate() {
        let ruling = rulings.iter().find(|ruling| ruling.rule.id == acceptance.rule);
        // What could not be looked at may still be there.
        let decided = ruling.is_none_or(|ruling| ruling.unknown.is_empty());
        if !matched.contains(&index) && decided && !narrowed {
            findings.push(unused(acceptance));
        }
    }
    (accepted, findings)
}

fn expired(acceptance: &Acceptance) -> Finding {
    let message = format!(
        "`{}` was accepted for {} until {}: {}",
        acceptance.subject, acceptance.rule, acceptance.until, acceptance.reason
    );
    Finding::warning("acceptance-expired", message)
        .at(acceptance.span.clone())
        .fix("Do what the finding asks for, or decide anew until when it is accepted.")
}

fn unused(acceptance: &Acceptance) -> Finding {
    let message = format!(
        "nothing is found for `{}` by {} any more",
        acceptance.subject, acceptance.rule
    );
    Finding::warning("acceptance-unused", message)
        .at(acceptance.span.clone())
        .fix("Remove the entry: what comes next under this id should be seen.")
}

#[cfg(test)]
mod tests {
    use super::{super::testing::Org, *};
    use crate::{access::audit::Verdict, diag::SourceFile, model::hidden};

    fn acceptance(rule: &str, subject: &str, until: &str) -> Acceptance {
        Acceptance {
            rule: rule.to_owned(),
            subject: subject.to_owned(),
            reason: "agreed".to_owned(),
            until: until.parse().unwrap(),
            span: Span::new(&SourceFile::new("accepted.toml", ""), 0..0),
        }
    }

    const TODAY: Date = jiff::civil::date(2026, 11, 22);

    fn spoiled() -> (Vec<Ruling>, String) {
        let mut org = Org::clean();
        let binding = org.bind("u-eve", "DeveloperRead", "$K/topic=claims-*");
        (org.rulings(), binding)
    }

    fn verdict(rulings: &[Ruling], rule: &str) -> Verdict {
        rulings.iter().find(|ruling| ruling.rule.id == rule).unwrap().verdict()
    }

    #[test]
    fn what_is_accepted_does_not_count_until_its_day_is_over() {
        let (mut rulings, id) = spoiled();
        let today = [acceptance("granted-onward", &id, "2026-11-22")];
        let (accepted, findings) = accept(&mut rulings, &today, TODAY, false);
        assert_eq!((accepted.len(), findings.len()), (1, 0));
        assert_eq!(verdict(&rulings, "granted-onward"), Verdict::Absent);

        let (mut rulings, id) = spoiled();
        let yesterday = [acceptance("granted-onward", &id, "2026-11-21")];
        let (accepted, findings) = accept(&mut rulings, &yesterday, TODAY, false);
        assert_eq!((accepted.len(), findings[0].rule), (0, "acceptance-expired"));
        assert_eq!(verdict(&rulings, "granted-onward"), Verdict::Present);
    }

    #[test]
    fn another_rule_or_another_object_is_not_accepted() {
        let (mut rulings, id) = spoiled();
        let others = [
            acceptance("key-age", &id, "2027-01-01"),
            acceptance("granted-onward", "rb-other", "2027-01-01"),
        ];
        let (accepted, findings) = accept(&mut rulings, &others, TODAY, false);
        assert!(accepted.is_empty());
        assert_eq!(
            findings.iter().map(|f| f.rule).collect::<Vec<_>>(),
            ["acceptance-unused"; 2]
        );
        assert_eq!(verdict(&rulings, "granted-onward"), Verdict::Present);
    }

    #[test]
    fn an_entry_is_unused_only_where_everything_was_seen() {
        let entry = [acceptance("stray-acl", "acl-1", "2027-01-01")];
        let mut org = Org::clean();
        org.seen.unknown.insert(hidden::ACLS.into(), "no key".into());
        let mut rulings = org.rulings();
        assert!(
            accept(&mut rulings, &entry, TODAY, false).1.is_empty(),
            "the rule is unknown"
        );
        let entry = [acceptance("key-age", "GONE", "2027-01-01")];
        assert!(accept(&mut rulings, &entry, TODAY, true).1.is_empty(), "narrowed");
        assert_eq!(accept(&mut rulings, &entry, TODAY, false).1.len(), 1);
    }
}
