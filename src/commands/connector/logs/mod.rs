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

/// A little less than what the service keeps, because its clock and ours differ
/// (docs/reference/logs.md#search-request).
const RETENTION: Duration = HISTORY.saturating_sub(Duration::from_mins(1));
/// More lines than anybody reads, and than memory should hold.
const MAX_BUFFERED_LINES: usize = 50_000;

/// Show log lines of connectors.
///
/// Lines are kept for 72 hours. A connector stands five requests per minute, of 200 lines each, whoever asks; waiting for
/// one's turn is done here. The newest lines of the last 30 minutes are shown, of all levels. With --follow, new lines are
/// shown as they come, until Ctrl-C. Values that stand under the name of a secret are struck out. Besides "human", "json"
/// and "yaml", --output takes "ndjson": one line of JSON per log line.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show errors of the last two hours.

  $ confluent ebs connector logs claims-orders --since 2h --level ERROR

Follow all connectors of the department.

  $ confluent ebs connector logs --all --follow --profile claims-operator

Write everything that there is of a connector into a file.

  $ confluent ebs connector logs claims-orders --since 3d --limit 0 --output-file logs.txt")]
pub(super) struct ConnectorLogsArgs {
    /// IDs or names of connectors; a name may hold * and ?.
    #[arg(value_name = "id", required_unless_present = "all")]
    connectors: Vec<String>,
    /// All connectors of the department.
    #[arg(long, conflicts_with = "connectors")]
    all: bool,
    /// Show lines from this time on: how long ago, such as 30m or 2h, or a time, such as 2026-08-20T08:00:00Z.
    #[arg(long, alias = "start-time", value_name = "time", default_value = "30m")]
    since: TimeArg,
    /// Show lines until this time.
    #[arg(long, alias = "end-time", value_name = "time", conflicts_with = "follow")]
    until: Option<TimeArg>,
    /// Levels, separated by |: INFO, WARN, ERROR. All of them without it.
    #[arg(long, value_name = "string")]
    level: Option<LogLevels>,
    /// Show only lines that hold this text; the service takes it for a regular expression.
    #[arg(long, alias = "search-text", value_name = "string")]
    grep: Option<String>,
    /// Show only lines of the task of this number.
    #[arg(long, value_name = "number", value_parser = args::parse_task)]
    task: Option<u32>,
    /// Show new lines as they come.
    #[arg(short, long)]
    follow: bool,
    /// At most so many lines of each connector, the newest; 0 for all. With --follow, end after so many.
    #[arg(long, value_name = "number", value_parser = args::parse_line_limit)]
    limit: Option<usize>,
    /// Append the lines to this file, as lines of JSON.
    #[arg(long, value_name = "file")]
    output_file: Option<PathBuf>,
    /// Show every stack trace in full each time.
    #[arg(long)]
    expand: bool,
    /// Keep the lines on this computer, and take from there what was read before.
    #[arg(long, conflicts_with = "follow")]
    cache: bool,
}

/// How many lines are shown when nobody says: a minute's worth of requests.
const DEFAULT_LIMIT: usize = 1_000;

impl ConnectorLogsArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorLogsOutput>, Error> {
        self.check_args(ctx)?;
        let session = ConnectorSession::open(&ctx.run)?;
        if self.all {
            // Without a department this would reach everybody's.
            session.require_department()?;
        }
        selectors::reject_foreign_names(session.department.as_ref(), &self.connectors)?;
        if self.cache && (self.grep.is_some() || self.task.is_some()) {
            ctx.ui
                .warn("only whole answers are kept: with --grep or --task the service is asked each time");
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

    /// What does not go together.
    fn check_args(&self, ctx: &Ctx) -> Result<(), Error> {
        let bit_by_bit = matches!(ctx.ui.format(), Format::Human | Format::Ndjson);
        if self.follow && !bit_by_bit && self.output_file.is_none() {
            return Err(
                Error::usage("--follow writes lines as they come, and json and yaml are one document")
                    .with_hint("Use `-o ndjson`: one line of JSON per log line."),
            );
        }
        let streams = self.follow || self.output_file.is_some() || ctx.ui.format() == Format::Ndjson;
        match self.limit {
            Some(0) if !streams => Err(
                Error::usage("all lines may be more than fit on a screen and into memory")
                    .with_hint("Use `--output-file FILE` or `-o ndjson` with `--limit 0`."),
            ),
            Some(limit) if limit > MAX_BUFFERED_LINES && !streams => Err(Error::usage(format!(
                "--limit {limit} is too much: it must be at most {MAX_BUFFERED_LINES}"
            ))
            .with_hint("Use `--output-file FILE` or `-o ndjson` for more lines.")),
            _ => Ok(()),
        }
    }

    /// The time that is meant, cut to what the service keeps.
    fn window(&self, ctx: &Ctx, now: Timestamp) -> Result<Window, Error> {
        let mut from = self.since.resolve(now);
        let to = match self.until {
            Some(until) => until.resolve(now),
            // The service is told whole seconds.
            None => now.saturating_add(Duration::from_secs(1)).unwrap_or(now),
        };
        let oldest = now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN);
        // What is on this computer may be older.
        if from < oldest && !self.cache {
            ctx.ui.warn("lines are kept for 72 hours: what is older is not shown");
            from = oldest;
        }
        if from >= to {
            return Err(Error::usage("end-time must be greater than start-time")
                .with_hint("`--since` is the beginning, `--until` the end."));
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

    /// At most so many lines of a connector.
    fn line_limit(&self) -> Option<usize> {
        Some(self.limit.unwrap_or(DEFAULT_LIMIT)).filter(|limit| *limit > 0)
    }
}

/// What the command answers.
#[derive(Debug, serde::Serialize)]
#[serde(untagged)]
pub(super) enum ConnectorLogsOutput {
    /// The lines.
    Lines(LogLinesOutput),
    /// They are in a file.
    Appended(AppendedLines),
}

/// How many lines went into which file.
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

/// Whether its lines may say less than its status.
fn is_unhealthy(observed: &LiveConnector) -> bool {
    matches!(observed.state(), "FAILED" | "DEGRADED") || crate::connectors::view::visible_cause(observed).is_some()
}
