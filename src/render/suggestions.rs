//! Completion of suggested commands in output with the flags of the run.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use super::{
    error::Problem,
    view::{Block, Cell, TextLine},
};
use crate::{diag::Finding, hint::Hint, session::CommandFlags};

fn complete_text(flags: &CommandFlags, text: &mut String) {
    if let Cow::Owned(completed) = flags.complete(text) {
        *text = completed;
    }
}

fn complete_line(flags: &CommandFlags, line: &mut TextLine) {
    line.spans
        .iter_mut()
        .for_each(|span| complete_text(flags, &mut span.text));
}

fn complete_finding(flags: &CommandFlags, finding: &mut Finding) {
    complete_text(flags, &mut finding.message);
    if let Some(fix) = &mut finding.fix {
        complete_text(flags, fix);
    }
}

fn complete_cell(flags: &CommandFlags, cell: &mut Cell) {
    if let Cell::Text(text) = cell {
        complete_text(flags, text);
    }
}

/// Completes the suggested commands in blocks.
pub(super) fn complete_blocks(flags: &CommandFlags, blocks: &mut [Block]) {
    for block in blocks {
        match block {
            Block::Lines(lines) => lines.iter_mut().for_each(|line| complete_line(flags, line)),
            Block::Findings(findings) => findings.iter_mut().for_each(|finding| complete_finding(flags, finding)),
            Block::Titled { title, blocks } => {
                complete_text(flags, title);
                complete_blocks(flags, blocks);
            }
            Block::Table(table) => table
                .rows
                .iter_mut()
                .flatten()
                .for_each(|cell| complete_cell(flags, cell)),
            Block::Record(record) => record
                .fields
                .iter_mut()
                .for_each(|(_, cell)| complete_cell(flags, cell)),
            // Scripts and plans contain no suggestions.
            Block::Diff(_) | Block::Empty | Block::Verbatim(_) => {}
        }
    }
}

/// Returns an error with completed suggestions.
pub(super) fn complete_problem(flags: &CommandFlags, problem: &Problem) -> Problem {
    let mut problem = problem.clone();
    complete_text(flags, &mut problem.message);
    problem.causes.iter_mut().for_each(|cause| complete_text(flags, cause));
    problem
        .findings
        .iter_mut()
        .for_each(|finding| complete_finding(flags, finding));
    for hint in &mut problem.hints {
        if let Cow::Owned(completed) = flags.complete(hint.as_str()) {
            *hint = Hint::new(completed);
        }
    }
    problem
}

/// Returns a value with completed suggestions, for JSON and YAML.
///
/// # Errors
/// The value cannot be serialized.
pub(super) fn complete_value(flags: &CommandFlags, value: &impl Serialize) -> serde_json::Result<Value> {
    let mut value = serde_json::to_value(value)?;
    complete_strings(flags, &mut value);
    Ok(value)
}

fn complete_strings(flags: &CommandFlags, value: &mut Value) {
    match value {
        Value::String(text) => complete_text(flags, text),
        Value::Array(items) => items.iter_mut().for_each(|item| complete_strings(flags, item)),
        Value::Object(fields) => fields.values_mut().for_each(|value| complete_strings(flags, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
