//! Runs the rules over a connector file.

use std::{ops::Range, sync::Arc};

use super::{
    facts::{Catalog, KeyFact, Plugin, catalog},
    file::{ConnectorFile, Entry, ValueKind},
    rules::{self, Rule},
    secret::{Reference, Secrecy, secrecy},
};
use crate::{
    diag::{Finding, Owner, Severity, SourceFile, Span},
    model::{DepartmentQuota, Prefix, ServiceAccountId},
};

/// Whose connector it is. Without one, the rules about prefixes, quotas and runtime accounts have nothing to say.
#[derive(Clone, Copy, Debug)]
pub struct Tenant<'a> {
    /// The beginning of all its names.
    pub prefix: &'a Prefix,
    /// The account that its connectors run under, when it is known.
    pub runtime_account: Option<&'a ServiceAccountId>,
    /// What it may use.
    pub quota: &'a DepartmentQuota,
}

/// What a file is judged by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// Whose it is.
    pub tenant: Option<Tenant<'a>>,
    /// Variables besides `EBS_SECRET_…` that it may refer to.
    pub secret_variables: &'a [String],
    /// Rules that do not apply, with the reason for each.
    pub exceptions: &'a [(String, String)],
}

/// A finding that an exception has lifted.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Excepted {
    /// What was found.
    pub finding: Finding,
    /// Why it does not count.
    pub reason: String,
}

/// What the rules had to say.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Linted {
    /// In the order of the file.
    pub findings: Vec<Finding>,
    /// What does not count.
    pub excepted: Vec<Excepted>,
}

/// Judges `file`. The findings point into a copy of the text in which secrets are stars, so they can be shown anywhere.
#[must_use]
pub fn lint(file: &ConnectorFile, context: &Context<'_>) -> Linted {
    let catalog = catalog();
    let class = file.class();
    let subject = Subject {
        catalog,
        file,
        plugin: class.and_then(|class| catalog.plugin(class)),
        context,
    };
    let shown = subject.without_secrets();
    // A self-managed configuration means something else by every key: one finding says it all.
    let self_managed = rules::self_managed::is_self_managed(&subject);
    let mut linted = Linted::default();
    for rule in rules::RULES {
        if self_managed && !rule.on_self_managed {
            continue;
        }
        let mut report = Report {
            rule,
            source: &shown,
            findings: Vec::new(),
        };
        (rule.check)(&subject, &mut report);
        report.findings.retain(|finding| !subject.is_moot(rule, finding));
        let exception = context.exceptions.iter().find(|(id, _)| id == rule.id);
        match exception {
            Some((_, reason)) => linted
                .excepted
                .extend(report.findings.into_iter().map(|finding| Excepted {
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
pub struct Subject<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) file: &'a ConnectorFile,
    /// The plugin, when it is known here.
    pub(super) plugin: Option<&'a Plugin>,
    pub(super) context: &'a Context<'a>,
}

impl<'a> Subject<'a> {
    pub(super) fn entries(&self) -> &'a [Entry] {
        &self.file.entries
    }

    /// The definition of a key, also by another name; of the common keys only, when the plugin is not known.
    pub(super) fn fact(&self, key: &str) -> Option<&'a KeyFact> {
        match self.plugin {
            Some(plugin) => plugin.key(key),
            None => self.catalog.common_key(key),
        }
    }

    /// The entry that gives `key` a value, also by another name.
    pub(super) fn given(&self, key: &str) -> Option<&'a Entry> {
        let by_alias = |entry: &&Entry| self.fact(&entry.key).is_some_and(|fact| fact.name == key);
        let own = self.file.entry(key);
        own.or_else(|| self.entries().iter().find(by_alias))
    }

    pub(super) fn given_value(&self, key: &str) -> Option<&'a str> {
        self.given(key).map(|entry| entry.value.as_str())
    }

    pub(super) fn secrecy(&self, key: &str) -> Secrecy {
        secrecy(self.catalog, self.plugin, key)
    }

    /// Whether the service fetches the value of `key` itself, from a secret manager (dossier `connect.md` §4.1).
    pub(super) fn is_fetched(&self, key: &str) -> bool {
        let listed = |list: &str| list.split(',').any(|item| item.trim() == key);
        self.given_value("secret.manager.enabled") == Some("true")
            && self.given_value("secret.manager.managed.configs").is_some_and(listed)
    }

    /// Whether a finding is about a value of which one rule has said all there is to say: it is still to be filled in, or no
    /// text at all.
    fn is_moot(&self, rule: &Rule, finding: &Finding) -> bool {
        let Some(span) = &finding.span else { return false };
        let mut entries = self.entries().iter().filter(|entry| entry.value_span == span.range);
        entries.any(|entry| match entry.kind {
            ValueKind::Array | ValueKind::Object => rule.id != rules::not_a_string::ID,
            _ => rules::placeholder::is_placeholder(entry) && rule.id != rules::placeholder::ID,
        })
    }

    /// The text with a star for every byte of a secret, so that all ranges stay what they are.
    fn without_secrets(&self) -> Arc<SourceFile> {
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
        for entry in file.entries.iter().chain(&file.stray) {
            let guarded = self.secrecy(&entry.key).is_guarded() && Reference::parse(&entry.value).is_none();
            if guarded || rules::credential_in_value::holds_credential(&entry.value) {
                hide(entry.value_span.clone());
            }
        }
        let text = String::from_utf8(text).unwrap_or_default();
        SourceFile::new(file.source.path.clone(), text)
    }
}

