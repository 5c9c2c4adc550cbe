//! Findings in the formats of forges: annotations of GitHub Actions, Code Quality of GitLab, JUnit, and Markdown.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use super::{
    escape::escape,
    escape::escape_lines,
    markdown::{escape_markdown, join_sections},
};
use crate::{
    diag::{Finding, Severity},
    model::ownership::sha256_hex,
    text::count_noun,
};

/// Returns `findings` as workflow commands of GitHub Actions, one per line, which GitHub shows beside the lines of a change
/// (docs.github.com, "Workflow commands for GitHub Actions").
#[must_use]
pub fn to_github_annotations(findings: &[Finding]) -> String {
    let mut out = String::new();
    for finding in findings {
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "notice",
        };
        let mut properties = Vec::new();
        if let Some((path, start, end)) = place(finding) {
            properties.push(format!("file={}", github_property(&path)));
            if let (Some((line, column)), Some((end_line, _))) = (start, end) {
                properties.push(format!("line={line},endLine={end_line},col={column}"));
            }
        }
        properties.push(format!("title={}", github_property(finding.rule)));
        let message = github_data(&escape_lines(&sentence(finding)));
        let _ = writeln!(out, "::{level} {}::{message}", properties.join(","));
    }
    out
}

fn github_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn github_property(text: &str) -> String {
    github_data(&escape(text)).replace(':', "%3A").replace(',', "%2C")
}

/// Returns `findings` as a Code Quality report of GitLab, which shows them in the merge request (docs.gitlab.com, "Code
/// Quality report format"). The fingerprint does not contain the line, so that a finding that moves is the same finding.
#[must_use]
pub fn to_gitlab_code_quality(findings: &[Finding]) -> Value {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let issues = findings.iter().map(|finding| {
        let (path, start, _) = place(finding).unwrap_or_default();
        let identity = format!("{}\n{path}\n{}", finding.rule, finding.message);
        let occurrence = seen.entry(identity.clone()).or_default();
        *occurrence += 1;
        let fingerprint = sha256_hex(format!("{identity}\n{occurrence}").as_bytes());
        json!({
            "description": escape(&sentence(finding)),
            "check_name": finding.rule,
            "fingerprint": fingerprint,
            "severity": match finding.severity {
                Severity::Error => "critical",
                Severity::Warning => "minor",
                Severity::Info => "info",
            },
            "location": {
                "path": if path.is_empty() { "." } else { path.as_str() },
                "lines": {"begin": start.map_or(1, |(line, _)| line)},
            },
        })
    });
    Value::Array(issues.collect())
}

/// Returns a JUnit report with one test case per file, or one for all files if there is no finding. Only errors are
/// failures.
#[must_use]
pub fn to_junit(suite: &str, findings: &[Finding]) -> String {
    let mut files: BTreeMap<String, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        let path = place(finding).map_or_else(String::new, |(path, ..)| path);
        files.entry(path).or_default().push(finding);
    }
    if files.is_empty() {
        files.insert(String::new(), Vec::new());
    }
    let is_error = |finding: &&&Finding| finding.severity == Severity::Error;
    let failed = files
        .values()
        .filter(|found| found.iter().any(|finding| is_error(&finding)))
        .count();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // The schema of Jenkins requires `errors`.
    let counts = format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\"", files.len());
    let _ = writeln!(
        out,
        "<testsuites {counts}>\n<testsuite name=\"{}\" {counts}>",
        xml(suite)
    );
    for (path, found) in &files {
        let name = if path.is_empty() { suite } else { path };
        let _ = writeln!(out, "<testcase classname=\"{}\" name=\"{}\">", xml(suite), xml(name));
        let (errors, others): (Vec<&Finding>, Vec<&Finding>) = found.iter().partition(|finding| is_error(finding));
        if let Some(first) = errors.first() {
            let lines: Vec<String> = errors.iter().map(|finding| line(finding)).collect();
            let (message, text) = (xml(&first.message), xml(&lines.join("\n")));
            let _ = writeln!(
                out,
                "<failure message=\"{message}\" type=\"{}\">{text}</failure>",
                first.rule
            );
        }
        if !others.is_empty() {
            let lines: Vec<String> = others.iter().map(|finding| line(finding)).collect();
            let _ = writeln!(out, "<system-out>{}</system-out>", xml(&lines.join("\n")));
        }
        out.push_str("</testcase>\n");
    }
    out.push_str("</testsuite>\n</testsuites>\n");
    out
}

fn xml(text: &str) -> String {
    let text = escape_lines(text);
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // XML 1.0 has no code for these two characters.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Returns `findings` as Markdown for a summary or a comment, errors first. What is too long for a comment is left out.
#[must_use]
pub fn findings_to_markdown(title: &str, findings: &[Finding]) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let mut out = format!(
        "### {}\n\n{}, {}.\n",
        escape_markdown(title),
        count_noun(errors, "error"),
        count_noun(warnings, "warning")
    );
    if findings.is_empty() {
        return out;
    }
    out.push_str("\n| | Where | Finding |\n|---|---|---|\n");
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    let rows = sorted.into_iter().map(|finding| {
        let level = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "remark",
        };
        let (path, start, _) = place(finding).unwrap_or_default();
        let place = start.map_or_else(|| path.clone(), |(line, _)| format!("{path}:{line}"));
        format!(
            "| {level} | {} | {} |\n",
            escape_markdown(&place),
            escape_markdown(&format!("{} [{}]", sentence(finding), finding.rule))
        )
    });
    join_sections(out, rows, "", "\nThe rest of the findings is too long for a comment.\n")
}

