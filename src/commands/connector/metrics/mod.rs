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

/// How often `--watch` looks: values come by the minute, and all who share an address share its limit
/// (docs/reference/metrics.md#limits-and-delay).
const WATCH_INTERVAL: Duration = Duration::from_mins(1);

/// Show what connectors have read and written.
///
/// Records and bytes, dead letters, lag and the states of tasks, by the minute up to six hours and in longer steps beyond.
/// They are kept for seven days and are about five minutes late. Confluent Cloud does not measure CPU and memory of managed
/// connectors. Metrics are for the platform team's key: Confluent Cloud opens them for whole clusters, not for a
/// department. Besides "human", "json" and "yaml", --output takes "csv": one
/// line per value, and "ndjson": one line of JSON each time.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show a sink's last hour: what it read, and how far it is behind.

  $ confluent ebs connector metrics claims-lake --department claims

Watch all connectors of a department.

  $ confluent ebs connector metrics --all --department claims --watch

Write the last day of all connectors into a file for a department.

  $ confluent ebs connector metrics --all --department claims --since 1d -o json > claims.json")]
pub(super) struct ConnectorMetricsArgs {
    /// IDs or names of connectors; a name may hold * and ?.
    #[arg(value_name = "id", required_unless_present = "all")]
    connectors: Vec<String>,
    /// All connectors of the department.
    #[arg(long, conflicts_with = "connectors")]
    all: bool,
    /// Show values from this time on: how long ago, such as 30m or 2h, or a time, such as 2026-08-20T08:00:00Z.
    #[arg(long, alias = "start-time", value_name = "time", default_value = "1h")]
    since: TimeArg,
    /// Show values until this time.
    #[arg(long, alias = "end-time", value_name = "time", conflicts_with = "watch")]
    until: Option<TimeArg>,
    /// Look again every minute, on the whole terminal, until "q" or Ctrl-C.
    #[arg(short, long)]
    watch: bool,
}

impl ConnectorMetricsArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorMetricsOutput>, Error> {
        self.check_args(ctx)?;
        let session = ConnectorSession::open(&ctx.run)?;
        if self.all {
            // Without a department this would reach everybody's.
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

    /// What does not go together.
    fn check_args(&self, ctx: &Ctx) -> Result<(), Error> {
        match self.watch && !matches!(ctx.globals.output, OutputFormat::Human | OutputFormat::Ndjson) {
            true => Err(
                Error::usage("--watch shows values again and again, and json, yaml and csv are one document")
                    .with_hint("Use `-o ndjson`: one line of JSON each time."),
            ),
            false => Ok(()),
        }
    }

    /// Shows, and waits, and shows again: on the whole terminal, elsewhere one below the other.
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
                // What passes is waited for; what does not, or was never right, ends it.
                Err(error) if last.is_some() && error.kind == ErrorKind::Failed => (false, Some(error)),
                Err(error) => return Err(error),
            };
            if let Some(trouble) = trouble {
                ctx.ui.info(&format!(
                    "Not everything can be read just now, again in {} s: {trouble}",
                    WATCH_INTERVAL.as_secs()
                ));
            }
            if let Some(value) = &last {
                let shown = match &screen {
                    Some(screen) => screen.paint(|_, _| value.view()),
                    None if fresh => ctx.ui.print_item(value),
                    None => Ok(()),
                };
                shown.context("could not write the result to standard output")?;
            }
            if !sleep_or_cancel(session.telemetry.clock(), &ctx.run.cancel, WATCH_INTERVAL).await {
                break;
            }
        }
        // What was on the screen goes with it: how it was last stays.
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
            .map(|(metric, error)| {
                with_rate_limit_hint(error).context(format!("{} cannot be read", metric.description))
            })
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

    /// The time that is meant, cut to what the service has.
    fn time_buckets(&self, ctx: &Ctx, now: Timestamp) -> Result<TimeBuckets, Error> {
        let mut from = self.since.resolve(now);
        let to = self.until.map_or(now, |until| until.resolve(now));
        let oldest = now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN);
        if to <= oldest {
            return Err(
                Error::usage("metrics are kept for 7 days, and all of this time is before")
                    .with_hint("End later, such as with `--until 1d`, or leave `--until` out."),
            );
        }
        if from < oldest {
            ctx.ui.warn("metrics are kept for 7 days: what is older is not shown");
            from = oldest;
        }
        if from >= to {
            return Err(Error::usage("end-time must be greater than start-time")
                .with_hint("`--since` is the beginning, `--until` the end."));
        }
        TimeBuckets::for_range(from, to, now).ok_or_else(|| {
            Error::usage("nothing is known of that time yet: metrics are about five minutes late")
                .with_hint("Begin earlier, such as with `--since 15m`.")
        })
    }
}

/// Metrics are asked for by id, which the list alone tells.
fn check_ids_known(observed: &[LiveConnector]) -> Result<(), Error> {
    let without = observed.iter().filter(|observed| observed.expanded.id.id.is_empty());
    let without: Vec<&str> = without.map(|observed| observed.name.as_str()).collect();
    match without.is_empty() {
        true => Ok(()),
        false => Err(Error::denied(format!(
            "metrics are asked for by id, and the key is not told the ids of {}",
            text::join_quoted(&without)
        ))
        .with_hint("The platform team's key sees the whole list.")),
    }
}

/// Why metrics cannot be read, and who can do something about it.
fn explain_metrics_error(session: &ConnectorSession, error: ClientError) -> Error {
    let what = match &session.department {
        Some(department) => format!("the metrics of department \"{}\" cannot be read", department.code),
        None => "the metrics cannot be read".to_owned(),
    };
    if !error.is_forbidden() {
        return with_rate_limit_hint(error).context(what);
    }
    let mut edge = Error::from(error).context(what);
    edge.hints.clear();
    // Source: docs/reference/metrics.md#who-may-read-metrics. MetricsViewer knows no connectors, and whoever holds it
    // sees all departments.
    edge = edge.with_hint(
        "Confluent Cloud opens metrics with MetricsViewer or an administrator's role, for whole clusters: with it a \
         department would see the metrics of all others.",
    );
    match &session.department {
        Some(department) if !session.is_platform_scope => edge.with_hint(format!(
            "The platform team can publish yours: `confluent ebs status --html {0}.html --department {0}`, or `confluent ebs \
             connector metrics --all --department {0} -o json`.",
            department.code
        )),
        _ => edge.with_hint("An administrator can give MetricsViewer to the account of this key."),
    }
}

/// The error with what the general advice cannot know.
fn with_rate_limit_hint(error: ClientError) -> Error {
    let throttled = error.is_throttled();
    let edge = Error::from(error);
    match throttled {
        // Source: docs/reference/metrics.md#limits-and-delay
        true => edge.with_hint(
            "All who share this address share 60 requests per minute, also pipelines and other tools that read metrics: try \
             again in a minute.",
        ),
        false => edge,
    }
}
