//! Explanations on a terminal: details of unhealthy connectors, one line for healthy ones.

use std::time::Duration;

use serde::Serialize;

use super::lines::{cause_lines, labelled_line, log_summary, truncate, truncate_to_second};
use crate::{
    commands::connector::show::tasks_text,
    connectors::explain::{ConnectorExplanation, ExplainedCause},
    model::ConnectorState,
    render::{Block, Style, TextLine, Viewable},
    resources::connector::diagnosis::ConnectorHealth,
    text,
};

/// Number of equal errors in the log of a running connector from which it is flapping.
const FLAPPING: usize = 3;
/// Number of healthy connectors that are listed by name.
const MAX_LISTED: usize = 3;

/// Result of `connector explain`.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::commands::connector) enum ExplainOutput {
    /// Explanations of connectors, unhealthy connectors first.
    Connectors(Vec<ConnectorExplanation>),
    /// Explanation of an error message.
    Message(ExplainedCause),
}

impl Viewable for ExplainOutput {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Connectors(explanations) => connector_blocks(explanations),
            Self::Message(cause) => vec![Block::Lines(cause_lines(cause, Vec::new()))],
        }
    }
}

fn has_no_findings(explanation: &ConnectorExplanation) -> bool {
    explanation.causes.is_empty() && explanation.log.is_none() && explanation.log_error.is_none()
}

/// Returns the headline, such as `claims-orders (lcc-8kq2zm, S3_SINK) is FAILED since 2026-08-20T08:00:00Z, for 12
/// min: 0 of 2 run.`
fn headline(explanation: &ConnectorExplanation) -> TextLine {
    let style = match explanation.health {
        ConnectorHealth::Unhealthy => Style::Error,
        ConnectorHealth::Unsettled => Style::Warning,
        ConnectorHealth::Healthy => Style::Ok,
    };
    let state = match &explanation.status {
        ConnectorState::Unreported => "in an unknown state",
        state => state.as_str(),
    };
    let what: Vec<&str> = [explanation.id.as_str(), explanation.plugin.as_str()]
        .into_iter()
        .filter(|word| !word.is_empty() && *word != explanation.name)
        .collect();
    let what = match what.is_empty() {
        true => String::new(),
        false => format!(" ({})", what.join(", ")),
    };
    let since = match (explanation.since, explanation.duration) {
        (Some(since), Some(lasts)) => {
            format!(" since {}, for {}", truncate_to_second(since), format_duration(lasts))
        }
        (Some(since), None) => format!(" since {}", truncate_to_second(since)),
        _ => String::new(),
    };
    TextLine::new()
        .with_styled_text(Style::Heading, &explanation.name)
        .with_text(format!("{what} is "))
        .with_styled_text(style, state)
        .with_text(format!(
            "{since}. Tasks: {}.",
            tasks_text(explanation.tasks_running, explanation.tasks_max)
        ))
        .with_hanging_indent(2)
}

/// Returns the explanation of one connector.
pub(in crate::commands::connector) fn explanation_lines(explanation: &ConnectorExplanation) -> Vec<TextLine> {
    let mut lines = vec![headline(explanation)];
    for (place, cause) in explanation.causes.iter().enumerate() {
        let evidence = if place == 0 {
            evidence_lines(explanation)
        } else {
            Vec::new()
        };
        lines.extend(cause_lines(cause, evidence));
    }
    if explanation.causes.is_empty() {
        lines.extend(evidence_lines(explanation));
    }
    lines
}

