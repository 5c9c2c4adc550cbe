//! Waiting until a connector runs, or until it is clear that it does not (dossier `connect.md` §3.2).
//!
//! A connector runs when it was RUNNING with a running task at two polls in a row, because fresh ones flap. FAILED is
//! believed only after a while, because the service restarts what failed by itself. What a change broke shows late: it is
//! watched for a while before it counts as in force.

use std::{fmt, time::Duration};

use serde::Serialize;

use super::{Connectors, Seen, cause, cause::Cause, diagnosis::Step};
use crate::{
    client::ClientError,
    hint::{Advice, Hint, typed},
    interrupt::Interrupt,
};

/// Poll this often at first.
const SHORT: Duration = Duration::from_secs(4);
/// Poll this often after [`BUSY`].
const LONG: Duration = Duration::from_secs(20);
/// How long the short interval lasts: nearly everything has settled by then.
const BUSY: Duration = Duration::from_mins(3);
/// How long FAILED is not believed: the service's own restarts were seen to repair it.
const GRACE: Duration = Duration::from_mins(2);

/// How long a changed connector is watched before the change counts as in force: the service answers 200 at once and
/// tries hosts and credentials 30 to 90 seconds later (dossier `connect.md` §2.4, §3.2).
pub const SETTLE: Duration = Duration::from_secs(90);

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Goal {
    /// It runs, with a task.
    Running,
    /// It is paused.
    Paused,
    /// It is past its beginning, whichever way.
    Started,
}

impl Goal {
    /// The service's word for it.
    #[must_use]
    pub const fn state(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Paused => "PAUSED",
            Self::Started => "STARTED",
        }
    }

    fn is_reached(self, sight: &Sight) -> bool {
        match self {
            Self::Running => sight.state == "RUNNING" && sight.running > 0,
            Self::Paused => sight.state == "PAUSED",
            Self::Started => !matches!(
                sight.state.as_str(),
                "" | "NONE" | "PROVISIONING" | "FAILED" | "DELETED"
            ),
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.state())
    }
}

/// How long to wait, and for what.
#[derive(Clone, Debug)]
pub struct Patience {
    /// In all.
    pub timeout: Duration,
    /// How long the goal is watched before it is believed.
    pub settle: Duration,
    /// The wish to stop.
    pub interrupt: Interrupt,
    /// What is waited for.
    pub goal: Goal,
}

/// What one poll saw, for those who watch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// The state; empty right after a create.
    pub state: String,
    /// Tasks that run.
    pub running: usize,
    /// Tasks in all.
    pub tasks: usize,
    /// How long it has been waited for.
    pub waited: Duration,
}