fn sentence(finding: &Finding) -> String {
    match &finding.fix {
        Some(fix) => format!("{}. {fix}", finding.message),
        None => finding.message.clone(),
    }
}

fn line(finding: &Finding) -> String {
    match place(finding) {
        Some((path, Some((line, column)), _)) => format!("{path}:{line}:{column}: {}", sentence(finding)),
        Some((path, ..)) => format!("{path}: {}", sentence(finding)),
        None => sentence(finding),
    }
}

/// Line and column, both from 1.
type LineColumn = (usize, usize);

/// Returns the path of a finding with forward slashes, and its range if it is not about the whole file.
fn place(finding: &Finding) -> Option<(String, Option<LineColumn>, Option<LineColumn>)> {
    let span = finding.span.as_ref()?;
    let path = span.source.path.display().to_string().replace('\\', "/");
    if span.range.is_empty() {
        return Some((path, None, None));
    }
    let start = span.source.line_column(span.range.start);
    let end = span.source.line_column(span.range.end);
    Some((path, Some(start), Some(end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::{SourceFile, SourceSpan};

    fn findings() -> Vec<Finding> {
        let file = SourceFile::new("connectors/claims/a,b.yaml", "config:\n  tasks.max: \"x|<b>@team\"\n");
        let whole = SourceFile::new("connectors/x.yaml", "");
        vec![
            Finding::error("wrong-type", "`x|<b>@team` is 100% wrong")
                .with_span(SourceSpan::new(&file, 21..33))
                .with_fix("Write a number."),
            Finding::warning("gitops-place", "the file is in no folder").with_span(SourceSpan::new(&whole, 0..0)),
        ]
    }

    #[test]
    fn github_annotations_escape_values_and_name_the_line() {
        assert_eq!(
            to_github_annotations(&findings()),
            "::error file=connectors/claims/a%2Cb.yaml,line=2,endLine=2,col=14,title=wrong-type::`x|<b>@team` is 100%25 \
             wrong. Write a number.\n::warning file=connectors/x.yaml,title=gitops-place::the file is in no folder\n"
        );
        let hostile = Finding::error("x", "a\n::set-output name=b::c");
        assert_eq!(
            to_github_annotations(&[hostile]),
            "::error title=x::a%0A::set-output name=b::c\n"
        );
    }

    #[test]
    fn gitlab_issues_have_distinct_fingerprints() {
        let mut doubled = findings();
        doubled.extend(findings());
        let report = to_gitlab_code_quality(&doubled);
        let prints: std::collections::BTreeSet<&str> = report
            .as_array()
            .unwrap()
            .iter()
            .map(|issue| issue["fingerprint"].as_str().unwrap())
            .collect();
        assert_eq!(prints.len(), 4);
        assert_eq!(
            report[0]["location"],
            json!({"path": "connectors/claims/a,b.yaml", "lines": {"begin": 2}})
        );
        assert_eq!(
            (report[0]["severity"].as_str(), report[1]["severity"].as_str()),
            (Some("critical"), Some("minor"))
        );
    }

    #[test]
    fn junit_counts_files_with_errors_and_escapes_text() {
        let report = to_junit("gitops validate", &findings());
        assert!(
            report.contains("<testsuites tests=\"2\" failures=\"1\" errors=\"0\">"),
            "{report}"
        );
        assert!(report.contains("&lt;b&gt;") && !report.contains("<b>"), "{report}");
        assert!(to_junit("gitops validate", &[]).contains("tests=\"1\" failures=\"0\""));
    }

    #[test]
    fn markdown_begins_with_errors_and_is_cut_below_the_limit_of_a_comment() {
        let mut many: Vec<Finding> = (0..2000).map(|n| Finding::info("x", format!("remark {n}"))).collect();
        many.push(Finding::error("x", "the error"));
        let text = findings_to_markdown("Platform files", &many);
        let first = text
            .lines()
            .find(|line| line.contains("[x") || line.contains("\\[x"))
            .unwrap();
        assert!(first.starts_with("| error |"), "{first}");
        assert!(text.len() <= 60_000, "{}", text.len());
        assert!(text.ends_with("too long for a comment.\n"));
    }

    #[test]
    fn markdown_contains_no_mention_html_or_column_of_a_value() {
        let text = findings_to_markdown("Connector files", &findings());
        assert!(text.contains("1 error, 1 warning."), "{text}");
        assert!(
            !text.contains("<b>") && !text.contains(" @team") && !text.contains("x|"),
            "{text}"
        );
    }
}
