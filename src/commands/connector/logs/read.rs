//! Reads the log lines of a time window.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::{
    ConnectorLogsArgs, ConnectorLogsOutput,
    file::LogFile,
    is_unhealthy,
    show::{ConnectorLines, LogLineView, LogLinesOutput},
};
use crate::{
    api::logs::LogEntry,
    catalog::{
        catalog,
        secret::{Secrecy, secrecy},
    },
    client::{self, ClientError, ConnectorLogsClient},
    commands::{
        CommandOutput, Ctx,
        session::{ConnectorSession, connector_crn},
    },
    connectors::{errors::combine_errors, view::visible_cause},
    error::{Error, ErrorKind},
    model::StageAddress,
    redact::TextRedactor,
    render::{Block, Format},
    resources::{
        connector::LiveConnector,
        logs::{
            cache::{LogCache, join_overlapping},
            cursor::Window,
            follow::{LogError, LogFilter, LogTarget, read_window},
            page_buffer::PageBuffer,
            trace_dedup::TraceDedup,
        },
    },
};

/// Number of connectors that are read concurrently; each one has its own rate limit.
const CONCURRENCY: usize = 8;
/// Shortest wait that is reported.
pub(super) const NOTICE_AFTER: Duration = Duration::from_secs(3);

/// Reads and returns log lines.
pub(super) async fn read(
    ctx: &Ctx,
    session: &ConnectorSession,
    args: &ConnectorLogsArgs,
    observed: &[LiveConnector],
    window: Window,
) -> Result<CommandOutput<ConnectorLogsOutput>, Error> {
    let logs = session.telemetry.logs()?;
    let address = session.telemetry.resolve_address(&session.connectors.client).await?;
    let filter = args.to_filter();
    let streams = args.output_file.is_some() || ctx.ui.format() == Format::Ndjson;
    if streams && args.line_limit().is_none() {
        return stream_all(ctx, session, args, observed, window, &logs, &address).await;
    }
    let one = |observed: &LiveConnector| {
        let (logs, filter, address, observed) = (logs.clone(), filter.clone(), address.clone(), observed.clone());
        async move {
            let read = LogReader::new(ctx, session, &logs, &address, &observed, filter)?;
            Ok::<_, Error>(match read.read_newest(args, window).await {
                Ok((lines, more)) => (connector_lines(&observed, lines, more), None),
                Err(error) => (
                    unread_lines(&observed),
                    Some(explain_log_error(session, &observed, error)),
                ),
            })
        }
    };
    let read = stream::iter(observed)
        .map(one)
        .buffered(CONCURRENCY)
        .collect::<Vec<_>>();
    let read = tokio::select! {
        read = read => read,
        () = ctx.run.cancel.cancelled() => return Err(Error::new(ErrorKind::Interrupted, "interrupted while reading log lines")),
    };
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for one in read {
        let (found, failure) = one?;
        all.push(found);
        failures.extend(failure);
    }
    if ctx.ui.format() != Format::Human || args.output_file.is_some() {
        print_status(ctx, &all);
    }
    let output = match &args.output_file {
        Some(path) => {
            let mut file = LogFile::open(path)?;
            for found in &all {
                file.append(&found.name, &found.lines)?;
            }
            ConnectorLogsOutput::Appended(file.finish())
        }
        None => ConnectorLogsOutput::Lines(LogLinesOutput::new(all, args.expand)),
    };
    let some = failures.len() < observed.len();
    let report = CommandOutput::new(output);
    Ok(match combine_errors(failures, some) {
        Some(error) => report.with_error(error),
        None => report,
    })
}

/// Prints the status of connectors without log lines on standard error; machine-readable output contains only lines.
pub(super) fn print_status(ctx: &Ctx, all: &[ConnectorLines]) {
    let blocks: Vec<Block> = all.iter().filter_map(ConnectorLines::status_block).collect();
    if !blocks.is_empty() {
        ctx.ui.print_message(&blocks);
    }
}

fn connector_lines(observed: &LiveConnector, lines: Vec<LogEntry>, more: bool) -> ConnectorLines {
    let troubled = lines.is_empty() && is_unhealthy(observed);
    ConnectorLines {
        name: observed.name.clone(),
        id: observed.id().to_owned(),
        more,
        unread: false,
        state: troubled.then(|| (observed.state().to_owned(), visible_cause(observed))),
        lines,
    }
}

/// Returns the status of a connector whose log cannot be read.
pub(super) fn unread_lines(observed: &LiveConnector) -> ConnectorLines {
    ConnectorLines {
        unread: true,
        state: Some((observed.state().to_owned(), visible_cause(observed))),
        ..connector_lines(observed, Vec::new(), false)
    }
}

