//! `confluent ebs gitops apply`.

use std::{path::PathBuf, time::Duration};

use serde::Serialize;

use super::{MaxRisk, PlannedRepository, open_planned, plan_view};
use crate::{
    commands::{
        CommandOutput, Ctx,
        connector::args::{BackupArgs, DEFAULT_TIMEOUT, SecretArgs},
        duration::parse_duration,
    },
    connectors::errors::combine_errors,
    env,
    error::{Error, ErrorKind},
    gitops::{
        AppliedPlan, ApplyExceptions, ApplyOptions, Approval, EvidenceContext, GitopsPlan, Risk, SavedPlans,
        SentSecret, apply_items, approve,
    },
    render::{Block, Style, TextLine, Viewable},
    text::{count_noun, join_code},
};

/// Apply the connector files: create, update and delete connectors
///
/// Plans again and applies the approved changes: those of --expect, those up to --max-risk, or those that you confirm.
/// In a pipeline (CI is set) the default is --max-risk normal. Waits until each connector runs; starts no further
/// change after two consecutive failures. Exits with 3 if changes are held back or remain, with 5 if a plan contains
/// errors, conflicts or violated policies or the stage is frozen, and with 7 if the plan differs from the approved plan.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Apply what \"gitops plan\" showed.

  $ confluent ebs gitops apply --profile claims-deployer --expect 22b31f8b7127b4efc16dbbcd32bd2d8c

Apply a saved plan in a pipeline, after its approval.

  $ confluent ebs gitops apply --expect plan.json")]
pub(super) struct GitopsApplyArgs {
    /// Plan ID, or a file written by "gitops plan --out": apply exactly these changes.
    #[arg(long, value_name = "id|file", conflicts_with = "max_risk")]
    expect: Option<String>,
    /// Highest risk to apply without a further approval.
    #[arg(long, value_name = "risk")]
    max_risk: Option<MaxRisk>,
    /// Number of connectors of a department that may be deleted; the default is 3, or a fifth of its connectors.
    #[arg(long, value_name = "number")]
    allow_deletes: Option<usize>,
    /// Ticket that allows an apply during a freeze of ebs.toml; recorded as evidence.
    #[arg(long, value_name = "ticket", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    break_glass: Option<String>,
    /// Folder of the evidence; the default is "evidence/connectors" beside ebs.toml, or the state folder.
    #[arg(long, value_name = "folder")]
    evidence_dir: Option<PathBuf>,
    /// Send all secrets of a connector, or the secret of one configuration key, even if nothing else differs; as for
    /// "gitops plan".
    #[arg(long, value_name = "connector[:key]")]
    send_secrets: Vec<SentSecret>,
    /// Timeout for each connector, such as 30s, 5m, or 2h.
    #[arg(long, value_name = "duration", default_value = DEFAULT_TIMEOUT, value_parser = parse_duration)]
    timeout: Duration,
    /// How long a changed connector must keep running, such as 30s, 5m, or 2h.
    #[arg(long, value_name = "duration", default_value = "90s", value_parser = parse_duration)]
    settle: Duration,
    #[command(flatten)]
    backup: BackupArgs,
    #[command(flatten)]
    secrets: SecretArgs,
}

