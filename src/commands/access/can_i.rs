//! `confluent ebs access can-i`.

use serde::Serialize;

use super::{
    parse::{AccessQuestion, GrantRow, PrincipalView, resolve_principal, uncertainty_lines},
    source::{AccessContext, AccessSource, DefaultSource, SourceArgs},
};
use crate::{
    access::{AccessDecision, AccessGrant, AccessModel, Operation, Uncertainty},
    commands::{CommandOutput, Ctx},
    error::Error,
    exit::ExitCode,
    model::{Principal, ResourceKind},
    render::{Block, Record, Style, TextLine, Viewable},
};

/// Ask whether somebody may do something.
///
/// Answers with the role binding or ACL that allows it and where that came from. Exits with 0 for yes, with 5 for no, and with 4
/// if it cannot be told because something could not be looked at. Without "--as" and "--principal" it is about whoever
/// owns the key, or whom the profile is for. A name may end in "*": then the answer is yes only if it holds for
/// everything that begins so.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ask whether the operators of the department \"claims\" may delete a connector.

  $ confluent ebs access can-i delete connector/claims-orders --as claims/operator

Ask the same of the platform's files, before anything is onboarded.

  $ confluent ebs access can-i delete connector/claims-orders --as claims/operator --planned")]
pub(super) struct AccessCanIArgs {
    /// What is to be done, such as "delete", "pause" or "read".
    #[arg(value_name = "operation")]
    operation: String,
    /// On what: a kind, and a name after a slash, such as "connector/claims-orders", "topic/claims-*" or "cluster".
    #[arg(value_name = "resource")]
    resource: String,
    /// Ask about a persona of a department, as in "claims/operator".
    #[arg(long = "as", value_name = "string", conflicts_with = "principal")]
    as_persona: Option<String>,
    /// Ask about a principal, by id or by the name of its account.
    #[arg(long, value_name = "string")]
    principal: Option<String>,
    #[command(flatten)]
    from: SourceArgs,
}

impl AccessCanIArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<AccessCanIOutput>, Error> {
        let context = self.from.load(ctx, DefaultSource::Live)?;
        let question = AccessQuestion::parse(&context, &self.operation, &self.resource)?;
        let principal = resolve_principal(ctx, &context, self.as_persona.as_deref(), self.principal.as_deref())?;
        let answered = build_output(context, question, &principal);
        let code = match answered.answer {
            CanIAnswer::Yes => ExitCode::Ok,
            CanIAnswer::No => ExitCode::Refused,
            CanIAnswer::Unknown => ExitCode::Denied,
        };
        Ok(CommandOutput::new(answered).with_code(code))
    }
}

fn build_output(context: AccessContext, question: AccessQuestion, principal: &Principal) -> AccessCanIOutput {
    let model = &context.model;
    let (operation, on) = (question.operation, &question.crn_pattern);
    let decided = model.can(principal, operation, on);
    let mut notes = Vec::new();
    if let (AccessDecision::Allowed(AccessGrant::Role(through)), Some(fallback)) = (&decided, &model.fallback_evaluator)
        && !fallback.decide_pattern(principal, operation, on).is_allowed()
    {
        notes.push(format!(
            "If the service refuses {} there, the template's fallback takes its place, which does not allow it.",
            through.role
        ));
    }
    let allowed = matches!(decided, AccessDecision::Allowed(_));
    if allowed && operation == Operation::ViewMetrics && on.kind() == ResourceKind::Connector {
        // Two documents say two things (docs/reference/metrics.md#who-may-read-metrics).
        notes.push(
            "So the published table of roles says. The Metrics API is documented to answer MetricsViewer and administrators \
             alone, and to refuse everybody else (assumption Q5 of `confluent ebs doctor --assumptions`)."
                .to_owned(),
        );
    }
    if let AccessDecision::Denied(by) = &decided {
        let about = match by.acl.is_for_all_principals() {
            true => "everybody".to_owned(),
            false => model.persona_title(&by.acl.principal),
        };
        let acl = by.acl.to_short_string();
        notes.push(format!(
            "An ACL for {about} forbids it, which nothing outweighs: {acl}."
        ));
    }
    let partly: Vec<GrantRow> = match allowed {
        true => Vec::new(),
        false => model
            .partial_grants(principal, operation, on)
            .iter()
            .map(|grant| GrantRow::new(model, grant))
            .collect(),
    };
    if !allowed && let Some((account, by)) = model.find_indirect_access(principal, operation, on) {
        notes.push(format!(
            "It controls {} ({} on it), which may: a connector that runs under that account does it.",
            model.persona_title(&account),
            by.role
        ));
    }
    let (word, through, uncertainties) = match decided {
        AccessDecision::Allowed(through) => (CanIAnswer::Yes, Some(GrantRow::new(model, &through)), Vec::new()),
        AccessDecision::NotAllowed | AccessDecision::Denied(_) => (CanIAnswer::No, None, Vec::new()),
        AccessDecision::Unknown(doubts) => (CanIAnswer::Unknown, None, doubts),
    };
    AccessCanIOutput {
        answer: word,
        principal: PrincipalView::new(model, principal),
        question_text: question.describe(model),
        is_known_principal: is_known_principal(model, principal),
        question,
        granted_by: through,
        partial_grants: partly,
        uncertainties,
        notes,
        source: context.source,
    }
}

