//! Status of the fleet on a screen that refreshes.

use std::time::Duration;

use super::view::{condition_line, connector_table, department_table, trouble_line};
use crate::{
    commands::Ctx,
    error::Error,
    fleet::{Fleet, FleetCollector, StageView, format_age, watch_fleet},
    render::{Block, Style, TextLine},
};

/// Refreshes the screen until cancelled. Returns the last observation.
pub(super) fn watch(ctx: &Ctx, collector: &FleetCollector, every: Duration) -> Result<Fleet, Error> {
    let none = || {
        Error::usage("--watch requires a terminal on standard output")
            .with_hint("Run `confluent ebs status` without `--watch`, or with `--html FILE`.")
    };
    let screen = ctx.ui.open_screen(&ctx.run.cancel).ok_or_else(none)?;
    ctx.block_on_reading(watch_fleet(collector, &ctx.run.cancel, every, |fleet| {
        Ok(screen.paint(|width, height| frame(fleet, every, width, height))?)
    }))
}

/// Returns the content of the screen, problems first, because the screen may cut off the end.
fn frame(fleet: &Fleet, every: Duration, width: usize, height: usize) -> Vec<Block> {
    let whose = match &fleet.department {
        Some(code) => format!("Connectors of {code}"),
        None => "Connectors of all departments".to_owned(),
    };
    let at = fleet.taken_at_text();
    let mut head = vec![
        TextLine::new()
            .with_styled_text(Style::Heading, whose)
            .with_text(format!(", {at}, every {} s", every.as_secs())),
    ];
    if let Some(stale) = &fleet.stale {
        let line = TextLine::new().with_styled_text(Style::Warning, "Refresh failed");
        head.push(line.with_text(format!(": {}.", stale.reason)).with_hanging_indent(2));
    }
    for stage in &fleet.stages {
        let mut line = TextLine::new()
            .with_styled_text(Style::Heading, stage.stage.to_string())
            .with_text("  ");
        line.spans.extend(condition_line(stage).spans);
        if let Some(tasks) = stage.cluster_tasks {
            line = line.with_text(format!(" {} tasks.", tasks.summary()));
        }
        head.push(line.with_hanging_indent(2));
    }
    let mut blocks = vec![Block::Lines(head)];
    let wrong = trouble_lines(fleet, width, (height / 3).max(3));
    if !wrong.is_empty() {
        blocks.push(Block::Lines(wrong));
    }
    blocks.extend(fleet.stages.iter().filter_map(|stage| stage_table(fleet, stage)));
    blocks
}

/// Returns one line per unhealthy connector, at most `most`.
fn trouble_lines(fleet: &Fleet, width: usize, most: usize) -> Vec<TextLine> {
    let mut noteworthy: Vec<_> = fleet.connectors().filter(|(_, row)| row.is_notable()).collect();
    noteworthy.sort_by_key(|(_, row)| std::cmp::Reverse(row.condition));
    let several = fleet.stages.len() > 1;
    let lines = noteworthy.iter().take(most).map(|(stage, row)| {
        let since = row
            .observed_since
            .map(|since| format_age(since, fleet.taken_at))
            .unwrap_or_default();
        let stage = if several {
            format!("{} ", stage.stage)
        } else {
            String::new()
        };
        trouble_line(row, &format!("{stage}{} ", row.name), &format!(" {since}"), width)
    });
    let mut lines: Vec<TextLine> = lines.collect();
    if let Some(more) = noteworthy.len().checked_sub(most).filter(|more| *more > 0) {
        lines.push(TextLine::new().with_styled_text(Style::Muted, format!("… and {more} more")));
    }
    lines
}

/// Returns the table of departments with connectors; departments without connectors are left out to save space.
fn stage_table(fleet: &Fleet, stage: &StageView) -> Option<Block> {
    if stage.connectors.is_empty() {
        return None;
    }
    let table = match &fleet.department {
        Some(_) => connector_table(fleet, stage),
        None => department_table(fleet, stage, false),
    };
    let several = fleet.stages.len() > 1;
    Some(match several {
        true => Block::titled(format!("Stage {}", stage.stage), [Block::Table(table)]),
        false => Block::Table(table),
    })
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
