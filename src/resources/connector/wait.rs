//! Waiting until a connector runs, or until it is clear that it does not (docs/reference/connect.md#timing-of-states).
//!
//! A connector runs when it was RUNNING with a running task at two polls in a row, because fresh ones flap. FAILED is
//! believed only after a while, because the service restarts what failed by itself. What a change broke shows late: it is
//! watched for a while before it counts as in force.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{
    ConnectorClient, LiveConnector,
    cause::{FailureCause, find_cause},
    diagnosis::RemedyStep,
};
use crate::{
    cancel::CancelToken,
    client::ClientError,
    hint::{Advice, Hint, connector_arg},
};

/// Poll this often at first.
const SHORT_INTERVAL: Duration = Duration::from_secs(4);
/// Poll this often after [`BUSY`].
const LONG_INTERVAL: Duration = Duration::from_secs(20);
/// How long the short interval lasts: nearly everything has settled by then.
const SHORT_INTERVAL_PERIOD: Duration = Duration::from_mins(3);
/// How long FAILED is not believed: the service's own restarts were seen to repair it.
const FAILURE_GRACE: Duration = Duration::from_mins(2);

/// How long a changed connector is watched before the change counts as in force: the service answers 200 at once and
/// tries hosts and credentials 30 to 90 seconds later (docs/reference/connect.md#update-a-connector and
/// docs/reference/connect.md#timing-of-states).
pub const SETTLE_TIME: Duration = Duration::from_secs(90);

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WaitGoal {
    /// It runs, with a task.
    Running,
    /// It is paused.
    Paused,
    /// It is past its beginning, whichever way.
    Started,
}

impl WaitGoal {
    /// The service's word for it.
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
            Self::Running => snapshot.state == "RUNNING" && snapshot.running > 0,
            Self::Paused => snapshot.state == "PAUSED",
            Self::Started => !matches!(
                snapshot.state.as_str(),
                "" | "NONE" | "PROVISIONING" | "FAILED" | "DELETED"
            ),
        }
    }
}

impl fmt::Display for WaitGoal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.state())
    }
}

/// How long to wait, and for what.
#[derive(Clone, Debug)]
pub struct WaitOptions {
    /// In all.
    pub timeout: Duration,
    /// How long the goal is watched before it is believed.
    pub settle_time: Duration,
    /// The wish to stop.
    pub interrupt: CancelToken,
    /// What is waited for.
    pub goal: WaitGoal,
}

/// What one poll saw, for those who watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollSnapshot {
    /// The state; empty right after a create.
    pub state: String,
    /// Tasks that run.
    pub running: usize,
    /// Tasks in all.
    pub tasks: usize,
    /// How long it has been waited for.
    pub waited: Duration,
}

impl fmt::Display for PollSnapshot {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state.as_str() {
            "" => "no state yet",
            state => state,
        };
        let (running, tasks, waited) = (self.running, self.tasks, self.waited.as_secs());
        write!(out, "{state}, {running} of {tasks} tasks run, after {waited} s")
    }
}

/// How the wait ended.
#[derive(Clone, Debug)]
pub enum WaitOutcome {
    /// It is in the wanted state, and stays there.
    Reached(LiveConnector),
    /// It is in the wanted state with a former configuration: what is stored is not valid.
    Rejected(LiveConnector),
    /// It failed.
    Failed(LiveConnector),
    /// It is gone.
    Gone,
    /// The time is over.
    TimedOut(Option<LiveConnector>),
    /// Somebody wished to stop waiting.
    Interrupted(Option<LiveConnector>),
}

