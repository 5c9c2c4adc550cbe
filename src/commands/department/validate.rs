//! `confluent ebs department validate`.

use crate::{
    commands::{CommandOutput, Ctx, finding_document::FindingReport},
    error::Error,
    manifest::views::WorkspaceValidation,
    render::{Block, Viewable},
    session,
    text::count_noun,
};

/// Validate ebs.toml, departments and templates
///
/// Reports all problems with file, line and column. With --changed-since, also reports changes that cannot be taken back
/// or that leave accounts without an owner, such as another prefix, or a deleted file of an onboarded department. Besides
/// "human", "json" and "yaml", --output supports "sarif", "github" (annotations), "gitlab" (Code Quality), "junit" and
/// "markdown".
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Validate the platform in the current directory.

  $ confluent ebs department validate

Validate a merge request of the platform's repository.

  $ confluent ebs department validate --changed-since origin/main")]
pub(super) struct DepartmentValidateArgs {
    /// Also compare the files with this Git revision, such as "origin/main".
    #[arg(long, value_name = "revision")]
    changed_since: Option<String>,
}

impl DepartmentValidateArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<FindingReport<WorkspaceValidation>>, Error> {
        let mut loaded = session::load_workspace(&ctx.run, ctx.run.options.is_sandbox())?;
        let compared_with = match &self.changed_since {
            Some(revision) => Some(session::compare_with_revision(&ctx.run, &mut loaded, revision)?),
            None => None,
        };
        let validation = WorkspaceValidation::new(&loaded.workspace, loaded.findings, compared_with);
        let error = (!validation.is_valid()).then(|| {
            let errors = count_noun(validation.errors, "error");
            Error::failed(format!("invalid platform files: {errors}"))
        });
        let findings = validation.findings.clone();
        let format = ctx.globals.output;
        let report = FindingReport::new(validation, format, "department validate", "Platform files", &findings);
        Ok(CommandOutput::new(report).with_error_if_any(error))
    }
}

impl Viewable for WorkspaceValidation {
    fn view(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        if !self.findings.is_empty() {
            blocks.push(Block::Findings(self.findings.clone()));
        }
        let compared = self.compared_with.as_ref().map_or(String::new(), |commit| {
            format!(" Compared with commit `{}`.", commit.get(..12).unwrap_or(commit))
        });
        blocks.push(Block::line(format!(
            "Checked {}: {}, {}, {}; {}, {}.{compared}",
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
