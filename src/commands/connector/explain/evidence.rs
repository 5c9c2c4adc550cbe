//! Collects evidence about connectors: the status, the recommendation of Confluent Cloud, and recent log errors if both
//! are inconclusive.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::{
    explanation::{ConnectorExplanation, LogErrorSummary},
    suggest::CommandBuilder,
};
use crate::{
    api::{connect::ErrorRecommendations, logs::LogEntry},
    commands::{
        Ctx,
        connector::logs::RecentErrors,
        session::{self, ConnectorSession},
    },
    error::{Error, ErrorKind},
    manifest::Workspace,
    resources::{
        connector::{
            LiveConnector,
            diagnosis::{
                ConnectorDiagnosis, ConnectorHealth, MatchedRule, NO_RECORDS, diagnose, diagnose_text,
                explain_no_records, health,
            },
        },
        logs::trace_dedup::innermost_cause,
    },
};

/// Number of connectors that are observed concurrently.
const CONCURRENCY: usize = 8;
/// Time window of log lines for a failed connector.
const FAILED_LOG_WINDOW: Duration = Duration::from_hours(24);
/// Time window of log lines for a running connector: recurring errors repeat about every five minutes
/// (docs/reference/logs.md#log-lines-and-pages).
const RUNNING_LOG_WINDOW: Duration = Duration::from_mins(10);

/// Evidence about a connector.
pub(super) struct ConnectorEvidence {
    pub(super) observed: LiveConnector,
    pub(super) health: ConnectorHealth,
    pub(super) diagnosis: ConnectorDiagnosis,
    pub(super) advice: Option<ErrorRecommendations>,
    pub(super) log: Option<LogErrorSummary>,
    pub(super) log_error: Option<String>,
    /// Possible places of records that do not arrive.
    pub(super) notes: Vec<String>,
}

/// Collects evidence about `all`. With `no_records`, running connectors are diagnosed as transferring no records.
pub(super) async fn collect(
    ctx: &Ctx,
    session: &ConnectorSession,
    all: Vec<LiveConnector>,
    no_records: bool,
) -> Vec<ConnectorExplanation> {
    let known: Vec<ConnectorEvidence> = all
        .into_iter()
        .map(|observed| ConnectorEvidence::new(observed, no_records))
        .collect();
    let only = known.len() == 1;
    let recent_errors = match known.iter().any(|known| known.log_window(only).is_some()) {
        true => Some(RecentErrors::open(session).await),
        false => None,
    };
    let recent_errors = recent_errors.as_ref();
    let one = |mut known: ConnectorEvidence| async move {
        known.fetch_advice(ctx, session).await;
        if let (Some(window), Some(recent_errors)) = (known.log_window(only), recent_errors) {
            let read = match recent_errors {
                Ok(recent_errors) => recent_errors.read(ctx, session, &known.observed, window).await,
                Err(error) => Err(Error::failed(error.to_string())),
            };
            match read {
                Ok((lines, more)) => known.add_log_lines(&lines, more),
                // A failure to read the log matters only for an unhealthy connector.
                Err(_) if known.health == ConnectorHealth::Healthy && known.diagnosis.causes.is_empty() => {}
                Err(error) => known.log_error = Some(unread_reason(&error)),
            }
        }
        known
    };
    let result: Vec<ConnectorEvidence> = stream::iter(known).map(one).buffered(CONCURRENCY).collect().await;
    let commands = command_builder(ctx, session);
    let now = session.telemetry.clock().now();
    let explain = |known| ConnectorExplanation::new(known, &commands, now);
    result.into_iter().map(explain).collect()
}

/// Returns the builder of suggested commands for the caller.
fn command_builder(ctx: &Ctx, session: &ConnectorSession) -> CommandBuilder {
    let commands = CommandBuilder::new(&ctx.run.options, session.department.as_ref());
    let Some(department_context) = &session.department else {
        // The session has loaded the platform configuration successfully.
        let workspace = session::load_workspace(&ctx.run, ctx.run.options.is_sandbox()).map(|loaded| loaded.workspace);
        let owners = workspace.iter().flat_map(Workspace::departments);
        let owners = owners.map(|department| (department.prefix.clone(), department.code.clone()));
        return commands.without_profile().for_owners(owners.collect());
    };
    match department_context.quota_issued {
        Some(_) => commands,
        None => commands.without_profile(),
    }
}