impl fmt::Display for Sight {
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
pub enum Outcome {
    /// It is in the wanted state, and stays there.
    Reached(Seen),
    /// It is in the wanted state with a former configuration: what is stored is not valid.
    Rejected(Seen),
    /// It failed.
    Failed(Seen),
    /// It is gone.
    Gone,
    /// The time is over.
    TimedOut(Option<Seen>),
    /// Somebody wished to stop waiting.
    Interrupted(Option<Seen>),
}

impl Connectors {
    /// Waits for `name`; `watch` is told of every change.
    ///
    /// # Errors
    /// When the connector cannot be looked at.
    pub async fn wait(
        &self,
        name: &str,
        patience: &Patience,
        watch: &(dyn Fn(&Sight) + Sync),
    ) -> Result<Outcome, ClientError> {
        let begun = self.clock.now();
        let mut good_polls = 0;
        let mut failed_since = None;
        let mut was_there = false;
        let mut last = None;
        let mut shown = None;
        loop {
            let seen = self.named(name).await?;
            let waited = self.clock.since(begun);
            match &seen {
                // The list may not show a fresh one yet; a known one that vanished was deleted.
                None if was_there => return Ok(Outcome::Gone),
                None => good_polls = 0,
                Some(seen) => {
                    was_there = true;
                    let sight = Sight::of(seen, waited);
                    let now = (sight.state.clone(), sight.running);
                    if shown.as_ref() != Some(&now) {
                        watch(&sight);
                        shown = Some(now);
                    }
                    let reached = patience.goal.is_reached(&sight);
                    good_polls = if reached { good_polls + 1 } else { 0 };
                    match sight.state.as_str() {
                        "FAILED" => {
                            let since = *failed_since.get_or_insert(waited);
                            if waited.saturating_sub(since) >= GRACE {
                                return Ok(Outcome::Failed(seen.clone()));
                            }
                        }
                        "DELETED" => return Ok(Outcome::Gone),
                        _ => failed_since = None,
                    }
                    if good_polls >= 2 && waited >= patience.settle {
                        let refused = seen.now.status.validation_errors.iter().flatten().next().is_some();
                        return Ok(match refused && patience.goal == Goal::Running {
                            true => Outcome::Rejected(seen.clone()),
                            false => Outcome::Reached(seen.clone()),
                        });
                    }
                }
            }
            last = seen.or(last);
            if patience.interrupt.is_wished() {
                return Ok(Outcome::Interrupted(last));
            }
            if waited >= patience.timeout {
                return Ok(match last {
                    Some(seen) if failed_since.is_some() => Outcome::Failed(seen),
                    last => Outcome::TimedOut(last),
                });
            }
            let interval = if waited < BUSY { SHORT } else { LONG };
            let left = patience.timeout.saturating_sub(waited).max(Duration::from_millis(10));
            tokio::select! {
                () = self.clock.sleep(interval.min(left)) => {}
                () = patience.interrupt.wished() => {}
            }
        }
    }
}

impl Sight {
    fn of(seen: &Seen, waited: Duration) -> Self {
        let tasks = &seen.now.status.tasks;
        Self {
            state: seen.state().to_owned(),
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
    ended: Ended,
    seen: Option<Box<Seen>>,
}

/// How a wait that did not end as it should ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
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
    pub fn ended(&self) -> Ended {
        self.ended
    }

    /// The connector as it was seen last.
    #[must_use]
    pub fn seen(&self) -> Option<&Seen> {
        self.seen.as_deref()
    }
}

impl Outcome {
    /// The connector `name`, when it is as it was waited for.
    ///
    /// # Errors
    /// When it is not.
    pub fn into_result(self, name: &str) -> Result<Seen, WaitError> {
        let (ended, seen) = match self {
            Self::Reached(seen) => return Ok(seen),
            Self::Rejected(seen) => (Ended::Rejected, Some(seen)),
            Self::Failed(seen) => (Ended::Failed, Some(seen)),
            Self::Gone => (Ended::Gone, None),
            Self::TimedOut(seen) => (Ended::TimedOut, seen),
            Self::Interrupted(seen) => (Ended::Interrupted, seen),
        };
        Err(WaitError {
            name: name.to_owned(),
            ended,
            seen: seen.map(Box::new),
        })
    }
}

impl fmt::Display for WaitError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        let seen = self.seen.as_deref();
        let id = seen.map_or(name.as_str(), Seen::id);
        let state = seen.map_or("not there", Seen::state);
        let why = || seen.map_or_else(String::new, |seen| cause(&seen.now.status).words());
        match self.ended {
            Ended::Failed => write!(out, "connector \"{id}\" ({name}) is {state}: {}", why()),
            Ended::Rejected => write!(
                out,
                "the configuration of connector \"{id}\" ({name}) was stored and is not in force; the former one still \
                 runs: {}",
                why()
            ),
            Ended::Gone => write!(out, "connector \"{name}\" was deleted meanwhile"),
            // The stock CLI's words (dossier `native-cli.md` §4.1).
            Ended::TimedOut => write!(out, "wait timed out: connector \"{id}\" is still in state \"{state}\""),
            Ended::Interrupted => write!(out, "interrupted while waiting for connector \"{name}\""),
        }
    }
}

impl std::error::Error for WaitError {}

impl Advice for WaitError {
    fn hints(&self) -> Vec<Hint> {
        let id = self.seen().map_or(self.name.as_str(), Seen::id);
        let name = &typed(id, &self.name);
        match self.ended {
            Ended::Failed | Ended::Rejected => {
                let cause = self
                    .seen
                    .as_deref()
                    .map_or_else(Default::default, |seen| cause(&seen.now.status));
                let see = format!("See what to do, in order, with `confluent ebs connector explain {name}`.");
                remedy(name, &cause).into_iter().chain([see]).map(Hint::from).collect()
            }
            Ended::TimedOut | Ended::Interrupted => {
                vec![format!("Wait on with `confluent ebs connector wait {name}`.").into()]
            }
            Ended::Gone => Vec::new(),
        }
    }
}

/// What whoever is named by a cause can do about connector `name`, which is ready to be typed.
fn remedy(name: &str, cause: &Cause) -> Vec<String> {
    if let Some(rule) = cause.rule {
        let corrects = rule.then.iter().any(Step::is_update);
        let send = corrects
            .then(|| format!("Then send the file with `confluent ebs connector update {name} --config-file FILE`."));
        return [rule.fix.to_owned()].into_iter().chain(send).collect();
    }
    let restart = || {
        format!(
            "It is the service's fault: try `confluent ebs connector restart {name}`, and tell EBS when that does not help."
        )
    };
    (cause.owner == Some("ebs")).then(restart).into_iter().collect()
}
