//! `confluent ebs connector logs`.

mod args;
mod file;
mod line;
mod printer;
mod rows;
mod show;

use std::path::PathBuf;

use jiff::Timestamp;

use self::{
    args::LogLevels,
    file::LogFile,
    printer::{LogPrinter, print_status},
    show::LogLinesOutput,
};
use super::time_arg::TimeArg;
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::{
        logs::{ConnectorLogs, LogFailures, LogQuery, log_window},
        selectors::find_several,
    },
    error::Error,
    model::PlatformTeam,
    render::{Block, Format, Viewable},
    resources::{
        connector::LiveConnector,
        logs::{follow::LogFilter, trace_dedup::TraceDedup},
    },
    session::ConnectorSession,
};

/// Limit of lines that are held in memory.
const MAX_BUFFERED_LINES: usize = 50_000;
/// Default line limit: the result of one minute of requests.
const DEFAULT_LIMIT: usize = 1_000;

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

impl ConnectorLogsArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorLogsOutput>, Error> {
        self.check_args(ctx)?;
        let session = ConnectorSession::open(&ctx.run)?;
        if self.follow {
            session.telemetry.use_real_time();
        }
        ctx.block_on_reading(async {
            let observed = find_several(&session, &self.connectors, self.all).await?;
            let query = self.query(ctx, session.telemetry.clock().now())?;
            let logs = ConnectorLogs::open(&ctx.run, &session).await?;
            let streams = self.output_file.is_some() || ctx.ui.format() == Format::Ndjson;
            if self.follow {
                let mut printer = self.printer(ctx, &session, observed.len() > 1, self.expand)?;
                let failures = logs.follow(&observed, &query, &mut printer).await?;
                let file = printer.file.filter(|file| file.entries() > 0 || failures.any_read());
                Ok(appended_output(file, failures))
            } else if streams && query.limit.is_none() {
                let mut printer = self.printer(ctx, &session, true, true)?;
                let failures = logs.read_all(&observed, &query, &mut printer).await?;
                Ok(appended_output(printer.file, failures))
            } else {
                self.print_newest(ctx, &logs, &observed, &query, session.platform_team())
                    .await
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

    fn query(&self, ctx: &Ctx, now: Timestamp) -> Result<LogQuery, Error> {
        if self.cache && (self.grep.is_some() || self.task.is_some()) {
            ctx.ui
                .warn("`--cache` is ignored with `--grep` and `--task`, because only complete results are cached");
        }
        let until = self.until.map(|until| until.resolve(now));
        let default_limit = (!self.follow).then_some(DEFAULT_LIMIT);
        Ok(LogQuery {
            window: log_window(&ctx.run, self.since.resolve(now), until, now, self.cache)?,
            filter: LogFilter {
                levels: self.level.clone().unwrap_or_default().0,
                text: self.grep.clone(),
                task: self.task,
            },
            limit: self.limit.or(default_limit).filter(|limit| *limit > 0),
            cache: self.cache,
        })
    }

    fn printer<'a>(
        &self,
        ctx: &'a Ctx,
        session: &'a ConnectorSession,
        show_names: bool,
        expand: bool,
    ) -> Result<LogPrinter<'a>, Error> {
        Ok(LogPrinter {
            ui: &ctx.ui,
            file: self.output_file.as_deref().map(LogFile::open).transpose()?,
            show_names,
            expand,
            known_traces: TraceDedup::default(),
            platform_team: session.platform_team(),
        })
    }

    async fn print_newest(
        &self,
        ctx: &Ctx,
        logs: &ConnectorLogs<'_>,
        observed: &[LiveConnector],
        query: &LogQuery,
        platform_team: &PlatformTeam,
    ) -> Result<CommandOutput<ConnectorLogsOutput>, Error> {
        let (all, failures) = logs.read_newest(observed, query).await?;
        if ctx.ui.format() != Format::Human || self.output_file.is_some() {
            print_status(&ctx.ui, &all, platform_team);
        }
        if let Some(path) = &self.output_file {
            let mut file = LogFile::open(path)?;
            for connector in &all {
                file.append(&connector.name, &connector.lines)?;
            }
            return Ok(appended_output(Some(file), failures));
        }
        let lines = ConnectorLogsOutput::Lines(LogLinesOutput::new(all, self.expand, platform_team.clone()));
        Ok(CommandOutput {
            error: failures.into_error(),
            ..CommandOutput::new(lines)
        })
    }
}

/// Returns the result after the lines were printed, or written to `file`.
fn appended_output(file: Option<LogFile>, failures: LogFailures) -> CommandOutput<ConnectorLogsOutput> {
    let value = file.map(|file| ConnectorLogsOutput::Appended(file.finish()));
    CommandOutput {
        value,
        error: failures.into_error(),
        ..CommandOutput::empty()
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
