//! `confluent ebs gitops validate`.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    diag::{Finding, RuleDescription},
    error::Error,
    gitops::{GitopsWorkspace, TreeValidation},
    render::{
        Block, Viewable, findings_to_markdown, sarif_text_with_rules, to_github_annotations, to_gitlab_code_quality,
        to_junit,
    },
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
    /// Files or directories below \"connectors\" whose findings are shown; the default is all.
    #[arg(value_name = "path")]
    paths: Vec<PathBuf>,
    /// Also report files that vanished or moved since this Git revision, such as "origin/main".
    #[arg(long, value_name = "revision")]
    changed_since: Option<String>,
}

impl GitopsValidateArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<GitopsValidation>, Error> {
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
        let output = GitopsValidation {
            document: document(
                ctx.globals.output,
                &validation.findings,
                &workspace.policies.descriptions(),
            ),
            validation,
        };
        Ok(CommandOutput::new(output).with_error_if_any(error))
    }
}

/// Returns the text of a format that is no view.
fn document(format: OutputFormat, findings: &[Finding], policies: &[RuleDescription]) -> Option<String> {
    const TITLE: &str = "gitops validate";
    let json = |value: &serde_json::Value| serde_json::to_string_pretty(value).unwrap_or_default() + "\n";
    match format {
        OutputFormat::Sarif => Some(sarif_text_with_rules(findings, policies)),
        OutputFormat::Github => Some(to_github_annotations(findings)),
        OutputFormat::Gitlab => Some(json(&to_gitlab_code_quality(findings))),
        OutputFormat::Junit => Some(to_junit(TITLE, findings)),
        OutputFormat::Markdown => Some(findings_to_markdown("Connector files", findings)),
        _ => None,
    }
}

/// Result of `gitops validate` in the selected format.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct GitopsValidation {
    validation: TreeValidation,
    #[serde(skip)]
    document: Option<String>,
}

impl Viewable for GitopsValidation {
    fn view(&self) -> Vec<Block> {
        if let Some(document) = &self.document {
            return vec![Block::Verbatim(document.clone())];
        }
        let validation = &self.validation;
        let mut blocks = Vec::new();
        if !validation.findings.is_empty() {
            blocks.push(Block::Findings(validation.findings.clone()));
        }
        let deletions = match validation.tombstones {
            0 => String::new(),
            count => format!(", {}", count_noun(count, "deletion")),
        };
        let result = if validation.findings.is_empty() {
            ": no findings"
        } else {
            ""
        };
        blocks.push(Block::line(format!(
            "Checked {} with {}{deletions}{result}.",
            count_noun(validation.files, "file"),
            count_noun(validation.connectors, "connector"),
        )));
        blocks
    }
}
