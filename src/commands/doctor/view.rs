//! A diagnosis for people: topic by topic, checks that say the same together, and what to do first at the end.

use crate::{
    checks::{CheckState, Diagnosis, Examined},
    render::{Block, Line, Style, words::count},
};

/// Columns before what a check says: two blanks, the longest word, two blanks.
const INDENT: usize = 11;

pub(super) fn diagnosis(diagnosis: &Diagnosis) -> Vec<Block> {
    let same_topic = |one: &Examined, other: &Examined| one.topic == other.topic;
    let mut blocks: Vec<Block> = diagnosis
        .checks
        .chunk_by(same_topic)
        .map(|checks| {
            let lines = checks.chunk_by(says_the_same).flat_map(lines);
            Block::titled(checks[0].topic.title(), [Block::Lines(lines.collect())])
        })
        .collect();
    blocks.push(Block::Lines(summary(diagnosis)));
    blocks
}

/// Nothing but the reason why nobody looked is worth repeating.
fn says_the_same(one: &Examined, other: &Examined) -> bool {
    let (one, other) = (&one.check, &other.check);
    one.state == CheckState::Unknown && other.state == one.state && one.detail == other.detail && one.fix == other.fix
}

fn lines(checks: &[Examined]) -> Vec<Line> {
    let names: Vec<&str> = checks.iter().map(|examined| examined.check.name).collect();
    let check = &checks[0].check;
    let (style, word) = match check.state {
        CheckState::Ok => (Style::Ok, "ok"),
        CheckState::Problem => (Style::Error, "problem"),
        CheckState::Unknown => (Style::Muted, "unknown"),
    };
    let padding = " ".repeat(INDENT - 2 - word.len());
    let mut lines = vec![
        Line::new()
            .then("  ")
            .styled(style, word)
            .then(format!("{padding}{}: {}", names.join(", "), check.detail))
            .hang(INDENT - 2),
    ];
    if let Some(fix) = &check.fix {
        let blanks = " ".repeat(INDENT);
        lines.push(
            Line::new()
                .then(blanks)
                .styled(Style::Hint, format!("Next: {fix}"))
                .hang(6),
        );
    }
    lines
}

fn summary(diagnosis: &Diagnosis) -> Vec<Line> {
    let problems = count(diagnosis.problems, "problem");
    let mut lines = vec![Line::from(format!(
        "{} ok, {problems}, {} unknown.",
        diagnosis.ok, diagnosis.unknown
    ))];
    if let Some(next) = &diagnosis.next {
        lines.push(Line::new().styled(Style::Hint, format!("Do first: {next}")).hang(10));
    }
    lines
}
