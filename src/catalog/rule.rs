//! Definition of a lint rule: its description, its input, and the collector of its findings.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use super::{
    file::{ConfigEntry, ConnectorConfigFile},
    schema::{Catalog, KeySchema, PluginSchema},
    secret::{Secrecy, secrecy},
};
use crate::{
    diag::{Assignee, Finding, Severity, SourceFile, SourceSpan},
    model::{ConnectorNamePattern, DepartmentQuota, PlatformTeam, Prefix, ServiceAccountId, UNNAMED_PLATFORM_TEAM},
};

/// Lint rule.
pub struct LintRule {
    /// Rule id in kebab-case. It is stable, because exceptions refer to it.
    pub id: &'static str,
    /// Severity of its worst finding.
    pub severity: Severity,
    /// Summary, one line.
    pub summary: &'static str,
    /// Reason, with its source.
    pub explanation: &'static str,
    /// Whether it applies to a self-managed configuration.
    pub applies_to_self_managed: bool,
    pub(super) check: fn(&LintInput<'_>, &mut RuleFindings<'_>),
}

/// Department of the connector. Without one, the rules about prefixes, quotas and runtime accounts are skipped.
#[derive(Clone, Copy, Debug)]
pub struct LintDepartment<'a> {
    /// Prefix of all its names.
    pub prefix: &'a Prefix,
    /// Runtime account of its connectors, if known.
    pub runtime_account: Option<&'a ServiceAccountId>,
    /// Quota.
    pub quota: &'a DepartmentQuota,
    /// Naming convention of the platform.
    pub connector_names: &'a ConnectorNamePattern,
    /// Platform team.
    pub platform_team: &'a PlatformTeam,
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
    /// Embedded facts with refreshed ones; `None` for the embedded facts only.
    pub catalog: Option<&'a Catalog>,
    /// Environment variables, for the values of references; `None` if they are not checked.
    pub variables: Option<&'a BTreeMap<String, String>>,
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
    pub(super) fn platform_team(&self) -> &'a PlatformTeam {
        self.options
            .department
            .map_or(&UNNAMED_PLATFORM_TEAM, |department| department.platform_team)
    }

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
}

/// Collector for the findings of one rule.
pub struct RuleFindings<'a> {
    pub(super) rule: &'a LintRule,
    /// Redacted text of the file.
    pub(super) source: &'a Arc<SourceFile>,
    pub(super) findings: Vec<Finding>,
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

/// Suggestion for what the catalog does not know.
pub(super) const ASK_THE_SERVICE: &str =
    "`confluent ebs connector validate` asks the service, which may have added it since.";

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

/// Returns whether a key belongs to a single message transform or predicate, whose names the file defines.
pub(super) fn is_transform_key(key: &str) -> bool {
    ["transforms", "predicates"].into_iter().any(|family| {
        let rest = key.strip_prefix(family);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

/// Returns whether the service completes a part of `value`, so that it cannot be checked offline.
pub(super) fn is_template(value: &str) -> bool {
    value.contains("${") || value.contains("{{")
}