/// Writes all lines, connector by connector, without holding them in memory.
async fn stream_all(
    ctx: &Ctx,
    session: &ConnectorSession,
    args: &ConnectorLogsArgs,
    observed: &[LiveConnector],
    window: Window,
    logs: &client::LogsClient,
    address: &StageAddress,
) -> Result<CommandOutput<ConnectorLogsOutput>, Error> {
    let mut file = args.output_file.as_deref().map(LogFile::open).transpose()?;
    let mut failures = Vec::new();
    let mut folds = TraceDedup::default();
    for connector in observed {
        let reader = LogReader::new(ctx, session, logs, address, connector, args.to_filter())?;
        let read = tokio::select! {
            read = reader.read_window(window, None) => read,
            () = ctx.run.cancel.cancelled() => {
                failures.push(Error::new(ErrorKind::Interrupted, "interrupted while reading log lines"));
                break;
            }
        };
        let mut spool = match read {
            Ok((spool, _)) => spool,
            Err(error) => {
                print_status(ctx, &[unread_lines(connector)]);
                failures.push(explain_log_error(session, connector, error));
                continue;
            }
        };
        if spool.is_empty() {
            print_status(ctx, &[connector_lines(connector, Vec::new(), false)]);
        }
        while let Some(lines) = spool.pop()? {
            match &mut file {
                Some(file) => file.append(&connector.name, &lines)?,
                None => {
                    for line in &lines {
                        ctx.ui
                            .print_item(&LogLineView::new(&connector.name, line, true, &mut folds, true))?;
                    }
                }
            }
        }
    }
    let report = match file {
        Some(file) => CommandOutput::new(ConnectorLogsOutput::Appended(file.finish())),
        None => CommandOutput::empty(),
    };
    let some = failures.len() < observed.len();
    Ok(match combine_errors(failures, some) {
        Some(error) => report.with_error(error),
        None => report,
    })
}

/// Reader of one connector's log.
pub(super) struct LogReader<'a> {
    ctx: &'a Ctx,
    session: &'a ConnectorSession,
    logs: ConnectorLogsClient,
    target: LogTarget,
    filter: LogFilter,
    redactor: TextRedactor,
    name: String,
}

impl<'a> LogReader<'a> {
    pub(super) fn new(
        ctx: &'a Ctx,
        session: &'a ConnectorSession,
        logs: &client::LogsClient,
        address: &StageAddress,
        observed: &LiveConnector,
        filter: LogFilter,
    ) -> Result<Self, Error> {
        let target = log_target(address, observed)?;
        Ok(Self {
            ctx,
            session,
            logs: logs.for_connector(target.rate_limit_key()),
            target,
            filter,
            redactor: redactor_for_plugin(observed.class()),
            name: observed.name.clone(),
        })
    }

    /// Returns the wait until the rate limit allows the first request.
    pub(super) fn wait_time(&self) -> Duration {
        self.logs.wait_time()
    }

    pub(super) async fn read_window(
        &self,
        window: Window,
        limit: Option<usize>,
    ) -> Result<(PageBuffer, bool), LogError> {
        let (ui, logs, name) = (self.ctx.ui.clone(), &self.logs, &self.name);
        let tell = |lines: usize| {
            let wait = logs.wait_time();
            if wait >= NOTICE_AFTER {
                let so_far = if lines == 0 {
                    String::new()
                } else {
                    format!(" ({lines} lines so far)")
                };
                ui.info(&format!(
                    "The API allows 5 requests per minute for connector `{name}`; next request in {} s{so_far}.",
                    wait.as_secs()
                ));
            }
        };
        tell(0);
        let mut redactor = self.redactor.clone();
        read_window(
            &self.logs,
            &self.target,
            &self.filter,
            window,
            limit,
            &mut redactor,
            &tell,
        )
        .await
    }

    /// Returns the newest lines of a window in chronological order, and whether older lines were left out.
    async fn read_newest(&self, args: &ConnectorLogsArgs, window: Window) -> Result<(Vec<LogEntry>, bool), LogError> {
        let limit = args.line_limit();
        let cache = self.cache(args);
        let levels = &self.filter.levels;
        let kept = cache.as_ref().and_then(|cache| cache.lines_from(window.from, levels));
        let (begin, kept) = kept.unwrap_or((window.from, Vec::new()));
        let kept: Vec<LogEntry> = kept
            .into_iter()
            .filter(|line| line.parsed_timestamp().is_some_and(|at| at <= window.to) && self.filter.includes_task(line))
            .collect();
        if begin >= window.to {
            return Ok(keep_newest(kept, limit, false));
        }
        let rest = Window {
            from: begin.max(window.from),
            to: window.to,
        };
        let rest = self.clamp_to_retention(rest);
        let (mut spool, more) = self.read_window(rest, limit).await?;
        let mut lines = Vec::new();
        while let Some(page) = spool.pop()? {
            lines.extend(page);
        }
        if let Some(cache) = &cache {
            // If older lines were left out, the lines of the oldest second may be incomplete.
            let from = lines.first().and_then(LogEntry::parsed_timestamp).filter(|_| more);
            let from = from.map(|at| at.saturating_add(Duration::from_secs(1)).unwrap_or(at));
            let complete = Window {
                from: from.unwrap_or(rest.from),
                to: rest.to,
            };
            let now = self.session.telemetry.clock().now();
            if let Err(error) = cache.store(complete, levels, &lines, now) {
                self.ctx.ui.warn(&format!("cannot cache the log lines: {error}"));
            }
        }
        // A gap separates the newest lines from the cached ones, so they cannot be joined.
        Ok(match more {
            true => keep_newest(lines, limit, true),
            false => keep_newest(join_overlapping(kept, lines), limit, false),
        })
    }

