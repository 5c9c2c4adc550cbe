//! Tests of findings with their locations, formatted as in the output: `file:line:column severity rule: message`, then
//! the suggestion.

mod access;
mod departments;
mod desired;
mod docs;
mod disk;
mod limits;
mod malformed_input;
mod naming;
mod platforms;
mod templates;
mod toml;
mod views;

use std::fmt::Write;

use super::workspace::LoadedWorkspace;
use crate::diag::{Finding, SourceFile, SourceSpan};

/// A platform without findings.
pub(super) const PLATFORM: &str = r#"
[stages.prod]
environment = "env-1"
cluster = "lkc-1"
"#;

pub(super) fn load(platform: &str, departments: &[(&str, &str)], templates: &[(&str, &str)]) -> LoadedWorkspace {
    let file = |folder: &str, (name, text): &(&str, &str)| SourceFile::new(format!("{folder}/{name}.toml"), *text);
    super::Workspace::build(
        super::WorkspaceOrigin::Embedded,
        Some(SourceFile::new("ebs.toml", platform)),
        departments.iter().map(|pair| file("departments", pair)).collect(),
        templates.iter().map(|pair| file("rbac-templates", pair)).collect(),
        Vec::new(),
    )
}

pub(super) fn findings_text(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let place = finding.span.as_ref().map_or("-".to_owned(), SourceSpan::location);
        let severity = format!("{:?}", finding.severity).to_lowercase();
        let _ = writeln!(out, "{place} {severity} {}: {}", finding.rule, finding.message);
        if let Some(fix) = &finding.fix {
            let _ = writeln!(out, "    {fix}");
        }
    }
    out
}

/// Returns the findings of departments on the plain platform.
pub(super) fn department_findings(departments: &[(&str, &str)]) -> String {
    findings_text(&load(PLATFORM, departments, &[]).findings)
}
