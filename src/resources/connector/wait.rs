//! Waiting for the state of a connector (docs/reference/connect.md#timing-of-states).
//!
//! A connector counts as running after two consecutive polls with RUNNING and a running task, because new connectors
//! flap. FAILED counts only after a grace period, because the service restarts failed connectors. Failures after a
//! change show late, so a changed connector is polled for the settle time.

use std::{fmt, time::Duration};

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{
    ConnectorClient, LiveConnector,
    cause::{FailureCause, find_cause},
    diagnosis::{FaultOwner, RemedyStep},
};
use crate::{
    client::ClientError,
    hint::{Advice, Hint, connector_arg},
    model::ConnectorState,
};

/// Initial poll interval.
const SHORT_INTERVAL: Duration = Duration::from_secs(4);
/// Poll interval after [`SHORT_INTERVAL_PERIOD`].
const LONG_INTERVAL: Duration = Duration::from_secs(20);
/// Duration of the short interval; most connectors have started by then.
const SHORT_INTERVAL_PERIOD: Duration = Duration::from_mins(3);
/// Grace period for FAILED: restarts by the service often repair it.
const FAILURE_GRACE: Duration = Duration::from_mins(2);

/// Settle time of a changed connector: the service accepts a change at once and checks hosts and credentials 30 to 90 s
/// later (docs/reference/connect.md#update-a-connector and docs/reference/connect.md#timing-of-states).
pub const SETTLE_TIME: Duration = Duration::from_secs(90);

/// How long a resumed connector can still be PAUSED (docs/reference/connect.md#timing-of-states).
pub const RESUME_TIME: Duration = Duration::from_mins(1);

/// State to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WaitGoal {
    /// Running with at least one task.
    Running,
    /// Paused.
    Paused,
    /// Started, in any state after provisioning.
    Started,
}

impl WaitGoal {
    /// Returns the state as named by the service.
    #[must_use]
    pub const fn state(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Started => "STARTED",
        }
    }

    fn is_reached(self, snapshot: &PollSnapshot) -> bool {
        match self {
            Self::Running => snapshot.state.is_running() && snapshot.running > 0,
            Self::Paused => snapshot.state.is_paused(),
            Self::Started => {
                let state = &snapshot.state;
                !(state.is_before_start() || state.has_failed() || state.is_deleted())
            }
        }
    }
}

impl fmt::Display for WaitGoal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.state())
    }
}

/// Options of a wait.
#[derive(Clone, Debug)]
pub struct WaitOptions {
    /// Timeout of the whole wait.
    pub timeout: Duration,
    /// Minimum time before the goal counts as reached.
    pub settle_time: Duration,
    /// How long a connector that must run may be PAUSED before the wait ends.
    pub pause_limit: Duration,
    /// Cancellation.
    pub interrupt: CancellationToken,
    /// State to wait for.
    pub goal: WaitGoal,
}

impl WaitOptions {
    /// Returns what is waited for and until when: `claims-orders: waiting for RUNNING, for at least 90 s, until
    /// 2026-08-20T09:10:00Z at most`.
    #[must_use]
    pub fn describe(&self, name: &str, now: jiff::Timestamp) -> String {
        let settle = match self.settle_time.as_secs() {
            0 => String::new(),
            seconds => format!(", for at least {seconds} s"),
        };
        let end = now.saturating_add(self.timeout).unwrap_or(jiff::Timestamp::MAX);
        format!("{name}: waiting for {}{settle}, until {end:.0} at most", self.goal)
    }
}

/// State seen by one poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollSnapshot {
    /// State.
    pub state: ConnectorState,
    /// Number of running tasks.
    pub running: usize,
    /// Number of tasks.
    pub tasks: usize,
    /// Time since the start of the wait.
    pub waited: Duration,
}

impl fmt::Display for PollSnapshot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match &self.state {
            ConnectorState::Unreported => "no state yet",
            state => state.as_str(),
        };
        let (running, tasks, waited) = (self.running, self.tasks, self.waited.as_secs());
        write!(out, "{state}, {running} of {tasks} tasks running, after {waited} s")
    }
}

