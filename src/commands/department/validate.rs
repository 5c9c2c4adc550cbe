//! `confluent ebs department validate`.

use super::load_platform;
use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    manifest::views::WorkspaceValidation,
    render::{Block, Viewable},
};

/// Validate ebs.toml, departments and templates
///
/// Reports all problems with file, line and column.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Validate the platform in the current directory.

  $ confluent ebs department validate")]
pub(super) struct DepartmentValidateArgs {}

impl DepartmentValidateArgs {
    #[expect(clippy::unused_self, reason = "every command runs the same way")]
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<WorkspaceValidation>, Error> {
        let (workspace, findings) = load_platform(ctx)?;
        let validation = WorkspaceValidation::new(&workspace, findings);
        let error = (!validation.is_valid()).then(|| {
            let count = validation.errors;
            let errors = if count == 1 { "error" } else { "errors" };
            Error::failed(format!("invalid platform configuration: {count} {errors}"))
        });
        let report = CommandOutput::new(validation);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

impl Viewable for WorkspaceValidation {
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
