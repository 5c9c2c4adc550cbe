//! Rendering of findings: as text with carets into the file, and as SARIF 2.1.0 for code scanners.

use std::{ops::Range, path::Path};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::{escape::escape, style::Palette, wrap};
use crate::{
    catalog::rules,
    diag::{Assignee, Finding, RuleDescription, Severity},
    text,
};

/// Minimum width of a wrapped sentence.
const NARROWEST: usize = 20;

/// Renders `findings` as text, followed by their counts.
pub(super) fn render_findings(findings: &[Finding], width: usize, palette: Palette) -> String {
    let renderer = if palette.colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    }
    .term_width(width);
    let mut out = String::new();
    for finding in findings {
        render_finding(finding, &renderer, width, &mut out);
        out.push('\n');
    }
    out.push_str(&count_by_severity(findings));
    out.push('\n');
    out
}

fn render_finding(finding: &Finding, renderer: &Renderer, width: usize, out: &mut String) {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let word = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    };
    let message = wrap_after(&finding.message, width, word.len() + finding.rule.len() + "[]: ".len());
    let title = level.primary_title(&*message).id(finding.rule);
    let path;
    let mut group = match &finding.span {
        None => Group::with_title(title),
        Some(span) => {
            path = escape(&span.source.path.display().to_string()).into_owned();
            let range = visible_range(&span.source.text, &span.range);
            if range.is_empty() {
                title.element(annotate_snippets::Origin::path(&*path))
            } else {
                title.element(
                    Snippet::source(&span.source.text)
                        .path(&*path)
                        .annotation(AnnotationKind::Primary.span(first_line(&span.source.text, &range, width))),
                )
            }
        }
    };
    // Width of `  = help: ` plus the column for line numbers.
    let fix = finding.fix.as_deref().map(|fix| wrap_after(fix, width, 14));
    if let Some(fix) = &fix {
        group = group.element(Level::HELP.message(&**fix));
    }
    if let Some(owner) = assignee_note(finding.owner) {
        group = group.element(Level::NOTE.message(owner));
    }
    out.push_str(&renderer.render(&[group]));
    out.push('\n');
}

/// Wraps a sentence; `before` columns are reserved for its heading and the indentation of later lines.
fn wrap_after(text: &str, width: usize, before: usize) -> String {
    let room = width.saturating_sub(before).max(NARROWEST);
    wrap::wrap_paragraph(text, 0, room).trim_end().to_owned()
}

/// Returns the part of a range to mark: the first line of a multi-line value, or the beginning of a very long one.
/// Otherwise the marked text would not fit on the terminal.
fn first_line(text: &str, range: &Range<usize>, width: usize) -> Range<usize> {
    let part = &text[range.clone()];
    let longest = (width / 2).max(NARROWEST);
    let mut used = 0;
    let end = part
        .char_indices()
        .find(|(at, letter)| {
            used += wrap::width(letter.encode_utf8(&mut [0; 4]));
            *at > 0 && (*letter == '\n' || used > longest)
        })
        .map_or(part.len(), |(at, _)| at);
    range.start..range.start + end
}

/// Returns the note that names the assignee, unless the reader can fix the finding.
fn assignee_note(owner: Assignee) -> Option<&'static str> {
    match owner {
        Assignee::Department | Assignee::Platform => None,
        Assignee::Administrator => Some("an administrator of the organization can fix this"),
        Assignee::Network => Some("the network administrators can fix this"),
        Assignee::Confluent => Some("Confluent can fix this"),
    }
}

fn count_by_severity(findings: &[Finding]) -> String {
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
        .map(|(count, word)| text::count_noun(count, word));
    match counts.collect::<Vec<_>>().as_slice() {
        [] => "No findings.".to_owned(),
        counts => format!("Found {}.", text::join_list(counts)),
    }
}

/// Returns `findings` as the text of a SARIF 2.1.0 document.
#[must_use]
pub fn sarif_text(findings: &[Finding]) -> String {
    sarif_text_with_rules(findings, &[])
}

/// Like [`sarif_text`], with the descriptions of rules that are not rules of the linter.
#[must_use]
pub fn sarif_text_with_rules(findings: &[Finding], descriptions: &[RuleDescription]) -> String {
    let text = serde_json::to_string_pretty(&to_sarif(findings, descriptions)).unwrap_or_default();
    format!("{text}\n")
}

