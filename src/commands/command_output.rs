//! Result of a command, and its output.

use std::io;

use super::Ctx;
use crate::{
    error::{Error, ResultExt},
    exit::ExitCode,
    render::{Problem, Ui, Viewable},
};

/// Result of a command that completed.
#[derive(Debug)]
pub struct CommandOutput<T> {
    /// Value to print on standard output; `None` after a declined confirmation.
    pub value: Option<T>,
    /// Exit code, unless there is an error.
    pub exit_code: ExitCode,
    /// Error besides the value, such as a partial failure. It determines the exit code.
    pub error: Option<Error>,
}

impl<T: Viewable> CommandOutput<T> {
    /// Creates a successful result.
    pub fn new(value: T) -> Self {
        Self {
            value: Some(value),
            exit_code: ExitCode::Ok,
            error: None,
        }
    }

    /// Creates a result without output.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            value: None,
            exit_code: ExitCode::Ok,
            error: None,
        }
    }

    /// Converts the value.
    #[must_use]
    pub fn map<U: Viewable>(self, convert: impl FnOnce(T) -> U) -> CommandOutput<U> {
        CommandOutput {
            value: self.value.map(convert),
            exit_code: self.exit_code,
            error: self.error,
        }
    }

    /// Sets the exit code. The Confluent CLI replaces some codes with 1, so the value must also describe the outcome.
    #[must_use]
    pub fn with_code(mut self, code: ExitCode) -> Self {
        self.exit_code = code;
        self
    }

    /// Sets the exit code of `--detailed-exitcode` if there are differences.
    #[must_use]
    pub fn with_differences(self, has_differences: bool) -> Self {
        if has_differences {
            self.with_code(ExitCode::Differences)
        } else {
            self
        }
    }

    /// Adds an error, which is printed after the value.
    #[must_use]
    pub fn with_error(self, error: Error) -> Self {
        self.with_error_if_any(Some(error))
    }

    /// Sets the error of a partial failure, which is printed after the value.
    #[must_use]
    pub fn with_error_if_any(mut self, error: Option<Error>) -> Self {
        self.error = error;
        self
    }
}

/// Prints the result of a command and returns the exit code.
pub(super) fn finish<T: Viewable>(result: Result<CommandOutput<T>, Error>, ctx: &Ctx) -> ExitCode {
    let report = match result {
        Ok(report) => report,
        Err(error) => {
            ctx.ui.print_failure(&error);
            return error.exit_code();
        }
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

/// Returns the exit code after writing text.
pub(super) fn finish_text(ui: &Ui, written: io::Result<()>) -> ExitCode {
    match written.context("cannot write the result to standard output") {
        Ok(()) => ExitCode::Ok,
        Err(error) => print_error(ui, &error),
    }
}

fn print_error(ui: &Ui, error: &Error) -> ExitCode {
    ui.print_error(&Problem::from(error));
    error.exit_code()
}
