//! `confluent ebs access who-can`.

use std::collections::BTreeSet;

use super::source_args::{DefaultSource, SourceArgs, source_line, uncertainty_lines};
use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    provisioning::access::{AccessQuestion, GrantRow, WhoCanOutcome, who_can},
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    text,
};

/// List the principals that are allowed an operation
///
/// Shows each principal with the role binding or ACL that allows the operation, and its origin: a template with its
/// version and reason, the provisioner, or a change by hand. For a name that ends in "*", lists the principals that are
/// allowed the operation on at least one name with that prefix.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the principals that may delete a connector.

  $ confluent ebs access who-can delete connector/claims-orders

List the principals that may assign a service account to a connector.

  $ confluent ebs access who-can assign service-account/claims/runtime")]
pub(super) struct AccessWhoCanArgs {
    /// Operation, such as "delete", "pause" or "read".
    #[arg(value_name = "operation")]
    operation: String,
    /// Resource as a kind and an optional name: "connector/claims-orders", "topic/claims-*" or "cluster".
    #[arg(value_name = "resource")]
    resource: String,
    #[command(flatten)]
    from: SourceArgs,
}

impl AccessWhoCanArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<WhoCanOutcome>, Error> {
        let context = self.from.load(ctx, DefaultSource::Live)?;
        let question = AccessQuestion::parse(&context, &self.operation, &self.resource)?;
        Ok(CommandOutput::new(who_can(context, question)))
    }
}

/// Maximum number of listed controllers.
const MAX_CONTROLLERS: usize = 4;

impl Viewable for WhoCanOutcome {
    fn view(&self) -> Vec<Block> {
        let question = &self.question_text;
        let mut blocks = Vec::new();
        if self.grants.is_empty() {
            let who = if self.uncertainties.is_empty() {
                "No principal"
            } else {
                "No visible principal"
            };
            blocks.push(Block::line(format!("{who} may {question}.")));
        } else {
            let mut table = Table::new(["Principal", "Role", "Resource", "Origin"]);
            for (grant, more) in group_similar(&self.grants) {
                table.push(grant_cells(grant, more));
            }
            blocks.push(Block::titled(
                format!("Principals that may {question}"),
                [Block::Table(table)],
            ));
            // Several grants can have the same reason.
            let reasons: BTreeSet<String> = self.grants.iter().filter_map(GrantRow::reason).collect();
            if !reasons.is_empty() {
                let line = |reason: String| {
                    TextLine::new()
                        .with_styled_text(Style::Muted, format!("  {reason}"))
                        .with_hanging_indent(4)
                };
                let lines = std::iter::once(TextLine::from("Origins:")).chain(reasons.into_iter().map(line));
                blocks.push(Block::Lines(lines.collect()));
            }
        }
        let mut lines = Vec::new();
        for grant in self.controllers.iter().take(MAX_CONTROLLERS) {
            let text = format!(
                "Also {}, through this account: {}.",
                grant.principal.title,
                grant.describe()
            );
            lines.push(TextLine::from(text).with_hanging_indent(2));
        }
        let more = self.controllers.len().saturating_sub(MAX_CONTROLLERS);
        if more > 0 {
            let text = format!(
                "{} more allow principals to act through these accounts.",
                text::count_noun(more, "role binding")
            );
            lines.push(TextLine::from(text));
        }
        if !self.uncertainties.is_empty() {
            lines.push(TextLine::new().with_styled_text(Style::Warning, "The list may be incomplete:"));
            lines.extend(uncertainty_lines(&self.uncertainties));
        }
        lines.push(source_line(&self.source));
        lines.extend(self.source.limitation().map(TextLine::from));
        blocks.push(Block::Lines(lines));
        blocks
    }
}

/// Groups grants that differ only in the name of the resource: the first grant and the number of further ones. The
/// owner of all service accounts would otherwise fill the screen.
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

/// Returns the cells of a row that represents `grant` and `more` similar ones.
fn grant_cells(grant: &GrantRow, more: usize) -> [Cell; 4] {
    let resource = match more {
        0 => grant.resource.clone(),
        more => format!("{} and {more} more", grant.resource),
    };
    [
        Cell::text(&grant.principal.title),
        Cell::text(&grant.label),
        Cell::Text(resource),
        Cell::Text(grant.origin.to_short_string()),
    ]
}
