//! Events of a run. The executor emits events and does not know about terminals; the progress display and the JSON
//! output are listeners. Events never contain secrets.

use std::{sync::Arc, time::Duration};

use serde::Serialize;

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// A phase of `total` steps begins (`Observe`, `Apply`, `Prove`, `Hand over`).
    Phase {
        /// Name of the phase, an imperative.
        name: &'static str,
        /// Number of steps; 0 if unknown.
        total: usize,
    },
    /// A step begins.
    Started {
        /// Label of the step: `create role binding …`.
        label: String,
        /// Department of the step, if any.
        department: Option<String>,
    },
    /// A step waits for a retry.
    Retrying {
        /// Label of the step.
        label: String,
        /// Reason, for display.
        reason: String,
        /// Time until the retry.
        wait: Duration,
    },
    /// A step is done.
    Done {
        /// Label of the step.
        label: String,
        /// Department of the step, if any.
        department: Option<String>,
    },
    /// A step failed.
    Failed {
        /// Label of the step.
        label: String,
        /// Department of the step, if any.
        department: Option<String>,
        /// Reason, for display.
        reason: String,
    },
    /// A step was skipped because a step that it needs failed.
    Skipped {
        /// Label of the step.
        label: String,
        /// Department of the step, if any.
        department: Option<String>,
        /// Label of the failed step.
        because: String,
    },
    /// A sentence about the run as a whole, outside any phase.
    Info {
        /// The sentence.
        text: String,
    },
    /// A warning about the run as a whole.
    Warning {
        /// The sentence.
        text: String,
    },
    /// A remark that belongs to a phase but is not a step.
    Note {
        /// The message, a sentence.
        text: String,
    },
}

/// Listener for events. Must return quickly, because the run calls it synchronously.
pub trait EventListener: Send + Sync {
    /// Handles an event.
    fn on_event(&self, event: &RunEvent);
}

/// Listener that ignores all events.
impl EventListener for () {
    fn on_event(&self, _event: &RunEvent) {}
}

/// Receives the events of a whole run, and can show the progress of its longer operations.
pub trait Reporter: EventListener {
    /// Starts to show progress; the display ends when the listener is dropped.
    fn start_progress(&self) -> Arc<dyn EventListener>;
}

/// Shows nothing.
impl Reporter for () {
    fn start_progress(&self) -> Arc<dyn EventListener> {
        Arc::new(())
    }
}
