//! `confluent ebs access test`.

use std::path::PathBuf;

use serde::Serialize;

use super::{
    parse::{GrantRow, PrincipalView, uncertainty_lines},
    source::{AccessSource, DefaultSource, SourceArgs},
};
use crate::{
    access::{
        AccessModel, Operation, Uncertainty, check_isolation,
        isolation::{self, CounterExample, SharedName},
    },
    commands::{CommandOutput, Ctx},
    diag::{Finding, has_errors},
    error::Error,
    manifest::assertions::{self, AssertionReport},
    model::{CrnPattern, DepartmentCode, Role},
    render::{Block, Style, TextLine, Viewable},
    text,
};

/// Check access assertions and the isolation of departments
///
/// Checks assertions in TOML files against the platform configuration, and checks that no department has access to the
/// names of another one. Without a path, checks the built-in assertions for each template and the files in
/// "rbac-templates/tests" of the platform repository; a file there replaces the built-in file of the same name. Exits
/// with 5 if a check fails, and shows the role binding or ACL that is the cause.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Check the platform configuration in this folder.

  $ confluent ebs access test

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
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<AccessTestOutput>, Error> {
        let context = self.from.load(ctx, DefaultSource::Planned)?;
        let (files, mut findings) = match &self.path {
            Some(path) => context.workspace.assertions_at(path),
            None => context.workspace.assertions(),
        };
        if has_errors(&findings) {
            return Err(Error::findings("invalid assertions", findings));
        }
        let model = &context.model;
        let report = assertions::check_assertions(&files, model);
        let isolation = IsolationRow::check(model);
        findings.extend(report.findings.iter().cloned());
        // The gaps anywhere in the model include the gaps of single assertions, except those that depend on a grant.
        let depends_on_grant = |uncertainty: &&Uncertainty| {
            matches!(
                uncertainty,
                Uncertainty::UnknownRole { .. } | Uncertainty::UnknownAcl { .. } | Uncertainty::Group { .. }
            )
        };
        let of_grants = report.uncertainties.iter().filter(depends_on_grant).cloned();
        let uncertainties: Vec<Uncertainty> = model.visibility_gaps_anywhere().chain(of_grants).collect();
        let error = failure_error(&report, &isolation).or_else(|| {
            (self.strict && !uncertainties.is_empty())
                .then(|| Error::denied("the result is unknown because of missing data"))
        });
        let output = CommandOutput::new(AccessTestOutput {
            assertions: report.assertions,
            failed: report.failed,
            questions: report.questions,
            unused_files: report.unused_files,
            personas_without_account: model
                .personas
                .iter()
                .filter(|member| member.principal.is_none())
                .count(),
            findings,
            isolation,
            uncertainties,
            uncertain_roles: report.fallback_roles.into_iter().collect(),
            source: context.source,
        });
        Ok(match error {
            Some(error) => output.with_error(error),
            None => output,
        })
    }
}

/// Returns the error for failed assertions or a failed isolation check.
fn failure_error(report: &AssertionReport, isolation: &IsolationRow) -> Option<Error> {
    let assertions = (report.failed > 0).then(|| {
        format!(
            "{} of {} failed",
            report.failed,
            text::count_noun(report.assertions, "assertion")
        )
    });
    let overlap = (!isolation.holds).then(|| "departments are not isolated".to_owned());
    let parts: Vec<String> = assertions.into_iter().chain(overlap).collect();
    (!parts.is_empty()).then(|| Error::refused(parts.join("; ")))
}

/// Result of the isolation check.
#[derive(Debug, Serialize)]
struct IsolationRow {
    holds: bool,
    /// Number of ordered pairs of departments.
    pairs: usize,
    /// Number of role bindings of departments.
    role_bindings: usize,
    /// Number of ACLs of departments.
    acls: usize,
    /// Names that departments share by design of Confluent Cloud.
    shared_names: Vec<SharedName>,
    /// Service accounts of departments that may create service accounts.
    account_creators: Vec<PrincipalView>,
    /// Counter-examples of a failed check.
    counter_examples: Vec<CounterExampleRow>,
}

