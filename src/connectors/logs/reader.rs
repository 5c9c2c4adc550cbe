//! Reader of one connector's log.

use std::time::Duration;

use super::{ConnectorLogs, LogQuery, NewestLines, RETENTION};
use crate::{
    api::logs::LogEntry,
    client::ConnectorLogsClient,
    error::Error,
    redact::TextRedactor,
    resources::{
        connector::LiveConnector,
        logs::{
            cache::{LogCache, join_overlapping},
            cursor::Window,
            follow::{LogError, LogFilter, LogTarget, read_window},
            page_buffer::PageBuffer,
        },
    },
};

/// Shortest wait that is reported.
pub(super) const NOTICE_AFTER: Duration = Duration::from_secs(3);

/// Reader of one connector's log.
pub(super) struct LogReader<'a> {
    logs: &'a ConnectorLogs<'a>,
    client: ConnectorLogsClient,
    target: LogTarget,
    filter: LogFilter,
    redactor: TextRedactor,
    name: String,
}

impl<'a> LogReader<'a> {
    pub(super) fn new(logs: &'a ConnectorLogs<'a>, observed: &LiveConnector, filter: LogFilter) -> Result<Self, Error> {
        let target = logs.target(observed)?;
        Ok(Self {
            logs,
            client: logs.client.for_connector(target.rate_limit_key()),
            target,
            filter,
            redactor: TextRedactor::for_plugin(observed.class()),
            name: observed.name.clone(),
        })
    }

    /// Returns the wait until the rate limit allows the first request.
    pub(super) fn wait_time(&self) -> Duration {
        self.client.wait_time()
    }

    /// Reads a window, and reports waits for the rate limit. Returns whether there are more than `limit` lines.
    pub(super) async fn read_window(
        &self,
        window: Window,
        limit: Option<usize>,
    ) -> Result<(PageBuffer, bool), LogError> {
        let report_wait = |lines: usize| {
            let wait = self.wait_time();
            if wait >= NOTICE_AFTER {
                let so_far = match lines {
                    0 => String::new(),
                    lines => format!(" ({lines} lines so far)"),
                };
                self.logs.run.info(format!(
                    "The API allows 5 requests per minute for connector `{}`; next request in {} s{so_far}.",
                    self.name,
                    wait.as_secs()
                ));
            }
        };
        report_wait(0);
        let mut redactor = self.redactor.clone();
        read_window(
            &self.client,
            &self.target,
            &self.filter,
            window,
            limit,
            &mut redactor,
            &report_wait,
        )
        .await
    }

    /// Returns the newest lines of the query's window.
    pub(super) async fn read_newest(&self, query: &LogQuery) -> Result<NewestLines, LogError> {
        let LogQuery { window, limit, .. } = *query;
        let cache = self.cache(query);
        let levels = &self.filter.levels;
        let cached = cache.as_ref().and_then(|cache| cache.lines_from(window.from, levels));
        let (begin, cached) = cached.unwrap_or((window.from, Vec::new()));
        let cached: Vec<LogEntry> = cached
            .into_iter()
            .filter(|line| line.parsed_timestamp().is_some_and(|at| at <= window.to) && self.filter.includes_task(line))
            .collect();
        if begin >= window.to {
            return Ok(keep_newest(cached, limit, false));
        }
        let rest = self.clamp_to_retention(Window {
            from: begin.max(window.from),
            to: window.to,
        });
        let (buffer, more) = self.read_window(rest, limit).await?;
        let lines = buffer.into_lines()?;
        if let Some(cache) = &cache {
            // If older lines were left out, the lines of the oldest second may be incomplete.
            let from = lines.first().and_then(LogEntry::parsed_timestamp).filter(|_| more);
            let from = from.map(|at| at.saturating_add(Duration::from_secs(1)).unwrap_or(at));
            let complete = Window {
                from: from.unwrap_or(rest.from),
                to: rest.to,
            };
            if let Err(error) = cache.store(complete, levels, &lines, self.logs.now()) {
                self.logs.run.warn(format!("cannot cache the log lines: {error}"));
            }
        }
        // A gap separates the newest lines from the cached ones, so they cannot be joined.
        Ok(match more {
            true => keep_newest(lines, limit, true),
            false => keep_newest(join_overlapping(cached, lines), limit, false),
        })
    }

    /// Limits a window to the retention of the service; the cache covers the time before.
    fn clamp_to_retention(&self, window: Window) -> Window {
        let oldest = self.logs.now().saturating_sub(RETENTION).unwrap_or(window.from);
        Window {
            from: window.from.max(oldest).min(window.to),
            ..window
        }
    }

    /// Returns the cache. Only results without a text or task filter can be cached.
    fn cache(&self, query: &LogQuery) -> Option<LogCache> {
        let complete = self.filter.text.is_none() && self.filter.task.is_none();
        (query.cache && complete).then(|| {
            let telemetry = &self.logs.session.telemetry;
            let folder = telemetry.state_dir().join("lines");
            LogCache::for_connector(&folder, &telemetry.hosts().logs, self.target.rate_limit_key())
        })
    }
}

fn keep_newest(mut lines: Vec<LogEntry>, limit: Option<usize>, more: bool) -> NewestLines {
    let surplus = limit.map_or(0, |limit| lines.len().saturating_sub(limit));
    lines.drain(..surplus);
    NewestLines {
        lines,
        more: more || surplus > 0,
    }
}
