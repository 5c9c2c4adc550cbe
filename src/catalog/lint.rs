//! Linter: applies all rules to a connector file.

use std::{ops::Range, sync::Arc};

use super::{
    file::{ConfigEntry, ConnectorConfigFile, ValueKind},
    rules::{self, LintRule},
    schema::{Catalog, KeySchema, PluginSchema, catalog},
    secret::{Secrecy, ValueReference, secrecy},
};
use crate::{
    diag::{Assignee, Finding, Severity, SourceFile, SourceSpan},
    model::{DepartmentQuota, Prefix, ServiceAccountId},
};

/// Department of the connector. Without one, the rules about prefixes, quotas and runtime accounts are skipped.
#[derive(Clone, Copy, Debug)]
pub struct LintDepartment<'a> {
    /// Prefix of all its names.
    pub prefix: &'a Prefix,
    /// Runtime account of its connectors, if known.
    pub runtime_account: Option<&'a ServiceAccountId>,
    /// Quota.
    pub quota: &'a DepartmentQuota,
}

/// Options of a lint run.
#[derive(Clone, Copy, Debug, Default)]
pub struct LintOptions<'a> {
    /// Department of the connector.
    pub department: Option<LintDepartment<'a>>,
    /// Variables besides `EBS_SECRET_…` that the file may reference.
    pub secret_variables: &'a [String],
    /// Excepted rules, each with its reason.
    pub exceptions: &'a [(String, String)],
}

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
    let shown = input.redacted_source();
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
        report.findings.retain(|finding| !input.is_superseded(rule, finding));
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

/// Input of a rule.
pub struct LintInput<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) file: &'a ConnectorConfigFile,
    /// Plugin, if the catalog contains it.
    pub(super) plugin: Option<&'a PluginSchema>,
    pub(super) options: &'a LintOptions<'a>,
}

impl<'a> LintInput<'a> {
    pub(super) fn entries(&self) -> &'a [ConfigEntry] {
        &self.file.entries
    }

    /// Returns the schema of a key or alias; only of common keys if the plugin is unknown.
    pub(super) fn key_schema(&self, key: &str) -> Option<&'a KeySchema> {
        match self.plugin {
            Some(plugin) => plugin.key(key),
            None => self.catalog.common_key(key),
        }
    }

    /// Returns the entry that sets `key`, also by an alias.
    pub(super) fn entry_for(&self, key: &str) -> Option<&'a ConfigEntry> {
        let by_alias = |entry: &&ConfigEntry| self.key_schema(&entry.key).is_some_and(|fact| fact.name == key);
        let own = self.file.entry(key);
        own.or_else(|| self.entries().iter().find(by_alias))
    }

    pub(super) fn value_for(&self, key: &str) -> Option<&'a str> {
        self.entry_for(key).map(|entry| entry.value.as_str())
    }

    pub(super) fn secrecy(&self, key: &str) -> Secrecy {
        secrecy(self.catalog, self.plugin, key)
    }

    /// Returns whether the service reads the value of `key` from a secret manager
    /// (docs/reference/connect.md#common-configuration-keys).
    pub(super) fn is_from_secret_manager(&self, key: &str) -> bool {
        let listed = |list: &str| list.split(',').any(|item| item.trim() == key);
        self.value_for("secret.manager.enabled") == Some("true")
            && self.value_for("secret.manager.managed.configs").is_some_and(listed)
    }

    /// Returns whether another rule already covers the value: a placeholder, or a value that is not a string.
    fn is_superseded(&self, rule: &LintRule, finding: &Finding) -> bool {
        let Some(span) = &finding.span else { return false };
        let mut entries = self.entries().iter().filter(|entry| entry.value_span == span.range);
        entries.any(|entry| match entry.kind {
            ValueKind::Array | ValueKind::Object => rule.id != rules::not_a_string::ID,
            _ => rules::placeholder::is_placeholder(entry) && rule.id != rules::placeholder::ID,
        })
    }

    /// Returns the text with every byte of a secret replaced by `*`, so that all ranges stay valid.
    fn redacted_source(&self) -> Arc<SourceFile> {
        let file = self.file;
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
            let guarded = self.secrecy(&entry.key).must_be_hidden() && ValueReference::parse(&entry.value).is_none();
            if guarded || rules::credential_in_value::contains_credential(&entry.value) {
                hide(entry.value_span.clone());
            }
        }
        let text = String::from_utf8(text).unwrap_or_default();
        SourceFile::new(file.source.path.clone(), text)
    }
}

/// Collector for the findings of one rule.
pub struct RuleFindings<'a> {
    rule: &'a LintRule,
    source: &'a Arc<SourceFile>,
    findings: Vec<Finding>,
}

impl RuleFindings<'_> {
    fn add(&mut self, severity: Severity, range: Range<usize>, message: String) -> &mut Finding {
        let finding = match severity {
            Severity::Error => Finding::error(self.rule.id, message),
            Severity::Warning => Finding::warning(self.rule.id, message),
            Severity::Info => Finding::info(self.rule.id, message),
        };
        let span = SourceSpan::new(self.source, range);
        let index = self.findings.len();
        self.findings
            .push(finding.with_span(span).with_assignee(Assignee::Department));
        &mut self.findings[index]
    }

    /// Adds an error at `range` with a suggestion.
    pub(super) fn error(&mut self, range: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.add(Severity::Error, range.clone(), message.into()).fix = Some(fix.into());
    }

    /// Adds an error that only the platform team can fix.
    pub(super) fn platform_error(&mut self, range: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        let finding = self.add(Severity::Error, range.clone(), message.into());
        finding.fix = Some(fix.into());
        finding.owner = Assignee::Platform;
    }

    /// Adds a warning that only the platform team can fix.
    pub(super) fn platform_warning(
        &mut self,
        range: &Range<usize>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) {
        let finding = self.add(Severity::Warning, range.clone(), message.into());
        finding.fix = Some(fix.into());
        finding.owner = Assignee::Platform;
    }

    /// Adds a warning at `range` with a suggestion.
    pub(super) fn warning(&mut self, range: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.add(Severity::Warning, range.clone(), message.into()).fix = Some(fix.into());
    }
}

/// Quotes a value for a message: in backticks, escaped, and shortened.
pub(super) fn quote(value: &str) -> String {
    const LONGEST: usize = 100;
    let mut shown: String = value.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if value.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Returns a list in backticks: `a`, `b` and `c`.
pub(super) fn list_quoted<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut items: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
    }
}
