//! The fleet on a screen that is painted again and again.

use std::time::Duration;

use super::view::{connectors, counted, departments, trouble};
use crate::{
    commands::{
        Ctx,
        fleet::{Fleet, Listed, Lookout, StageView, age},
    },
    error::{Error, ErrorKind},
    render::{Block, Line, Style},
};

/// Looks and paints until somebody has seen enough. Answers the last look that succeeded, and whether one failed after it.
pub(super) fn watch(ctx: &Ctx, lookout: &Lookout, every: Duration) -> Result<(Vec<Listed>, Fleet), Error> {
    let none = || {
        Error::usage("--watch paints on a terminal, and standard output is none")
            .with_hint("Use `confluent ebs status` without it, or `--html FILE`.")
    };
    let screen = ctx.ui.screen(&ctx.interrupt).ok_or_else(none)?;
    lookout.session.observers.watch();
    ctx.block_on(async {
        let mut last: Option<(Vec<Listed>, Fleet)> = None;
        // Kept until a look succeeds: whoever ends it while nothing can be seen must not take the last look for the present.
        let mut trouble: Option<Error> = None;
        loop {
            let looked = tokio::select! {
                looked = lookout.look() => looked,
                () = ctx.interrupt.wished() => break,
            };
            match looked {
                Ok(looked) => (last, trouble) = (Some(looked), None),
                // Without a first look there is nothing to show meanwhile.
                Err(error) if last.is_none() => return Err(error),
                Err(error) => trouble = Some(error),
            }
            if let Some((_, fleet)) = &last {
                let trouble = trouble.as_ref().map(ToString::to_string);
                screen.paint(|width, height| frame(fleet, every, trouble.as_deref(), width, height))?;
            }
            tokio::select! {
                () = lookout.clock().sleep(every) => {}
                () = ctx.interrupt.wished() => break,
            }
        }
        let (lists, fleet) =
            last.ok_or_else(|| Error::new(ErrorKind::Interrupted, "interrupted before anything was seen"))?;
        Ok((lists, ended(fleet, trouble)))
    })
}

/// The last fleet, which is not how it is now if nobody could look again.
fn ended(fleet: Fleet, trouble: Option<Error>) -> Fleet {
    match trouble {
        Some(error) => fleet.outdated_by(error),
        None => fleet,
    }
}

/// What stands on the screen: what is wrong first, because the end may be cut off.
fn frame(fleet: &Fleet, every: Duration, trouble: Option<&str>, width: usize, height: usize) -> Vec<Block> {
    let whose = match &fleet.department {
        Some(code) => format!("Connectors of {code}"),
        None => "Connectors of all departments".to_owned(),
    };
    let at = fleet.time();
    let mut head = vec![
        Line::new()
            .styled(Style::Heading, whose)
            .then(format!(", {at}, every {} s", every.as_secs())),
    ];
    if let Some(trouble) = trouble {
        let line = Line::new().styled(Style::Warning, "Could not look again");
        head.push(line.then(format!(": {trouble}.")).hang(2));
    }
    for stage in &fleet.stages {
        let mut line = Line::new().styled(Style::Heading, &stage.stage).then("  ");
        line.spans.extend(counted(stage).spans);
        if let Some(tasks) = stage.cluster_tasks {
            line = line.then(format!(" {} tasks.", tasks.words()));
        }
        head.push(line.hang(2));
    }
    let mut blocks = vec![Block::Lines(head)];
    let wrong = wrong(fleet, width, (height / 3).max(3));
    if !wrong.is_empty() {
        blocks.push(Block::Lines(wrong));
    }
    blocks.extend(fleet.stages.iter().filter_map(|stage| table(fleet, stage)));
    blocks
}

/// One line for each connector in trouble, `most` of them.
fn wrong(fleet: &Fleet, width: usize, most: usize) -> Vec<Line> {
    let mut noteworthy: Vec<_> = fleet.connectors().filter(|(_, row)| row.is_noteworthy()).collect();
    noteworthy.sort_by_key(|(_, row)| std::cmp::Reverse(row.condition));
    let several = fleet.stages.len() > 1;
    let lines = noteworthy.iter().take(most).map(|(stage, row)| {
        let since = row
            .seen_since
            .map(|since| age(since, fleet.taken_at))
            .unwrap_or_default();
        let stage = if several {
            format!("{} ", stage.stage)
        } else {
            String::new()
        };
        trouble(row, &format!("{stage}{} ", row.name), &format!(" {since}"), width)
    });
    let mut lines: Vec<Line> = lines.collect();
    if let Some(more) = noteworthy.len().checked_sub(most).filter(|more| *more > 0) {
        lines.push(Line::new().styled(Style::Muted, format!("… and {more} more")));
    }
    lines
}

/// Who has connectors; whoever has none would take the room of those who have.
fn table(fleet: &Fleet, stage: &StageView) -> Option<Block> {
    if stage.connectors.is_empty() {
        return None;
    }
    let table = match &fleet.department {
        Some(_) => connectors(fleet, stage),
        None => departments(fleet, stage, false),
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