/// Result of a wait.
#[derive(Clone, Debug)]
pub enum WaitOutcome {
    /// The goal is reached.
    Reached(LiveConnector),
    /// The state is reached with the previous configuration: the stored one is invalid.
    Rejected(LiveConnector),
    /// The connector failed.
    Failed(LiveConnector),
    /// The connector is paused, so that it does not run until it is resumed.
    Paused(LiveConnector),
    /// The connector was deleted.
    Gone,
    /// The wait timed out.
    TimedOut(Option<LiveConnector>),
    /// The wait was cancelled.
    Interrupted(Option<LiveConnector>),
}

impl ConnectorClient {
    /// Waits for `name`; `on_change` is called for every change.
    ///
    /// # Errors
    /// When the connector cannot be read.
    pub async fn wait(
        &self,
        name: &str,
        options: &WaitOptions,
        on_change: &(dyn Fn(&PollSnapshot) + Sync),
    ) -> Result<WaitOutcome, ClientError> {
        let begun = self.clock.now();
        let mut good_polls = 0;
        let mut failed_since = None;
        let mut paused_since = None;
        let mut was_there = false;
        let mut last = None;
        let mut shown = None;
        loop {
            let seen = self.find_by_name(name).await?;
            let waited = self.clock.elapsed_since(begun);
            match &seen {
                // A new connector may not be listed yet; a listed one that disappears was deleted.
                None if was_there => return Ok(WaitOutcome::Gone),
                None => good_polls = 0,
                Some(seen) => {
                    was_there = true;
                    let sight = PollSnapshot::from_observed(seen, waited);
                    let now = (sight.state.clone(), sight.running);
                    if shown.as_ref() != Some(&now) {
                        on_change(&sight);
                        shown = Some(now);
                    }
                    let reached = options.goal.is_reached(&sight);
                    good_polls = if reached { good_polls + 1 } else { 0 };
                    match sight.state {
                        ConnectorState::Failed => {
                            let since = *failed_since.get_or_insert(waited);
                            if waited.saturating_sub(since) >= FAILURE_GRACE {
                                return Ok(WaitOutcome::Failed(seen.clone()));
                            }
                        }
                        ConnectorState::Paused if options.goal == WaitGoal::Running => {
                            let since = *paused_since.get_or_insert(waited);
                            if waited.saturating_sub(since) >= options.pause_limit {
                                return Ok(WaitOutcome::Paused(seen.clone()));
                            }
                        }
                        ConnectorState::Deleted => return Ok(WaitOutcome::Gone),
                        _ => (failed_since, paused_since) = (None, None),
                    }
                    if good_polls >= 2 && waited >= options.settle_time {
                        let refused = seen.expanded.status.validation_errors.iter().flatten().next().is_some();
                        return Ok(match refused && options.goal == WaitGoal::Running {
                            true => WaitOutcome::Rejected(seen.clone()),
                            false => WaitOutcome::Reached(seen.clone()),
                        });
                    }
                }
            }
            last = seen.or(last);
            if options.interrupt.is_cancelled() {
                return Ok(WaitOutcome::Interrupted(last));
            }
            if waited >= options.timeout {
                return Ok(match last {
                    Some(seen) if failed_since.is_some() => WaitOutcome::Failed(seen),
                    last => WaitOutcome::TimedOut(last),
                });
            }
            let interval = if waited < SHORT_INTERVAL_PERIOD {
                SHORT_INTERVAL
            } else {
                LONG_INTERVAL
            };
            let left = options.timeout.saturating_sub(waited).max(Duration::from_millis(10));
            tokio::select! {
                () = self.clock.sleep(interval.min(left)) => {}
                () = options.interrupt.cancelled() => {}
            }
        }
    }
}

impl PollSnapshot {
    fn from_observed(observed: &LiveConnector, waited: Duration) -> Self {
        let tasks = &observed.expanded.status.tasks;
        Self {
            state: observed.state().clone(),
            running: observed.expanded.status.running_tasks(),
            tasks: tasks.len(),
            waited,
        }
    }
}

/// Wait that did not reach its goal.
#[derive(Debug)]
pub struct WaitError {
    name: String,
    failure: WaitFailure,
    observed: Option<Box<LiveConnector>>,
}

/// Reason why a wait did not reach its goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFailure {
    /// The connector failed.
    Failed,
    /// The stored configuration is invalid; the previous one is active.
    Rejected,
    /// The connector is paused.
    Paused,
    /// The connector was deleted.
    Gone,
    /// The wait timed out.
    TimedOut,
    /// The wait was cancelled.
    Interrupted,
}

