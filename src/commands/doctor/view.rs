//! Results of checks on a terminal, by topic. Checks with the same result share a line; the most important fix comes
//! last.

use crate::{
    checks::{CheckState, DoctorReport, TopicCheck},
    render::{Block, Style, TextLine},
    text::count_noun,
};

/// Indentation of a result: two blanks, the longest word, two blanks.
const INDENT: usize = 11;

pub(super) fn diagnosis_blocks(diagnosis: &DoctorReport) -> Vec<Block> {
    let same_topic = |one: &TopicCheck, other: &TopicCheck| one.topic == other.topic;
    let mut blocks: Vec<Block> = diagnosis
        .checks
        .chunk_by(same_topic)
        .map(|checks| {
            let lines = checks.chunk_by(has_same_reason).flat_map(check_lines);
            Block::titled(checks[0].topic.title(), [Block::Lines(lines.collect())])
        })
        .collect();
    blocks.push(Block::Lines(summary_lines(diagnosis)));
    blocks
}

/// Returns whether two skipped checks have the same reason; only these share a line.
fn has_same_reason(one: &TopicCheck, other: &TopicCheck) -> bool {
    let (one, other) = (&one.check, &other.check);
    one.state == CheckState::Unknown && other.state == one.state && one.detail == other.detail && one.fix == other.fix
}

fn check_lines(checks: &[TopicCheck]) -> Vec<TextLine> {
    let names: Vec<&str> = checks.iter().map(|examined| examined.check.name).collect();
    let check = &checks[0].check;
    let (style, word) = match check.state {
        CheckState::Ok => (Style::Ok, "ok"),
        CheckState::Problem => (Style::Error, "problem"),
        CheckState::Unknown => (Style::Muted, "unknown"),
    };
    let padding = " ".repeat(INDENT - 2 - word.len());
    let mut lines = vec![
        TextLine::new()
            .with_text("  ")
            .with_styled_text(style, word)
            .with_text(format!("{padding}{}: {}", names.join(", "), check.detail))
            .with_hanging_indent(INDENT - 2),
    ];
    if let Some(fix) = &check.fix {
        let blanks = " ".repeat(INDENT);
        lines.push(
            TextLine::new()
                .with_text(blanks)
                .with_styled_text(Style::Hint, format!("Next: {fix}"))
                .with_hanging_indent(6),
        );
    }
    lines
}

fn summary_lines(diagnosis: &DoctorReport) -> Vec<TextLine> {
    let problems = count_noun(diagnosis.problems, "problem");
    let mut lines = vec![TextLine::from(format!(
        "{} ok, {problems}, {} unknown.",
        diagnosis.ok, diagnosis.unknown
    ))];
    if let Some(next) = &diagnosis.next {
        lines.push(
            TextLine::new()
                .with_styled_text(Style::Hint, format!("First: {next}"))
                .with_hanging_indent(10),
        );
    }
    lines
}
