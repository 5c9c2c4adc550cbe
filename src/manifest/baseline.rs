//! Baseline files of the audit: accepted findings with reason and expiry date.

use std::{fmt::Write, path::Path, sync::Arc};

use jiff::civil::Date;
use toml::Spanned;

use super::{
    files::unreadable_file,
    suggest_name,
    toml::{TomlDocument, TomlTable},
};
use crate::{
    access::audit::{AuditFinding, BaselineEntry, RULES, rules},
    diag::{Finding, SourceFile},
};

/// Reads the baseline file at `path`.
pub fn read(path: &Path) -> (Vec<BaselineEntry>, Vec<Finding>) {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&SourceFile::new(path, text)),
        Err(error) => (Vec::new(), vec![unreadable_file(path.to_owned(), &error)]),
    }
}

fn parse(source: &Arc<SourceFile>) -> (Vec<BaselineEntry>, Vec<Finding>) {
    let document = TomlDocument::parse(source);
    let acceptances = {
        let root = document.root();
        let mut acceptances: Vec<BaselineEntry> = Vec::new();
        for table in root.tables("accepted") {
            let Some(acceptance) = read_entry(&table) else { continue };
            let same = |other: &BaselineEntry| other.rule == acceptance.rule && other.subject == acceptance.subject;
            if acceptances.iter().any(same) {
                let message = format!(
                    "`{}` is accepted twice for rule `{}`",
                    acceptance.subject, acceptance.rule
                );
                let range = acceptance.span.range.clone();
                table.report(range, Finding::warning("duplicate-value", message));
            }
            acceptances.push(acceptance);
        }
        acceptances
    };
    (acceptances, document.into_findings())
}

fn read_entry(table: &TomlTable<'_>) -> Option<BaselineEntry> {
    let rule = table.require::<String>("rule");
    let subject = table.require::<String>("subject");
    let reason = table.require::<String>("reason");
    let until = table.require::<Date>("until");
    let (rule, subject, reason, until) = (rule?, subject?, reason?, until?);
    if rules::find(rule.get_ref()).is_none() {
        let message = format!("no audit rule `{}`", rule.get_ref().escape_debug());
        let fix = suggest_name(rule.get_ref(), RULES.iter().map(|rule| rule.id));
        table.report(rule.span(), Finding::error("unknown-rule", message).with_fix(fix));
    }
    if reason.get_ref().trim().is_empty() {
        let message = format!("the entry for `{}` has no reason", subject.get_ref().escape_debug());
        let finding = Finding::error("invalid-value", message);
        table.report(reason.span(), finding.with_fix("Add the reason, for the next review."));
    }
    Some(BaselineEntry {
        span: table.span_of(subject.span()),
        rule: rule.into_inner(),
        subject: subject.into_inner(),
        reason: reason.into_inner(),
        until: Spanned::into_inner(until),
    })
}

/// Creates a baseline file that accepts `findings` until a date. It is rejected until all reasons are added.
#[must_use]
pub fn draft(findings: &[&AuditFinding], until: Date) -> String {
    let mut text = String::from(
        "# Accepted findings of `confluent ebs access audit`, each with a reason and an expiry date.\n\
         # The file is invalid until every reason is filled in.\n",
    );
    for found in findings {
        let text_of = |value: &str| toml_edit::Value::from(value).to_string();
        let message = found.finding.message.replace(|c: char| c.is_control(), " ");
        // Writing into a string never fails.
        let _ = write!(
            text,
            "\n# {message}\n[[accepted]]\nrule = {}\nsubject = {}\nreason = \"\"\nuntil = {until}\n",
            text_of(found.finding.rule),
            text_of(&found.subject),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_findings(text: &str) -> String {
        super::super::tests::findings_text(&parse(&SourceFile::new("accepted.toml", text)).1)
    }

    #[test]
    fn an_entry_has_rule_subject_reason_and_last_day() {
        let text = "[[accepted]]\nrule = \"key-age\"\nsubject = \"ABC\"\nreason = \"vendor\"\nuntil = 2027-01-31\n";
        let (acceptances, findings) = parse(&SourceFile::new("accepted.toml", text));
        assert!(findings.is_empty());
        let one = &acceptances[0];
        assert_eq!((one.rule.as_str(), one.subject.as_str()), ("key-age", "ABC"));
        assert_eq!(
            (one.reason.as_str(), one.until),
            ("vendor", jiff::civil::date(2027, 1, 31))
        );
        assert_eq!(one.span.location(), "accepted.toml:3:11");
    }

    #[test]
    fn all_mistakes_in_a_baseline_are_reported_together() {
        let one = "[[accepted]]\nrule = \"key-age\"\nsubject = \"A\"\nreason = \"x\"\nuntil = 2027-01-31\n";
        let text = one.replace("2027-01-31", "\"soon\"")
            + &one.replace("subject", "subjects")
            + &one.replace("key-age", "key-ages").replace("\"x\"", "\" \"")
            + &one.repeat(2);
        insta::assert_snapshot!(parse_findings(&text), @r"
        accepted.toml:5:9 error wrong-type: `accepted.until` is a string, expected a date without quotes such as 2026-11-30
        accepted.toml:6:1 error missing-key: `accepted.subject` is missing
        accepted.toml:8:1 error unknown-key: unknown key `accepted.subjects`
            Did you mean `subject`?
        accepted.toml:12:8 error unknown-rule: no audit rule `key-ages`
            Did you mean `key-age`?
        accepted.toml:14:10 error invalid-value: the entry for `A` has no reason
            Add the reason, for the next review.
        accepted.toml:23:11 warning duplicate-value: `A` is accepted twice for rule `key-age`
        ");
    }

    #[test]
    fn a_draft_is_valid_once_reasons_are_added() {
        let found = |rule: &'static str, subject: &str| AuditFinding {
            finding: Finding::warning(rule, "two\nlines"),
            threat: "T11",
            subject: subject.to_owned(),
            departments: std::collections::BTreeSet::new(),
            evidence: std::collections::BTreeSet::new(),
        };
        let findings = [found("key-age", "ABC"), found("template-drift", "a \"quoted\" one")];
        let text = draft(&findings.iter().collect::<Vec<_>>(), jiff::civil::date(2027, 1, 31));
        let read = |text: &str| parse(&SourceFile::new("accepted.toml", text));
        let rules = read(&text).1.into_iter().map(|finding| finding.rule);
        assert_eq!(rules.collect::<Vec<_>>(), ["invalid-value"; 2], "reasons are missing");
        let (acceptances, findings) = read(&text.replace("reason = \"\"", "reason = \"agreed\""));
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(acceptances[1].subject, "a \"quoted\" one");
        assert_eq!(acceptances[0].until, jiff::civil::date(2027, 1, 31));
    }
}
