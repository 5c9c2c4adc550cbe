//! `confluent ebs connector metrics`.

mod rows;
mod show;
mod units;

use std::time::Duration;

use jiff::Timestamp;

use self::rows::ConnectorMetricsOutput;
use super::time_arg::TimeArg;
use crate::{
    api::metrics::HISTORY,
    client::ClientError,
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    connectors::{errors::combine_errors, selectors},
    error::{Error, ErrorKind, ResultExt},
    render::Viewable as _,
    resources::{
        connector::LiveConnector,
        metrics::{TimeBuckets, read_metrics},
        sleep_or_cancel,
    },
    session::ConnectorSession,
    text,
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

Export the last day of all connectors of a department.

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
        if self.all {
            // Without a department, `--all` would select the connectors of all departments.
            session.require_department()?;
        }
        selectors::reject_foreign_names(session.department.as_ref(), &self.connectors)?;
        if self.watch {
            session.telemetry.use_real_time();
        }
        ctx.block_on(async {
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
                looked = self.collect(ctx, session) => looked,
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
                    "cannot read all metrics, retrying in {} s: {trouble}",
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
        let list = session.connectors.list_selected(&self.connectors).await?;
        let observed = match self.all {
            true => selectors::select_all(session, &list),
            false => selectors::select(session, &list, &self.connectors)?,
        };
        check_ids_known(&observed)?;
        let grid = self.time_buckets(ctx, session.telemetry.clock().now())?;
        if observed.is_empty() {
            return Ok(CommandOutput::new(ConnectorMetricsOutput::new(
                ctx,
                self,
                session,
                grid,
                &[],
                &[],
            )));
        }
        let metrics = session.telemetry.metrics()?;
        let answer = read_metrics(&metrics, &observed, grid)
            .await
            .map_err(|error| explain_metrics_error(session, error))?;
        let measured: Vec<_> = observed
            .iter()
            .filter_map(|observed| Some((observed, answer.connectors.get(&observed.name)?)))
            .collect();
        let failures: Vec<Error> = answer
            .failures
            .into_iter()
            .map(|(metric, error)| with_rate_limit_hint(error).context(format!("cannot read {}", metric.description)))
            .collect();
        let (observed, measured): (Vec<&LiveConnector>, Vec<_>) = measured.into_iter().unzip();
        let report = CommandOutput::new(ConnectorMetricsOutput::new(
            ctx, self, session, grid, &observed, &measured,
        ));
        Ok(match combine_errors(failures, true) {
            Some(error) => report.with_error(error),
            None => report,
        })
    }

    /// Returns the selected time buckets, limited to the retention.
    fn time_buckets(&self, ctx: &Ctx, now: Timestamp) -> Result<TimeBuckets, Error> {
        let mut from = self.since.resolve(now);
        let to = self.until.map_or(now, |until| until.resolve(now));
        let oldest = now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN);
        if to <= oldest {
            return Err(
                Error::usage("metrics are kept for 7 days, and the selected time is older")
                    .with_hint("Select a later end, such as `--until 1d`, or omit `--until`."),
            );
        }
        if from < oldest {
            ctx.ui.warn("metrics older than 7 days are not available");
            from = oldest;
        }
        if from >= to {
            return Err(Error::usage("end-time must be greater than start-time")
                .with_hint("`--since` sets the start, `--until` sets the end."));
        }
        TimeBuckets::for_range(from, to, now).ok_or_else(|| {
            Error::usage("no metrics for this time yet: metrics are about five minutes late")
                .with_hint("Select an earlier start, such as `--since 15m`.")
        })
    }
}

/// Checks that all ids are known: metrics are queried by id, and only the list of connectors contains the ids.
fn check_ids_known(observed: &[LiveConnector]) -> Result<(), Error> {
    let without = observed.iter().filter(|observed| observed.expanded.id.id.is_empty());
    let without: Vec<&str> = without.map(|observed| observed.name.as_str()).collect();
    match without.is_empty() {
        true => Ok(()),
        false => Err(Error::denied(format!(
            "metrics require connector ids, but this key cannot read the ids of {}",
            text::join_code(&without)
        ))
        .with_hint("A key of the platform team can read the complete list.")),
    }
}

/// Explains why metrics cannot be read and who can help.
fn explain_metrics_error(session: &ConnectorSession, error: ClientError) -> Error {
    let what = match &session.department {
        Some(department) => format!("cannot read the metrics of department `{}`", department.code),
        None => "cannot read the metrics".to_owned(),
    };
    if !error.is_forbidden() {
        return with_rate_limit_hint(error).context(what);
    }
    let mut edge = Error::from(error).context(what);
    edge.hints.clear();
    // Source: docs/reference/metrics.md#who-may-read-metrics. MetricsViewer cannot be limited to connectors, so it
    // exposes all departments.
    edge = edge.with_hint(
        "Reading metrics requires MetricsViewer or an administrator role on the whole cluster, which would also \
         expose the metrics of all other departments.",
    );
    match &session.department {
        Some(department) if !session.is_platform_scope => edge.with_hint(format!(
            "The platform team can publish your metrics: `confluent ebs status --html {0}.html --department {0}`, or `confluent ebs \
             connector metrics --all --department {0} -o json`.",
            department.code
        )),
        _ => edge.with_hint("Ask an administrator to bind MetricsViewer to the account of this key."),
    }
}

/// Adds a hint about the rate limit, which the general advice does not cover.
fn with_rate_limit_hint(error: ClientError) -> Error {
    let throttled = error.is_throttled();
    let edge = Error::from(error);
    match throttled {
        // Source: docs/reference/metrics.md#limits-and-delay
        true => edge.with_hint(
            "All clients with the same IP address share 60 requests per minute, including pipelines and other tools. Retry \
             in a minute.",
        ),
        false => edge,
    }
}
