//! Findings for people (carets into the file) and for code scanners (SARIF 2.1.0). As JSON they are their own
//! `Serialize`.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::{escape::escape, style::Palette, words};
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
        Owner::Administrator => Some("an administrator of the organization can lift this"),
        Owner::Network => Some("whoever runs the network in between can lift this"),
        Owner::Confluent => Some("Confluent can lift this"),
    }
}

fn count(findings: &[Finding]) -> String {
    let counts = [
        (Severity::Error, "error"),
        (Severity::Warning, "warning"),
        (Severity::Info, "remark"),
    ]
    .map(|(severity, word)| {
        (
            findings.iter().filter(|finding| finding.severity == severity).count(),
            word,
        )
    });
    let counts = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| words::count(count, word));
    match counts.collect::<Vec<_>>().as_slice() {
        [] => "No findings.".to_owned(),
        counts => format!("Found {}.", words::list(counts)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{SourceFile, Span};

    #[test]
    fn sarif_names_rule_level_and_place() {
        let file = SourceFile::new("my departments/claims.toml", "name = \"Claims\"\nprefx = \"claims-\"\n");
        let finding = Finding::error("unknown-key", "unknown key `prefx`")
            .at(Span::new(&file, 16..21))
            .fix("Did you mean `prefix`?");
        let log = sarif(&[finding, Finding::info("note", "a remark")]);
        assert_eq!(log["version"], "2.1.0");
        let results = &log["runs"][0]["results"];
        assert_eq!(results[0]["ruleId"], "unknown-key");
        assert_eq!(
            results[0]["message"]["text"],
            "unknown key `prefx`. Did you mean `prefix`?"
        );
        let place = &results[0]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "my%20departments/claims.toml");
        assert_eq!(
            place["region"],
            json!({"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 6})
        );
        assert_eq!(results[1]["level"], "note");
        assert_eq!(results[1].get("locations"), None);
        assert_eq!(
            log["runs"][0]["tool"]["driver"]["rules"],
            json!([{"id": "note"}, {"id": "unknown-key"}])
        );
    }

    #[test]
    fn findings_are_counted_by_severity() {
        let findings = [
            Finding::error("a", "a"),
            Finding::error("a", "a"),
            Finding::info("b", "b"),
        ];
        assert_eq!(count(&findings), "Found 2 errors and 1 remark.");
        assert_eq!(count(&[]), "No findings.");
    }
}
