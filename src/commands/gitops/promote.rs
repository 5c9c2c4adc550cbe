//! `confluent ebs gitops promote`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    gitops::{GitopsWorkspace, Promotion, promote_connector},
    render::{Block, Cell, Style, Table, TextLine, Viewable},
    session::ConnectorSession,
};

/// Write the file of a connector for the next stage
///
/// Copies the effective configuration of one stage over the base file. Values that differ between the stages in the same
/// way in all other files of the department are replaced. Addresses, accounts and references without such a pair are
/// listed, because they probably belong to the first stage. What the file of the next stage sets itself is kept. Refused
/// while the connector does not run, or differs from its file.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show the file for production without writing it.

  $ confluent ebs gitops promote claims-orders --from test --to prod --dry-run")]
pub(super) struct GitopsPromoteArgs {
    /// Name of the connector.
    #[arg(value_name = "name")]
    name: String,
    /// Stage in which the connector runs.
    #[arg(long, value_name = "stage")]
    from: String,
    /// Stage of the new file.
    #[arg(long, value_name = "stage")]
    to: String,
    /// Show the file without writing it.
    #[arg(long)]
    dry_run: bool,
}

impl GitopsPromoteArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<GitopsPromotion>, Error> {
        match &ctx.run.options.stage {
            Some(stage) if *stage != self.from => {
                return Err(Error::usage(format!(
                    "`--stage {stage}` contradicts `--from {}`",
                    self.from
                )));
            }
            _ => ctx.run.options.stage = Some(self.from.clone()),
        }
        let workspace = GitopsWorkspace::open(&ctx.run)?;
        let mut session = ConnectorSession::open(&ctx.run)?;
        let promotion = ctx.block_on(promote_connector(
            &ctx.run,
            &workspace,
            &mut session,
            &self.name,
            &self.to,
        ))?;
        if !self.dry_run {
            promotion.write(workspace.root())?;
        }
        Ok(CommandOutput::new(GitopsPromotion {
            dry_run: self.dry_run,
            promotion,
        }))
    }
}

/// Result of `gitops promote`.
#[derive(Debug, Serialize)]
pub(super) struct GitopsPromotion {
    dry_run: bool,
    #[serde(flatten)]
    promotion: Promotion,
}

impl Viewable for GitopsPromotion {
    fn view(&self) -> Vec<Block> {
        let promotion = &self.promotion;
        let mut blocks = Vec::new();
        if self.dry_run {
            blocks.push(Block::Verbatim(promotion.text.clone()));
        }
        if !promotion.review.is_empty() {
            let mut table = Table::new(["Check", "Value", "Reason"]);
            for value in &promotion.review {
                let reason = format!("{} of {}", value.reason, promotion.from);
                table.push([Cell::text(&value.config), Cell::text(&value.value), Cell::Text(reason)]);
            }
            blocks.push(Block::Table(table));
        }
        let verb = match (self.dry_run, promotion.replaces) {
            (true, _) => "[DRY RUN] Would write",
            (false, true) => "Replaced",
            (false, false) => "Wrote",
        };
        let counts = format!(
            "{verb} {}: {} replaced, {} to check, {} kept.",
            promotion.path.display(),
            promotion.replaced.len(),
            promotion.review.len(),
            promotion.kept.len()
        );
        let mut lines = vec![TextLine::from(counts)];
        if !promotion.review.is_empty() {
            let text = format!(
                "Check the values before you commit: they probably belong to {} only.",
                promotion.from
            );
            lines.push(TextLine::new().with_styled_text(Style::Warning, text));
        }
        blocks.push(Block::Lines(lines));
        blocks
    }
}
