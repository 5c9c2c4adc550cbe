//! `confluent ebs gitops init`.

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    gitops::{
        DEFAULT_BRANCH, DEFAULT_RUNNER, Forge, GeneratedFileState, GitopsWorkspace, PipelineOptions, WrittenFile,
        write_pipelines,
    },
    render::{Block, Cell, Style, Table, TextLine, Viewable},
};

/// Write the pipelines of a forge for the connector files
///
/// Writes the pipelines, CODEOWNERS from "owners" of the platform files, lines of .gitignore, schemas and settings of
/// editors, and the shipped policies if there is no folder "policies"; they are yours afterwards. The pipelines validate
/// every push, plan and comment on merge requests, and apply approved plans after the merge. A file that was changed by
/// hand is not overwritten; a file without its first line is yours and is left alone. Run the command again after a new
/// department, stage or secret; the pipelines check it with --check.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Write workflows for GitHub Actions.

  $ confluent ebs gitops init --ci github

Write pipelines for GitLab that run in a container image with confluent-ebs.

  $ confluent ebs gitops init --ci gitlab --image registry.example.com/confluent-ebs:1.0

Check in a pipeline whether the files are current.

  $ confluent ebs gitops init --ci github --check")]
pub(super) struct GitopsInitArgs {
    /// Forge whose pipelines are written.
    #[arg(long, value_name = "forge")]
    ci: ForgeName,
    /// Compare the files without writing them, and exit with 1 if one differs.
    #[arg(long, conflicts_with = "force")]
    check: bool,
    /// Overwrite files that were changed by hand.
    #[arg(long)]
    force: bool,
    /// Protected branch whose commits are applied; GitLab has a setting for it.
    #[arg(long, value_name = "branch", default_value = DEFAULT_BRANCH, value_parser = PipelineOptions::parse_name)]
    branch: String,
    /// Runner: a label on GitHub, a tag on GitLab, an image or "pool:NAME" on Azure.
    #[arg(long, value_name = "name", default_value = DEFAULT_RUNNER, value_parser = PipelineOptions::parse_name)]
    runner: String,
    /// Container image with confluent-ebs and Git; without it, the runner itself must have them.
    #[arg(long, value_name = "image", value_parser = PipelineOptions::parse_name)]
    image: Option<String>,
    /// For a plan of GitHub without environments: apply in a job that is started by hand with the ID of a plan.
    #[arg(long)]
    without_environments: bool,
}

/// Value of `--ci`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ForgeName {
    /// GitHub Actions.
    Github,
    /// GitLab CI/CD.
    Gitlab,
    /// Azure Pipelines.
    Azure,
}

impl From<ForgeName> for Forge {
    fn from(name: ForgeName) -> Self {
        match name {
            ForgeName::Github => Self::Github,
            ForgeName::Gitlab => Self::Gitlab,
            ForgeName::Azure => Self::Azure,
        }
    }
}

impl GitopsInitArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<GitopsInit>, Error> {
        let workspace = GitopsWorkspace::open_or_new(&ctx.run)?;
        let options = PipelineOptions {
            forge: self.ci.into(),
            branch: self.branch,
            runner: self.runner,
            image: self.image,
            with_environments: !self.without_environments,
            check: self.check,
            force: self.force,
        };
        let files = write_pipelines(&workspace, &options)?;
        if !self.check && !workspace.root().join(".git").exists() {
            ctx.run
                .warn("the folder is not the root of a Git repository, where forges expect these files");
        }
        let different = files.iter().filter(|file| file.differs()).count();
        let incomplete = files.iter().any(|file| file.state == GeneratedFileState::Incomplete);
        let error = match different {
            _ if !self.check => None,
            0 => None,
            1 => Some(Error::failed("a generated file is not current")),
            count => Some(Error::failed(format!("{count} generated files are not current"))),
        };
        let generate = format!("Generate them with `{}` and commit them.", options.command());
        let error = error.map(|error| error.with_hint(generate));
        Ok(CommandOutput::new(GitopsInit {
            check: self.check,
            incomplete,
            files,
        })
        .with_error_if_any(error))
    }
}

/// Result of `gitops init`.
#[derive(Debug, Serialize)]
pub(super) struct GitopsInit {
    check: bool,
    #[serde(skip)]
    incomplete: bool,
    files: Vec<WrittenFile>,
}

impl Viewable for GitopsInit {
    fn view(&self) -> Vec<Block> {
        let mut table = Table::new(["File", "State"]);
        for file in &self.files {
            table.push([
                Cell::Text(file.path.display().to_string()),
                Cell::text(describe_state(file.state, self.check)),
            ]);
        }
        let mut blocks = vec![Block::Table(table)];
        if self.incomplete {
            let text = "Add `include: [{local: .gitlab/connectors.yml}]` to `.gitlab-ci.yml`, which is yours.";
            blocks.push(Block::Lines(vec![
                TextLine::new().with_styled_text(Style::Warning, text.to_owned()),
            ]));
        }
        blocks
    }
}

fn describe_state(state: GeneratedFileState, check: bool) -> &'static str {
    match (state, check) {
        (GeneratedFileState::Current, _) => "current",
        (GeneratedFileState::Own, _) => "yours, left alone",
        (GeneratedFileState::Incomplete, _) => "yours, lacks the pipelines",
        (GeneratedFileState::Missing, true) => "missing",
        (GeneratedFileState::Outdated, true) => "out of date",
        (GeneratedFileState::Edited, true) => "changed by hand",
        (GeneratedFileState::Missing, false) => "created",
        (GeneratedFileState::Outdated, false) => "updated",
        (GeneratedFileState::Edited, false) => "overwritten",
    }
}
