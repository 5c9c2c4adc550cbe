//! Following connectors until somebody has seen enough.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use jiff::Timestamp;

use super::{
    Logs, Output,
    file::LogFile,
    read::{explained, say, scrubber, subject, unread},
    show::Told,
};
use crate::{
    api::{connect::Expanded, logs::LogEntry},
    commands::{
        Ctx, Report,
        connector::{
            lifecycle::together,
            show::{cause_lines, why},
        },
        session::DepartmentSession,
    },
    error::Error,
    resources::{
        connector::{Connectors, Seen},
        logs::{
            fold::Folds,
            follow::{Event, Follower, LogError, Roster},
        },
    },
};

/// Where lines go.
struct Sink<'a> {
    ctx: &'a Ctx,
    file: Option<LogFile>,
    /// Several connectors are followed.
    named: bool,
    expand: bool,
    folds: Folds,
    shown: usize,
    most: Option<usize>,
}

impl Sink<'_> {
    /// Passes lines on, and tells whether there may be more.
    fn take(&mut self, connector: &str, mut lines: Vec<LogEntry>) -> Result<bool, Error> {
        if let Some(most) = self.most {
            lines.truncate(most - self.shown);
        }
        match &mut self.file {
            Some(file) => file.append(connector, &lines)?,
            None => {
                for line in &lines {
                    let told = Told::of(connector, line, self.named, &mut self.folds, self.expand);
                    self.ctx.ui.item(&told)?;
                }
            }
        }
        self.shown += lines.len();
        Ok(self.most.is_none_or(|most| self.shown < most))
    }
}

/// Follows all of `seen`, with lines from `start` on.
pub(super) async fn follow(
    ctx: &Ctx,
    session: &DepartmentSession,
    asked: &Logs,
    seen: &[Seen],
    list: BTreeMap<String, Expanded>,
    start: Timestamp,
) -> Result<Report<Output>, Error> {
    let logs = session.observers.logs()?;
    let address = session.observers.address(&session.connectors.client).await?;
    // Looked at with the clock that waiting is done on.
    let connectors = Connectors {
        clock: session.observers.clock().clone(),
        ..session.connectors.clone()
    };
    let roster = Arc::new(Roster::new(connectors, list));
    let mut sink = Sink {
        ctx,
        file: asked.output_file.as_deref().map(LogFile::open).transpose()?,
        named: seen.len() > 1,
        expand: asked.expand,
        folds: Folds::default(),
        shown: 0,
        most: asked.limit.filter(|limit| *limit > 0),
    };
    let mut running = FuturesUnordered::new();
    for one in seen {
        let (subject, scrubber) = (subject(&address, one)?, scrubber(one.class()));
        let follower = Follower::new(one, subject, asked.question(), start, scrubber, &logs, roster.clone());
        running.push(step(follower));
    }
    let mut failures = Vec::new();
    loop {
        let next = tokio::select! {
            next = running.next() => next,
            () = ctx.interrupt.wished() => None,
        };
        let Some((follower, event)) = next else { break };
        let name = follower.name.clone();
        match event {
            Ok(Event::Lines(lines)) => {
                if !sink.take(&name, lines)? {
                    break;
                }
            }
            Ok(event) => tell(ctx, &name, &event),
            Err(error) => {
                let one = seen.iter().find(|one| one.name == name);
                if let Some(one) = one {
                    say(ctx, &[unread(one)]);
                    failures.push(explained(session, one, error));
                }
                continue;
            }
        }
        running.push(step(follower));
    }
    let some = failures.len() < seen.len();
    let report = match sink.file {
        Some(file) if file.entries() > 0 || some => Report::new(Output::Appended(file.appended())),
        _ => Report::nothing(),
    };
    Ok(match together(failures, some) {
        Some(error) => report.with_error(error),
        None => report,
    })
}

async fn step(mut follower: Follower) -> (Follower, Result<Event, LogError>) {
    let event = follower.next().await;
    (follower, event)
}

/// What happens besides lines, on standard error.
fn tell(ctx: &Ctx, name: &str, event: &Event) {
    match event {
        Event::Lines(_) | Event::Quiet => {}
        Event::State(None) => ctx.ui.note(&format!(
            "Connector \"{name}\" is gone. If one of that name is made again, it is followed."
        )),
        Event::State(Some(seen)) => {
            ctx.ui.note(&format!("Connector \"{name}\" is {} now.", seen.state()));
            if let Some(cause) = why(seen) {
                ctx.ui.say(&[cause_lines(seen.id(), &seen.name, &cause)]);
            }
        }
        Event::Anew { old, new } => ctx
            .ui
            .note(&format!("Connector \"{name}\" was made anew: {new} instead of {old}.")),
        Event::Trouble { error, wait } => ctx.ui.note(&format!(
            "Log lines of \"{name}\" cannot be read just now, again in {} s: {error}",
            wait.as_secs()
        )),
    }
}
