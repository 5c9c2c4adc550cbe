//! `confluent ebs access who-can`.

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;

use super::{
    parse::{AccessQuestion, GrantRow, uncertainty_lines},
    source::{AccessSource, DefaultSource, SourceArgs},
};
use crate::{
    access::{AccessGrant, Uncertainty},
    commands::{CommandOutput, Ctx},
    error::Error,
    model::Principal,
    render::{Block, Style, Table, TextLine, Viewable},
    text,
};

/// Ask who may do something.
///
/// Lists every principal with the role binding or ACL that allows it and where that came from: a template with its version and
/// reason, the provisioner's work, or by hand. A name may end in "*": then everybody is listed who may do it to anything
/// that begins so.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Ask who may delete a connector.

  $ confluent ebs access who-can delete connector/claims-orders

Ask who may use an account as the identity of a connector.

  $ confluent ebs access who-can assign service-account/claims/runtime")]
pub(super) struct AccessWhoCanArgs {
    /// What is to be done, such as "delete", "pause" or "read".
    #[arg(value_name = "operation")]
    operation: String,
    /// On what: a kind, and a name after a slash, such as "connector/claims-orders", "topic/claims-*" or "cluster".
    #[arg(value_name = "resource")]
    resource: String,
    #[command(flatten)]
    from: SourceArgs,
}

impl AccessWhoCanArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<AccessWhoCanOutput>, Error> {
        let context = self.from.load(ctx, DefaultSource::Live)?;
        let question = AccessQuestion::parse(&context, &self.operation, &self.resource)?;
        let model = &context.model;
        let found = model.who_can(question.operation, &question.crn_pattern);
        let mut grants: Vec<GrantRow> = found.iter().map(|permit| GrantRow::new(model, permit)).collect();
        grants.sort_by_cached_key(|grant| grant.cells(0));
        let able: BTreeSet<&Principal> = found.iter().map(AccessGrant::principal).collect();
        let controllers: BTreeSet<_> = able.iter().flat_map(|account| model.controllers(account)).collect();
        let controllers = controllers
            .iter()
            .filter(|binding| !able.contains(&binding.principal))
            .map(|binding| GrantRow::new(model, &AccessGrant::Role(Arc::clone(binding))));
        Ok(CommandOutput::new(AccessWhoCanOutput {
            controllers: controllers.collect(),
            question_text: question.describe(model),
            grants,
            uncertainties: model.uncertainties(None, question.operation, &question.crn_pattern),
            question,
            source: context.source,
        }))
    }
}

/// How many of those who can by way of an account are shown to people.
const MAX_CONTROLLERS: usize = 4;

/// What `who-can` answers.
#[derive(Debug, Serialize)]
pub(super) struct AccessWhoCanOutput {
    #[serde(flatten)]
    question: AccessQuestion,
    /// The bindings and ACLs that allow it.
    grants: Vec<GrantRow>,
    /// Bindings that make one of these accounts act for somebody else.
    controllers: Vec<GrantRow>,
    /// What could not be looked at.
    uncertainties: Vec<Uncertainty>,
    source: AccessSource,
    #[serde(skip)]
    question_text: String,
}

impl Viewable for AccessWhoCanOutput {
    fn view(&self) -> Vec<Block> {
        let question = &self.question_text;
        let mut blocks = Vec::new();
        if self.grants.is_empty() {
            let who = if self.uncertainties.is_empty() {
                "Nobody"
            } else {
                "Nobody who was seen"
            };
            blocks.push(Block::line(format!("{who} may {question}.")));
        } else {
            let mut table = Table::new(["Principal", "Role", "On", "From"]);
            for (grant, more) in group_similar(&self.grants) {
                table.push(grant.cells(more));
            }
            blocks.push(Block::titled(format!("Who may {question}"), [Block::Table(table)]));
            // Many hold the same for the same reason.
            let reasons: BTreeSet<String> = self.grants.iter().filter_map(GrantRow::reason).collect();
            if !reasons.is_empty() {
                let line = |reason: String| {
                    TextLine::new()
                        .with_styled_text(Style::Muted, format!("  {reason}"))
                        .with_hanging_indent(4)
                };
                let lines = std::iter::once(TextLine::from("Why:")).chain(reasons.into_iter().map(line));
                blocks.push(Block::Lines(lines.collect()));
            }
        }
        let mut lines = Vec::new();
        for held in self.controllers.iter().take(MAX_CONTROLLERS) {
            let text = format!(
                "Also {}, by way of that account: {}.",
                held.principal.title,
                held.describe()
            );
            lines.push(TextLine::from(text).with_hanging_indent(2));
        }
        let more = self.controllers.len().saturating_sub(MAX_CONTROLLERS);
        if more > 0 {
            let text = format!(
                "And {} more, by way of others of these accounts.",
                text::count_noun(more, "role binding")
            );
            lines.push(TextLine::from(text));
        }
        if !self.uncertainties.is_empty() {
            lines.push(TextLine::new().with_styled_text(Style::Warning, "There may be more:"));
            lines.extend(uncertainty_lines(&self.uncertainties));
        }
        lines.push(self.source.line());
        lines.extend(self.source.limitation().map(TextLine::from));
        blocks.push(Block::Lines(lines));
        blocks
    }
}

/// Bindings that differ only in the resource they are on, as the first of them and how many more there are: whoever owns
/// all accounts would fill the screen.
fn group_similar(grants: &[GrantRow]) -> Vec<(&GrantRow, usize)> {
    let mut rows: Vec<(&GrantRow, usize)> = Vec::new();
    for grant in grants {
        match rows.last_mut() {
            Some((first, more)) if first.is_similar_to(grant) => *more += 1,
            _ => rows.push((grant, 0)),
        }
    }
    rows
}
