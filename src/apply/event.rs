//! What happens while something runs. The engine emits events and knows nothing about terminals; the progress display,
//! the JSON lines and the journal listen. A secret never travels in an event.

use std::{sync::Arc, time::Duration};

use serde::Serialize;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum RunEvent {
    /// A phase of `total` steps begins (`Look`, `Apply`, `Prove`, `Hand over`).
    Phase {
        /// Its name, an imperative.
        name: &'static str,
        /// How many steps it has; 0 when that is not known.
        total: usize,
    },
    /// A step begins.
    Started {
        /// What is done: `create role binding …`.
        label: String,
        /// The department it is for, if it is for one.
        department: Option<String>,
    },
    /// A step waits and will be tried again.
    Retrying {
        /// The step.
        label: String,
        /// Why, for people.
        reason: String,
        /// How long it waits.
        wait: Duration,
    },
    /// A step is done.
    Done {
        /// The step.
        label: String,
        /// The department it is for, if it is for one.
        department: Option<String>,
    },
    /// A step failed.
    Failed {
        /// The step.
        label: String,
        /// The department it is for, if it is for one.
        department: Option<String>,
        /// Why, for people.
        reason: String,
    },
    /// A step was not begun, because one that it needs failed.
    Skipped {
        /// The step.
        label: String,
        /// The department it is for, if it is for one.
        department: Option<String>,
        /// The step that failed.
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
        /// The sentence.
        text: String,
    },
}

/// Whoever wants to know. Must be cheap: it is called while work goes on.
pub trait EventListener: Send + Sync {
    /// Takes notice of an event.
    fn on_event(&self, event: &RunEvent);
}

/// Nobody listens.
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