impl WaitError {
    /// Returns the reason.
    #[must_use]
    pub fn failure(&self) -> WaitFailure {
        self.failure
    }

    /// Returns the connector as last observed.
    #[must_use]
    pub fn observed(&self) -> Option<&LiveConnector> {
        self.observed.as_deref()
    }
}

impl WaitOutcome {
    /// Returns the connector `name` if the goal was reached.
    ///
    /// # Errors
    /// When the goal was not reached.
    pub fn into_result(self, name: &str) -> Result<LiveConnector, WaitError> {
        let (ended, seen) = match self {
            Self::Reached(seen) => return Ok(seen),
            Self::Rejected(seen) => (WaitFailure::Rejected, Some(seen)),
            Self::Failed(seen) => (WaitFailure::Failed, Some(seen)),
            Self::Paused(seen) => (WaitFailure::Paused, Some(seen)),
            Self::Gone => (WaitFailure::Gone, None),
            Self::TimedOut(seen) => (WaitFailure::TimedOut, seen),
            Self::Interrupted(seen) => (WaitFailure::Interrupted, seen),
        };
        Err(WaitError {
            name: name.to_owned(),
            failure: ended,
            observed: seen.map(Box::new),
        })
    }
}

impl fmt::Display for WaitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        let seen = self.observed.as_deref();
        let id = seen.map_or(name.as_str(), LiveConnector::id);
        let state = seen.map_or("not found", |seen| seen.state().as_str());
        let why = || seen.map_or_else(String::new, |seen| find_cause(&seen.expanded.status).summary());
        match self.failure {
            WaitFailure::Failed => write!(out, "connector `{id}` ({name}) is {state}: {}", why()),
            WaitFailure::Rejected => write!(
                out,
                "the service rejected the new configuration of connector `{id}` ({name}); the previous one is active: \
                 {}",
                why()
            ),
            WaitFailure::Paused => write!(out, "connector `{id}` ({name}) is paused, so it does not run"),
            WaitFailure::Gone => write!(out, "connector `{name}` was deleted during the wait"),
            // The message of the Confluent CLI (docs/reference/cli.md#commands-and-flags).
            WaitFailure::TimedOut => write!(out, "wait timed out: connector \"{id}\" is still in state \"{state}\""),
            WaitFailure::Interrupted => write!(out, "interrupted while waiting for connector `{name}`"),
        }
    }
}

impl std::error::Error for WaitError {}

impl Advice for WaitError {
    fn hints(&self) -> Vec<Hint> {
        let id = self.observed().map_or(self.name.as_str(), LiveConnector::id);
        let name = &connector_arg(id, &self.name);
        match self.failure {
            WaitFailure::Failed | WaitFailure::Rejected => {
                let cause = self
                    .observed
                    .as_deref()
                    .map_or_else(Default::default, |seen| find_cause(&seen.expanded.status));
                let see = format!("Show causes and next steps with `confluent ebs connector explain {name}`.");
                remedy(name, &cause).into_iter().chain([see.into()]).collect()
            }
            WaitFailure::TimedOut | WaitFailure::Interrupted => {
                vec![format!("Continue waiting with `confluent ebs connector wait {name}`.").into()]
            }
            WaitFailure::Paused => vec![format!("Resume it with `confluent ebs connector resume {name}`.").into()],
            WaitFailure::Gone => Vec::new(),
        }
    }
}

/// Returns suggestions to fix the cause of connector `name`, which is quoted for the shell.
fn remedy(name: &str, cause: &FailureCause) -> Vec<Hint> {
    if let Some(rule) = cause.rule {
        let corrects = rule.next_steps.iter().any(RemedyStep::is_update);
        let send = corrects
            .then(|| format!("Then apply the file with `confluent ebs connector update {name} --config-file FILE`."));
        return [rule.fix.to_owned()].into_iter().chain(send).map(Hint::from).collect();
    }
    let restart = || {
        Hint::naming_platform_team(|team| {
            format!(
                "Restart the connector with `confluent ebs connector restart {name}`; if it fails again, contact {team}."
            )
        })
    };
    (cause.owner == Some(FaultOwner::Platform))
        .then(restart)
        .into_iter()
        .collect()
}
