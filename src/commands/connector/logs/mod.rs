//! `confluent ebs connector logs`.

mod file;
mod follow;
mod recent_errors;
mod args;
mod read;
mod show;

use std::{path::PathBuf, time::Duration};

use jiff::Timestamp;

pub(super) use read::redactor_for_plugin;
pub(super) use recent_errors::RecentErrors;

use self::{args::LogLevels, show::LogLinesOutput};
use super::time_arg::TimeArg;
use crate::{
    api::logs::HISTORY,
    commands::{CommandOutput, Ctx},
    connectors::selectors,
    error::Error,
    render::{Block, Format, Viewable},
    resources::{
        connector::LiveConnector,
        logs::{cursor::Window, follow::LogFilter},
    },
    session::ConnectorSession,
};

/// Retention of log lines, less a margin for clock skew (docs/reference/logs.md#search-request).
const RETENTION: Duration = HISTORY.saturating_sub(Duration::from_mins(1));
/// Limit of lines that are held in memory.
const MAX_BUFFERED_LINES: usize = 50_000;

/// Show log lines of connectors
///
/// Shows the newest lines of the last 30 minutes, of all levels. Lines are kept for 72 hours. The API allows 5 requests
/// per minute per connector (200 lines each), shared by all clients; requests are throttled automatically. Values of
/// secret keys are redacted. Besides "human", "json" and "yaml", --output supports "ndjson": one JSON document per
/// line.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show the errors of the last two hours.

  $ confluent ebs connector logs claims-orders --since 2h --level ERROR

Follow all your connectors.

  $ confluent ebs connector logs --all --follow --profile claims-operator

Export all available lines of a connector to a file.

  $ confluent ebs connector logs claims-orders --since 3d --limit 0 --output-file logs.txt")]
pub(super) struct ConnectorLogsArgs {
    /// IDs or names of connectors; names may contain "*" and "?".
    #[arg(value_name = "id", required_unless_present = "all")]
    connectors: Vec<String>,
    /// Select all your connectors.
    #[arg(long, conflicts_with = "connectors")]
    all: bool,
    /// Show lines since this age (30m, 2h) or timestamp (2026-08-20T08:00:00Z).
    #[arg(long, alias = "start-time", value_name = "time", default_value = "30m")]
    since: TimeArg,
    /// Show lines until this time.
    #[arg(long, alias = "end-time", value_name = "time", conflicts_with = "follow")]
    until: Option<TimeArg>,
    /// Levels, separated by |: INFO, WARN, ERROR. Default: all.
    #[arg(long, value_name = "string")]
    level: Option<LogLevels>,
    /// Show only lines that match this regular expression.
    #[arg(long, alias = "search-text", value_name = "string")]
    grep: Option<String>,
    /// Show only lines of this task.
    #[arg(long, value_name = "number", value_parser = args::parse_task)]
    task: Option<u32>,
    /// Show new lines as they arrive, until Ctrl-C.
    #[arg(short, long)]
    follow: bool,
    /// Show at most this many of the newest lines per connector; 0 for all.
    #[arg(long, value_name = "number", value_parser = args::parse_line_limit)]
    limit: Option<usize>,
    /// Append the lines to this file as JSON lines.
    #[arg(long, value_name = "file")]
    output_file: Option<PathBuf>,
    /// Show every stack trace in full.
    #[arg(long)]
    expand: bool,
    /// Cache lines on this machine and reuse cached ones.
    #[arg(long, conflicts_with = "follow")]
    cache: bool,
}

/// Default line limit: the result of one minute of requests.
const DEFAULT_LIMIT: usize = 1_000;

