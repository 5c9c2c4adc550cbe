//! A rule of a policy file.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use globset::{Glob, GlobMatcher};
use jiff::civil::Date;

use crate::{
    diag::{Finding, Severity, SourceSpan},
    manifest::toml::TomlTable,
};

/// Rule about connectors.
#[derive(Clone, Debug)]
pub struct PolicyRule {
    /// Id in kebab-case, unique in the repository.
    pub id: &'static str,
    /// Location of the id.
    pub id_span: SourceSpan,
    /// Severity of a violation.
    pub severity: Severity,
    /// CEL expression, which is true for a connector that satisfies the rule.
    pub expression: String,
    /// Location of the expression, including its quotes.
    pub expression_span: SourceSpan,
    /// Description of a violation, a sentence fragment without a full stop.
    pub message: String,
    /// What to do about a violation, a whole sentence.
    pub fix: String,
    /// Key of the connector's file at which a violation is shown.
    pub key: Option<String>,
    /// Connectors to which the rule does not apply.
    pub exceptions: Vec<PolicyException>,
}

/// Exception from a rule.
#[derive(Clone, Debug)]
pub struct PolicyException {
    /// Name of the connector, with `*` as a wildcard, as it is written.
    pub connector: String,
    matcher: GlobMatcher,
    /// Reason of the exception.
    pub reason: String,
    /// Last day on which the exception applies.
    pub until: Date,
    /// Location of the exception.
    pub span: SourceSpan,
}

impl PolicyException {
    /// Returns whether the exception is for the connector `name` and did not expire before `today`.
    #[must_use]
    pub fn applies_to(&self, name: &str, today: Date) -> bool {
        !self.is_expired(today) && self.matcher.is_match(name)
    }

    /// Returns whether the last day is before `today`.
    #[must_use]
    pub fn is_expired(&self, today: Date) -> bool {
        self.until < today
    }
}

/// Reads the rules of a file.
pub(super) fn read_rules(root: &TomlTable<'_>) -> Vec<PolicyRule> {
    root.get::<String>("description");
    let rules = root.tables("rule");
    if rules.is_empty() && root.key_range("rule").is_none() {
        let finding = Finding::warning("no-rule", "the file contains no rules");
        root.report(0..0, finding.with_fix("Add a `[[rule]]` table, or delete the file."));
    }
    rules.iter().filter_map(read_rule).collect()
}

fn read_rule(table: &TomlTable<'_>) -> Option<PolicyRule> {
    let id = table.require::<String>("id");
    let severity = table.require::<String>("severity");
    let expression = table.require::<String>("expression");
    let message = require_sentence(table, "message");
    let fix = require_sentence(table, "fix");
    let key = table.get::<String>("key");
    let exceptions: Vec<PolicyException> = table.tables("exception").iter().filter_map(read_exception).collect();
    let id = id.filter(|id| {
        let is_kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let is_valid = id.get_ref().starts_with(|c: char| c.is_ascii_lowercase()) && id.get_ref().chars().all(is_kebab);
        if !is_valid {
            let message = format!(
                "`{}` is not a rule id: expected lower case letters, digits and `-`",
                id.get_ref().escape_debug()
            );
            table.report(id.span(), Finding::error("invalid-value", message));
        }
        is_valid
    });
    let severity = severity.and_then(|written| match written.get_ref().as_str() {
        "error" => Some(Severity::Error),
        "warning" => Some(Severity::Warning),
        other => {
            let message = format!("unknown severity `{}`", other.escape_debug());
            let finding = Finding::error("invalid-value", message).with_fix("Write `error` or `warning`.");
            table.report(written.span(), finding);
            None
        }
    });
    let (id, severity, expression) = (id?, severity?, expression?);
    Some(PolicyRule {
        id_span: table.span_of(id.span()),
        id: intern(id.get_ref()),
        severity,
        expression_span: table.span_of(expression.span()),
        expression: expression.into_inner(),
        message: message?,
        fix: fix?,
        key: key.map(toml::Spanned::into_inner),
        exceptions,
    })
}

fn read_exception(table: &TomlTable<'_>) -> Option<PolicyException> {
    let connector = table.require::<String>("connector");
    let reason = require_sentence(table, "reason");
    let until = table.require::<Date>("until");
    let connector = connector?;
    let matcher = match Glob::new(connector.get_ref()) {
        Ok(glob) => glob.compile_matcher(),
        Err(error) => {
            let message = format!("`connector` is not a valid pattern: {}", error.kind());
            table.report(connector.span(), Finding::error("invalid-value", message));
            return None;
        }
    };
    Some(PolicyException {
        span: table.span_of(connector.span()),
        connector: connector.into_inner(),
        matcher,
        reason: reason?,
        until: until?.into_inner(),
    })
}

/// Returns the required text `key`, which must not be blank.
fn require_sentence(table: &TomlTable<'_>, key: &'static str) -> Option<String> {
    let text = table.require::<String>(key)?;
    if text.get_ref().trim().is_empty() {
        let message = format!("`{key}` is empty");
        table.report(text.span(), Finding::error("invalid-value", message));
        return None;
    }
    Some(text.into_inner().trim().to_owned())
}

/// Returns `id` for the lifetime of the process, because a finding refers to its rule by such a text. Each id is kept
/// once, however often the files are read.
fn intern(id: &str) -> &'static str {
    static IDS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let mut ids = IDS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = ids.get(id) {
        return known;
    }
    let new: &'static str = String::from(id).leak();
    ids.insert(new);
    new
}
