//! Redaction of views before they are laid out. Positions in files stay valid, because their text keeps its length.

use std::borrow::Cow;

use super::{
    error::Problem,
    html::redact_page,
    view::{Block, Cell, DiffEntry, Record, Table, TextLine},
};
use crate::{
    diag::{Finding, SourceFile, SourceSpan},
    hint::Hint,
    redact::SecretRegistry,
};

/// Returns `blocks` without registered secrets.
pub(super) fn redact_blocks(secrets: &SecretRegistry, blocks: &[Block]) -> Vec<Block> {
    blocks.iter().map(|block| redact_block(secrets, block)).collect()
}

fn redact_block(secrets: &SecretRegistry, block: &Block) -> Block {
    match block {
        Block::Table(table) => Block::Table(Table {
            columns: table.columns.clone(),
            optional_columns: table.optional_columns,
            rows: table
                .rows
                .iter()
                .map(|row| row.iter().map(|cell| redact_cell(secrets, cell)).collect())
                .collect(),
        }),
        Block::Record(record) => Block::Record(Record {
            fields: record
                .fields
                .iter()
                .map(|(name, cell)| (name.clone(), redact_cell(secrets, cell)))
                .collect(),
        }),
        Block::Lines(lines) => Block::Lines(lines.iter().map(|line| redact_line(secrets, line)).collect()),
        Block::Diff(changes) => Block::Diff(changes.iter().map(|change| redact_change(secrets, change)).collect()),
        Block::Findings(findings) => Block::Findings(redact_findings(secrets, findings)),
        Block::Titled { title, blocks } => Block::Titled {
            title: redact_text(secrets, title),
            blocks: redact_blocks(secrets, blocks),
        },
        Block::Empty => Block::Empty,
        Block::Verbatim(text) if text.starts_with("<!DOCTYPE") => Block::Verbatim(redact_page(secrets, text)),
        Block::Verbatim(text) => Block::Verbatim(redact_text(secrets, text)),
    }
}

fn redact_text(secrets: &SecretRegistry, text: &str) -> String {
    secrets.redact(text).into_owned()
}

fn redact_cell(secrets: &SecretRegistry, cell: &Cell) -> Cell {
    match cell {
        Cell::Text(text) => Cell::Text(redact_text(secrets, text)),
        Cell::Multiline(text) => Cell::Multiline(redact_text(secrets, text)),
        Cell::Integer(_) | Cell::Number(_) | Cell::Sparkline(_) => cell.clone(),
    }
}

fn redact_line(secrets: &SecretRegistry, line: &TextLine) -> TextLine {
    let mut line = line.clone();
    line.spans
        .iter_mut()
        .for_each(|span| secrets.redact_string(&mut span.text));
    line
}

fn redact_change(secrets: &SecretRegistry, change: &DiffEntry) -> DiffEntry {
    let mut change = change.clone();
    change.columns.iter_mut().for_each(|text| secrets.redact_string(text));
    for field in &mut change.fields {
        secrets.redact_string(&mut field.old);
        secrets.redact_string(&mut field.new);
    }
    change.reason.iter_mut().for_each(|text| secrets.redact_string(text));
    change
}

fn redact_findings(secrets: &SecretRegistry, findings: &[Finding]) -> Vec<Finding> {
    let redact = |finding: &Finding| {
        let mut finding = finding.clone();
        secrets.redact_string(&mut finding.message);
        finding.fix.iter_mut().for_each(|text| secrets.redact_string(text));
        if let Some(span) = &mut finding.span
            && let Cow::Owned(text) = secrets.redact_source(&span.source.text)
        {
            *span = SourceSpan {
                source: SourceFile::new(&span.source.path, text),
                range: span.range.clone(),
            };
        }
        finding
    };
    findings.iter().map(redact).collect()
}

/// Returns `problem` without registered secrets.
pub(super) fn redact_problem(secrets: &SecretRegistry, problem: &Problem) -> Problem {
    Problem {
        message: redact_text(secrets, &problem.message),
        causes: problem.causes.iter().map(|text| redact_text(secrets, text)).collect(),
        findings: redact_findings(secrets, &problem.findings),
        usage: problem.usage.clone(),
        hints: problem
            .hints
            .iter()
            .map(|hint| Hint::new(redact_text(secrets, hint.as_str())))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::{Style, view::ChangeMark};

    #[test]
    fn every_block_loses_the_secret_and_keeps_its_form() {
        let secrets = SecretRegistry::default();
        secrets.add("canary-1");
        let file = SourceFile::new("a.json", "{\"a\": \"canary-1\", \"b\": 1}");
        let finding = Finding::error("unknown-key", "canary-1 is wrong")
            .with_fix("Remove canary-1.")
            .with_span(SourceSpan::new(&file, 6..16));
        let blocks = [
            Block::titled(
                "canary-1",
                [Block::Table(Table::new(["A"]).row([Cell::from("x canary-1")]))],
            ),
            Block::Record(Record::new().field("A", Cell::Multiline("canary-1\ncanary-1".into()))),
            Block::line(TextLine::new().with_styled_text(Style::Error, "canary-1")),
            Block::Diff(vec![
                DiffEntry::new(ChangeMark::Change, ["canary-1"])
                    .field("a", "canary-1", "canary-1")
                    .with_reason("canary-1"),
            ]),
            Block::Findings(vec![finding]),
            Block::Verbatim("canary-1".into()),
        ];
        let redacted = redact_blocks(&secrets, &blocks);
        let shown = format!("{redacted:?}");
        assert!(!shown.contains("canary-1"), "{shown}");
        let Block::Findings(findings) = &redacted[4] else {
            panic!("{shown}")
        };
        let span = findings[0].span.as_ref().unwrap();
        assert_eq!((span.range.clone(), span.source.text.len()), (6..16, file.text.len()));
        let unchanged = redact_blocks(&SecretRegistry::default(), &blocks);
        assert_eq!(format!("{unchanged:?}"), format!("{blocks:?}"));
    }
}