/// Whether the principal holds anything at all: a "no" about somebody who is not there may be a slip of the pen.
fn is_known_principal(model: &AccessModel, principal: &Principal) -> bool {
    let evaluator = &model.evaluator;
    evaluator.has_bindings(principal)
        || evaluator.acls_of(principal).next().is_some()
        || model.display_names.contains_key(principal)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum CanIAnswer {
    Yes,
    No,
    Unknown,
}

/// What `can-i` answers.
#[derive(Debug, Serialize)]
pub(super) struct AccessCanIOutput {
    answer: CanIAnswer,
    #[serde(flatten)]
    question: AccessQuestion,
    principal: PrincipalView,
    /// The binding or ACL that allows it.
    granted_by: Option<GrantRow>,
    /// Bindings and ACLs that allow it on a part of what was asked about.
    partial_grants: Vec<GrantRow>,
    /// What could not be looked at.
    uncertainties: Vec<Uncertainty>,
    /// What else is worth knowing.
    notes: Vec<String>,
    source: AccessSource,
    #[serde(skip)]
    question_text: String,
    #[serde(skip)]
    is_known_principal: bool,
}

impl Viewable for AccessCanIOutput {
    fn view(&self) -> Vec<Block> {
        let who = &self.principal.title;
        let words = &self.question_text;
        let (style, sentence) = match self.answer {
            CanIAnswer::Yes => (Style::Ok, format!("Yes: {who} may {words}.")),
            CanIAnswer::No => (Style::Error, format!("No: {who} may not {words}.")),
            CanIAnswer::Unknown => (
                Style::Warning,
                format!("It cannot be told whether {who} may {words}: nothing that was seen allows it, but"),
            ),
        };
        let mut lines = vec![TextLine::new().with_styled_text(style, sentence)];
        lines.extend(uncertainty_lines(&self.uncertainties));
        let mut blocks = vec![Block::Lines(lines)];
        if let Some(through) = &self.granted_by {
            let record = Record::new()
                .field("Through", through.describe())
                .field("From", through.origin.to_string());
            blocks.push(Block::Record(record));
        }
        let mut lines = Vec::new();
        for grant in &self.partial_grants {
            lines.push(
                TextLine::from(format!("On a part of it: {} ({}).", grant.describe(), grant.origin))
                    .with_hanging_indent(2),
            );
        }
        if !self.is_known_principal {
            lines.push(TextLine::from(
                "No account, no role binding and no ACL of that principal was seen.",
            ));
        }
        lines.extend(self.notes.iter().map(|note| TextLine::from(note.as_str())));
        if self.answer == CanIAnswer::Unknown {
            let hint = "A key that sees more can tell; `--planned` answers from the platform's files.";
            lines.push(TextLine::new().with_styled_text(Style::Hint, hint));
        }
        lines.push(self.source.line());
        blocks.push(Block::Lines(lines));
        blocks
    }
}
