//! `confluent ebs access test`.

use std::path::PathBuf;

use serde::Serialize;

use super::{
    question::{Held, Named, doubt_lines},
    source::{From, Otherwise, Source},
};
use crate::{
    access::{
        Doubt, Operation, Scene,
        isolation::{self, CounterExample, Exposure},
        prove,
    },
    commands::{Ctx, Report},
    diag::{Finding, has_errors},
    error::Error,
    manifest::assertions::{self, Examined},
    model::{CrnPattern, DepartmentCode, Role},
    render::{Block, Line, Style, Viewable, words},
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
pub(super) struct Test {
    /// A file of assertions, or a folder of them.
    #[arg(value_name = "path")]
    path: Option<PathBuf>,
    /// Fail with 4 if something could not be looked at.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    from: From,
}

impl Test {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Tested>, Error> {
        let ground = self.from.look(ctx, Otherwise::Planned)?;
        let (files, mut findings) = match &self.path {
            Some(path) => ground.workspace.assertions_at(path),
            None => ground.workspace.assertions(),
        };
        if has_errors(&findings) {
            return Err(Error::findings("the assertions hold mistakes", findings));
        }
        let scene = &ground.scene;
        let examined = assertions::examine(&files, scene);
        let isolation = Isolation::prove(scene);
        findings.extend(examined.findings.iter().cloned());
        // What single questions could not see is a part of what could not be seen at all, but for what has no rule here.
        let is_known = |doubt: &&Doubt| {
            matches!(
                doubt,
                Doubt::UnknownRole { .. } | Doubt::UnknownAcl { .. } | Doubt::Group { .. }
            )
        };
        let unruly = examined.doubts.iter().filter(is_known).cloned();
        let doubts: Vec<Doubt> = scene.unlisted_anywhere().chain(unruly).collect();
        let error = failure(&examined, &isolation).or_else(|| {
            (self.strict && !doubts.is_empty())
                .then(|| Error::denied("what holds cannot be told: not everything could be looked at"))
        });
        let report = Report::new(Tested {
            assertions: examined.assertions,
            failed: examined.failed,
            questions: examined.questions,
            unused_files: examined.unused,
            personas_without_account: scene.members.iter().filter(|member| member.principal.is_none()).count(),
            findings,
            isolation,
            doubts,
            uncertain_roles: examined.uncertain.into_iter().collect(),
            source: ground.source,
        });
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}

/// The error that ends the command, when something does not hold.
fn failure(examined: &Examined, isolation: &Isolation) -> Option<Error> {
    let assertions = (examined.failed > 0).then(|| {
        let verb = if examined.failed == 1 { "does" } else { "do" };
        format!(
            "{} of {} {verb} not hold",
            examined.failed,
            words::count(examined.assertions, "assertion")
        )
    });
    let isolated = (!isolation.holds).then(|| "departments are not isolated".to_owned());
    let parts: Vec<String> = assertions.into_iter().chain(isolated).collect();
    (!parts.is_empty()).then(|| Error::refused(parts.join("; ")))
}

/// The proof of isolation.
#[derive(Debug, Serialize)]
struct Isolation {
    holds: bool,
    /// Ordered pairs of departments.
    pairs: usize,
    /// Role bindings that act for a department.
    role_bindings: usize,
    /// ACLs that act for a department.
    acls: usize,
    /// What departments share all the same, out of the closed list.
    exposures: Vec<Exposure>,
    /// Accounts of departments that may make new service accounts.
    account_makers: Vec<Named>,
    /// Why it does not hold.
    counter_examples: Vec<Reached>,
}

/// A department that reaches another.
#[derive(Debug, Serialize)]
struct Reached {
    department: DepartmentCode,
    operations: Vec<Operation>,
    resource: CrnPattern,
    reaches: DepartmentCode,
    /// How many more departments the same binding reaches.
    and_more: usize,
    through: Held,
    #[serde(skip)]
    sentence: String,
}

impl Isolation {
    fn prove(scene: &Scene) -> Self {
        let proved = prove(&scene.parties, &scene.evaluator, &scene.address);
        let holds = proved.holds();
        let (proof, examples) = match proved {
            isolation::Isolation::Proved(proof) => (proof, Vec::new()),
            isolation::Isolation::Refuted {
                counter_examples,
                proof,
            } => (proof, counter_examples),
        };
        let reached = |example: CounterExample| {
            let through = Held::new(scene, &example.binding);
            Reached {
                sentence: format!("{}; {}", example.sentence(&through.principal.title), through.origin),
                department: example.department,
                operations: example.operations,
                resource: example.resource,
                reaches: example.reaches,
                and_more: example.and_more,
                through,
            }
        };
        Self {
            holds,
            pairs: proof.pairs,
            role_bindings: proof.bindings,
            acls: proof.acls,
            exposures: proof.exposures,
            account_makers: proof
                .account_makers
                .iter()
                .map(|maker| Named::new(scene, maker))
                .collect(),
            counter_examples: examples.into_iter().map(reached).collect(),
        }
    }

    fn lines(&self) -> Vec<Line> {
        let (style, word) = match self.holds {
            true => (Style::Ok, "proved for all of"),
            false => (Style::Error, "refuted among"),
        };
        let acls = match self.acls {
            0 => String::new(),
            acls => format!(" and {}", words::count(acls, "ACL")),
        };
        let text = format!(
            "Isolation by name prefix: {word} {} of departments and every operation, over {}{acls}.",
            words::count(self.pairs, "ordered pair"),
            words::count(self.role_bindings, "role binding"),
        );
        let mut lines = vec![Line::new().styled(style, text)];
        for example in &self.counter_examples {
            let text = format!("  {}.", example.sentence);
            lines.push(Line::new().styled(Style::Error, text).hang(4));
        }
        for exposure in &self.exposures {
            let text = format!(
                "  Shared by {}, as Confluent makes it: {} {}*.",
                words::count(exposure.departments, "department"),
                exposure.kind.word(),
                exposure.begins
            );
            lines.push(Line::from(text).hang(4));
        }
        if !self.account_makers.is_empty() {
            let text = format!(
                "  {} of departments may make new service accounts, as every ResourceOwner may.",
                words::count(self.account_makers.len(), "account")
            );
            lines.push(Line::from(text).hang(4));
        }
        lines
    }
}

/// What `test` answers.
#[derive(Debug, Serialize)]
pub(super) struct Tested {
    assertions: usize,
    failed: usize,
    questions: usize,
    /// Files about templates that no department has.
    unused_files: Vec<String>,
    personas_without_account: usize,
    findings: Vec<Finding>,
    isolation: Isolation,
    /// What could not be looked at.
    doubts: Vec<Doubt>,
    /// Roles on which something rests that the service may refuse.
    uncertain_roles: Vec<Role>,
    source: Source,
}

impl Viewable for Tested {
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
        let checked = words::count(self.assertions, "assertion");
        let asked = words::count(self.questions, "question");
        let mut lines = vec![Line::new().styled(style, format!("Checked {checked} with {asked}: {word}."))];
        for file in &self.unused_files {
            lines.push(Line::new().styled(Style::Muted, format!("  {file}: no department has its template.")));
        }
        if self.personas_without_account > 0 {
            let count = words::count(self.personas_without_account, "persona");
            lines.push(Line::from(format!("  Not looked at, because they have no account: {count}.")).hang(4));
        }
        for role in &self.uncertain_roles {
            let text =
                format!("  Rests on {role}: if the service refuses it there, the template's fallback allows less.");
            lines.push(Line::from(text).hang(4));
        }
        lines.extend(self.isolation.lines());
        if !self.doubts.is_empty() {
            lines.push(Line::new().styled(Style::Warning, "All of this as far as could be seen:"));
            lines.extend(doubt_lines(&self.doubts));
        }
        lines.push(self.source.line());
        blocks.push(Block::Lines(lines));
        blocks
    }
}