impl ConnectorClient {
    /// Waits for `name`; `watch` is told of every change.
    ///
    /// # Errors
    /// When the connector cannot be looked at.
    pub async fn wait(
        &self,
        name: &str,
        options: &WaitOptions,
        on_change: &(dyn Fn(&PollSnapshot) + Sync),
    ) -> Result<WaitOutcome, ClientError> {
        let begun = self.clock.now();
        let mut good_polls = 0;
        let mut failed_since = None;
        let mut was_there = false;
        let mut last = None;
        let mut shown = None;
        loop {
            let seen = self.find_by_name(name).await?;
            let waited = self.clock.elapsed_since(begun);
            match &seen {
                // The list may not show a fresh one yet; a known one that vanished was deleted.
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
                    match sight.state.as_str() {
                        "FAILED" => {
                            let since = *failed_since.get_or_insert(waited);
                            if waited.saturating_sub(since) >= FAILURE_GRACE {
                                return Ok(WaitOutcome::Failed(seen.clone()));
                            }
                        }
                        "DELETED" => return Ok(WaitOutcome::Gone),
                        _ => failed_since = None,
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
            state: observed.state().to_owned(),
            running: tasks.iter().filter(|task| task.state == "RUNNING").count(),
            tasks: tasks.len(),
            waited,
        }
    }
}

/// A wait that did not end as it should.
#[derive(Debug)]
pub struct WaitError {
    name: String,
    failure: WaitFailure,
    observed: Option<Box<LiveConnector>>,
}

/// How a wait that did not end as it should ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitFailure {
    /// The connector failed.
    Failed,
    /// What is stored is not valid; a former configuration runs on.
    Rejected,
    /// It is gone.
    Gone,
    /// The time is over.
    TimedOut,
    /// Somebody wished to stop waiting.
    Interrupted,
}

impl WaitError {
    /// How it ended.
    #[must_use]
    pub fn failure(&self) -> WaitFailure {
        self.failure
    }

    /// The connector as it was seen last.
    #[must_use]
    pub fn observed(&self) -> Option<&LiveConnector> {
        self.observed.as_deref()
    }
}

impl WaitOutcome {
    /// The connector `name`, when it is as it was waited for.
    ///
    /// # Errors
    /// When it is not.
    pub fn into_result(self, name: &str) -> Result<LiveConnector, WaitError> {
        let (ended, seen) = match self {
            Self::Reached(seen) => return Ok(seen),
            Self::Rejected(seen) => (WaitFailure::Rejected, Some(seen)),
            Self::Failed(seen) => (WaitFailure::Failed, Some(seen)),
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
        let state = seen.map_or("not there", LiveConnector::state);
        let why = || seen.map_or_else(String::new, |seen| find_cause(&seen.expanded.status).summary());
        match self.failure {
            WaitFailure::Failed => write!(out, "connector \"{id}\" ({name}) is {state}: {}", why()),
            WaitFailure::Rejected => write!(
                out,
                "the configuration of connector \"{id}\" ({name}) was stored and is not in force; the former one still \
                 runs: {}",
                why()
            ),
            WaitFailure::Gone => write!(out, "connector \"{name}\" was deleted meanwhile"),
            // The stock CLI's words (docs/reference/cli.md#commands-and-flags).
            WaitFailure::TimedOut => write!(out, "wait timed out: connector \"{id}\" is still in state \"{state}\""),
            WaitFailure::Interrupted => write!(out, "interrupted while waiting for connector \"{name}\""),
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
                let see = format!("See what to do, in order, with `confluent ebs connector explain {name}`.");
                remedy(name, &cause).into_iter().chain([see]).map(Hint::from).collect()
            }
            WaitFailure::TimedOut | WaitFailure::Interrupted => {
                vec![format!("Wait on with `confluent ebs connector wait {name}`.").into()]
            }
            WaitFailure::Gone => Vec::new(),
        }
    }
}

/// What whoever is named by a cause can do about connector `name`, which is ready to be typed.
fn remedy(name: &str, cause: &FailureCause) -> Vec<String> {
    if let Some(rule) = cause.rule {
        let corrects = rule.next_steps.iter().any(RemedyStep::is_update);
        let send = corrects
            .then(|| format!("Then send the file with `confluent ebs connector update {name} --config-file FILE`."));
        return [rule.fix.to_owned()].into_iter().chain(send).collect();
    }
    let restart = || {
        format!(
            "It is the service's fault: try `confluent ebs connector restart {name}`, and tell EBS when that does not help."
        )
    };
    (cause.owner == Some("platform")).then(restart).into_iter().collect()
}
