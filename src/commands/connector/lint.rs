//! `confluent ebs connector lint`.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx, global_args::OutputFormat},
    connectors::{
        lint::{LintReport, lint_files},
        plugin_refresh::load_refreshed_catalog,
    },
    error::Error,
    render::{Block, Style, TextLine, Viewable, sarif_text},
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
    /// Files or directories; "-" is standard input.
    #[arg(value_name = "file", required = true)]
    files: Vec<PathBuf>,
}

impl ConnectorLintArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorLintOutput>, Error> {
        let profile = session::load_selected_profile(&ctx.run, ctx.run.environment.dirs()?)?;
        let catalog = load_refreshed_catalog(&ctx.run)?;
        let variables = &ctx.run.environment.variables;
        let (profile, catalog) = (profile.as_ref(), catalog.as_ref());
        let result = lint_files(&self.files, profile, catalog, variables, &mut std::io::stdin())?;
        if let (OutputFormat::Human, Some(report)) = (ctx.globals.output, &result.value) {
            ctx.run.info(format!("Checked with {} about plugins.", report.facts));
        }
        let sarif = ctx.globals.output == OutputFormat::Sarif;
        let output = |report| ConnectorLintOutput { report, sarif };
        Ok(result.map(output).into())
    }
}

/// Result of `connector lint` in the selected format.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct ConnectorLintOutput {
    report: LintReport,
    #[serde(skip)]
    sarif: bool,
}

impl Viewable for ConnectorLintOutput {
    fn view(&self) -> Vec<Block> {
        if self.sarif {
            return vec![Block::Verbatim(sarif_text(&self.report.findings))];
        }
        let report = &self.report;
        let mut blocks = Vec::new();
        let files = text::count_noun(report.files, "file");
        let summary = if report.findings.is_empty() {
            TextLine::new().with_styled_text(Style::Ok, format!("Checked {files}: no findings."))
        } else {
            // The list of findings ends with their number.
            blocks.push(Block::Findings(report.findings.clone()));
            TextLine::from(format!("Checked {files}."))
        };
        let mut lines = vec![summary];
        for excepted in &report.excepted {
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
