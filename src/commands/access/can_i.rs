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

Check the same against the platform configuration, before the department is onboarded.

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
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<AccessCanIOutput>, Error> {
        let context = self.from.load(ctx, DefaultSource::Live)?;
        let question = AccessQuestion::parse(&context, &self.operation, &self.resource)?;
        let principal = resolve_principal(ctx, &context, self.as_persona.as_deref(), self.principal.as_deref())?;
        let output = build_output(context, question, &principal);
        let code = match output.answer {
            CanIAnswer::Yes => ExitCode::Ok,
            CanIAnswer::No => ExitCode::Refused,
            CanIAnswer::Unknown => ExitCode::Denied,
        };
        Ok(CommandOutput::new(output).with_code(code))
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
            "If Confluent Cloud rejects {} on this resource, `onboard` binds the template's fallback role, which does \
             not allow the operation.",
            through.role
        ));
    }
    let allowed = matches!(decided, AccessDecision::Allowed(_));
    if allowed && operation == Operation::ViewMetrics && on.kind() == ResourceKind::Connector {
        // Two documents of Confluent contradict each other (docs/reference/metrics.md#who-may-read-metrics).
        notes.push(
            "This follows Confluent's table of roles. According to the documentation of the Metrics API, only \
             MetricsViewer and administrators may read metrics (assumption Q5 of `confluent ebs doctor --assumptions`)."
                .to_owned(),
        );
    }
    if let AccessDecision::Denied(by) = &decided {
        let who = if by.acl.is_for_all_principals() {
            "all principals".to_owned()
        } else {
            model.persona_title(&by.acl.principal)
        };
        let acl = by.acl.to_short_string();
        notes.push(format!(
            "An ACL denies the operation to {who}, and takes precedence over all grants: {acl}."
        ));
    }
    let partial_grants = if allowed {
        Vec::new()
    } else {
        let grants = model.partial_grants(principal, operation, on);
        grants.iter().map(|grant| GrantRow::new(model, grant)).collect()
    };
    if !allowed && let Some((account, by)) = model.find_indirect_access(principal, operation, on) {
        notes.push(format!(
            "The principal controls {} through {}. Connectors that run under that account are allowed the operation.",
            model.persona_title(&account),
            by.role
        ));
    }
    let (answer, granted_by, uncertainties) = match decided {
        AccessDecision::Allowed(grant) => (CanIAnswer::Yes, Some(GrantRow::new(model, &grant)), Vec::new()),
        AccessDecision::NotAllowed | AccessDecision::Denied(_) => (CanIAnswer::No, None, Vec::new()),
        AccessDecision::Unknown(uncertainties) => (CanIAnswer::Unknown, None, uncertainties),
    };
    AccessCanIOutput {
        answer,
        principal: PrincipalView::new(model, principal),
        question_text: question.describe(model),
        is_known_principal: is_known_principal(model, principal),
        question,
        granted_by,
        partial_grants,
        uncertainties,
        notes,
        source: context.source,
    }
}

/// Whether the source contains the principal. If not, a "no" may be due to a misspelled id.
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

/// Output of `can-i`.
#[derive(Debug, Serialize)]
pub(super) struct AccessCanIOutput {
    answer: CanIAnswer,
    #[serde(flatten)]
    question: AccessQuestion,
    principal: PrincipalView,
    /// Role binding or ACL that allows the operation.
    granted_by: Option<GrantRow>,
    /// Role bindings and ACLs that allow the operation on some of the names.
    partial_grants: Vec<GrantRow>,
    /// Reasons for an unknown answer.
    uncertainties: Vec<Uncertainty>,
    /// Notes about the answer.
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
        let question = &self.question_text;
        let (style, sentence) = match self.answer {
            CanIAnswer::Yes => (Style::Ok, format!("Yes: {who} may {question}.")),
            CanIAnswer::No => (Style::Error, format!("No: {who} may not {question}.")),
            CanIAnswer::Unknown => (
                Style::Warning,
                format!("Unknown whether {who} may {question}: no visible grant allows it, but"),
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
        if self.answer == CanIAnswer::Unknown {
            let hint = "Use an API key that sees more, or pass `--planned` to answer from the platform configuration.";
            lines.push(TextLine::new().with_styled_text(Style::Hint, hint));
        }
        lines.push(self.source.line());
        blocks.push(Block::Lines(lines));
        blocks
    }
}
