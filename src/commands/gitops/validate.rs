//! `confluent ebs gitops validate`.

use std::path::PathBuf;

use crate::{
    commands::{CommandOutput, Ctx, finding_document::FindingReport},
    error::Error,
    gitops::{GitopsWorkspace, TreeValidation},
    render::{Block, Viewable},
    text::count_noun,
};

/// Validate connector files without network access
///
/// Checks places, syntax, settings, the rules of "connector lint", names, the quota of the connectors that the files
/// describe together, and the policies of the site, whose tests run first. Exits with 5 if a finding is an error. Besides
/// "human", "json" and "yaml", --output supports "sarif", "github" (annotations), "gitlab" (Code Quality), "junit" and
/// "markdown".
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Validate all connector files.

  $ confluent ebs gitops validate

Validate a merge request: a file that vanishes is an error, because its connector would keep running.

  $ confluent ebs gitops validate --changed-since origin/main

Validate the files of a department, for the Code Quality report of GitLab.

  $ confluent ebs gitops validate connectors/claims -o gitlab > gl-code-quality-report.json")]
pub(super) struct GitopsValidateArgs {
    /// Files or directories below "connectors" whose findings are shown; the default is all.
    #[arg(value_name = "path")]
    paths: Vec<PathBuf>,
    /// Also report files that vanished or moved since this Git revision, such as "origin/main".
    #[arg(long, value_name = "revision")]
    changed_since: Option<String>,
}

impl GitopsValidateArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<FindingReport<TreeValidation>>, Error> {
        let workspace = GitopsWorkspace::open(&ctx.run)?;
        let mut validation = workspace.validate();
        if let Some(revision) = &self.changed_since {
            workspace.compare_with(&ctx.run, revision, &mut validation)?;
        }
        workspace.retain_paths(&mut validation, &self.paths)?;
        let error = match validation.errors {
            0 => None,
            1 => Some(Error::refused("1 finding is an error")),
            count => Some(Error::refused(format!("{count} findings are errors"))),
        };
        let findings = validation.findings.clone();
        let format = ctx.globals.output;
        let rules = workspace.policies.descriptions();
        let output = FindingReport::new(validation, format, "gitops validate", "Connector files", &findings)
            .with_rules(format, &findings, &rules);
        Ok(CommandOutput::new(output).with_error_if_any(error))
    }
}

impl Viewable for TreeValidation {
    fn view(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        if !self.findings.is_empty() {
            blocks.push(Block::Findings(self.findings.clone()));
        }
        let deletions = match self.tombstones {
            0 => String::new(),
            count => format!(", {}", count_noun(count, "deletion")),
        };
        let result = if self.findings.is_empty() { ": no findings" } else { "" };
        blocks.push(Block::line(format!(
            "Checked {} with {}{deletions}{result}.",
            count_noun(self.files, "file"),
            count_noun(self.connectors, "connector"),
        )));
        blocks
    }
}
