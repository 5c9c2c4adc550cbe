//! Waiting until a connector runs, or until it is clear that it does not (dossier `connect.md` §3.2).
//!
//! A connector runs when it was RUNNING with a running task at two polls in a row, because fresh ones flap. FAILED is
//! believed only after a while, because the service restarts what failed by itself.

use std::time::Duration;

use serde::Serialize;

use super::{Connectors, Seen};
use crate::{api::connect::Status, client::ClientError, interrupt::Interrupt};

/// Poll this often at first.
const SHORT: Duration = Duration::from_secs(4);
/// Poll this often after [`BUSY`].
const LONG: Duration = Duration::from_secs(20);
/// How long the short interval lasts: nearly everything has settled by then.
const BUSY: Duration = Duration::from_mins(3);
/// How long FAILED is not believed: the service's own restarts were seen to repair it.
const GRACE: Duration = Duration::from_mins(2);

/// How long to wait, and for what.
#[derive(Clone, Debug)]
pub struct Patience {
    /// In all.
    pub timeout: Duration,
    /// The wish to stop.
    pub interrupt: Interrupt,
    /// The state that is waited for: `RUNNING`, or `PAUSED`.
    pub wanted: &'static str,
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

/// How the wait ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It is in the wanted state, and stays there.
    Reached(Seen),
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
                    let reached = sight.state == patience.wanted && (patience.wanted != "RUNNING" || sight.running > 0);
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
                    if good_polls >= 2 {
                        return Ok(Outcome::Reached(seen.clone()));
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

/// Why a connector does not run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cause {
    /// What is wrong with the configuration: key and text, each text once.
    pub validation_errors: Vec<ValidationError>,
    /// What went wrong, the most telling first; each once.
    pub messages: Vec<String>,
    /// Who can do something about it.
    pub owner: Option<&'static str>,
}

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ValidationError {
    /// The keys that the service names for it: Debezium names all of them for one cause.
    pub configs: Vec<String>,
    /// What is wrong.
    pub message: String,
}

/// Reads the cause out of a status: first what is wrong with the configuration, then traces, then summaries (dossier
/// `connect.md` §2.9, §3.3).
#[must_use]
pub fn cause(status: &Status) -> Cause {
    let mut cause = Cause::default();
    for error in status.validation_errors.iter().flatten() {
        let (key, message) = error.split_once(':').unwrap_or(("", error));
        let (key, message) = (key.trim().to_owned(), message.trim().to_owned());
        match cause
            .validation_errors
            .iter_mut()
            .find(|known| known.message == message)
        {
            Some(known) => known.configs.push(key),
            None => cause.validation_errors.push(ValidationError {
                configs: vec![key],
                message,
            }),
        }
    }
    let mut say = |text: &str| {
        let text = text.trim();
        if !text.is_empty() && !cause.messages.iter().any(|known| known == text) {
            cause.messages.push(text.to_owned());
        }
    };
    say(status.override_message.as_deref().unwrap_or_default());
    for error in status.trace_errors() {
        say(&error);
    }
    say(status.error_summary.as_deref().unwrap_or_default());
    say(&status.connector.trace);
    for task in &status.tasks {
        say(&task.msg);
        say(root_of(task.trace.as_deref().unwrap_or_default()));
    }
    // Dossier `connect.md` §3.1.
    cause.owner = if status.tasks.iter().any(|task| task.state == "USER_ACTIONABLE_ERROR")
        || !cause.validation_errors.is_empty()
    {
        Some("department")
    } else if status.tasks.iter().any(|task| task.state == "SYSTEM_ERROR") {
        Some("ebs")
    } else {
        None
    };
    cause
}

/// The innermost cause of a Java stack trace, else its first line.
fn root_of(trace: &str) -> &str {
    let mut causes = trace.lines().filter_map(|line| line.trim().strip_prefix("Caused by: "));
    causes.next_back().or_else(|| trace.lines().next()).unwrap_or_default()
}