/// Returns `findings` as a SARIF 2.1.0 document with the fields that code scanners use: rules, levels, locations.
fn to_sarif(findings: &[Finding], descriptions: &[RuleDescription]) -> Value {
    let mut rules = findings.iter().map(|finding| finding.rule).collect::<Vec<_>>();
    rules.sort_unstable();
    rules.dedup();
    let results = findings.iter().map(sarif_result).collect::<Vec<_>>();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "confluent-ebs",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_iter().map(|id| sarif_rule(id, descriptions)).collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

/// Returns a rule with the description of the policy or the linter.
fn sarif_rule(id: &str, descriptions: &[RuleDescription]) -> Value {
    if let Some(rule) = descriptions.iter().find(|rule| rule.id == id) {
        return json!({
            "id": id,
            "shortDescription": {"text": rule.summary},
            "help": {"text": rule.help},
            "defaultConfiguration": {"level": sarif_level(rule.severity)},
        });
    }
    let Some(rule) = rules::find(id) else {
        return json!({"id": id});
    };
    json!({
        "id": id,
        "shortDescription": {"text": rule.summary},
        "fullDescription": {"text": rule.explanation},
        "defaultConfiguration": {"level": sarif_level(rule.severity)},
    })
}

fn sarif_level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

/// Extends an empty range, such as the end of a line that lacks a quote, to the last character before it, so that the
/// finding has a line. At the beginning of a file, an empty range stands for the whole file.
fn visible_range(text: &str, range: &Range<usize>) -> Range<usize> {
    if !range.is_empty() {
        return range.clone();
    }
    let before = text.get(..range.start).unwrap_or_default().trim_end();
    let width = before.chars().next_back().map_or(0, char::len_utf8);
    before.len() - width..before.len()
}

fn sarif_result(finding: &Finding) -> Value {
    let text = match &finding.fix {
        Some(fix) => format!("{}. {fix}", finding.message),
        None => finding.message.clone(),
    };
    let mut result = json!({"ruleId": finding.rule, "level": sarif_level(finding.severity), "message": {"text": text}});
    if let Some(span) = &finding.span {
        let mut location = json!({"artifactLocation": {"uri": sarif_uri(&span.source.path)}});
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

/// Returns a path as a relative URI reference with forward slashes.
fn sarif_uri(path: &Path) -> String {
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
    use proptest::prelude::*;

    use super::*;
    use crate::diag::{SourceFile, SourceSpan};

    #[test]
    fn sarif_contains_rule_level_and_location() {
        let file = SourceFile::new("my departments/claims.toml", "name = \"Claims\"\nprefx = \"claims-\"\n");
        let finding = Finding::error("unknown-key", "unknown key `prefx`")
            .with_span(SourceSpan::new(&file, 16..21))
            .with_fix("Did you mean `prefix`?");
        let log = to_sarif(&[finding, Finding::info("note", "a remark")], &[]);
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
            json!([{"id": "note"}, sarif_rule("unknown-key", &[])])
        );
        assert_eq!(sarif_rule("unknown-key", &[])["defaultConfiguration"]["level"], "error");
    }

    fn rendered(text: &str, range: Range<usize>, width: usize) -> String {
        let file = SourceFile::new("a.json", text);
        let finding = Finding::error("wrong-type", "`mode` is `x`, not an integer")
            .with_span(SourceSpan::new(&file, range))
            .with_fix(
                "Did you mean `bulk`? Allowed values: `timestamp`, `incrementing`, `timestamp+incrementing` and `bulk`.",
            );
        render_findings(&[finding], width, Palette::PLAIN)
    }

    #[test]
    fn a_long_source_line_is_cut_around_the_span() {
        let text = format!(
            "{{\"a\": \"{}\", \"mode\": \"bulke\", \"b\": \"{}\"}}",
            "x".repeat(300),
            "y".repeat(300)
        );
        let at = text.find("\"bulke\"").unwrap();
        insta::assert_snapshot!(rendered(&text, at..at + 7, 80), @r#"
        error[wrong-type]: `mode` is `x`, not an integer
         --> a.json:1:319
          |
        1 | ...xxxxxxxxxxxxxxxxxxxx", "mode": "bulke", "b": "yyyyyyyyyyyyyyyyyyyyyyyy...
          |                                   ^^^^^^^
          |
          = help: Did you mean `bulk`? Allowed values: `timestamp`, `incrementing`,
                  `timestamp+incrementing` and `bulk`.

        Found 1 error.
        "#);
    }

    #[test]
    fn a_long_value_is_marked_at_its_beginning() {
        let text = format!("{{\"mode\": \"{}\"}}", "x".repeat(3000));
        insta::assert_snapshot!(rendered(&text, 9..3011, 60), @r#"
        error[wrong-type]: `mode` is `x`, not an integer
         --> a.json:1:10
          |
        1 | {"mode": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...
          |          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
          |
          = help: Did you mean `bulk`? Allowed values:
                  `timestamp`, `incrementing`,
                  `timestamp+incrementing` and `bulk`.

        Found 1 error.
        "#);
        let text = "mode: |\n  one\n  two\n";
        insta::assert_snapshot!(rendered(text, 10..text.len(), 60), @r"
        error[wrong-type]: `mode` is `x`, not an integer
         --> a.json:2:3
          |
        2 |   one
          |   ^^^
          |
          = help: Did you mean `bulk`? Allowed values:
                  `timestamp`, `incrementing`,
                  `timestamp+incrementing` and `bulk`.

        Found 1 error.
        ");
    }

    proptest! {
        #[test]
        fn every_line_fits(
            text in "[a-z\", äé]{1,400}", from in any::<prop::sample::Index>(), length in 0_usize..200, width in 60_usize..120,
        ) {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let from = from.index(places.len());
            let to = places.get(from + length).copied().unwrap_or(text.len());
            for line in rendered(&text, places[from]..to, width).lines() {
                prop_assert!(wrap::width(line) <= width, "{}: {line}", wrap::width(line));
            }
        }
    }

    #[test]
    fn findings_are_counted_by_severity() {
        let findings = [
            Finding::error("a", "a"),
            Finding::error("a", "a"),
            Finding::info("b", "b"),
        ];
        assert_eq!(count_by_severity(&findings), "Found 2 errors and 1 remark.");
        assert_eq!(count_by_severity(&[]), "No findings.");
    }
}
