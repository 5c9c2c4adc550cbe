//! An explanation, for people: a screen for what is not well, a line for what is.

use std::time::Duration;

use jiff::Timestamp;

use super::explanation::{Cause, Explanation, Explanations, LogNote, Meaning, Output};
use crate::{
    commands::connector::show::tasks,
    render::{Block, Line, Style, Viewable, words},
    resources::connector::diagnosis::Health,
};

/// More of a line than this is in `describe` and in the log lines.
const LONGEST: usize = 400;
/// More healthy connectors than these are named in one line.
const FEW: usize = 3;

impl Viewable for Output {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Connectors(explanations) => explanations.view(),
            Self::Message(Meaning(cause)) => vec![Block::Lines(cause.lines(Vec::new()))],
        }
    }
}

impl Explanation {
    fn is_plain(&self) -> bool {
        self.causes.is_empty() && self.log.is_none() && self.log_error.is_none()
    }

    /// `claims-orders (lcc-8kq2zm, S3_SINK) is FAILED since 2026-08-20T08:00:00Z, for 12 minutes: 0 of 2 run.`
    fn head(&self) -> Line {
        let style = match self.health {
            Health::Unhealthy => Style::Error,
            Health::Unsettled => Style::Warning,
            Health::Healthy => Style::Ok,
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
        let since = match (self.since, self.lasts) {
            (Some(since), Some(lasts)) => format!(" since {}, for {}", second(since), span(lasts)),
            (Some(since), None) => format!(" since {}", second(since)),
            _ => String::new(),
        };
        Line::new()
            .styled(Style::Heading, &self.name)
            .then(format!("{what} is "))
            .styled(style, state)
            .then(format!(
                "{since}. Tasks: {}.",
                tasks(self.tasks_running, self.tasks_max)
            ))
            .hang(2)
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines = vec![self.head()];
        for (place, cause) in self.causes.iter().enumerate() {
            let evidence = if place == 0 { self.evidence() } else { Vec::new() };
            lines.extend(cause.lines(evidence));
        }
        if self.causes.is_empty() {
            lines.extend(self.evidence());
        }
        lines
    }

    /// What is known besides the cause.
    fn evidence(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        if self.status == "RUNNING" && self.log.is_some() {
            lines.push(labelled(
                "Still",
                Style::Plain,
                "It runs now, and has failed a short while ago: if that was repaired since, there is nothing to do.",
            ));
        }
        match self.previous_runs {
            Some(true) => lines.push(labelled(
                "Still",
                Style::Plain,
                "The previous configuration is in force, and its tasks run.",
            )),
            Some(false) => lines.push(labelled(
                "Still",
                Style::Plain,
                "No earlier configuration is in force: nothing runs.",
            )),
            None => {}
        }
        lines.extend(self.failed());
        for note in &self.notes {
            lines.push(labelled("Maybe", Style::Plain, note));
        }
        if let Some(log) = &self.log {
            lines.push(labelled("Log", Style::Plain, &log.words()));
        }
        if let Some(error) = &self.log_error {
            lines.push(labelled(
                "Log",
                Style::Muted,
                &format!("Log lines may say more, and could not be read: {error}."),
            ));
        }
        // Where a rule knows better, the service's advice is in JSON alone.
        if self.is_vague {
            for advice in &self.recommendations {
                lines.push(labelled("Advice", Style::Plain, &format!("Confluent: {advice}")));
            }
        }
        lines
    }

    /// The tasks that failed, as far as nothing above says it.
    fn failed(&self) -> Vec<Line> {
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
            let text = format!("{noun} {} failed", words::list(&tasks));
            match error {
                Some(error) => lines.push(labelled("Tasks", Style::Plain, &format!("{text}: {}", short(error)))),
                // That all of them failed is in the first line.
                None if self.tasks_running > 0 => {
                    lines.push(labelled("Tasks", Style::Plain, &format!("{text}, the others run.")));
                }
                None => {}
            }
        }
        lines
    }
}

impl Cause {
    /// The cause, what is known besides, and what to do.
    fn lines(&self, evidence: Vec<Line>) -> Vec<Line> {
        let mut lines = vec![labelled("Cause", Style::Plain, self.cause)];
        for error in &self.errors {
            lines.push(labelled("Says", Style::Error, &short(error)));
        }
        if !self.configs.is_empty() {
            lines.push(labelled("Keys", Style::Plain, &self.configs.join(", ")));
        }
        lines.extend(evidence);
        lines.push(labelled("Owner", Style::Plain, self.owner.who()));
        lines.extend(self.todo());
        lines.push(labelled("More", Style::Muted, &self.page));
        lines
    }

    fn todo(&self) -> Vec<Line> {
        let mut lines = vec![labelled("Do", Style::Plain, &format!("1. {}", self.fix)).hang(INDENT + 1)];
        for (place, step) in self.steps.iter().enumerate() {
            let end = if step.command.is_some() { ":" } else { "" };
            let text = format!("{}{}. {}{end}", " ".repeat(INDENT), place + 2, step.text);
            lines.push(Line::from(text).hang(3));
            if let Some(command) = &step.command {
                let line = Line::from(" ".repeat(INDENT + 3)).styled(Style::Hint, command);
                lines.push(line.hang(2));
            }
        }
        lines
    }
}

impl LogNote {
    fn words(&self) -> String {
        let error = short(&self.error);
        let last = self
            .last
            .map_or_else(String::new, |last| format!(", last at {}", second(last)));
        match (self.times, self.first) {
            (2.., Some(first)) => {
                let more = if self.more { "at least " } else { "" };
                format!("{error} ({more}{} times since {}{last})", self.times, second(first))
            }
            _ => match self.last {
                Some(last) => format!("{error} (at {})", second(last)),
                None => error,
            },
        }
    }
}

/// The columns in front of what is labelled.
const INDENT: usize = 10;

/// `  Cause   The table does not exist.`
fn labelled(label: &str, style: Style, text: &str) -> Line {
    let width = INDENT - 2;
    Line::from("  ")
        .styled(Style::Heading, format!("{label:width$}"))
        .styled(style, text)
        .hang(width)
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Milliseconds help nobody here.
fn second(moment: Timestamp) -> Timestamp {
    Timestamp::from_second(moment.as_second()).unwrap_or(moment)
}

/// `12 minutes`, in the largest unit of which there are two.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..120 => format!("{seconds} seconds"),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

impl Viewable for Explanations {
    fn view(&self) -> Vec<Block> {
        if self.0.is_empty() {
            return vec![Block::Empty];
        }
        let (plain, explained): (Vec<&Explanation>, Vec<&Explanation>) = self.0.iter().partition(|one| one.is_plain());
        let mut blocks: Vec<Block> = explained.into_iter().map(|one| Block::Lines(one.lines())).collect();
        if plain.len() <= FEW {
            blocks.extend((!plain.is_empty()).then(|| Block::Lines(plain.iter().map(|one| one.head()).collect())));
        } else {
            let mut states: Vec<&str> = plain.iter().map(|one| one.status.as_str()).collect();
            states.sort_unstable();
            states.dedup();
            let lines = states.into_iter().map(|state| {
                let names = plain.iter().filter(|one| one.status == state);
                let names: Vec<&str> = names.map(|one| one.name.as_str()).collect();
                let verb = if names.len() == 1 { "is" } else { "are" };
                Line::from(format!("{} {verb} ", words::count(names.len(), "connector")))
                    .styled(Style::Ok, state)
                    .then(format!(": {}.", words::list(&names)))
                    .hang(2)
            });
            blocks.push(Block::Lines(lines.collect()));
        }
        blocks
    }
}
