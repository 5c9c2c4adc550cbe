//! What a command returns, and the one place that shows it.

use std::io;

use super::Ctx;
use crate::{
    error::{Error, ResultExt},
    exit::ExitCode,
    render::{Problem, Ui, Viewable},
};

/// The result of a command that ran to its end.
#[derive(Debug)]
pub struct CommandOutput<T> {
    /// What is printed on standard output; nothing after a declined question.
    pub value: Option<T>,
    /// How the process ends, unless there is an error.
    pub exit_code: ExitCode,
    /// What went wrong although there is a result: a part of many, for example. Decides how the process ends.
    pub error: Option<Error>,
}

impl<T: Viewable> CommandOutput<T> {
    /// Everything went well.
    pub fn new(value: T) -> Self {
        Self {
            value: Some(value),
            exit_code: ExitCode::Ok,
            error: None,
        }
    }

    /// There is nothing to say.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            value: None,
            exit_code: ExitCode::Ok,
            error: None,
        }
    }

    /// The same report with another end. For a code that the Confluent CLI flattens to a plain failure the value must
    /// say what happened, since nothing else will.
    #[must_use]
    pub fn with_code(mut self, code: ExitCode) -> Self {
        self.exit_code = code;
        self
    }

    /// The same report with an error, printed after the value.
    #[must_use]
    pub fn with_error(mut self, error: Error) -> Self {
        self.error = Some(error);
        self
    }
}

/// Shows the result of a command and says how the process ends.
pub(super) fn finish<T: Viewable>(result: Result<CommandOutput<T>, Error>, ctx: &Ctx) -> ExitCode {
    let report = match result {
        Ok(report) => report,
        Err(error) => return print_error(&ctx.ui, &error),
    };
    if let Some(value) = &report.value {
        let printed = finish_text(&ctx.ui, ctx.ui.print_result(value));
        if printed != ExitCode::Ok {
            return printed;
        }
    }
    match &report.error {
        Some(error) => print_error(&ctx.ui, error),
        None => report.exit_code,
    }
}

/// Says how the process ends after text was written.
pub(super) fn finish_text(ui: &Ui, written: io::Result<()>) -> ExitCode {
    match written.context("could not write the result to standard output") {
        Ok(()) => ExitCode::Ok,
        Err(error) => print_error(ui, &error),
    }
}

fn print_error(ui: &Ui, error: &Error) -> ExitCode {
    ui.print_error(&Problem::from(error));
    error.exit_code()
}
