//! Findings for people (carets into the file) and for code scanners (SARIF 2.1.0). As JSON they are their own
//! `Serialize`.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::{escape::escape, style::Palette};
use crate::diag::{Finding, Owner, Severity};

/// `findings` as text, and a line that counts them.
pub(super) fn human(findings: &[Finding], width: usize, palette: Palette) -> String {
    let renderer = if palette.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .term_width(width);
    let mut out = String::new();
    for finding in findings {
        one(finding, &renderer, &mut out);
        out.push('\n');
    }
    out.push_str(&count(findings));
    out.push('\n');
    out
}

fn one(finding: &Finding, renderer: &Renderer, out: &mut String) {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let message = escape(&finding.message);
    let title = level.primary_title(&*message).id(finding.rule);
    let path;
    let mut group = match &finding.span {
        None => Group::with_title(title),
        Some(span) => {
            path = escape(&span.source.path.display().to_string()).into_owned();
            if span.range.is_empty() {
                title.element(annotate_snippets::Origin::path(&*path))
            } else {
                title.element(
                    Snippet::source(&span.source.text)
                        .path(&*path)
                        .annotation(AnnotationKind::Primary.span(span.range.clone())),
                )
            }
        }
    };
    let fix = finding.fix.as_deref().map(escape);
    if let Some(fix) = &fix {
        group = group.element(Level::HELP.message(&**fix));
    }
    if let Some(owner) = owner(finding.owner) {
        group = group.element(Level::NOTE.message(owner));
    }
    out.push_str(&renderer.render(&[group]));
    out.push('\n');
}

/// Who can lift it, unless it is whoever reads this anyway.
fn owner(owner: Owner) -> Option<&'static str> {
    match owner {
        Owner::Department | Owner::Ebs => None,
        Owner::Network => Some("whoever runs the network in between can lift this"),
        Owner::Confluent => Some("Confluent can lift this"),
    }
}

fn count(findings: &[Finding]) -> String {
    let mut parts = Vec::new();
    for (severity, one, many) in [
        (Severity::Error, "error", "errors"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Info, "remark", "remarks"),
    ] {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        if count > 0 {
            parts.push(format!("{count} {}", if count == 1 { one } else { many }));
        }
    }
    if parts.is_empty() {
        "No findings.".to_owned()
    } else {
        format!("Found {}.", parts.join(" and "))
    }
}

/// `findings` as one SARIF 2.1.0 document, as code scanners read it. Only what they use: rules, levels, places.
#[must_use]
pub fn sarif(findings: &[Finding]) -> Value {
    let mut rules = findings.iter().map(|finding| finding.rule).collect::<Vec<_>>();
    rules.sort_unstable();
    rules.dedup();
    let results = findings.iter().map(result).collect::<Vec<_>>();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "confluent-ebs",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|rule| json!({"id": rule})).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn result(finding: &Finding) -> Value {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    };
    let text = match &finding.fix {
        Some(fix) => format!("{}. {fix}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({"ruleId": finding.rule, "level": level, "message": {"text": text}});
    if let Some(span) = &finding.span {
        let mut location = json!({"artifactLocation": {"uri": uri(&span.source.path)}});
        if !span.range.is_empty() {
            let (start_line, start_column) = span.source.line_column(span.range.start);
            let (end_line, end_column) = span.source.line_column(span.range.end);
            location["region"] = json!({
                "startLine": start_line,
                "startColumn": start_column,
                "endLine": end_line,
                "endColumn": end_column,
            });
        }
        result["locations"] = json!([{"physicalLocation": location}]);
    }
    result
}

/// A path as a relative URI reference, with forward slashes on every system.
fn uri(path: &Path) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const UNSAFE: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'`');
    let text = path.display().to_string().replace('\\', "/");
    utf8_percent_encode(&text, UNSAFE).to_string()
}
