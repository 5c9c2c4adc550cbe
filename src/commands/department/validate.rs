//! `confluent ebs department validate`.

use super::look;
use crate::{
    commands::{Ctx, Report},
    error::Error,
    manifest::views::Validation,
    render::{Block, Viewable},
};

/// Check all files of the platform: ebs.toml, departments and templates.
///
/// Every problem is reported with file, line and column, not only the first one.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Check the platform in this folder.

  $ confluent ebs department validate")]
pub(super) struct Validate {}

impl Validate {
    #[expect(clippy::unused_self, reason = "every command runs the same way")]
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Validation>, Error> {
        let (workspace, findings) = look(ctx)?;
        let validation = Validation::new(&workspace, findings);
        let error = (!validation.is_valid()).then(|| {
            let count = validation.errors;
            let mistakes = if count == 1 { "mistake" } else { "mistakes" };
            Error::failed(format!("the platform's files hold {count} {mistakes}"))
        });
        let report = Report::new(validation);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

impl Viewable for Validation {
    fn view(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        if !self.findings.is_empty() {
            blocks.push(Block::Findings(self.findings.clone()));
        }
        blocks.push(Block::line(format!(
            "Checked {}: {} stages, {} departments, {} templates; {} errors, {} warnings.",
            self.platform, self.stages, self.departments, self.templates, self.errors, self.warnings
        )));
        blocks
    }
}
