//! Metrics of connectors: reads them and reports them as one value.

mod report;

use jiff::Timestamp;

pub use report::{AnomalyRow, MetricRow, MetricsConnectorRow, MetricsReport, MetricsTaskRow, PointRow};

use super::errors::combine_errors;
use crate::{
    api::metrics::HISTORY,
    client::ClientError,
    error::Error,
    model::PlatformTeam,
    resources::{
        connector::LiveConnector,
        metrics::{TimeBuckets, read_metrics},
    },
    session::{ConnectorSession, RunContext},
    text,
};

/// Time range of metrics.
#[derive(Clone, Copy, Debug)]
pub struct MetricsRange {
    /// Start of the time range.
    pub from: Timestamp,
    /// End of the time range.
    pub to: Timestamp,
    /// Current time, which determines the metrics that exist.
    pub now: Timestamp,
}

impl MetricsRange {
    /// Returns the time buckets of the range, limited to the retention of the service.
    ///
    /// # Errors
    /// The range is empty, or the service has no metrics for it.
    fn to_buckets(self, run: &RunContext) -> Result<TimeBuckets, Error> {
        let Self { mut from, to, now } = self;
        let oldest = now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN);
        if to <= oldest {
            return Err(
                Error::usage("metrics are kept for 7 days, and the selected time is older")
                    .with_hint("Select a later end, such as `--until 1d`, or omit `--until`."),
            );
        }
        if from < oldest {
            run.warn("metrics older than 7 days are not available");
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

/// Reads the metrics of connectors. Returns an error besides the report if some metrics could not be read.
///
/// # Errors
/// A connector has no id, the range has no metrics, or no metric can be read.
pub async fn read_report(
    run: &RunContext,
    session: &ConnectorSession,
    observed: &[LiveConnector],
    range: MetricsRange,
) -> Result<(MetricsReport, Option<Error>), Error> {
    check_ids_known(observed, session.platform_team())?;
    let buckets = range.to_buckets(run)?;
    let department = session.department.as_ref().map(|department| &department.code);
    if observed.is_empty() {
        return Ok((MetricsReport::new(department, buckets, std::iter::empty()), None));
    }
    let answer = read_metrics(&session.telemetry.metrics()?, observed, buckets)
        .await
        .map_err(|error| explain_metrics_error(session, error))?;
    let measured = observed
        .iter()
        .filter_map(|observed| Some((observed, answer.connectors.get(&observed.name)?)));
    let report = MetricsReport::new(department, buckets, measured);
    let failures = answer
        .failures
        .into_iter()
        .map(|(metric, error)| with_rate_limit_hint(error).context(format!("cannot read {}", metric.description)))
        .collect();
    Ok((report, combine_errors(failures, true)))
}

/// Checks that all ids are known: metrics are queried by id, and only the list of connectors contains the ids.
fn check_ids_known(observed: &[LiveConnector], platform_team: &PlatformTeam) -> Result<(), Error> {
    let without = observed.iter().filter(|observed| observed.expanded.id.id.is_empty());
    let without: Vec<&str> = without.map(|observed| observed.name.as_str()).collect();
    match without.is_empty() {
        true => Ok(()),
        false => Err(Error::denied(format!(
            "metrics require connector ids, but this key cannot read the ids of {}",
            text::join_code(&without)
        ))
        .with_hint(format!("A key of {platform_team} can read the complete list."))),
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
    let mut explained = Error::from(error).context(what);
    explained.hints.clear();
    // Source: docs/reference/metrics.md#who-may-read-metrics. MetricsViewer cannot be limited to connectors, so it
    // exposes all departments.
    explained = explained.with_hint(
        "Reading metrics requires MetricsViewer or an administrator role on the whole cluster, which would also \
         expose the metrics of all other departments.",
    );
    match &session.department {
        Some(department) if !session.is_platform_scope => explained.with_hint(format!(
            "{1} can publish your metrics: `confluent ebs status --html {0}.html --department {0}`, or `confluent ebs \
             connector metrics --all --department {0} -o json`.",
            department.code,
            department.platform_team.sentence_start()
        )),
        _ => explained.with_hint("Ask an administrator to bind MetricsViewer to the account of this key."),
    }
}

/// Adds a hint about the rate limit, which the general advice does not cover.
fn with_rate_limit_hint(error: ClientError) -> Error {
    let throttled = error.is_throttled();
    let explained = Error::from(error);
    match throttled {
        // Source: docs/reference/metrics.md#limits-and-delay
        true => explained.with_hint(
            "All clients with the same IP address share 60 requests per minute, including pipelines and other tools. Retry \
             in a minute.",
        ),
        false => explained,
    }
}
