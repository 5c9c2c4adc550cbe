//! `confluent ebs access can-i`.

use super::source_args::{DefaultSource, SourceArgs, source_line, uncertainty_lines};
use crate::{
    access::Uncertainty,
    commands::{CommandOutput, Ctx},
    error::Error,
    exit::ExitCode,
    provisioning::access::{AccessQuestion, CanIAnswer, CanIOutcome, can_i, resolve_principal},
    render::{Block, Record, Style, TextLine, Viewable},
};

/// Check whether a principal is allowed an operation
///
/// Shows the role binding or ACL that allows the operation, and its origin. Exits with 0 for yes, with 5 for no, and
/// with 4 if the answer is unknown because of missing data. Without --as and --principal, the principal is the owner of
/// the API key or the persona of the profile. For a name that ends in "*", the answer is yes only if the operation is
/// allowed on all names with that prefix.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Check whether the operator of department \"claims\" may delete a connector.

  $ confluent ebs access can-i delete connector/claims-orders --as claims/operator

Check the same against the platform files, before the department is onboarded.

  $ confluent ebs access can-i delete connector/claims-orders --as claims/operator --planned")]
pub(super) struct AccessCanIArgs {
    /// Operation, such as "delete", "pause" or "read".
    #[arg(value_name = "operation")]
    operation: String,
    /// Resource as a kind and an optional name: "connector/claims-orders", "topic/claims-*" or "cluster".
    #[arg(value_name = "resource")]
    resource: String,
    /// Persona of a department, such as "claims/operator".
    #[arg(long = "as", value_name = "string", conflicts_with = "principal")]
    as_persona: Option<String>,
    /// Principal ID or service account name.
    #[arg(long, value_name = "string")]
    principal: Option<String>,
    #[command(flatten)]
    from: SourceArgs,
}

impl AccessCanIArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<CanIOutcome>, Error> {
        let context = self.from.load(ctx, DefaultSource::Live)?;
        let question = AccessQuestion::parse(&context, &self.operation, &self.resource)?;
        let principal = resolve_principal(
            &ctx.run,
            &context,
            self.as_persona.as_deref(),
            self.principal.as_deref(),
        )?;
        let output = can_i(context, question, &principal);
        let code = match output.answer {
            CanIAnswer::Yes => ExitCode::Ok,
            CanIAnswer::No => ExitCode::Refused,
            CanIAnswer::Unknown => ExitCode::Denied,
        };
        Ok(CommandOutput::new(output).with_code(code))
    }
}

impl Viewable for CanIOutcome {
    fn view(&self) -> Vec<Block> {
        let who = &self.principal.title;
        let question = &self.question_text;
        let is_disputed = matches!(self.uncertainties.as_slice(), [Uncertainty::Disputed { .. }]);
        let (style, sentence) = match self.answer {
            CanIAnswer::Yes => (Style::Ok, format!("Yes: {who} may {question}.")),
            CanIAnswer::No => (Style::Error, format!("No: {who} may not {question}.")),
            CanIAnswer::Unknown => (
                Style::Warning,
                match is_disputed {
                    true => format!("Unknown whether {who} may {question}:"),
                    false => format!("Unknown whether {who} may {question}: no visible grant allows it, but"),
                },
            ),
        };
        let mut lines = vec![TextLine::new().with_styled_text(style, sentence)];
        lines.extend(uncertainty_lines(&self.uncertainties));
        let mut blocks = vec![Block::Lines(lines)];
        if let Some(grant) = &self.granted_by {
            let record = Record::new()
                .field("Grant", grant.describe())
                .field("Origin", grant.origin.to_string());
            blocks.push(Block::Record(record));
        }
        let mut lines = Vec::new();
        for grant in &self.partial_grants {
            lines.push(
                TextLine::from(format!(
                    "Allowed on some names: {} ({}).",
                    grant.describe(),
                    grant.origin
                ))
                .with_hanging_indent(2),
            );
        }
        if !self.is_known_principal {
            lines.push(TextLine::from(
                "No account, role binding or ACL of this principal is visible.",
            ));
        }
        lines.extend(self.notes.iter().map(|note| TextLine::from(note.as_str())));
        if self.answer == CanIAnswer::Unknown && !is_disputed {
            let hint = "Use an API key that sees more, or pass `--planned` to answer from the platform files.";
            lines.push(TextLine::new().with_styled_text(Style::Hint, hint));
        }
        lines.push(source_line(&self.source));
        blocks.push(Block::Lines(lines));
        blocks
    }
}
