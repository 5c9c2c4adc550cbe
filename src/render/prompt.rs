//! Prompts in the style of the Confluent CLI (docs/reference/cli.md#prompts): answers may come from a pipe, and a
//! prompt is never repeated.

use std::io::BufRead as _;

use super::{Format, Ui, escape::escape, stream::lock};
use crate::error::PromptError;

impl Ui {
    /// Asks a yes/no question like the Confluent CLI (docs/reference/cli.md#prompts), also with an answer from a pipe.
    /// `flag` is the flag that replaces the prompt.
    pub fn confirm(&self, question: &str, flag: &'static str) -> Result<bool, PromptError> {
        let answer = self.ask(&format!("{question} (y/n): "), flag)?;
        match answer.to_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "n" | "no" => Ok(false),
            _ => Err(PromptError::Unreadable),
        }
    }

    /// Asks the user to type `wanted`, for irreversible operations.
    pub fn confirm_by_typing(&self, question: &str, wanted: &str, flag: &'static str) -> Result<(), PromptError> {
        let typed = self.ask(&format!("{question} Type \"{wanted}\" to continue: "), flag)?;
        if typed == wanted {
            return Ok(());
        }
        Err(PromptError::Mismatch {
            typed,
            wanted: wanted.to_owned(),
        })
    }

    /// Prompts for a secret on standard error without echo. From a pipe, it reads a line like the Confluent CLI
    /// (docs/reference/cli.md#prompts).
    pub fn ask_secret(&self, question: &str) -> Result<String, PromptError> {
        self.write_err(&escape(&self.redact(&format!("{question}: "))));
        if self.0.input_is_terminal {
            let typed = dialoguer::console::Term::stderr().read_secure_line();
            return typed.map_err(|_| PromptError::Unreadable);
        }
        let mut line = String::new();
        let read = lock(&self.0.input).read_line(&mut line);
        self.write_err("\n");
        match read {
            Ok(1..) => Ok(line.trim_end_matches(['\r', '\n']).to_owned()),
            Ok(0) | Err(_) => Err(PromptError::Unreadable),
        }
    }

    fn ask(&self, prompt: &str, flag: &'static str) -> Result<String, PromptError> {
        let prompt = self.redact(prompt);
        let prompt = escape(&prompt);
        // The Confluent CLI prompts on standard output, except where that contains a document.
        if self.0.format == Format::Human {
            self.write_out(&prompt).map_err(|_| PromptError::Unreadable)?;
        } else {
            self.write_err(&prompt);
        }
        let mut line = String::new();
        let read = lock(&self.0.input).read_line(&mut line);
        if !self.0.input_is_terminal {
            // Input from a pipe does not end the line of the prompt.
            self.write_out_or_err("\n");
        }
        match read {
            Ok(0) if !self.0.input_is_terminal => Err(PromptError::NotInteractive { flag }),
            Ok(0) | Err(_) => Err(PromptError::Unreadable),
            Ok(_) => Ok(line.trim().to_owned()),
        }
    }

    fn write_out_or_err(&self, text: &str) {
        if self.0.format == Format::Human {
            // A failed write of the prompt is ignored.
            drop(self.write_out(text));
        } else {
            self.write_err(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Block;

    #[test]
    fn a_preview_before_a_question_keeps_stdout_a_single_document() {
        let (ui, captured) = Ui::captured(Format::Json, 80, "y\n");
        ui.print_preview(&[Block::line("Plan: 1 to create.")]).unwrap();
        assert!(ui.confirm("Apply?", "--yes").unwrap());
        assert_eq!(captured.stdout(), "");
        assert_eq!(captured.stderr(), "Plan: 1 to create.\n\nApply? (y/n): \n");
    }

    #[test]
    fn answers_are_read_from_a_pipe_like_the_confluent_cli() {
        let answer = |input: &str| Ui::captured(Format::Human, 80, input).0.confirm("Sure?", "--force");
        assert!(answer("y\n").unwrap() && answer("YES\n").unwrap() && answer(" Yes").unwrap());
        assert!(!answer("n\n").unwrap() && !answer("No\n").unwrap());
        assert!(matches!(answer("maybe\n"), Err(PromptError::Unreadable)));
        assert!(matches!(answer("\n"), Err(PromptError::Unreadable)));
        let nobody = answer("").unwrap_err();
        assert!(matches!(nobody, PromptError::NotInteractive { flag: "--force" }));
    }

    #[test]
    fn each_answer_is_used_once() {
        let (ui, captured) = Ui::captured(Format::Human, 80, "y\nclaims\nmotor\n");
        assert!(ui.confirm("Sure?", "--yes").unwrap());
        ui.confirm_by_typing("This deletes everything.", "claims", "--yes")
            .unwrap();
        let error = ui.confirm_by_typing("This too.", "claims", "--yes").unwrap_err();
        assert_eq!(error.to_string(), "not confirmed: expected `claims`, got `motor`");
        assert!(
            captured
                .stdout()
                .starts_with("Sure? (y/n): \nThis deletes everything. Type \"claims\" to continue: \n")
        );
    }
}
