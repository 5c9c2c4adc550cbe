//! `confluent ebs gitops import`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    config::{IfExists, save::save_public},
    error::{Error, ResultExt as _},
    gitops::{ImportedFile, import_stage},
    render::{Block, Cell, Table, TextLine, Viewable},
    session::ConnectorSession,
    text::{count_noun, join_list},
};

/// Write files for connectors that have none
///
/// Keys that the service adds are left out, secrets become references, and masked values that are no secrets are marked to
/// be filled in. Existing files are not changed. After the variables are set, the plan is empty.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Adopt the connectors of a department in production.

  $ confluent ebs gitops import --department claims --stage prod")]
pub(super) struct GitopsImportArgs {
    /// Names of the connectors; the default is all without a file.
    #[arg(value_name = "name")]
    names: Vec<String>,
    /// Show the files without writing them.
    #[arg(long)]
    dry_run: bool,
}

impl GitopsImportArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<GitopsImport>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let (root, files) = ctx.block_on(import_stage(&ctx.run, &session, &self.names))?;
        if !self.dry_run {
            for file in &files {
                let path = root.join(&file.path);
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
                }
                // A file that exists by now is not replaced.
                save_public(&path, file.text.as_bytes(), IfExists::Keep)?;
            }
        }
        Ok(CommandOutput::new(GitopsImport {
            dry_run: self.dry_run,
            files,
        }))
    }
}

/// Result of `gitops import`.
#[derive(Debug, Serialize)]
pub(super) struct GitopsImport {
    dry_run: bool,
    files: Vec<ImportedFile>,
}

impl Viewable for GitopsImport {
    fn view(&self) -> Vec<Block> {
        if self.files.is_empty() {
            return vec![Block::line("All connectors have a file.")];
        }
        let mut table = Table::new(["File", "Variables", "Fill In"]);
        for file in &self.files {
            table.push([
                Cell::Text(file.path.display().to_string()),
                Cell::Multiline(file.variables.join("\n")),
                Cell::Multiline(file.fill_in.join("\n")),
            ]);
        }
        let files = count_noun(self.files.len(), "file");
        let mut lines = vec![TextLine::from(match self.dry_run {
            true => format!("[DRY RUN] Would write {files}."),
            false => format!("Wrote {files}."),
        })];
        let unfinished: Vec<&str> = self
            .files
            .iter()
            .filter(|file| !file.fill_in.is_empty())
            .map(|file| file.name.as_str())
            .collect();
        if !unfinished.is_empty() {
            lines.push(TextLine::from(format!(
                "Replace `<fill in>` in the files of {}.",
                join_list(&unfinished)
            )));
        }
        lines.push(TextLine::from(
            "Next: set the variables, and check the result with `confluent ebs gitops plan`.",
        ));
        vec![Block::Table(table), Block::Lines(lines)]
    }
}