impl GitopsApplyArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<GitopsResult>, Error> {
        let expected = self.expected()?;
        let PlannedRepository {
            workspace,
            mut session,
            planned,
        } = open_planned(ctx, &self.send_secrets)?;
        let plans = &planned.plans;
        if let (Some(Approval::Id(_)), 2..) = (&expected, plans.len()) {
            let names: Vec<&str> = plans.iter().map(|plan| plan.department.as_str()).collect();
            return Err(Error::usage(format!(
                "`--expect ID` is the plan of one department, not of {}",
                join_code(&names)
            ))
            .with_hint("Select the department with `--department CODE`, or pass the file of the plans."));
        }
        let mut approval_name = expected
            .as_ref()
            .map_or("max-risk normal".to_owned(), ToString::to_string);
        let approval = match expected {
            Some(expected) => expected,
            None if ctx.run.variable(env::CI).is_some() => Approval::UpTo(Some(Risk::Normal)),
            None => {
                if plans.iter().all(GitopsPlan::is_empty) && !plans.iter().any(GitopsPlan::is_refused) {
                    return Ok(CommandOutput::new(GitopsResult {
                        is_unchanged: true,
                        ..GitopsResult::default()
                    }));
                }
                if !confirm(ctx, plans)? {
                    return Ok(CommandOutput::empty());
                }
                "confirmation".clone_into(&mut approval_name);
                Approval::UpTo(Some(Risk::Destructive))
            }
        };
        let exceptions = ApplyExceptions {
            allowed_deletions: self.allow_deletes,
            break_glass: self.break_glass,
        };
        let mut approved = Vec::new();
        let mut failures = Vec::new();
        for (plan, department) in plans.iter().zip(&planned.departments) {
            match approve(plan, &approval, &exceptions) {
                Ok(items) => approved.push((plan, department, items)),
                // Nothing is started if anything is not what was approved.
                Err(error) if error.kind == ErrorKind::Stale => return Err(error),
                Err(error) => failures.push(error),
            }
        }
        let options = ApplyOptions {
            timeout: self.timeout,
            settle_time: self.settle,
            backup: self.backup.policy(),
            evidence: EvidenceContext {
                break_glass: exceptions.break_glass,
                ..EvidenceContext::new(&workspace, &session, self.evidence_dir, approval_name)
            },
        };
        let prompt = |question: &str| ctx.ui.ask_secret(question).ok();
        let mut result = GitopsResult::default();
        for (plan, department, items) in approved {
            session.department = Some(department.clone());
            let secrets = self.secrets.sources(&prompt);
            let work = apply_items(&ctx.run, &session, secrets, &planned, items, plan.id.clone(), &options);
            match ctx.block_on(work) {
                Ok((applied, error)) => {
                    result.departments.push(applied);
                    failures.extend(error);
                }
                Err(error) => failures.push(error),
            }
        }
        let wrote = result.departments.iter().any(|applied| !applied.done.is_empty());
        match (result.departments.is_empty(), combine_errors(failures, wrote)) {
            // Without a result, the view would say that nothing is to be changed.
            (true, Some(error)) => Err(error),
            (_, error) => Ok(CommandOutput::new(result).with_error_if_any(error)),
        }
    }

    fn expected(&self) -> Result<Option<Approval>, Error> {
        let Some(expected) = &self.expect else {
            return Ok(self.max_risk.map(Approval::from));
        };
        let path = PathBuf::from(expected);
        let is_id = expected.len() == 32 && expected.chars().all(|c| c.is_ascii_hexdigit());
        if is_id && !path.exists() {
            return Ok(Some(Approval::Id(expected.clone())));
        }
        SavedPlans::read(&path).map(|saved| Some(Approval::Plan(saved)))
    }
}

fn confirm(ctx: &Ctx, plans: &[GitopsPlan]) -> Result<bool, Error> {
    let blocks: Vec<Block> = plans.iter().flat_map(plan_view::plan_blocks).collect();
    ctx.ui.print_preview(&blocks)?;
    let changes = plans.iter().map(|plan| plan.items.len()).sum();
    if changes == 0 {
        return Ok(true);
    }
    ctx.confirm(&format!("Apply {}?", count_noun(changes, "change")))
}

/// Result of `gitops apply`.
#[derive(Debug, Default, Serialize)]
pub(super) struct GitopsResult {
    departments: Vec<AppliedPlan>,
    #[serde(skip)]
    is_unchanged: bool,
}

impl Viewable for GitopsResult {
    fn view(&self) -> Vec<Block> {
        let mut lines = Vec::new();
        for applied in &self.departments {
            for done in &applied.done {
                let id = done.lcc.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
                let verb = format!("{}: {}{id}", done.action, done.name);
                lines.push(
                    TextLine::new()
                        .with_styled_text(Style::Ok, "✓ ")
                        .with_styled_text(Style::Plain, verb),
                );
            }
            for held in &applied.held_back {
                let text = format!("Held back: {} {} ({} risk)", held.action, held.name, held.risk);
                lines.push(TextLine::new().with_styled_text(Style::Warning, text));
            }
            if let Some(path) = &applied.evidence {
                let text = format!("Evidence: {}", path.display());
                lines.push(TextLine::new().with_styled_text(Style::Muted, text));
            }
            lines.push(TextLine::from(format!(
                "Department {} in {}: {} applied, {} held back, {} not started.",
                applied.department,
                applied.stage,
                applied.done.len(),
                applied.held_back.len(),
                applied.not_started
            )));
        }
        if self.is_unchanged {
            lines.push(TextLine::from("Nothing to change: all connectors match their files."));
        }
        match lines.is_empty() {
            true => Vec::new(),
            false => vec![Block::Lines(lines)],
        }
    }
}
