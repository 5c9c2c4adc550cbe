//! `confluent ebs connector lint`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{
    catalog::{ExceptedFinding, LintDepartment, LintOptions, LintResult, lint},
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    config::LoadedProfile,
    diag::{Finding, Severity},
    error::{Error, ErrorKind, ResultExt},
    manifest::connector_file,
    render::{Block, Style, TextLine, Viewable, to_sarif},
    session, text,
};

/// Lint connector files without network access
///
/// Reports all problems with file, line and column. A profile is optional; with one, the rules about your prefix, quota
/// and runtime account apply, too. Exits with 5 if a finding is an error, with 1 if a file cannot be read. Besides
/// "human", "json" and "yaml", --output supports "sarif" (SARIF 2.1.0 for code scanners).
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Lint a connector file.

  $ confluent ebs connector lint orders.json

Lint all files of a directory with the rules of your department, for a code scanner.

  $ confluent ebs connector lint connectors/ --profile claims-deployer -o sarif")]
pub(super) struct ConnectorLintArgs {
    /// Files or directories; \"-\" is standard input.
    #[arg(value_name = "file", required = true)]
    files: Vec<PathBuf>,
}

impl ConnectorLintArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorLintOutput>, Error> {
        let profile = session::load_selected_profile(&ctx.run, ctx.run.environment.dirs()?)?;
        let files = collect_files(&self.files)?;
        let mut checked = ConnectorLintOutput {
            files: files.len(),
            sarif: ctx.globals.output == OutputFormat::Sarif,
            ..ConnectorLintOutput::default()
        };
        let mut unreadable = 0;
        for file in &files {
            match lint_file(file, profile.as_ref()) {
                Ok(linted) => {
                    checked.findings.extend(linted.findings);
                    checked.excepted.extend(linted.excepted);
                }
                Err(findings) => {
                    unreadable += 1;
                    checked.findings.extend(findings);
                }
            }
        }
        let errors = checked.count(Severity::Error);
        let error = match (unreadable, errors) {
            (0, 0) => None,
            (0, 1) => Some(Error::refused("1 finding is an error")),
            (0, count) => Some(Error::refused(format!("{count} findings are errors"))),
            (1, _) => Some(Error::failed("cannot read 1 file")),
            (count, _) => Some(Error::failed(format!("cannot read {count} files"))),
        };
        let report = CommandOutput::new(checked);
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

fn lint_file(file: &Path, profile: Option<&LoadedProfile>) -> Result<LintResult, Vec<Finding>> {
    let read = match file.as_os_str() == connector_file::STANDARD_INPUT {
        true => connector_file::read_from(file, std::io::stdin().lock()).map_err(|error| {
            vec![Finding::error(
                "unreadable-file",
                format!("cannot read standard input: {error}"),
            )]
        })?,
        false => connector_file::read(file),
    }?;
    let facts = profile.map(|loaded| &loaded.profile.facts);
    let department = profile.map(|loaded| LintDepartment {
        prefix: &loaded.profile.facts.prefix,
        runtime_account: loaded.profile.runtime_account.as_ref(),
        quota: &loaded.profile.facts.quota,
    });
    let context = LintOptions {
        department,
        secret_variables: profile.map_or(&[], |loaded| &loaded.profile.secret_variables),
        exceptions: facts.map_or(&[], |facts| &facts.lint_exceptions),
    };
    Ok(lint(&read, &context))
}

/// Returns the selected files; a directory stands for all possible connector files in it, sorted.
fn collect_files(named: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        collect_folder(path, &mut files)?;
        if files.len() == before {
            return Err(
                Error::new(ErrorKind::Failed, format!("no connector file in `{}`", path.display()))
                    .with_hint("Connector files have the ending `.json`, `.yaml` or `.yml`."),
            );
        }
    }
    Ok(files)
}

fn collect_folder(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let ending = path
            .extension()
            .and_then(|ending| ending.to_str())
            .map(str::to_ascii_lowercase);
        if hidden {
            continue;
        }
        // Symbolic links are skipped, because a link to a directory may form a cycle.
        if path.is_dir() && !path.is_symlink() {
            collect_folder(&path, files)?;
        } else if matches!(ending.as_deref(), Some("json" | "yaml" | "yml")) {
            files.push(path);
        }
    }
    Ok(())
}

/// Result of `connector lint`.
#[derive(Debug, Default, Serialize)]
#[serde(into = "serde_json::Value")]
pub(super) struct ConnectorLintOutput {
    files: usize,
    findings: Vec<Finding>,
    excepted: Vec<ExceptedFinding>,
    sarif: bool,
}

impl ConnectorLintOutput {
    fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }
}

impl Clone for ConnectorLintOutput {
    fn clone(&self) -> Self {
        Self {
            files: self.files,
            findings: self.findings.clone(),
            excepted: self.excepted.clone(),
            sarif: self.sarif,
        }
    }
}

impl From<ConnectorLintOutput> for serde_json::Value {
    fn from(checked: ConnectorLintOutput) -> Self {
        serde_json::json!({
            "files": checked.files,
            "errors": checked.count(Severity::Error),
            "warnings": checked.count(Severity::Warning),
            "findings": checked.findings,
            "excepted": checked.excepted,
        })
    }
}

impl Viewable for ConnectorLintOutput {
    fn view(&self) -> Vec<Block> {
        if self.sarif {
            let text = serde_json::to_string_pretty(&to_sarif(&self.findings)).unwrap_or_default();
            return vec![Block::Verbatim(format!("{text}\n"))];
        }
        let mut blocks = Vec::new();
        let files = text::count_noun(self.files, "file");
        let summary = if self.findings.is_empty() {
            TextLine::new().with_styled_text(Style::Ok, format!("Checked {files}: no findings."))
        } else {
            // The list of findings ends with their number.
            blocks.push(Block::Findings(self.findings.clone()));
            TextLine::from(format!("Checked {files}."))
        };
        let mut lines = vec![summary];
        for excepted in &self.excepted {
            let rule = excepted.finding.rule;
            let text = format!("  {rule} does not apply: {}", excepted.reason);
            lines.push(
                TextLine::new()
                    .with_styled_text(Style::Muted, text)
                    .with_hanging_indent(4),
            );
        }
        blocks.push(Block::Lines(lines));
        blocks
    }
}
