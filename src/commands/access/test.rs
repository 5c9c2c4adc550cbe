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

/// Check what must and what must not be possible.
///
/// Checks assertions in TOML files against what the platform's files would give, and proves that no department reaches
/// another. Without a path these are the shipped assertions about every template, and those in the platform's folder
/// "rbac-templates/tests", where a file replaces the shipped one of the same name. Exits with 5 if something does not
/// hold, and shows the role binding or ACL that is the reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Check the platform in this folder.

  $ confluent ebs access test

Check a file of assertions against what the service says now.

  $ confluent ebs access test assertions.toml --live")]
pub(super) struct AccessTestArgs {
    /// A file of assertions, or a folder of them.
    #[arg(value_name = "path")]
    path: Option<PathBuf>,
    /// Fail with 4 if something could not be looked at.
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
            return Err(Error::findings("the assertions hold mistakes", findings));
        }
        let model = &context.model;
        let examined = assertions::check_assertions(&files, model);
        let isolation = IsolationRow::check(model);
        findings.extend(examined.findings.iter().cloned());
        // What single questions could not see is a part of what could not be seen at all, but for what has no rule here.
        let is_known = |uncertainty: &&Uncertainty| {
            matches!(
                uncertainty,
                Uncertainty::UnknownRole { .. } | Uncertainty::UnknownAcl { .. } | Uncertainty::Group { .. }
            )
        };
        let without_rule = examined.uncertainties.iter().filter(is_known).cloned();
        let uncertainties: Vec<Uncertainty> = model.visibility_gaps_anywhere().chain(without_rule).collect();
        let error = failure_error(&examined, &isolation).or_else(|| {
            (self.strict && !uncertainties.is_empty())
                .then(|| Error::denied("what holds cannot be told: not everything could be looked at"))
        });
        let report = CommandOutput::new(AccessTestOutput {
            assertions: examined.assertions,
            failed: examined.failed,
            questions: examined.questions,
            unused_files: examined.unused_files,
            personas_without_account: model
                .personas
                .iter()
                .filter(|member| member.principal.is_none())
                .count(),
            findings,
            isolation,
            uncertainties,
            uncertain_roles: examined.fallback_roles.into_iter().collect(),
            source: context.source,
        });
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// The error that ends the command, when something does not hold.
fn failure_error(examined: &AssertionReport, isolation: &IsolationRow) -> Option<Error> {
    let assertions = (examined.failed > 0).then(|| {
        let verb = if examined.failed == 1 { "does" } else { "do" };
        format!(
            "{} of {} {verb} not hold",
            examined.failed,
            text::count_noun(examined.assertions, "assertion")
        )
    });
    let isolated = (!isolation.holds).then(|| "departments are not isolated".to_owned());
    let parts: Vec<String> = assertions.into_iter().chain(isolated).collect();
    (!parts.is_empty()).then(|| Error::refused(parts.join("; ")))
}

/// The proof of isolation.
#[derive(Debug, Serialize)]
struct IsolationRow {
    holds: bool,
    /// Ordered pairs of departments.
    pairs: usize,
    /// Role bindings that act for a department.
    role_bindings: usize,
    /// ACLs that act for a department.
    acls: usize,
    /// What departments share all the same, out of the closed list.
    shared_names: Vec<SharedName>,
    /// Accounts of departments that may make new service accounts.
    account_makers: Vec<PrincipalView>,
    /// Why it does not hold.
    counter_examples: Vec<CounterExampleRow>,
}

/// A department that reaches another.
#[derive(Debug, Serialize)]
struct CounterExampleRow {
    department: DepartmentCode,
    operations: Vec<Operation>,
    resource: CrnPattern,
    reaches: DepartmentCode,
    /// How many more departments the same binding reaches.
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
        let reached = |example: CounterExample| {
            let through = GrantRow::new(model, &example.binding);
            CounterExampleRow {
                sentence: format!("{}; {}", example.to_sentence(&through.principal.title), through.origin),
                department: example.department,
                operations: example.operations,
                resource: example.resource,
                reaches: example.reaches,
                and_more: example.and_more,
                granted_by: through,
            }
        };
        Self {
            holds,
            pairs: proof.pairs,
            role_bindings: proof.bindings,
            acls: proof.acls,
            shared_names: proof.shared_names,
            account_makers: proof
                .account_makers
                .iter()
                .map(|maker| PrincipalView::new(model, maker))
                .collect(),
            counter_examples: examples.into_iter().map(reached).collect(),
        }
    }

    fn lines(&self) -> Vec<TextLine> {
        let (style, word) = match self.holds {
            true => (Style::Ok, "passed for all of"),
            false => (Style::Error, "failed among"),
        };
        let acls = match self.acls {
            0 => String::new(),
            acls => format!(" and {}", text::count_noun(acls, "ACL")),
        };
        let text = format!(
            "Isolation by name prefix: {word} {} of departments and every operation, over {}{acls}.",
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
        for exposure in &self.shared_names {
            let text = format!(
                "  Shared by {}, as Confluent makes it: {} {}*.",
                text::count_noun(exposure.departments, "department"),
                exposure.kind.display_name(),
                exposure.begins
            );
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        if !self.account_makers.is_empty() {
            let text = format!(
                "  {} of departments may make new service accounts, as every ResourceOwner may.",
                text::count_noun(self.account_makers.len(), "account")
            );
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        lines
    }
}

/// What `test` answers.
#[derive(Debug, Serialize)]
pub(super) struct AccessTestOutput {
    assertions: usize,
    failed: usize,
    questions: usize,
    /// Files about templates that no department has.
    unused_files: Vec<String>,
    personas_without_account: usize,
    findings: Vec<Finding>,
    isolation: IsolationRow,
    /// What could not be looked at.
    uncertainties: Vec<Uncertainty>,
    /// Roles on which something rests that the service may refuse.
    uncertain_roles: Vec<Role>,
    source: AccessSource,
}

impl Viewable for AccessTestOutput {
    fn view(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        if !self.findings.is_empty() {
            blocks.push(Block::Findings(self.findings.clone()));
        }
        let (style, word) = match self.failed {
            0 => (Style::Ok, "all hold".to_owned()),
            1 => (Style::Error, "1 does not hold".to_owned()),
            failed => (Style::Error, format!("{failed} do not hold")),
        };
        let checked = text::count_noun(self.assertions, "assertion");
        let asked = text::count_noun(self.questions, "question");
        let mut lines =
            vec![TextLine::new().with_styled_text(style, format!("Checked {checked} with {asked}: {word}."))];
        for file in &self.unused_files {
            lines.push(
                TextLine::new().with_styled_text(Style::Muted, format!("  {file}: no department has its template.")),
            );
        }
        if self.personas_without_account > 0 {
            let count = text::count_noun(self.personas_without_account, "persona");
            lines.push(
                TextLine::from(format!("  Not looked at, because they have no account: {count}."))
                    .with_hanging_indent(4),
            );
        }
        for role in &self.uncertain_roles {
            let text =
                format!("  Rests on {role}: if the service refuses it there, the template's fallback allows less.");
            lines.push(TextLine::from(text).with_hanging_indent(4));
        }
        lines.extend(self.isolation.lines());
        if !self.uncertainties.is_empty() {
            lines.push(TextLine::new().with_styled_text(Style::Warning, "All of this as far as could be seen:"));
            lines.extend(uncertainty_lines(&self.uncertainties));
        }
        lines.push(self.source.line());
        blocks.push(Block::Lines(lines));
        blocks
    }
}
