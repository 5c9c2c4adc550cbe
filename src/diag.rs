//! Findings: what any check has to say, with a rule, a severity and, where there is a file, the place in it.
//!
//! Everything that checks something (manifests, the linter, the audit) speaks in [`Finding`]s; `render` shows them with
//! carets, as JSON or as SARIF. This module knows nothing about output.

use std::{ops::Range, path::PathBuf, sync::Arc};

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Works, but likely not as meant.
    Warning,
    /// Must be changed.
    Error,
}

/// Who can lift a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Assignee {
    /// The department itself.
    Department,
    /// The platform team.
    Platform,
    /// An administrator of the organization.
    Administrator,
    /// Whoever runs the network in between.
    Network,
    /// Confluent.
    Confluent,
}

/// A file that was read, kept for showing snippets of it.
#[derive(Debug)]
pub struct SourceFile {
    /// The path as the user wrote it, for messages.
    pub path: PathBuf,
    /// The whole text.
    pub text: String,
}

impl SourceFile {
    /// Keeps `text` under the name `path`.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            path: path.into(),
            text: text.into(),
        })
    }

    /// Line and column of a byte offset, both counted from 1; columns count characters.
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

/// A place in a file.
#[derive(Clone, Debug)]
pub struct SourceSpan {
    /// The file.
    pub source: Arc<SourceFile>,
    /// Byte range in its text; empty means the whole file.
    pub range: Range<usize>,
}

impl SourceSpan {
    /// The byte range `range` of `source`.
    #[must_use]
    pub fn new(source: &Arc<SourceFile>, range: Range<usize>) -> Self {
        Self {
            source: Arc::clone(source),
            range,
        }
    }

    /// `path:line:column`, as editors and terminals understand it.
    #[must_use]
    pub fn location(&self) -> String {
        let (line, column) = self.source.line_column(self.range.start);
        format!("{}:{line}:{column}", self.source.path.display())
    }
}

/// One thing that a check found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Id of the rule, kebab-case and stable: people write it into exceptions.
    pub rule: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, a sentence fragment without a full stop.
    pub message: String,
    /// Where, when it is in a file.
    pub span: Option<SourceSpan>,
    /// What to do about it, a whole sentence.
    pub fix: Option<String>,
    /// Who can lift it.
    pub owner: Assignee,
}

impl Finding {
    /// An error of `rule`.
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

    /// A warning of `rule`.
    pub fn warning(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(rule, message)
        }
    }

    /// A remark of `rule`.
    pub fn info(rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Info,
            ..Self::error(rule, message)
        }
    }

    /// The same finding at a place.
    #[must_use]
    pub fn with_span(mut self, span: SourceSpan) -> Self {
        self.span = Some(span);
        self
    }

    /// The same finding with what to do about it.
    #[must_use]
    pub fn with_fix(mut self, sentence: impl Into<String>) -> Self {
        self.fix = Some(sentence.into());
        self
    }

    /// The same finding for somebody else to lift.
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

/// Whether any finding is an error.
#[must_use]
pub fn has_errors(findings: &[Finding]) -> bool {
    findings.iter().any(|finding| finding.severity == Severity::Error)
}
