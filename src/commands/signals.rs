//! From signals to the wish to stop. The Confluent CLI forwards nothing to its plugins
//! (docs/reference/cli.md#plugin-process): on Ctrl-C both get the signal and the CLI dies at once, on SIGTERM only the
//! CLI does.

use tokio::runtime::Runtime;

use crate::{
    cancel::CancelToken,
    exit::ExitCode,
    render::{Problem, Ui},
};

/// Begins to listen. The first signal asks the work to stop, the second ends the process; so does the first while a
/// person is being asked.
pub(super) fn listen(runtime: &Runtime, ui: &Ui, interrupt: &CancelToken) {
    let (ui, interrupt) = (ui.clone(), interrupt.clone());
    runtime.spawn(cancel_when_orphaned(interrupt.clone()));
    // Heard before the work begins: a signal that nobody hears yet would end the process on the spot.
    let observation = {
        let _runtime = runtime.enter();
        Signals::subscribe()
    };
    runtime.spawn(async move {
        let Ok(mut signals) = observation else { return };
        while signals.next().await.is_ok() {
            let asking = interrupt.is_prompting();
            if asking {
                // The line of the question is still open.
                ui.info("");
                ui.print_error(&Problem::new("interrupted before anything was changed"));
            }
            if asking || !interrupt.cancel() {
                ui.leave_screen();
                // Work that cannot be left half done is resumed by the next run, whenever this one ends.
                std::process::exit(ExitCode::Interrupted.code().into());
            }
            ui.info("Stopping: what runs is finished, nothing new is started. Press Ctrl-C again to stop at once.");
        }
    });
}

/// The signals, which are heard from the moment on in which this is made.
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

/// Wishes to stop when the Confluent CLI that started this process is gone: nobody reads its output any more, and the
/// next step would be taken behind the user's back.
#[cfg(target_os = "linux")]
async fn cancel_when_orphaned(interrupt: CancelToken) {
    use std::{os::unix::process::parent_id, time::Duration};
    let parent = parent_id();
    // Started by anything else (a shell with `nohup`, a supervisor), outliving the parent may be just what is wanted.
    let name = std::fs::read_to_string(format!("/proc/{parent}/comm")).unwrap_or_default();
    if name.trim_end() != "confluent" {
        return;
    }
    while parent_id() == parent {
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    interrupt.cancel();
}

/// Elsewhere a process cannot see its parent's name without help, so there only Ctrl-C is heard.
#[cfg(not(target_os = "linux"))]
async fn cancel_when_orphaned(_cancel: CancelToken) {}
