//! Lines about a cause, its evidence and the next steps.

use jiff::Timestamp;

use crate::{
    connectors::explain::{ExplainedCause, LogErrorSummary},
    render::{Style, TextLine},
    resources::connector::diagnosis::{FaultOwner, find_rule},
};

/// Length limit of error messages; `describe` and `logs` show them in full.
const MAX_TEXT: usize = 400;
/// Width of the label column.
const INDENT: usize = 18;

/// Returns the lines of the cause, the evidence and the next steps.
pub(super) fn cause_lines(cause: &ExplainedCause, evidence: Vec<TextLine>) -> Vec<TextLine> {
    let mut lines = vec![labelled_line("Cause", Style::Plain, cause.cause)];
    for error in &cause.errors {
        let rule = find_rule(cause.rule);
        let text = rule.map_or_else(|| truncate(error), |rule| rule.excerpt(error, MAX_TEXT));
        lines.push(labelled_line("Message", Style::Error, &text));
    }
    if !cause.configs.is_empty() {
        lines.push(labelled_line("Keys", Style::Plain, &cause.configs.join(", ")));
    }
    lines.extend(evidence);
    if cause.owner != FaultOwner::Unknown {
        lines.push(labelled_line("Owner", Style::Plain, &cause.responsible));
    }
    lines.extend(next_step_lines(cause));
    lines
}

fn next_step_lines(cause: &ExplainedCause) -> Vec<TextLine> {
    let mut lines =
        vec![labelled_line("Next steps", Style::Plain, &format!("1. {}", cause.fix)).with_hanging_indent(INDENT + 1)];
    let mut number = 1;
    for step in &cause.steps {
        let end = if step.command.is_some() { ":" } else { "" };
        let mark = if step.alternative {
            " -".to_owned()
        } else {
            number += 1;
            format!("{number}.")
        };
        let text = format!("{}{mark} {}{end}", " ".repeat(INDENT), step.text);
        lines.push(TextLine::from(text).with_hanging_indent(3));
        if let Some(command) = &step.command {
            let line = TextLine::from(" ".repeat(INDENT + 3)).with_styled_text(Style::Hint, command);
            lines.push(line.with_hanging_indent(2));
        }
    }
    lines
}

/// Returns the last error in the log in one line.
pub(super) fn log_summary(log: &LogErrorSummary) -> String {
    let error = truncate(&log.error);
    let last = log
        .last
        .map_or_else(String::new, |last| format!(", last at {}", truncate_to_second(last)));
    match (log.times, log.first) {
        (2.., Some(first)) => {
            let more = if log.more { "at least " } else { "" };
            format!(
                "{error} ({more}{} times since {}{last})",
                log.times,
                truncate_to_second(first)
            )
        }
        _ => match log.last {
            Some(last) => format!("{error} (at {})", truncate_to_second(last)),
            None => error,
        },
    }
}

/// Returns a labelled line, such as `  Cause           The table does not exist.`
pub(super) fn labelled_line(label: &str, style: Style, text: &str) -> TextLine {
    let width = INDENT - 2;
    TextLine::from("  ")
        .with_styled_text(Style::Heading, format!("{label:width$}"))
        .with_styled_text(style, text)
        .with_hanging_indent(width)
}

pub(super) fn truncate(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Removes the fraction of a second, which adds no information here.
pub(super) fn truncate_to_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}
