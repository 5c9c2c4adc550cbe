//! Linter: applies all rules to a connector file.

use std::{ops::Range, sync::Arc};

use super::{
    file::{ConnectorConfigFile, ValueKind},
    reader::catalog,
    rule::{LintInput, LintOptions, LintRule, RuleFindings},
    rules,
    secret::ValueReference,
};
use crate::diag::{Finding, SourceFile};

/// Finding suppressed by an exception.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ExceptedFinding {
    /// Finding.
    pub finding: Finding,
    /// Reason of the exception.
    pub reason: String,
}

/// Result of a lint run.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct LintResult {
    /// Findings in the order of the file.
    pub findings: Vec<Finding>,
    /// Suppressed findings.
    pub excepted: Vec<ExceptedFinding>,
}

/// Lints `file`. Findings refer to a redacted copy of the text, so they can be shown anywhere.
#[must_use]
pub fn lint(file: &ConnectorConfigFile, context: &LintOptions<'_>) -> LintResult {
    let catalog = catalog();
    let class = file.class();
    let input = LintInput {
        catalog,
        file,
        plugin: class.and_then(|class| catalog.plugin(class)),
        options: context,
    };
    let shown = redacted_source(&input);
    // The keys of a self-managed configuration have other meanings, so only rules for it apply.
    let self_managed = rules::self_managed::is_self_managed(&input);
    let mut linted = LintResult::default();
    for rule in rules::RULES {
        if self_managed && !rule.applies_to_self_managed {
            continue;
        }
        let mut report = RuleFindings {
            rule,
            source: &shown,
            findings: Vec::new(),
        };
        (rule.check)(&input, &mut report);
        report.findings.retain(|finding| !is_superseded(&input, rule, finding));
        let exception = context.exceptions.iter().find(|(id, _)| id == rule.id);
        match exception {
            Some((_, reason)) => linted
                .excepted
                .extend(report.findings.into_iter().map(|finding| ExceptedFinding {
                    finding,
                    reason: reason.clone(),
                })),
            None => linted.findings.append(&mut report.findings),
        }
    }
    let place = |finding: &Finding| finding.span.as_ref().map_or(0, |span| span.range.start);
    linted.findings.sort_by_key(place);
    linted.excepted.sort_by_key(|excepted| place(&excepted.finding));
    linted
}

/// Returns whether another rule already covers the value: a placeholder, or a value that is not a string.
fn is_superseded(input: &LintInput<'_>, rule: &LintRule, finding: &Finding) -> bool {
    let Some(span) = &finding.span else { return false };
    let mut entries = input.entries().iter().filter(|entry| entry.value_span == span.range);
    entries.any(|entry| match entry.kind {
        ValueKind::Array | ValueKind::Object => rule.id != rules::not_a_string::ID,
        _ => rules::placeholder::is_placeholder(entry) && rule.id != rules::placeholder::ID,
    })
}

/// Returns the text with every byte of a secret replaced by `*`, so that all ranges stay valid.
fn redacted_source(input: &LintInput<'_>) -> Arc<SourceFile> {
    let file = input.file;
    let mut text = file.source.text.clone().into_bytes();
    let mut hide = |range: Range<usize>| {
        let range = range.start.min(text.len())..range.end.min(text.len());
        for byte in &mut text[range] {
            if !matches!(byte, b'\n' | b'\r' | b'"' | b'\'') {
                *byte = b'*';
            }
        }
    };
    for entry in file.entries.iter().chain(&file.unexpected) {
        let guarded = input.secrecy(&entry.key).must_be_hidden() && ValueReference::parse(&entry.value).is_none();
        if guarded || rules::credential_in_value::contains_credential(&entry.value) {
            hide(entry.value_span.clone());
        }
    }
    let text = String::from_utf8(text).unwrap_or_default();
    SourceFile::new(file.source.path.clone(), text)
}