/// Access of one department to names of another one.
#[derive(Debug, Serialize)]
struct CounterExampleRow {
    department: DepartmentCode,
    operations: Vec<Operation>,
    resource: CrnPattern,
    reaches: DepartmentCode,
    /// Number of further departments that the same grant reaches.
    and_more: usize,
    granted_by: GrantRow,
    #[serde(skip)]
    sentence: String,
}

impl IsolationRow {
    fn check(model: &AccessModel) -> Self {
        let result = check_isolation(&model.departments, &model.evaluator, &model.address);
        let holds = result.has_passed();
        let (proof, examples) = match result {
            isolation::IsolationResult::Passed(proof) => (proof, Vec::new()),
            isolation::IsolationResult::Failed {
                counter_examples,
                proof,
            } => (proof, counter_examples),
        };
        let counter_example = |example: CounterExample| {
            let grant = GrantRow::new(model, &example.binding);
            CounterExampleRow {
                sentence: format!("{}; {}", example.to_sentence(&grant.principal.title), grant.origin),
                department: example.department,
                operations: example.operations,
                resource: example.resource,
                reaches: example.reaches,
                and_more: example.and_more,
                granted_by: grant,
            }
        };
        Self {
            holds,
            pairs: proof.pairs,
            role_bindings: proof.bindings,
            acls: proof.acls,
            shared_names: proof.shared_names,
            account_creators: proof
                .account_creators
                .iter()
                .map(|maker| PrincipalView::new(model, maker))
                .collect(),
            counter_examples: examples.into_iter().map(counter_example).collect(),
        }
    }

    fn lines(&self) -> Vec<TextLine> {
        let (style, verdict) = if self.holds {
            (Style::Ok, "passed")
        } else {
            (Style::Error, "FAILED")
        };
        let acls = match self.acls {
            0 => String::new(),
            acls => format!(" and {}", text::count_noun(acls, "ACL")),
        };
        let text = format!(
            "Isolation by name prefix: {verdict} (all operations, {} of departments, {}{acls}).",
            text::count_noun(self.pairs, "ordered pair"),
            text::count_noun(self.role_bindings, "role binding"),
        );
        let mut lines = vec![TextLine::new().with_styled_text(style, text)];
        for example in &self.counter_examples {
            let text = format!("  {}.", example.sentence);
            lines.push(
                TextLine::new()
                    .with_styled_text(Style::Error, text)
                    .with_hanging_indent(4),
            );
        }
        for shared in &self.shared_names {
            let text = format!(
                "  Shared by {} by design of Confluent Cloud: {} {}*.",
                text::count_noun(shared.departments, "department"),
                shared.kind.display_name(),
                shared.begins
            );
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        if !self.account_creators.is_empty() {
            let text = format!(
                "  {} of departments may create service accounts, because ResourceOwner allows it.",
                text::count_noun(self.account_creators.len(), "account")
            );
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        lines
    }
}

/// Output of `test`.
#[derive(Debug, Serialize)]
pub(super) struct AccessTestOutput {
    assertions: usize,
    failed: usize,
    questions: usize,
    /// Assertion files for templates that no department uses.
    unused_files: Vec<String>,
    personas_without_account: usize,
    findings: Vec<Finding>,
    isolation: IsolationRow,
    /// Reasons why the result may be incomplete.
    uncertainties: Vec<Uncertainty>,
    /// Roles that an assertion relies on and that Confluent Cloud may reject.
    uncertain_roles: Vec<Role>,
    source: AccessSource,
}

impl Viewable for AccessTestOutput {
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
        for role in &self.uncertain_roles {
            let text =
                format!("  Relies on {role}: if Confluent Cloud rejects it, the template's fallback role allows less.");
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        lines.extend(self.isolation.lines());
        if !self.uncertainties.is_empty() {
            lines.push(TextLine::new().with_styled_text(Style::Warning, "The results may be incomplete:"));
            lines.extend(uncertainty_lines(&self.uncertainties));
        }
        lines.push(self.source.line());
        blocks.push(Block::Lines(lines));
        blocks
    }
}
