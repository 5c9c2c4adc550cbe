//! Findings in the formats of pipelines, for commands that check files.

use serde::Serialize;

use super::global_args::OutputFormat;
use crate::{
    diag::{Finding, RuleDescription},
    render::{
        Block, Viewable, findings_to_markdown, sarif_text, sarif_text_with_rules, to_github_annotations,
        to_gitlab_code_quality, to_junit,
    },
};

/// Whether findings have this format, besides those of every command.
pub(super) fn is_finding_format(format: OutputFormat) -> bool {
    matches!(
        format,
        OutputFormat::Sarif
            | OutputFormat::Github
            | OutputFormat::Gitlab
            | OutputFormat::Junit
            | OutputFormat::Markdown
    )
}

/// Result of a command in a format of every command, or its findings as a document.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct FindingReport<T> {
    value: T,
    #[serde(skip)]
    document: Option<String>,
}

impl<T> FindingReport<T> {
    /// Creates the report of `command` with its `findings`; `title` is the heading of a document.
    pub(super) fn new(value: T, format: OutputFormat, command: &str, title: &str, findings: &[Finding]) -> Self {
        Self {
            value,
            document: finding_document(format, command, title, findings),
        }
    }
}

impl<T> FindingReport<T> {
    /// Adds the descriptions of rules that are defined outside of this program, such as policies.
    pub(super) fn with_rules(mut self, format: OutputFormat, findings: &[Finding], rules: &[RuleDescription]) -> Self {
        if format == OutputFormat::Sarif {
            self.document = Some(sarif_text_with_rules(findings, rules));
        }
        self
    }
}

impl<T: Viewable> Viewable for FindingReport<T> {
    fn view(&self) -> Vec<Block> {
        match &self.document {
            Some(document) => vec![Block::Verbatim(document.clone())],
            None => self.value.view(),
        }
    }
}

/// Returns the document of a format that is no view.
fn finding_document(format: OutputFormat, command: &str, title: &str, findings: &[Finding]) -> Option<String> {
    let json = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    match format {
        OutputFormat::Sarif => Some(sarif_text(findings)),
        OutputFormat::Github => Some(to_github_annotations(findings)),
        OutputFormat::Gitlab => Some(json(&to_gitlab_code_quality(findings))),
        OutputFormat::Junit => Some(to_junit(command, findings)),
        OutputFormat::Markdown => Some(findings_to_markdown(title, findings)),
        _ => None,
    }
}
