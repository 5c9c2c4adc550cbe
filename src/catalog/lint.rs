//! Linter: applies all rules to a connector file.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{
    file::{ConfigEntry, ConnectorConfigFile, ValueKind},
    reader::catalog,
    rule::{LintInput, LintOptions, RuleFindings},
    rules,
    schema::Catalog,
    secret::ValueReference,
};
use crate::{
    diag::{Finding, Severity, SourceFile},
    hint::closest_match,
};

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
    let catalog = context.catalog.unwrap_or_else(|| catalog());
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
    keep_one_finding_per_value(&input, &mut linted.findings);
    let place = |finding: &Finding| finding.span.as_ref().map_or(0, |span| span.range.start);
    linted.findings.sort_by_key(place);
    linted.excepted.sort_by_key(|excepted| place(&excepted.finding));
    linted
}

/// Keeps the most useful finding about each value: a value that cannot be judged (a list, a placeholder, a mask) has
/// no other finding, and an error outweighs a warning.
fn keep_one_finding_per_value(input: &LintInput<'_>, findings: &mut Vec<Finding>) {
    for entry in input.entries() {
        let rank = |finding: &Finding| {
            let undecidable = match finding.rule {
                rules::not_a_string::ID => matches!(entry.kind, ValueKind::Array | ValueKind::Object | ValueKind::Null),
                rules::placeholder::ID | rules::masked_value::ID => true,
                _ => false,
            };
            // What reveals a secret or leads to another department matters more than the rest.
            let severe = finding.rule == rules::literal_secret::ID || finding.rule.starts_with("foreign-");
            (!undecidable, finding.severity != Severity::Error, !severe)
        };
        let about = |finding: &Finding| finding.span.as_ref().is_some_and(|span| span.range == entry.value_span);
        let best = findings.iter().filter(|finding| about(finding)).map(rank).min();
        let mut kept = false;
        findings
            .retain(|finding| !about(finding) || (Some(rank(finding)) == best && !std::mem::replace(&mut kept, true)));
    }
}

/// Returns whether an unknown key is probably a misspelt secret key of the plugin.
fn resembles_secret_key(input: &LintInput<'_>, key: &str) -> bool {
    let Some(plugin) = input.plugin.filter(|_| input.key_schema(key).is_none()) else {
        return false;
    };
    let near = closest_match(key, plugin.keys.keys().map(String::as_str));
    near.is_some_and(|near| input.secrecy(near).must_be_hidden())
}

/// Returns whether the value of `entry` must not be shown: a secret that is no reference, or a value with a credential.
fn is_hidden(input: &LintInput<'_>, entry: &ConfigEntry) -> bool {
    let is_secret = input.secrecy(&entry.key).must_be_hidden() || resembles_secret_key(input, &entry.key);
    (is_secret && ValueReference::parse(&entry.value).is_none())
        || rules::credential_in_value::contains_credential(&entry.value)
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
        if is_hidden(input, entry) {
            hide(entry.value_span.clone());
        }
    }
    let text = String::from_utf8(text).unwrap_or_default();
    SourceFile::new(file.source.path.clone(), text)
}

/// Returns a copy of the text of `file` without secrets, in which all ranges stay valid.
#[must_use]
pub fn redacted_copy(file: &ConnectorConfigFile, catalog: &Catalog) -> Arc<SourceFile> {
    with_input(file, catalog, redacted_source)
}

/// Returns the configuration of `file` with asterisks instead of secrets; references to secrets stay.
#[must_use]
pub fn redacted_config(file: &ConnectorConfigFile, catalog: &Catalog) -> BTreeMap<String, String> {
    with_input(file, catalog, |input| {
        let mut config = BTreeMap::new();
        for entry in &file.entries {
            let value = match is_hidden(input, entry) {
                true => "****************",
                false => &entry.value,
            };
            // Of a duplicate key, the first value counts.
            config.entry(entry.key.clone()).or_insert_with(|| value.to_owned());
        }
        config
    })
}

fn with_input<T>(file: &ConnectorConfigFile, catalog: &Catalog, read: impl FnOnce(&LintInput<'_>) -> T) -> T {
    read(&LintInput {
        catalog,
        file,
        plugin: file.class().and_then(|class| catalog.plugin(class)),
        options: &LintOptions::default(),
    })
}
