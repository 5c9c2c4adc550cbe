//! Context of a command: output, global flags, environment and cancellation.

use std::{
    cell::OnceCell,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::{GlobalArgs, signals};
use crate::{
    error::{Error, ResultExt},
    render::Ui,
    session::{Environment, RunContext},
};

/// Context of a command.
pub struct Ctx {
    /// Output to the terminal.
    pub ui: Ui,
    /// The global flags.
    pub globals: GlobalArgs,
    /// Context of application operations.
    pub run: RunContext,
    /// Whether the program waits at a prompt and nothing is running.
    prompting: Arc<AtomicBool>,
    runtime: OnceCell<Runtime>,
}

impl Ctx {
    /// Creates the context of a command in `environment`.
    #[must_use]
    pub fn new(ui: Ui, globals: GlobalArgs, environment: Environment) -> Self {
        let run = RunContext {
            environment: Arc::new(environment),
            options: globals.to_options(),
            reporter: Arc::new(ui.clone()),
            cancel: CancellationToken::new(),
        };
        Self {
            ui,
            globals,
            run,
            prompting: Arc::default(),
            runtime: OnceCell::new(),
        }
    }

    /// Runs a future to completion. The first call starts the runtime and the signal handler, so that a command without
    /// asynchronous work starts neither.
    pub fn block_on<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.runtime()?.block_on(work)
    }

    /// Asks a yes/no question; `--yes` answers it.
    pub fn confirm(&self, question: &str) -> Result<bool, Error> {
        if self.globals.yes {
            return Ok(true);
        }
        let is_confirmed = self.prompt(|| self.ui.confirm(question, "--yes"))?;
        if !is_confirmed {
            self.ui.info("Nothing was changed.");
        }
        Ok(is_confirmed)
    }

    /// Asks the user to type `desired` as confirmation; `--yes` answers it.
    pub fn confirm_by_typing(&self, question: &str, desired: &str) -> Result<(), Error> {
        if self.globals.yes {
            return Ok(());
        }
        Ok(self.prompt(|| self.ui.confirm_by_typing(question, desired, "--yes"))?)
    }

    /// Asks; meanwhile, a signal ends the process at once.
    fn prompt<T>(&self, ask: impl FnOnce() -> T) -> T {
        self.prompting.store(true, Ordering::SeqCst);
        let answer = ask();
        self.prompting.store(false, Ordering::SeqCst);
        answer
    }

    fn runtime(&self) -> Result<&Runtime, Error> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        // A second thread handles signals while this one waits for a response.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("cannot start the asynchronous runtime")?;
        signals::listen(&runtime, &self.ui, &self.run.cancel, &self.prompting);
        Ok(self.runtime.get_or_init(|| runtime))
    }
}
