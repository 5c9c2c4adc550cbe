//! An explanation, for people: a screen for what is not well, a line for what is.

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

/// More of a line than this is in `describe` and in the log lines.
const MAX_TEXT: usize = 400;
/// More healthy connectors than these are named in one line.
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

    /// `claims-orders (lcc-8kq2zm, S3_SINK) is FAILED since 2026-08-20T08:00:00Z, for 12 minutes: 0 of 2 run.`
    fn headline(&self) -> TextLine {
        let style = match self.health {
            ConnectorHealth::Unhealthy => Style::Error,
            ConnectorHealth::Unsettled => Style::Warning,
            ConnectorHealth::Healthy => Style::Ok,
        };
        let state = if self.status.is_empty() {
            "without a state"
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

    /// What is known besides the cause.
    fn evidence_lines(&self) -> Vec<TextLine> {
        let mut lines = Vec::new();
        if self.status == "RUNNING" && self.log.is_some() {
            lines.push(labelled_line(
                "Still",
                Style::Plain,
                "It runs now, and has failed a short while ago: if that was repaired since, there is nothing to do.",
            ));
        }
        match self.previous_runs {
            Some(true) => lines.push(labelled_line(
                "Still",
                Style::Plain,
                "The previous configuration is in force, and its tasks run.",
            )),
            Some(false) => lines.push(labelled_line(
                "Still",
                Style::Plain,
                "No earlier configuration is in force: nothing runs.",
            )),
            None => {}
        }
        lines.extend(self.failed_task_lines());
        for note in &self.notes {
            lines.push(labelled_line("Maybe", Style::Plain, note));
        }
        if let Some(log) = &self.log {
            lines.push(labelled_line("Log", Style::Plain, &log.summary()));
        }
        if let Some(error) = &self.log_error {
            lines.push(labelled_line(
                "Log",
                Style::Muted,
                &format!("Log lines may say more, and could not be read: {error}."),
            ));
        }
        // Where a rule knows better, the service's advice is in JSON alone.
        if self.is_generic {
            for advice in &self.recommendations {
                lines.push(labelled_line("Advice", Style::Plain, &format!("Confluent: {advice}")));
            }
        }
        lines
    }

    /// The tasks that failed, as far as nothing above says it.
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
                // That all of them failed is in the first line.
                None if self.tasks_running > 0 => {
                    lines.push(labelled_line(
                        "Tasks",
                        Style::Plain,
                        &format!("{text}, the others run."),
                    ));
                }
                None => {}
            }
        }
        lines
    }
}

impl ExplainedCause {
    /// The cause, what is known besides, and what to do.
    fn lines(&self, evidence: Vec<TextLine>) -> Vec<TextLine> {
        let mut lines = vec![labelled_line("Cause", Style::Plain, self.cause)];
        for error in &self.errors {
            lines.push(labelled_line("Says", Style::Error, &truncate(error)));
        }
        if !self.configs.is_empty() {
            lines.push(labelled_line("Keys", Style::Plain, &self.configs.join(", ")));
        }
        lines.extend(evidence);
        lines.push(labelled_line("Owner", Style::Plain, self.owner.display_name()));
        lines.extend(self.next_step_lines());
        lines.push(labelled_line("More", Style::Muted, &self.page));
        lines
    }

    fn next_step_lines(&self) -> Vec<TextLine> {
        let mut lines =
            vec![labelled_line("Do", Style::Plain, &format!("1. {}", self.fix)).with_hanging_indent(INDENT + 1)];
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

/// The columns in front of what is labelled.
const INDENT: usize = 10;

/// `  Cause   The table does not exist.`
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

/// Milliseconds help nobody here.
fn truncate_to_second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// `12 minutes`, in the largest unit of which there are two.
fn format_duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
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
