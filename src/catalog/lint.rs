//! Runs the rules over a connector file.

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

/// Whose connector it is. Without one, the rules about prefixes, quotas and runtime accounts have nothing to say.
#[derive(Clone, Copy, Debug)]
pub struct LintDepartment<'a> {
    /// The beginning of all its names.
    pub prefix: &'a Prefix,
    /// The account that its connectors run under, when it is known.
    pub runtime_account: Option<&'a ServiceAccountId>,
    /// What it may use.
    pub quota: &'a DepartmentQuota,
}

/// What a file is judged by.
#[derive(Clone, Copy, Debug, Default)]
pub struct LintOptions<'a> {
    /// Whose it is.
    pub department: Option<LintDepartment<'a>>,
    /// Variables besides `EBS_SECRET_…` that it may refer to.
    pub secret_variables: &'a [String],
    /// Rules that do not apply, with the reason for each.
    pub exceptions: &'a [(String, String)],
}

/// A finding that an exception has lifted.
#[derive(Clone, Debug, serde::Serialize)]
pub struct ExceptedFinding {
    /// What was found.
    pub finding: Finding,
    /// Why it does not count.
    pub reason: String,
}

/// What the rules had to say.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct LintResult {
    /// In the order of the file.
    pub findings: Vec<Finding>,
    /// What does not count.
    pub excepted: Vec<ExceptedFinding>,
}

/// Judges `file`. The findings point into a copy of the text in which secrets are stars, so they can be shown anywhere.
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
    // A self-managed configuration means something else by every key: one finding says it all.
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

/// A file with everything that rules ask about it.
pub struct LintInput<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) file: &'a ConnectorConfigFile,
    /// The plugin, when it is known here.
    pub(super) plugin: Option<&'a PluginSchema>,
    pub(super) options: &'a LintOptions<'a>,
}

impl<'a> LintInput<'a> {
    pub(super) fn entries(&self) -> &'a [ConfigEntry] {
        &self.file.entries
    }

    /// The definition of a key, also by another name; of the common keys only, when the plugin is not known.
    pub(super) fn key_schema(&self, key: &str) -> Option<&'a KeySchema> {
        match self.plugin {
            Some(plugin) => plugin.key(key),
            None => self.catalog.common_key(key),
        }
    }

    /// The entry that gives `key` a value, also by another name.
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

    /// Whether the service fetches the value of `key` itself, from a secret manager
    /// (docs/reference/connect.md#common-configuration-keys).
    pub(super) fn is_from_secret_manager(&self, key: &str) -> bool {
        let listed = |list: &str| list.split(',').any(|item| item.trim() == key);
        self.value_for("secret.manager.enabled") == Some("true")
            && self.value_for("secret.manager.managed.configs").is_some_and(listed)
    }

    /// Whether a finding is about a value of which one rule has said all there is to say: it is still to be filled in, or no
    /// text at all.
    fn is_superseded(&self, rule: &LintRule, finding: &Finding) -> bool {
        let Some(span) = &finding.span else { return false };
        let mut entries = self.entries().iter().filter(|entry| entry.value_span == span.range);
        entries.any(|entry| match entry.kind {
            ValueKind::Array | ValueKind::Object => rule.id != rules::not_a_string::ID,
            _ => rules::placeholder::is_placeholder(entry) && rule.id != rules::placeholder::ID,
        })
    }

    /// The text with a star for every byte of a secret, so that all ranges stay what they are.
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

/// Takes the findings of one rule.
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

    /// What must be changed at `range`, and how.
    pub(super) fn error(&mut self, range: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.add(Severity::Error, range.clone(), message.into()).fix = Some(fix.into());
    }

    /// The same, but only the platform team can lift it.
    pub(super) fn platform_error(&mut self, range: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        let finding = self.add(Severity::Error, range.clone(), message.into());
        finding.fix = Some(fix.into());
        finding.owner = Assignee::Platform;
    }

    /// What is likely not meant at `range`, and only the platform team can lift.
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

    /// What is likely not meant at `range`, and what to do.
    pub(super) fn warning(&mut self, range: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.add(Severity::Warning, range.clone(), message.into()).fix = Some(fix.into());
    }
}

/// A value as it may be shown: in backticks, escaped, not too long.
pub(super) fn quote(value: &str) -> String {
    const LONGEST: usize = 100;
    let mut shown: String = value.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if value.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// `a`, `b` and `c`.
pub(super) fn list_quoted<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut items: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
    }
}
