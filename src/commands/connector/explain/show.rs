//! Explanations on a terminal: details of unhealthy connectors, one line for healthy ones.

use std::time::Duration;

use jiff::Timestamp;

use super::explanation::{
    ConnectorExplanation, ConnectorExplanations, ExplainOutput, ExplainedCause, LogErrorSummary, MessageExplanation,
};
use crate::{
    commands::connector::show::tasks_text,
    render::{Block, Style, TextLine, Viewable},
    resources::connector::diagnosis::ConnectorHealth,
    text,
};

/// Length limit of error messages; `describe` and `logs` show them in full.
const MAX_TEXT: usize = 400;
/// Number of healthy connectors that are listed by name.
const MAX_LISTED: usize = 3;

impl Viewable for ExplainOutput {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Connectors(explanations) => explanations.view(),
            Self::Message(MessageExplanation(cause)) => vec![Block::Lines(cause.lines(Vec::new()))],
        }
    }
}

impl ConnectorExplanation {
    fn has_no_findings(&self) -> bool {
        self.causes.is_empty() && self.log.is_none() && self.log_error.is_none()
    }

    /// Returns the headline, such as `claims-orders (lcc-8kq2zm, S3_SINK) is FAILED since 2026-08-20T08:00:00Z, for 12
    /// min: 0 of 2 run.`
    fn headline(&self) -> TextLine {
        let style = match self.health {
            ConnectorHealth::Unhealthy => Style::Error,
            ConnectorHealth::Unsettled => Style::Warning,
            ConnectorHealth::Healthy => Style::Ok,
        };
        let state = if self.status.is_empty() {
            "in an unknown state"
        } else {
            &self.status
        };
        let what: Vec<&str> = [self.id.as_str(), self.plugin.as_str()]
            .into_iter()
            .filter(|word| !word.is_empty() && *word != self.name)
            .collect();
        let what = match what.is_empty() {
            true => String::new(),
            false => format!(" ({})", what.join(", ")),
        };
        let since = match (self.since, self.duration) {
            (Some(since), Some(lasts)) => {
                format!(" since {}, for {}", truncate_to_second(since), format_duration(lasts))
            }
            (Some(since), None) => format!(" since {}", truncate_to_second(since)),
            _ => String::new(),
        };
        TextLine::new()
            .with_styled_text(Style::Heading, &self.name)
            .with_text(format!("{what} is "))
            .with_styled_text(style, state)
            .with_text(format!(
                "{since}. Tasks: {}.",
                tasks_text(self.tasks_running, self.tasks_max)
            ))
            .with_hanging_indent(2)
    }

    fn lines(&self) -> Vec<TextLine> {
        let mut lines = vec![self.headline()];
        for (place, cause) in self.causes.iter().enumerate() {
            let evidence = if place == 0 { self.evidence_lines() } else { Vec::new() };
            lines.extend(cause.lines(evidence));
        }
        if self.causes.is_empty() {
            lines.extend(self.evidence_lines());
        }
        lines
    }