impl ConnectorEvidence {
    fn new(observed: LiveConnector, no_records: bool) -> Self {
        let status = &observed.expanded.status;
        let mut known = Self {
            health: health(status),
            diagnosis: diagnose(status),
            observed,
            advice: None,
            log: None,
            log_error: None,
            notes: Vec::new(),
        };
        let observed = &known.observed;
        if no_records && observed.state() == "RUNNING" && known.diagnosis.causes.is_empty() {
            known.diagnosis.causes.push(MatchedRule::from_state(&NO_RECORDS));
            known.notes = explain_no_records(
                observed.id(),
                observed.direction() == "sink",
                &observed.expanded.info.config,
            );
        }
        known
    }

    /// Returns the time window of log lines to read, if they are worth a request: when the status is inconclusive, or
    /// for a single selected connector. A connector whose configuration was rejected before a task started has no log
    /// lines (docs/reference/logs.md#log-lines-and-pages).
    fn log_window(&self, only: bool) -> Option<Duration> {
        match self.health {
            ConnectorHealth::Unhealthy => self.diagnosis.is_generic().then_some(FAILED_LOG_WINDOW),
            _ if self.observed.state() == "RUNNING" => only.then_some(RUNNING_LOG_WINDOW),
            _ => None,
        }
    }

    /// Fetches the recommendation of Confluent Cloud and the start of the failure. Only a connector that failed with a
    /// trace has one. The endpoint is undocumented (docs/reference/connect.md#error-recommendations), so its failure is
    /// only a warning.
    async fn fetch_advice(&mut self, ctx: &Ctx, session: &ConnectorSession) {
        let offered = self.observed.expanded.status.error_recommendation_enabled;
        let failed = matches!(self.observed.state(), "FAILED" | "DEGRADED");
        if !offered.unwrap_or(failed) || self.health != ConnectorHealth::Unhealthy {
            return;
        }
        match session.connectors.recommendations(&self.observed.name).await {
            Ok(advice) => self.advice = advice,
            Err(error) => ctx
                .ui
                .warn(&format!("cannot read the recommendation of Confluent Cloud: {error}")),
        }
    }

    /// Adds error lines from the log; the newest line comes last.
    fn add_log_lines(&mut self, lines: &[LogEntry], more: bool) {
        let Some(last) = lines.last() else { return };
        let same: Vec<&LogEntry> = lines.iter().filter(|line| root_line(line) == root_line(last)).collect();
        let found = diagnose_text(&format!("{}\n{}", last.message, last.trace()));
        let error = found.as_ref().and_then(|found| found.errors.first().cloned());
        self.log = Some(LogErrorSummary {
            error: error.unwrap_or_else(|| root_line(last).to_owned()),
            times: same.len(),
            first: same.first().and_then(|line| line.parsed_timestamp()),
            last: last.parsed_timestamp(),
            more,
        });
        // The connector is running, but may fail again.
        if self.health == ConnectorHealth::Healthy {
            self.health = ConnectorHealth::Unsettled;
        }
        if let Some(found) = found {
            self.diagnosis.causes = vec![found];
        }
    }
}

/// Returns a short reason why the log could not be read.
fn unread_reason(error: &Error) -> String {
    if error.kind == ErrorKind::Denied {
        // Source: docs/reference/logs.md#who-may-read-logs
        return "it requires ConnectManager or ResourceOwner on the connector".to_owned();
    }
    let mut chain = error.source.chain().map(ToString::to_string);
    let message = chain.next().unwrap_or_default();
    chain.next().unwrap_or(message)
}

/// Returns the most specific line of a log entry.
fn root_line(line: &LogEntry) -> &str {
    match innermost_cause(line.trace()) {
        "" => line.message.lines().next().unwrap_or_default(),
        root => root,
    }
}
