//! Translates signals into cancellation. The Confluent CLI does not forward signals to its plugins
//! (docs/reference/cli.md#plugin-process): Ctrl-C reaches both processes and ends the Confluent CLI at once; SIGTERM
//! reaches only the Confluent CLI.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    exit::ExitCode,
    render::{Problem, Ui},
};

/// What a signal interrupts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Activity {
    /// Work that may change something and must not end in the middle.
    #[default]
    Writing,
    /// Work that changes nothing, and the output of its result.
    Reading,
    /// A question; nothing is running.
    Prompting,
}

/// Current activity of a command, shared with the thread that handles signals.
#[derive(Debug, Default)]
pub(super) struct ActivityCell(Mutex<Activity>);

impl ActivityCell {
    /// Sets the activity and returns the previous one.
    pub(super) fn set(&self, activity: Activity) -> Activity {
        std::mem::replace(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner), activity)
    }

    fn get(&self) -> Activity {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Time after which a signal ends a process that only reads, even if it computes or its output is not read.
const READING_TIMEOUT: Duration = Duration::from_secs(2);

/// Starts listening for signals. The first signal cancels the run, the second one ends the process. While nothing is
/// written, the first signal ends the process: at once at a prompt, else when the run does not end by itself.
pub(super) fn listen(runtime: &Runtime, ui: &Ui, interrupt: &CancellationToken, activity: &Arc<ActivityCell>) {
    let (ui, interrupt, activity) = (ui.clone(), interrupt.clone(), activity.clone());
    runtime.spawn(cancel_when_orphaned(interrupt.clone()));
    // Subscribe before the work begins, because an unhandled signal would end the process immediately.
    let observation = {
        let _runtime = runtime.enter();
        Signals::subscribe()
    };
    runtime.spawn(async move {
        let Ok(mut signals) = observation else { return };
        while signals.next().await.is_ok() {
            let now = activity.get();
            if now == Activity::Prompting {
                // The line of the prompt is still open.
                ui.info("");
                ui.print_error(&Problem::new("interrupted before anything was changed"));
            }
            if now == Activity::Prompting || interrupt.is_cancelled() {
                exit_interrupted(&ui);
            }
            interrupt.cancel();
            if now == Activity::Reading {
                let (ui, activity) = (ui.clone(), activity.clone());
                tokio::spawn(async move {
                    tokio::time::sleep(READING_TIMEOUT).await;
                    if activity.get() == Activity::Reading {
                        exit_interrupted(&ui);
                    }
                });
            } else {
                ui.info("Stopping: running steps finish, no new steps start. Press Ctrl-C again to stop immediately.");
            }
        }
    });
}

/// Ends the process. The next run resumes interrupted work, wherever this process ends.
fn exit_interrupted(ui: &Ui) -> ! {
    ui.leave_screen();
    std::process::exit(ExitCode::Interrupted.code().into())
}

/// Signal subscriptions, active from construction.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn subscribe() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> std::io::Result<()> {
        tokio::select! {
            _ = self.interrupt.recv() => Ok(()),
            _ = self.terminate.recv() => Ok(()),
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn subscribe() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> std::io::Result<()> {
        tokio::signal::ctrl_c().await
    }
}

/// Cancels the run when the Confluent CLI that started this process has ended: its output has no reader any more, and
/// further changes would be unexpected.
#[cfg(target_os = "linux")]
async fn cancel_when_orphaned(interrupt: CancellationToken) {
    use std::{os::unix::process::parent_id, time::Duration};
    let parent = parent_id();
    // With another parent, such as a shell with `nohup` or a supervisor, outliving the parent can be intended.
    let name = std::fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_default();
    if name.trim_end() != "confluent" {
        return;
    }
    while parent_id() == parent {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    interrupt.cancel();
}

/// Does nothing: only Linux exposes the name of the parent process, so other systems rely on Ctrl-C.
#[cfg(not(target_os = "linux"))]
async fn cancel_when_orphaned(_cancel: CancellationToken) {}
