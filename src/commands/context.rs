//! Context of a command: output, global flags, environment and cancellation.

use std::{cell::OnceCell, future::Future, sync::Arc, time::Duration};

use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use super::{
    GlobalArgs,
    signals::{self, Activity, ActivityCell},
};
use crate::{
    error::{Error, ErrorKind, ResultExt},
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
    /// What a signal interrupts.
    activity: Arc<ActivityCell>,
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
            activity: Arc::default(),
            runtime: OnceCell::new(),
        }
    }

    /// Runs a future to completion. The first call starts the runtime and the signal handler, so that a command without
    /// asynchronous work starts neither. A signal cancels the run, and what runs is finished.
    pub fn block_on<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.activity.set(Activity::Writing);
        self.runtime()?.block_on(work)
    }

    /// Runs a future that changes nothing. The first signal ends it, also while a service does not respond; work that
    /// observes the cancellation has a moment to return its result.
    pub fn block_on_reading<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        const GRACE: Duration = Duration::from_millis(500);
        self.activity.set(Activity::Reading);
        let cancel = &self.run.cancel;
        let cancelled = async {
            cancel.cancelled().await;
            tokio::time::sleep(GRACE).await;
        };
        self.runtime()?.block_on(async {
            tokio::select! {
                biased;
                result = work => result,
                () = cancelled => Err(Error::new(ErrorKind::Interrupted, "interrupted; nothing was changed")),
            }
        })
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
        let before = self.activity.set(Activity::Prompting);
        let answer = ask();
        self.activity.set(before);
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
        signals::listen(&runtime, &self.ui, &self.run.cancel, &self.activity);
        Ok(self.runtime.get_or_init(|| runtime))
    }
}
