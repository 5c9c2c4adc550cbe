//! `confluent ebs connector metrics`.

mod csv;
mod show;
mod units;

use std::time::Duration;

use self::show::ConnectorMetricsOutput;
use super::time_arg::TimeArg;
use crate::{
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    connectors::{
        metrics::{MetricsRange, read_report},
        selectors::find_several,
    },
    error::{Error, ErrorKind, ResultExt},
    render::Viewable as _,
    resources::sleep_or_cancel,
    session::ConnectorSession,
};

/// Refresh interval of `--watch`: values have a resolution of one minute, and clients with the same IP address share a
/// rate limit (docs/reference/metrics.md#limits-and-delay).
const WATCH_INTERVAL: Duration = Duration::from_mins(1);

/// Show metrics of connectors
///
/// Shows records, bytes, dead letters, lag and task states. Steps are one minute for up to six hours, and longer
/// beyond. Values are kept for seven days and are about five minutes late. Confluent Cloud does not measure CPU and
/// memory of managed connectors. Metrics require a key of the platform team, because Confluent Cloud grants access only
/// to whole clusters. Besides "human", "json" and "yaml", --output supports "csv" (one line per value) and "ndjson"
/// (one JSON document per refresh).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show the throughput and the lag of a sink in the last hour.

  $ confluent ebs connector metrics claims-lake --department claims

Watch all connectors of a department.

  $ confluent ebs connector metrics --all --department claims --watch

Export the last day of metrics for all connectors of a department.

  $ confluent ebs connector metrics --all --department claims --since 1d -o json > claims.json")]
pub(super) struct ConnectorMetricsArgs {
    /// IDs or names of connectors; names may contain "*" and "?".
    #[arg(value_name = "id", required_unless_present = "all")]
    connectors: Vec<String>,
    /// Select all your connectors.
    #[arg(long, conflicts_with = "connectors")]
    all: bool,
    /// Show values since this age (30m, 2h) or timestamp (2026-08-20T08:00:00Z).
    #[arg(long, alias = "start-time", value_name = "time", default_value = "1h")]
    since: TimeArg,
    /// Show values until this time.
    #[arg(long, alias = "end-time", value_name = "time", conflicts_with = "watch")]
    until: Option<TimeArg>,
    /// Refresh every minute on the full screen, until "q" or Ctrl-C.
    #[arg(short, long)]
    watch: bool,
}

impl ConnectorMetricsArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorMetricsOutput>, Error> {
        self.check_args(ctx)?;
        let session = ConnectorSession::open(&ctx.run)?;
        if self.watch {
            session.telemetry.use_real_time();
        }
        ctx.block_on_reading(async {
            match self.watch {
                true => self.watch(ctx, &session).await,
                false => self.collect(ctx, &session).await,
            }
        })
    }

    /// Rejects invalid combinations of arguments.
    fn check_args(&self, ctx: &Ctx) -> Result<(), Error> {
        match self.watch && !matches!(ctx.globals.output, OutputFormat::Human | OutputFormat::Ndjson) {
            true => Err(
                Error::usage("--watch cannot be used together with -o json, yaml or csv")
                    .with_hint("Use `-o ndjson`, which prints one JSON document per refresh."),
            ),
            false => Ok(()),
        }
    }

    /// Refreshes until cancelled: on the full screen of a terminal, elsewhere below the previous output.
    async fn watch(
        &self,
        ctx: &Ctx,
        session: &ConnectorSession,
    ) -> Result<CommandOutput<ConnectorMetricsOutput>, Error> {
        let human = ctx.globals.output == OutputFormat::Human;
        let screen = human.then(|| ctx.ui.open_screen(&ctx.run.cancel)).flatten();
        let mut last = None;
        loop {
            let result = tokio::select! {
                result = self.collect(ctx, session) => result,
                () = ctx.run.cancel.cancelled() => break,
            };
            let (fresh, trouble) = match result {
                Ok(report) => {
                    let fresh = report.value.is_some();
                    last = report.value.or(last);
                    (fresh, report.error)
                }
                // Temporary errors are retried; permanent errors, and any error of the first refresh, end the command.
                Err(error) if last.is_some() && error.kind == ErrorKind::Failed => (false, Some(error)),
                Err(error) => return Err(error),
            };
            if let Some(trouble) = trouble {
                ctx.ui.info(&format!(
                    "some metrics could not be read, retrying in {} s: {trouble}",
                    WATCH_INTERVAL.as_secs()
                ));
            }
            if let Some(value) = &last {
                let shown = match &screen {
                    Some(screen) => screen.paint(|_, _| value.view()),
                    None if fresh => ctx.ui.print_item(value),
                    None => Ok(()),
                };
                shown.context("cannot write the result to standard output")?;
            }
            if !sleep_or_cancel(session.telemetry.clock(), &ctx.run.cancel, WATCH_INTERVAL).await {
                break;
            }
        }
        // The full screen is cleared at the end, so the last result is printed again.
        Ok(match (screen, last) {
            (Some(_), Some(last)) => CommandOutput::new(last),
            _ => CommandOutput::empty(),
        })
    }

    async fn collect(
        &self,
        ctx: &Ctx,
        session: &ConnectorSession,
    ) -> Result<CommandOutput<ConnectorMetricsOutput>, Error> {
        let observed = find_several(session, &self.connectors, self.all).await?;
        let now = session.telemetry.clock().now();
        let range = MetricsRange {
            from: self.since.resolve(now),
            to: self.until.map_or(now, |until| until.resolve(now)),
            now,
        };
        let (report, error) = read_report(&ctx.run, session, &observed, range).await?;
        let output = CommandOutput::new(ConnectorMetricsOutput {
            report,
            is_csv: ctx.globals.output == OutputFormat::Csv,
            is_watched: self.watch,
        });
        Ok(CommandOutput { error, ..output })
    }
}
