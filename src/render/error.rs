//! Errors in the format of the Confluent CLI (docs/reference/cli.md#error-messages-of-the-cli): `Error: message`, the
//! chain of causes, findings, usage, an empty line, and suggestions. It is printed on standard error; with `-o json` and
//! `yaml`, a command without a result also prints it as a document on standard output.

use std::{
    any::Any,
    panic::{Location, PanicHookInfo},
};

use serde::Serialize;

use super::{
    Block, Format, Ui, Viewable, findings,
    style::{Palette, Style},
    view::TextLine,
    wrap,
};
use crate::{
    diag::Finding,
    error::{Error, ErrorKind},
    hint::Hint,
    redact::SecretRegistry,
};

/// Error for rendering.
#[derive(Clone, Debug, Default)]
pub struct Problem {
    /// Failed operation and its object: starts in lower case, has no full stop.
    pub message: String,
    /// Causes, from the nearest to the root cause.
    pub causes: Vec<String>,
    /// Findings in files.
    pub findings: Vec<Finding>,
    /// Usage line, for invalid arguments.
    pub usage: Option<String>,
    /// Suggestions, whole sentences.
    pub hints: Vec<Hint>,
}

impl Problem {
    /// Creates an error with only a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            ..Self::default()
        }
    }
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        let mut chain = error.source.chain().map(ToString::to_string);
        Self {
            message: chain.next().unwrap_or_default(),
            causes: chain.collect(),
            findings: error.findings.clone(),
            usage: error.usage.clone(),
            hints: error.hints.clone(),
        }
    }
}

/// Error as the result of a command, for programs (docs/output.md).
#[derive(Debug, Serialize)]
pub struct ErrorDocument {
    error: ErrorBody,
}

#[derive(Debug, Serialize)]
struct ErrorBody {
    kind: ErrorKind,
    exit_code: u8,
    message: String,
    causes: Vec<String>,
    findings: Vec<Finding>,
    suggestions: Vec<String>,
}

impl From<&Error> for ErrorDocument {
    fn from(error: &Error) -> Self {
        let problem = Problem::from(error);
        Self {
            error: ErrorBody {
                kind: error.kind,
                exit_code: error.exit_code().code(),
                message: problem.message,
                causes: problem.causes,
                findings: problem.findings,
                suggestions: problem.hints.iter().map(|hint| hint.as_str().to_owned()).collect(),
            },
        }
    }
}

/// For people, the error is on standard error.
impl Viewable for ErrorDocument {
    fn view(&self) -> Vec<Block> {
        Vec::new()
    }
}

/// Prints a panic on standard error.
pub fn print_panic(panic: &PanicHookInfo<'_>) {
    Ui::new(Format::Human, 0, SecretRegistry::default()).print_error(&panic_problem(panic.location(), panic.payload()));
}

/// Returns the error for a panic. A formatted message is omitted, because it may contain a secret; a literal one
/// cannot.
fn panic_problem(place: Option<&Location<'_>>, payload: &dyn Any) -> Problem {
    let place = place
        .map(|place| format!(" at {}:{}", place.file(), place.line()))
        .unwrap_or_default();
    let message = payload.downcast_ref::<&'static str>();
    Problem {
        message: format!("internal error in `confluent ebs`{place}"),
        causes: message.map(ToString::to_string).into_iter().collect(),
        hints: vec!["Report this with the command that you ran.".into()],
        ..Problem::default()
    }
}

pub(super) fn render_problem(problem: &Problem, width: usize, palette: Palette) -> String {
    let mut out = String::new();
    let said = trim_full_stop(&problem.message);
    let line = TextLine::new()
        .with_styled_text(Style::Error, "Error:")
        .with_text(format!(" {said}"))
        .with_hanging_indent(2);
    wrap::write_wrapped(&line, width, palette, &mut out);

    // Skip a cause that repeats an earlier message.
    let mut said = said.to_owned();
    for cause in problem.causes.iter().map(|cause| trim_full_stop(cause)) {
        if cause.is_empty() || said.contains(cause) {
            continue;
        }
        let line = TextLine::new()
            .with_styled_text(Style::Muted, "  cause:")
            .with_text(format!(" {cause}"))
            .with_hanging_indent(2);
        wrap::write_wrapped(&line, width, palette, &mut out);
        said.push('\n');
        said.push_str(cause);
    }

    if !problem.findings.is_empty() {
        out.push('\n');
        out.push_str(&findings::render_findings(&problem.findings, width, palette));
    }
    if let Some(usage) = &problem.usage {
        out.push_str("\nUsage:\n");
        wrap::write_wrapped(
            &TextLine::from(format!("  {usage}")).with_hanging_indent(4),
            width,
            palette,
            &mut out,
        );
    }

    let mut shown = Vec::new();
    for hint in &problem.hints {
        if shown.contains(&hint.as_str()) {
            continue;
        }
        if shown.is_empty() {
            out.push('\n');
            wrap::write_wrapped(
                &TextLine::new().with_styled_text(Style::Hint, "Suggestions:"),
                width,
                palette,
                &mut out,
            );
        }
        wrap::write_wrapped(
            &TextLine::new()
                .with_text("    ")
                .with_styled_text(Style::Hint, hint.as_str())
                .with_hanging_indent(2),
            width,
            palette,
            &mut out,
        );
        shown.push(hint.as_str());
    }
    out
}

fn trim_full_stop(message: &str) -> &str {
    message.trim().trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_formatted_like_the_confluent_cli() {
        let problem = Problem {
            message: "connector \"claims-x\" not found".into(),
            hints: vec![
                "List available connectors with `confluent ebs connector list`.".into(),
                "List available connectors with `confluent ebs connector list`.".into(),
            ],
            ..Problem::default()
        };
        assert_eq!(
            render_problem(&problem, 80, Palette::PLAIN),
            "Error: connector \"claims-x\" not found\n\
             \n\
             Suggestions:\n\
             \x20   List available connectors with `confluent ebs connector list`.\n"
        );
    }

    #[test]
    fn causes_are_printed_once_and_wrap() {
        let problem = Problem {
            message: "could not create service account `ebs-prod-claims-operator`.".into(),
            causes: vec![
                "Confluent Cloud returned 403".into(),
                "Confluent Cloud returned 403".into(),
                "could not create service account".into(),
            ],
            ..Problem::default()
        };
        assert_eq!(
            render_problem(&problem, 48, Palette::PLAIN),
            "Error: could not create service account\n\
             \x20 `ebs-prod-claims-operator`\n\
             \x20 cause: Confluent Cloud returned 403\n"
        );
    }

    #[test]
    fn control_characters_in_an_error_are_escaped() {
        let shown = render_problem(
            &Problem::new("bad name \u{1b}]0;x\u{7}\nError: fake"),
            80,
            Palette::PLAIN,
        );
        assert_eq!(shown, "Error: bad name \\u{1b}]0;x\\u{7}\\nError: fake\n");
    }

    #[test]
    fn a_panic_reports_its_location_and_no_secret() {
        let secret: Box<dyn Any> = Box::new(format!("bad key {}", "cflt-canary"));
        let shown = render_problem(&panic_problem(Some(Location::caller()), &*secret), 80, Palette::PLAIN);
        assert!(
            shown.starts_with("Error: internal error in `confluent ebs` at src/render/error.rs:"),
            "{shown}"
        );
        assert!(!shown.contains("canary"));
        let literal: Box<dyn Any> = Box::new("a list was empty");
        assert!(
            render_problem(&panic_problem(None, &*literal), 80, Palette::PLAIN).contains("cause: a list was empty")
        );
    }
}
