//! What commands are given: where to speak, what was asked for, what time it is, whether to stop.

use std::{cell::OnceCell, future::Future, sync::Arc};

use tokio::runtime::Runtime;

use super::{GlobalArgs, signals};
use crate::{
    cancel::CancelToken,
    error::{Error, ResultExt},
    render::Ui,
    session::{Environment, RunContext},
};

/// The surroundings of a command.
pub struct Ctx {
    /// Where text goes.
    pub ui: Ui,
    /// The global flags.
    pub globals: GlobalArgs,
    /// What operations of the application get.
    pub run: RunContext,
    runtime: OnceCell<Runtime>,
}

impl Ctx {
    /// Context of a command in `environment`.
    #[must_use]
    pub fn new(ui: Ui, globals: GlobalArgs, environment: Environment) -> Self {
        let run = RunContext {
            environment: Arc::new(environment),
            options: globals.to_options(),
            reporter: Arc::new(ui.clone()),
            cancel: CancelToken::new(),
        };
        Self {
            ui,
            globals,
            run,
            runtime: OnceCell::new(),
        }
    }

    /// Runs asynchronous work to its end. The first call starts the threads and begins to listen to signals; a command
    /// that never calls it starts neither.
    pub fn block_on<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.runtime()?.block_on(work)
    }

    /// Asks a yes/no question, unless `--yes` has answered it.
    pub fn confirm(&self, question: &str) -> Result<bool, Error> {
        if self.globals.yes {
            return Ok(true);
        }
        let _guard = self.run.cancel.enter_prompt();
        Ok(self.ui.confirm(question, "--yes")?)
    }

    /// Asks for `wanted` to be typed, unless `--yes` has answered.
    pub fn confirm_by_typing(&self, question: &str, desired: &str) -> Result<(), Error> {
        if self.globals.yes {
            return Ok(());
        }
        let _guard = self.run.cancel.enter_prompt();
        Ok(self.ui.confirm_by_typing(question, desired, "--yes")?)
    }

    fn runtime(&self) -> Result<&Runtime, Error> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        // More than one thread, so that signals are heard while this one waits for an answer.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .context("could not start the threads that talk to the network")?;
        signals::listen(&runtime, &self.ui, &self.run.cancel);
        Ok(self.runtime.get_or_init(|| runtime))
    }
}