    /// Returns the lines about evidence other than the cause.
    fn evidence_lines(&self) -> Vec<TextLine> {
        let mut lines = Vec::new();
        if self.status == "RUNNING" && self.log.is_some() {
            lines.push(labelled_line(
                "Current state",
                Style::Plain,
                "It runs now, but failed recently. If the problem was fixed since, no action is needed.",
            ));
        }
        match self.previous_runs {
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
        lines.extend(self.failed_task_lines());
        for note in &self.notes {
            lines.push(labelled_line("Possible causes", Style::Plain, note));
        }
        if let Some(log) = &self.log {
            lines.push(labelled_line("Log", Style::Plain, &log.summary()));
        }
        if let Some(error) = &self.log_error {
            lines.push(labelled_line(
                "Log",
                Style::Muted,
                &format!("The log may contain more details, but could not be read: {error}."),
            ));
        }
        // If a rule matches, only JSON contains the recommendation of Confluent Cloud.
        if self.is_generic {
            for advice in &self.recommendations {
                lines.push(labelled_line("Advice", Style::Plain, &format!("Confluent: {advice}")));
            }
        }
        lines
    }

    /// Returns the lines about failed tasks that the other lines do not cover.
    fn failed_task_lines(&self) -> Vec<TextLine> {
        let said = |error: &str| {
            let errors = self.causes.iter().flat_map(|cause| &cause.errors);
            errors
                .into_iter()
                .any(|known| error.contains(known.as_str()) || known.contains(error))
        };
        let mut groups: Vec<(Option<&str>, Vec<String>)> = Vec::new();
        for task in &self.failed_tasks {
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
                None if self.tasks_running > 0 => {
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
}

impl ExplainedCause {
    /// Returns the lines of the cause, the evidence and the next steps.
    fn lines(&self, evidence: Vec<TextLine>) -> Vec<TextLine> {
        let mut lines = vec![labelled_line("Cause", Style::Plain, self.cause)];
        for error in &self.errors {
            lines.push(labelled_line("Message", Style::Error, &truncate(error)));
        }
        if !self.configs.is_empty() {
            lines.push(labelled_line("Keys", Style::Plain, &self.configs.join(", ")));
        }
        lines.extend(evidence);
        lines.push(labelled_line("Owner", Style::Plain, self.owner.display_name()));
        lines.extend(self.next_step_lines());
        lines.push(labelled_line("See also", Style::Muted, &self.page));
        lines
    }

    fn next_step_lines(&self) -> Vec<TextLine> {
        let mut lines = vec![
            labelled_line("Next steps", Style::Plain, &format!("1. {}", self.fix)).with_hanging_indent(INDENT + 1),
        ];
        for (place, step) in self.steps.iter().enumerate() {
            let end = if step.command.is_some() { ":" } else { "" };
            let text = format!("{}{}. {}{end}", " ".repeat(INDENT), place + 2, step.text);
            lines.push(TextLine::from(text).with_hanging_indent(3));
            if let Some(command) = &step.command {
                let line = TextLine::from(" ".repeat(INDENT + 3)).with_styled_text(Style::Hint, command);
                lines.push(line.with_hanging_indent(2));
            }
        }
        lines
    }
}

impl LogErrorSummary {
    fn summary(&self) -> String {
        let error = truncate(&self.error);
        let last = self
            .last
            .map_or_else(String::new, |last| format!(", last at {}", truncate_to_second(last)));
        match (self.times, self.first) {
            (2.., Some(first)) => {
                let more = if self.more { "at least " } else { "" };
                format!(
                    "{error} ({more}{} times since {}{last})",
                    self.times,
                    truncate_to_second(first)
                )
            }
            _ => match self.last {
                Some(last) => format!("{error} (at {})", truncate_to_second(last)),
                None => error,
            },
        }
    }
}

/// Width of the label column.
const INDENT: usize = 18;

/// Returns a labelled line, such as `  Cause           The table does not exist.`
fn labelled_line(label: &str, style: Style, text: &str) -> TextLine {
    let width = INDENT - 2;
    TextLine::from("  ")
        .with_styled_text(Style::Heading, format!("{label:width$}"))
        .with_styled_text(style, text)
        .with_hanging_indent(width)
}

fn truncate(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Removes the fraction of a second, which adds no information here.
fn truncate_to_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
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

impl Viewable for ConnectorExplanations {
    fn view(&self) -> Vec<Block> {
        if self.0.is_empty() {
            return vec![Block::Empty];
        }
        let (plain, explained): (Vec<&ConnectorExplanation>, Vec<&ConnectorExplanation>) =
            self.0.iter().partition(|one| one.has_no_findings());
        let mut blocks: Vec<Block> = explained.into_iter().map(|one| Block::Lines(one.lines())).collect();
        if plain.len() <= MAX_LISTED {
            blocks.extend((!plain.is_empty()).then(|| Block::Lines(plain.iter().map(|one| one.headline()).collect())));
        } else {
            let mut states: Vec<&str> = plain.iter().map(|one| one.status.as_str()).collect();
            states.sort_unstable();
            states.dedup();
            let lines = states.into_iter().map(|state| {
                let names = plain.iter().filter(|one| one.status == state);
                let names: Vec<&str> = names.map(|one| one.name.as_str()).collect();
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
}
