//! Translates signals into cancellation. The Confluent CLI does not forward signals to its plugins
//! (docs/reference/cli.md#plugin-process): Ctrl-C reaches both processes and ends the Confluent CLI at once; SIGTERM
//! reaches only the Confluent CLI.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::{
    exit::ExitCode,
    render::{Problem, Ui},
};

/// Starts listening for signals. The first signal cancels the run, the second one ends the process. While `prompting`
/// is set, nothing is running, and the first signal ends the process.
pub(super) fn listen(runtime: &Runtime, ui: &Ui, interrupt: &CancellationToken, prompting: &Arc<AtomicBool>) {
    let (ui, interrupt, prompting) = (ui.clone(), interrupt.clone(), prompting.clone());
    runtime.spawn(cancel_when_orphaned(interrupt.clone()));
    // Subscribe before the work begins, because an unhandled signal would end the process immediately.
    let observation = {
        let _runtime = runtime.enter();
        Signals::subscribe()
    };
    runtime.spawn(async move {
        let Ok(mut signals) = observation else { return };
        while signals.next().await.is_ok() {
            let asking = prompting.load(Ordering::SeqCst);
            if asking {
                // The line of the prompt is still open.
                ui.info("");
                ui.print_error(&Problem::new("interrupted before anything was changed"));
            }
            if asking || interrupt.is_cancelled() {
                ui.leave_screen();
                // The next run resumes interrupted work, wherever this process ends.
                std::process::exit(ExitCode::Interrupted.code().into());
            }
            interrupt.cancel();
            ui.info("Stopping: running steps finish, no new steps start. Press Ctrl-C again to stop immediately.");
        }
    });
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
