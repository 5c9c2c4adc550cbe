//! `confluent ebs department validate`.

use super::load_platform;
use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    manifest::views::WorkspaceValidation,
    render::{Block, Viewable},
    text::count_noun,
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
            let errors = count_noun(validation.errors, "error");
            Error::failed(format!("invalid platform files: {errors}"))
        });
        Ok(CommandOutput::new(validation).with_error_if_any(error))
    }
}

impl Viewable for WorkspaceValidation {
    fn view(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        if !self.findings.is_empty() {
            blocks.push(Block::Findings(self.findings.clone()));
        }
        blocks.push(Block::line(format!(
            "Checked {}: {}, {}, {}; {}, {}.",
            self.platform,
            count_noun(self.stages, "stage"),
            count_noun(self.departments, "department"),
            count_noun(self.templates, "template"),
            count_noun(self.errors, "error"),
            count_noun(self.warnings, "warning"),
        )));
        blocks
    }
}
