//! What a command returns, and the one place that shows it.

use std::io;

use super::Ctx;
use crate::{
    error::{Error, ResultExt},
    exit::ExitCode,
    render::{Ui, Viewable},
};

/// The result of a command that ran to its end.
#[derive(Debug)]
pub struct Report<T> {
    /// What is printed on standard output; nothing after a declined question.
    pub value: Option<T>,
    /// How the process ends, unless there is an error.
    pub code: ExitCode,
    /// What went wrong although there is a result: a part of many, for example. Decides how the process ends.
    pub error: Option<Error>,
}

impl<T: Viewable> Report<T> {
    /// Everything went well.
    pub fn new(value: T) -> Self {
        Self {
            value: Some(value),
            code: ExitCode::Ok,
            error: None,
        }
    }

    /// There is nothing to say.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            value: None,
            code: ExitCode::Ok,
            error: None,
        }
    }

    /// The same report with another end. For a code that the Confluent CLI flattens to a plain failure the value must
    /// say what happened, since nothing else will.
    #[must_use]
    pub fn with_code(mut self, code: ExitCode) -> Self {
        self.code = code;
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
pub(super) fn finish<T: Viewable>(result: Result<Report<T>, Error>, ctx: &Ctx) -> ExitCode {
    let report = match result {
        Ok(report) => report,
        Err(error) => return fail(&ctx.ui, &error),
    };
    if let Some(value) = &report.value {
        let printed = finish_text(&ctx.ui, ctx.ui.print(value));
        if printed != ExitCode::Ok {
            return printed;
        }
    }
    match &report.error {
        Some(error) => fail(&ctx.ui, error),
        None => report.code,
    }
}

/// Says how the process ends after text was written.
pub(super) fn finish_text(ui: &Ui, written: io::Result<()>) -> ExitCode {
    match written.context("could not write the result to standard output") {
        Ok(()) => ExitCode::Ok,
        Err(error) => fail(ui, &error),
    }
}

fn fail(ui: &Ui, error: &Error) -> ExitCode {
    ui.problem(&error.problem());
    error.exit_code()
}