/// Returns the lines about evidence other than the cause.
fn evidence_lines(explanation: &ConnectorExplanation) -> Vec<TextLine> {
    let mut lines = Vec::new();
    if let Some(log) = explanation.log.as_ref().filter(|_| explanation.status.is_running()) {
        let text = match log.first {
            Some(first) if log.times >= FLAPPING => &format!(
                "It is flapping: it runs now, but has failed {} times since {}. The problem is not fixed.",
                log.times,
                truncate_to_second(first)
            ),
            _ => "It runs now, but failed recently. If the problem was fixed since, no action is needed.",
        };
        lines.push(labelled_line("Current state", Style::Plain, text));
    }
    match explanation.previous_runs {
        Some(true) => lines.push(labelled_line(
            "Current state",
            Style::Plain,
            "The previous configuration is in force and its tasks run.",
        )),
        Some(false) => lines.push(labelled_line(
            "Current state",
            Style::Plain,
            "No previous configuration is in force; no tasks run.",
        )),
        None => {}
    }
    lines.extend(failed_task_lines(explanation));
    for note in &explanation.notes {
        lines.push(labelled_line("Possible causes", Style::Plain, note));
    }
    if let Some(log) = &explanation.log {
        lines.push(labelled_line("Log", Style::Plain, &log_summary(log)));
    }
    if let Some(error) = &explanation.log_error {
        lines.push(labelled_line(
            "Log",
            Style::Muted,
            &format!("The log may contain more details, but could not be read: {error}."),
        ));
    }
    // If a rule matches, only JSON contains the recommendation of Confluent Cloud.
    if explanation.is_generic {
        for advice in &explanation.recommendations {
            lines.push(labelled_line("Advice", Style::Plain, &format!("Confluent: {advice}")));
        }
    }
    lines
}

/// Returns the lines about failed tasks that the other lines do not cover.
fn failed_task_lines(explanation: &ConnectorExplanation) -> Vec<TextLine> {
    let said = |error: &str| {
        let errors = explanation.causes.iter().flat_map(|cause| &cause.errors);
        errors
            .into_iter()
            .any(|known| error.contains(known.as_str()) || known.contains(error))
    };
    let mut groups: Vec<(Option<&str>, Vec<String>)> = Vec::new();
    for task in &explanation.failed_tasks {
        let error = task.error.as_deref().filter(|error| !said(error));
        match groups.iter_mut().find(|(known, _)| *known == error) {
            Some((_, tasks)) => tasks.push(task.task.to_string()),
            None => groups.push((error, vec![task.task.to_string()])),
        }
    }
    let mut lines = Vec::new();
    for (error, tasks) in groups {
        let noun = if tasks.len() == 1 { "Task" } else { "Tasks" };
        let text = format!("{noun} {} failed", text::join_list(&tasks));
        match error {
            Some(error) => lines.push(labelled_line(
                "Tasks",
                Style::Plain,
                &format!("{text}: {}", truncate(error)),
            )),
            // The headline already says that all tasks failed.
            None if explanation.tasks_running > 0 => {
                lines.push(labelled_line(
                    "Tasks",
                    Style::Plain,
                    &format!("{text}; the other tasks run."),
                ));
            }
            None => {}
        }
    }
    lines
}

/// Formats a duration such as `12 min`, in the largest unit of which there are at least two.
fn format_duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

fn connector_blocks(explanations: &[ConnectorExplanation]) -> Vec<Block> {
    if explanations.is_empty() {
        return vec![Block::Empty];
    }
    let (plain, explained): (Vec<&ConnectorExplanation>, Vec<&ConnectorExplanation>) = explanations
        .iter()
        .partition(|explanation| has_no_findings(explanation));
    let mut blocks: Vec<Block> = explained
        .into_iter()
        .map(|explanation| Block::Lines(explanation_lines(explanation)))
        .collect();
    if plain.len() <= MAX_LISTED {
        blocks.extend(
            (!plain.is_empty()).then(|| Block::Lines(plain.iter().map(|explanation| headline(explanation)).collect())),
        );
    } else {
        let mut states: Vec<&str> = plain.iter().map(|explanation| explanation.status.as_str()).collect();
        states.sort_unstable();
        states.dedup();
        let lines = states.into_iter().map(|state| {
            let names = plain.iter().filter(|explanation| explanation.status.as_str() == state);
            let names: Vec<&str> = names.map(|explanation| explanation.name.as_str()).collect();
            let verb = if names.len() == 1 { "is" } else { "are" };
            TextLine::from(format!("{} {verb} ", text::count_noun(names.len(), "connector")))
                .with_styled_text(Style::Ok, state)
                .with_text(format!(": {}.", text::join_list(&names)))
                .with_hanging_indent(2)
        });
        blocks.push(Block::Lines(lines.collect()));
    }
    blocks
}