    /// Limits a window to the retention of the service; the cache covers the time before.
    fn clamp_to_retention(&self, window: Window) -> Window {
        let now = self.session.telemetry.clock().now();
        let oldest = now.saturating_sub(super::RETENTION).unwrap_or(window.from);
        Window {
            from: window.from.max(oldest).min(window.to),
            ..window
        }
    }

    /// Returns the cache. Only results without a text or task filter can be cached.
    fn cache(&self, args: &ConnectorLogsArgs) -> Option<LogCache> {
        let whole = self.filter.text.is_none() && self.filter.task.is_none();
        (args.cache && whole).then(|| {
            let folder = self.session.telemetry.state_dir().join("lines");
            LogCache::for_connector(
                &folder,
                &self.session.telemetry.hosts().logs,
                self.target.rate_limit_key(),
            )
        })
    }
}

fn keep_newest(mut lines: Vec<LogEntry>, limit: Option<usize>, more: bool) -> (Vec<LogEntry>, bool) {
    let surplus = limit.map_or(0, |limit| lines.len().saturating_sub(limit));
    lines.drain(..surplus);
    (lines, more || surplus > 0)
}

/// Returns the target of a log request.
pub(super) fn log_target(address: &StageAddress, observed: &LiveConnector) -> Result<LogTarget, Error> {
    Ok(LogTarget {
        crn: connector_crn(address, &observed.name)?,
        id: Some(observed.expanded.id.id.clone()).filter(|id| !id.is_empty()),
    })
}

/// Returns a redactor that knows the secret keys of a plugin, in addition to keys that are secret by name.
pub(in crate::commands::connector) fn redactor_for_plugin(class: &str) -> TextRedactor {
    let facts = catalog();
    let plugin = facts.plugin(class);
    let keys = plugin.into_iter().flat_map(|plugin| plugin.keys.keys());
    let secret = keys.filter(|key| matches!(secrecy(facts, plugin, key), Secrecy::Secret));
    TextRedactor::new(secret.cloned())
}

/// Explains why the log cannot be read and who can help.
pub(super) fn explain_log_error(session: &ConnectorSession, observed: &LiveConnector, error: LogError) -> Error {
    let what = format!("cannot read the log of connector `{}`", observed.name);
    let LogError::Client(error) = error else {
        return Error::from(error).context(what);
    };
    let (forbidden, moved) = (error.is_forbidden(), may_have_moved(&error));
    let mut edge = Error::from(error).context(what);
    if forbidden {
        // Source: docs/reference/logs.md#who-may-read-logs. The general advice for 403 is less specific.
        edge.hints.clear();
        edge = edge.with_hint(
            "Reading logs requires ConnectManager or ResourceOwner on the connector, or an administrator role on its \
             cluster; read-only roles are not sufficient.",
        );
        edge = match session
            .department
            .as_ref()
            .filter(|department| department.persona.as_deref() == Some("viewer"))
        {
            Some(department) => edge.with_hint(format!(
                "Use the profile of the operator, such as `--profile {}-operator`.",
                department.code
            )),
            None => edge,
        };
    } else if moved {
        let hosts = session.telemetry.hosts();
        edge = edge.with_hint(format!(
            "Logs are read from {} with tokens from {}. Both hosts are undocumented and may have changed; set \
             `CONFLUENT_EBS_LOGS_ENDPOINT` and `CONFLUENT_EBS_TOKEN_ENDPOINT` to use other hosts.",
            hosts.logs, hosts.token
        ));
    }
    edge
}

/// Returns whether the host itself may be the problem: not found, unexpected response, or unreachable.
fn may_have_moved(error: &ClientError) -> bool {
    match error {
        ClientError::NoResponse { .. } | ClientError::InvalidResponse { .. } | ClientError::Pagination { .. } => true,
        other => other.status().is_some_and(|status| {
            matches!(status.as_u16(), 301 | 302 | 307 | 308 | 404 | 405 | 410) || status.is_server_error()
        }),
    }
}
