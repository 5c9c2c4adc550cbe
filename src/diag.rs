//! Findings: results of checks, with a rule, a severity and, for files, a position.
//!
//! All checks (manifests, the linter, the audit) produce [`Finding`]s; `render` prints them with carets, as JSON or as
//! SARIF. This module does not depend on the output.

use std::{ops::Range, path::PathBuf, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Information.
    Info,
    /// Works, but probably not as intended.
    Warning,
    /// Must be fixed.
    Error,
}

/// Assignee of a finding: who can fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Assignee {
    /// Department.
    Department,
    /// Platform team.
    Platform,
    /// Administrator of the organization.
    Administrator,
    /// Operator of the network.
    Network,
    /// Confluent.
    Confluent,
}

/// Source file, kept to print snippets of it.
#[derive(Debug)]
pub struct SourceFile {
    /// Path as the user wrote it.
    pub path: PathBuf,
    /// Whole text.
    pub text: String,
}

impl SourceFile {
    /// Creates a source file named `path`.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: text.into(),
        })
    }

    /// Returns line and column of a byte offset, both starting at 1; columns count characters.
    #[must_use]
    pub fn line_column(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (line, before[start..].chars().count() + 1)
    }
}

/// Position in a file.
#[derive(Clone, Debug)]
pub struct SourceSpan {
    /// File.
    pub source: Arc<SourceFile>,
    /// Byte range; an empty one refers to the whole file.
    pub range: Range<usize>,
}

impl SourceSpan {
    /// Creates a span of `source`.
    #[must_use]
    pub fn new(source: &Arc<SourceFile>, range: Range<usize>) -> Self {
        Self {
            source: Arc::clone(source),
            range,
        }
    }

    /// Returns `path:line:column`, as editors and terminals expect it.
    #[must_use]
    pub fn location(&self) -> String {
        let (line, column) = self.source.line_column(self.range.start);
        format!("{}:{line}:{column}", self.source.path.display())
    }
}

/// Result of a check.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Rule id in kebab-case. It is stable, because exceptions refer to it.
    pub rule: &'static str,
    /// Severity.
    pub severity: Severity,
    /// Problem, a sentence fragment without a full stop.
    pub message: String,
    /// Position, if it is in a file.
    pub span: Option<SourceSpan>,
    /// Suggestion, a whole sentence.
    pub fix: Option<String>,
    /// Assignee.
    pub owner: Assignee,
}

impl Finding {
    /// Creates an error of `rule`.
    pub fn error(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            rule,
            severity: Severity::Error,
            message: message.into(),
            span: None,
            fix: None,
            owner: Assignee::Platform,
        }
    }

    /// Creates a warning of `rule`.
    pub fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(rule, message)
        }
    }

    /// Creates an information of `rule`.
    pub fn info(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Info,
            ..Self::error(rule, message)
        }
    }

    /// Returns the finding with a position.
    #[must_use]
    pub fn with_span(mut self, span: SourceSpan) -> Self {
        self.span = Some(span);
        self
    }

    /// Returns the finding with a suggestion.
    #[must_use]
    pub fn with_fix(mut self, sentence: impl Into<String>) -> Self {
        self.fix = Some(sentence.into());
        self
    }

    /// Returns the finding with another assignee.
    #[must_use]
    pub fn with_assignee(mut self, owner: Assignee) -> Self {
        self.owner = owner;
        self
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Finding", 8)?;
        out.serialize_field("rule", self.rule)?;
        out.serialize_field("severity", &self.severity)?;
        out.serialize_field("message", &self.message)?;
        let place = self
            .span
            .as_ref()
            .map(|span| (span, span.source.line_column(span.range.start)));
        out.serialize_field(
            "file",
            &place.as_ref().map(|(span, _)| span.source.path.display().to_string()),
        )?;
        out.serialize_field("line", &place.as_ref().map(|(_, (line, _))| line))?;
        out.serialize_field("column", &place.as_ref().map(|(_, (_, column))| column))?;
        out.serialize_field("fix", &self.fix)?;
        out.serialize_field("owner", &self.owner)?;
        out.end()
    }
}

/// Description of a rule that a report shows beside its findings.
#[derive(Clone, Debug)]
pub struct RuleDescription {
    /// Rule id, as in its findings.
    pub id: &'static str,
    /// Summary, one line.
    pub summary: String,
    /// What to do about a finding, a whole sentence.
    pub help: String,
    /// Severity of a finding.
    pub severity: Severity,
}

/// Returns whether any finding is an error.
#[must_use]
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}
