//! `confluent ebs access test`.

use std::path::PathBuf;

use super::source_args::{DefaultSource, SourceArgs, source_line, uncertainty_lines};
use crate::{
    commands::{CommandOutput, Ctx, finding_document::FindingReport},
    error::Error,
    provisioning::access::{AccessTestOutcome, IsolationRow, test_access},
    render::{Block, Style, TextLine, Viewable},
    text,
};

/// Check access assertions and the isolation of departments
///
/// Checks assertions in TOML files against the platform files, and checks that no department has access to the
/// names of another one. Without a path, checks the built-in assertions for each template and the files in
/// "rbac-templates/tests" of the platform repository; a file there replaces the built-in file of the same name. Exits
/// with 5 if a check fails, and shows the role binding or ACL that is the cause. The platform files are checked as they
/// are, for one stage, without a connection; departments that are not in this stage are named. Besides "human", "json"
/// and "yaml", --output supports "sarif", "github" (annotations), "gitlab" (Code Quality), "junit" and "markdown".
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Check the platform files in this folder.

  $ confluent ebs access test

Check a merge request, for its summary.

  $ confluent ebs access test --planned --stage prod -o markdown

Check a file of assertions against the current state of Confluent Cloud.

  $ confluent ebs access test assertions.toml --live")]
pub(super) struct AccessTestArgs {
    /// File or folder of assertions.
    #[arg(value_name = "path")]
    path: Option<PathBuf>,
    /// Exit with 4 if data is missing.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    from: SourceArgs,
}

impl AccessTestArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<FindingReport<AccessTestOutcome>>, Error> {
        let context = self.from.load(ctx, DefaultSource::Planned)?;
        let outcome = test_access(context, self.path.as_deref())?;
        let error = outcome.error(self.strict);
        let title = format!("Access in stage {}", outcome.source.stage());
        let findings = outcome.all_findings();
        let report = FindingReport::new(outcome, ctx.globals.output, "access test", &title, &findings);
        Ok(CommandOutput::new(report).with_error_if_any(error))
    }
}

impl Viewable for AccessTestOutcome {
    fn view(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        if !self.findings.is_empty() {
            blocks.push(Block::Findings(self.findings.clone()));
        }
        let (style, verdict) = match self.failed {
            0 => (Style::Ok, "all passed".to_owned()),
            failed => (Style::Error, format!("{failed} FAILED")),
        };
        let assertions = text::count_noun(self.assertions, "assertion");
        let questions = text::count_noun(self.questions, "question");
        let summary = format!("Checked {assertions} with {questions}: {verdict}.");
        let mut lines = vec![TextLine::new().with_styled_text(style, summary)];
        for file in &self.unused_files {
            let text = format!("  {file}: skipped, no department uses its template.");
            lines.push(
                TextLine::new()
                    .with_styled_text(Style::Muted, text)
                    .with_hanging_indent(4),
            );
        }
        if self.personas_without_account > 0 {
            let count = text::count_noun(self.personas_without_account, "persona");
            lines.push(
                TextLine::from(format!("  Skipped, because they have no service account: {count}."))
                    .with_hanging_indent(4),
            );
        }
        if !self.departments_in_other_stages.is_empty() {
            let text = format!(
                "  Not checked, because they are only in other stages (`--stage`): {}.",
                text::join_code(&self.departments_in_other_stages)
            );
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        for role in &self.uncertain_roles {
            let text =
                format!("  Relies on {role}: if Confluent Cloud rejects it, the template's fallback role allows less.");
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        lines.extend(isolation_lines(&self.isolation));
        if !self.uncertainties.is_empty() {
            lines.push(TextLine::new().with_styled_text(Style::Warning, "The results may be incomplete:"));
            lines.extend(uncertainty_lines(&self.uncertainties));
        }
        lines.push(source_line(&self.source));
        blocks.push(Block::Lines(lines));
        blocks
    }
}

/// Returns the lines about the isolation check.
fn isolation_lines(isolation: &IsolationRow) -> Vec<TextLine> {
    let (style, verdict) = if isolation.holds {
        (Style::Ok, "passed")
    } else {
        (Style::Error, "FAILED")
    };
    let acls = match isolation.acls {
        0 => String::new(),
        acls => format!(" and {}", text::count_noun(acls, "ACL")),
    };
    let text = format!(
        "Isolation by name prefix: {verdict} (all operations, {} of departments, {}{acls}).",
        text::count_noun(isolation.pairs, "ordered pair"),
        text::count_noun(isolation.role_bindings, "role binding"),
    );
    let mut lines = vec![TextLine::new().with_styled_text(style, text)];
    for example in &isolation.counter_examples {
        let text = format!("  {}.", example.sentence);
        lines.push(
            TextLine::new()
                .with_styled_text(Style::Error, text)
                .with_hanging_indent(4),
        );
    }
    for shared in &isolation.shared_names {
        let text = format!(
            "  Shared by {} by design of Confluent Cloud: {} {}*.",
            text::count_noun(shared.departments, "department"),
            shared.kind.display_name(),
            shared.begins
        );
        lines.push(TextLine::from(text).with_hanging_indent(4));
    }
    if !isolation.account_creators.is_empty() {
        let text = format!(
            "  {} of departments may create service accounts, because ResourceOwner allows it.",
            text::count_noun(isolation.account_creators.len(), "account")
        );
        lines.push(TextLine::from(text).with_hanging_indent(4));
    }
    lines
}
