//! Follows the logs of connectors until the run is cancelled or the line limit is reached.

use std::{collections::BTreeMap, sync::Arc};

use futures_util::{StreamExt as _, stream::FuturesUnordered};
use jiff::Timestamp;

use super::{
    ConnectorLogsArgs, ConnectorLogsOutput,
    file::LogFile,
    read::{explain_log_error, log_target, print_status, redactor_for_plugin, unread_lines},
    show::LogLineView,
};
use crate::{
    api::{connect::ExpandedConnector, logs::LogEntry},
    commands::{CommandOutput, Ctx, connector::show::cause_lines, session::ConnectorSession},
    connectors::{errors::combine_errors, view::visible_cause},
    error::Error,
    resources::{
        connector::{ConnectorClient, LiveConnector},
        logs::{
            follow::{ConnectorListCache, FollowEvent, Follower, LogError},
            trace_dedup::TraceDedup,
        },
    },
};

/// Output of followed lines.
struct LogWriter<'a> {
    ctx: &'a Ctx,
    file: Option<LogFile>,
    /// Whether several connectors are followed.
    show_names: bool,
    expand: bool,
    folds: TraceDedup,
    written: usize,
    limit: Option<usize>,
}

impl LogWriter<'_> {
    /// Writes lines and returns whether to continue.
    fn write(&mut self, connector: &str, mut lines: Vec<LogEntry>) -> Result<bool, Error> {
        if let Some(most) = self.limit {
            lines.truncate(most - self.written);
        }
        match &mut self.file {
            Some(file) => file.append(connector, &lines)?,
            None => {
                for line in &lines {
                    let told = LogLineView::new(connector, line, self.show_names, &mut self.folds, self.expand);
                    self.ctx.ui.print_item(&told)?;
                }
            }
        }
        self.written += lines.len();
        Ok(self.limit.is_none_or(|most| self.written < most))
    }
}

/// Follows the connectors in `observed`, with lines from `start` on.
pub(super) async fn follow(
    ctx: &Ctx,
    session: &ConnectorSession,
    args: &ConnectorLogsArgs,
    observed: &[LiveConnector],
    list: BTreeMap<String, ExpandedConnector>,
    start: Timestamp,
) -> Result<CommandOutput<ConnectorLogsOutput>, Error> {
    let logs = session.telemetry.logs()?;
    let address = session.telemetry.resolve_address(&session.connectors.client).await?;
    // Observed with the same clock that the follower waits on.
    let connectors = ConnectorClient {
        clock: session.telemetry.clock().clone(),
        ..session.connectors.clone()
    };
    let connector_list = Arc::new(ConnectorListCache::new(connectors, list));
    let mut profile_store = LogWriter {
        ctx,
        file: args.output_file.as_deref().map(LogFile::open).transpose()?,
        show_names: observed.len() > 1,
        expand: args.expand,
        folds: TraceDedup::default(),
        written: 0,
        limit: args.limit.filter(|limit| *limit > 0),
    };
    let mut running = FuturesUnordered::new();
    for one in observed {
        let (target, redactor) = (log_target(&address, one)?, redactor_for_plugin(one.class()));
        let follower = Follower::new(
            one,
            target,
            args.to_filter(),
            start,
            redactor,
            &logs,
            connector_list.clone(),
        );
        running.push(next_event(follower));
    }
    let mut failures = Vec::new();
    loop {
        let next = tokio::select! {
            next = running.next() => next,
            () = ctx.run.cancel.cancelled() => None,
        };
        let Some((follower, event)) = next else { break };
        let name = follower.name.clone();
        match event {
            Ok(FollowEvent::Lines(lines)) => {
                if !profile_store.write(&name, lines)? {
                    break;
                }
            }
            Ok(event) => print_event(ctx, &name, &event),
            Err(error) => {
                let one = observed.iter().find(|one| one.name == name);
                if let Some(one) = one {
                    print_status(ctx, &[unread_lines(one)]);
                    failures.push(explain_log_error(session, one, error));
                }
                continue;
            }
        }
        running.push(next_event(follower));
    }
    let some = failures.len() < observed.len();
    let report = match profile_store.file {
        Some(file) if file.entries() > 0 || some => CommandOutput::new(ConnectorLogsOutput::Appended(file.finish())),
        _ => CommandOutput::empty(),
    };
    Ok(match combine_errors(failures, some) {
        Some(error) => report.with_error(error),
        None => report,
    })
}

async fn next_event(mut follower: Follower) -> (Follower, Result<FollowEvent, LogError>) {
    let event = follower.next().await;
    (follower, event)
}

/// Prints an event of the follower on standard error.
fn print_event(ctx: &Ctx, name: &str, event: &FollowEvent) {
    match event {
        FollowEvent::Lines(_) | FollowEvent::Idle => {}
        FollowEvent::State(None) => ctx.ui.info(&format!(
            "Connector `{name}` was deleted. If it is recreated, its log is followed again."
        )),
        FollowEvent::State(Some(observed)) => {
            ctx.ui.info(&format!("Connector `{name}` is now {}.", observed.state()));
            if let Some(cause) = visible_cause(observed) {
                ctx.ui
                    .print_message(&[cause_lines(observed.id(), &observed.name, &cause)]);
            }
        }
        FollowEvent::Recreated { old, new } => ctx.ui.info(&format!(
            "Connector `{name}` was recreated ({old} → {new}); following the new one."
        )),
        FollowEvent::Retrying { error, wait } => ctx.ui.info(&format!(
            "cannot read the log of connector `{name}`, retrying in {} s: {error}",
            wait.as_secs()
        )),
    }
}