impl ConnectorLogsArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorLogsOutput>, Error> {
        self.check_args(ctx)?;
        let session = ConnectorSession::open(&ctx.run)?;
        if self.all {
            // Without a department, `--all` would select the connectors of all departments.
            session.require_department()?;
        }
        selectors::reject_foreign_names(session.department.as_ref(), &self.connectors)?;
        if self.cache && (self.grep.is_some() || self.task.is_some()) {
            ctx.ui
                .warn("`--cache` is ignored with `--grep` and `--task`, because only complete results are cached");
        }
        if self.follow {
            session.telemetry.use_real_time();
        }
        ctx.block_on(async {
            let list = session.connectors.list_selected(&self.connectors).await?;
            let observed = match self.all {
                true => selectors::select_all(&session, &list),
                false => selectors::select(&session, &list, &self.connectors)?,
            };
            let now = session.telemetry.clock().now();
            let window = self.window(ctx, now)?;
            match self.follow {
                true => follow::follow(ctx, &session, &self, &observed, list, window.from).await,
                false => read::read(ctx, &session, &self, &observed, window).await,
            }
        })
    }

    /// Rejects invalid combinations of arguments.
    fn check_args(&self, ctx: &Ctx) -> Result<(), Error> {
        let bit_by_bit = matches!(ctx.ui.format(), Format::Human | Format::Ndjson);
        if self.follow && !bit_by_bit && self.output_file.is_none() {
            return Err(Error::usage("--follow cannot be used together with -o json or yaml")
                .with_hint("Use `-o ndjson`, which prints one JSON document per line."));
        }
        let streams = self.follow || self.output_file.is_some() || ctx.ui.format() == Format::Ndjson;
        match self.limit {
            Some(0) if !streams => Err(Error::usage("`--limit 0` requires `--output-file` or `-o ndjson`")
                .with_hint("Write all lines to a file with `--output-file FILE`, or use `-o ndjson`.")),
            Some(limit) if limit > MAX_BUFFERED_LINES && !streams => Err(Error::usage(format!(
                "invalid value `{limit}` for --limit: must be at most {MAX_BUFFERED_LINES}"
            ))
            .with_hint("For more lines, use `--output-file FILE` or `-o ndjson`.")),
            _ => Ok(()),
        }
    }

    /// Returns the selected time window, limited to the retention.
    fn window(&self, ctx: &Ctx, now: Timestamp) -> Result<Window, Error> {
        let mut from = self.since.resolve(now);
        let to = match self.until {
            Some(until) => until.resolve(now),
            // The API takes whole seconds.
            None => now.saturating_add(Duration::from_secs(1)).unwrap_or(now),
        };
        let oldest = now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN);
        // The cache may hold older lines.
        if from < oldest && !self.cache {
            ctx.ui.warn("log lines older than 72 hours are not available");
            from = oldest;
        }
        if from >= to {
            return Err(Error::usage("end-time must be greater than start-time")
                .with_hint("`--since` sets the start, `--until` sets the end."));
        }
        Ok(Window { from, to })
    }

    fn to_filter(&self) -> LogFilter {
        LogFilter {
            levels: self.level.clone().unwrap_or_default().0,
            text: self.grep.clone(),
            task: self.task,
        }
    }

    /// Returns the line limit per connector.
    fn line_limit(&self) -> Option<usize> {
        Some(self.limit.unwrap_or(DEFAULT_LIMIT)).filter(|limit| *limit > 0)
    }
}

/// Result of `connector logs`.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub(super) enum ConnectorLogsOutput {
    /// Lines to print.
    Lines(LogLinesOutput),
    /// Lines were written to a file.
    Appended(AppendedLines),
}

/// Output file with the number of appended entries.
#[derive(Debug, serde::Serialize)]
pub(super) struct AppendedLines {
    entries: usize,
    file: PathBuf,
}

impl Viewable for ConnectorLogsOutput {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Lines(lines) => lines.view(),
            Self::Appended(AppendedLines { entries, file }) => {
                let noun = if *entries == 1 { "entry" } else { "entries" };
                vec![Block::line(format!(
                    "Appended {entries} log {noun} to file: {}",
                    file.display()
                ))]
            }
        }
    }
}

/// Returns whether the status may be more informative than the log.
fn is_unhealthy(observed: &LiveConnector) -> bool {
    matches!(observed.state(), "FAILED" | "DEGRADED") || crate::connectors::view::visible_cause(observed).is_some()
}