/// Takes the findings of one rule.
pub struct Report<'a> {
    rule: &'a Rule,
    source: &'a Arc<SourceFile>,
    findings: Vec<Finding>,
}

impl Report<'_> {
    fn add(&mut self, severity: Severity, range: Range<usize>, message: String) -> &mut Finding {
        let finding = match severity {
            Severity::Error => Finding::error(self.rule.id, message),
            Severity::Warning => Finding::warning(self.rule.id, message),
            Severity::Info => Finding::info(self.rule.id, message),
        };
        let span = Span::new(self.source, range);
        let index = self.findings.len();
        self.findings.push(finding.at(span).owned_by(Owner::Department));
        &mut self.findings[index]
    }

    /// What must be changed at `range`, and how.
    pub(super) fn error(&mut self, range: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.add(Severity::Error, range.clone(), message.into()).fix = Some(fix.into());
    }

    /// The same, but only the platform team can lift it.
    pub(super) fn error_for_ebs(&mut self, range: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        let finding = self.add(Severity::Error, range.clone(), message.into());
        finding.fix = Some(fix.into());
        finding.owner = Owner::Ebs;
    }

    /// What is likely not meant at `range`, and only the platform team can lift.
    pub(super) fn warning_for_ebs(&mut self, range: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        let finding = self.add(Severity::Warning, range.clone(), message.into());
        finding.fix = Some(fix.into());
        finding.owner = Owner::Ebs;
    }

    /// What is likely not meant at `range`, and what to do.
    pub(super) fn warning(&mut self, range: &Range<usize>, message: impl Into<String>, fix: impl Into<String>) {
        self.add(Severity::Warning, range.clone(), message.into()).fix = Some(fix.into());
    }
}

/// A value as it may be shown: in backticks, escaped, not too long.
pub(super) fn quoted(value: &str) -> String {
    const LONGEST: usize = 100;
    let mut shown: String = value.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if value.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// `a`, `b` and `c`.
pub(super) fn listed<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut items: Vec<String> = items.into_iter().map(|item| format!("`{item}`")).collect();
    match items.pop() {
        None => String::new(),
        Some(last) if items.is_empty() => last,
        Some(last) => format!("{} and {last}", items.join(", ")),
    }
}
