//! `access audit --fix`: removes role bindings and ACLs of managed accounts that no template declares, and orphaned API
//! keys. It never changes unmanaged resources and creates nothing.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    apply::ProvisioningReport as Applied,
    commands::{
        Ctx,
        provisioning::{
            FolderArgs,
            plan_view::{department_changes, plan_totals},
        },
        session::PlatformSession,
    },
    error::Error,
    model::{Department, DepartmentCode},
    plan::{self, Plan, PlannedChange},
    provisioning::{AclLookup, Reconciliation, find_active_departments, incomplete_run_error},
    render::{Block, TextLine},
};

/// Removals that were planned or applied.
#[derive(Debug, Serialize)]
pub(crate) struct AuditFixOutput {
    dry_run: bool,
    changes: Vec<PlannedChange>,
    /// Notices about drift that `--fix` does not remove.
    notices: Vec<String>,
    #[serde(flatten)]
    report: Option<Applied>,
    evidence: Vec<PathBuf>,
    #[serde(skip)]
    plan_blocks: Vec<Block>,
}

impl AuditFixOutput {
    /// Returns the plan as blocks.
    pub(super) fn plan_blocks(&self) -> Vec<Block> {
        self.plan_blocks.clone()
    }

    /// Returns the error of an incomplete removal.
    pub(super) fn error(&self) -> Option<Error> {
        incomplete_run_error(self.report.as_ref()?)
    }

    /// Whether at least one change was applied.
    pub(super) fn has_changed(&self) -> bool {
        self.report.as_ref().is_some_and(|report| !report.done.is_empty())
    }
}

/// Plans the removals, asks for confirmation and applies them. Returns `None` if the user declines.
pub(super) fn remove_findings(
    ctx: &Ctx,
    codes: &[DepartmentCode],
    folders: &FolderArgs,
    dry_run: bool,
) -> Result<Option<AuditFixOutput>, Error> {
    let session = PlatformSession::open(&ctx.run, 8)?;
    let departments: Vec<Department> = if codes.is_empty() {
        session.workspace.active_departments().cloned().collect()
    } else {
        find_active_departments(&session, codes)?
    };
    ctx.block_on(async {
        let reconciliation = Reconciliation::observe(
            &ctx.run,
            &session,
            &departments,
            folders.to_options(),
            AclLookup::BestEffort,
        )
        .await?;
        let plan = plan::plan_prune(&reconciliation.plan_input(true), &reconciliation.observed.snapshot);
        let mut fix = AuditFixOutput {
            dry_run,
            changes: plan.changes.clone(),
            notices: plan.notices.clone(),
            report: None,
            evidence: Vec::new(),
            plan_blocks: build_blocks(&plan, &departments),
        };
        if dry_run || plan.is_empty() {
            return Ok(Some(fix));
        }
        if !ctx.globals.yes {
            ctx.ui.print_preview(&fix.plan_blocks)?;
            if !ctx.confirm("Apply these removals?")? {
                return Ok(None);
            }
        }
        let (report, evidence) = reconciliation.apply(&ctx.run, "access audit --fix", &plan, 8).await?;
        fix.report = Some(report);
        fix.evidence = evidence;
        Ok(Some(fix))
    })
}

fn build_blocks(plan: &Plan, departments: &[Department]) -> Vec<Block> {
    let titled = departments.iter().filter_map(|department| {
        let code = &department.code;
        Some(Block::titled(
            format!("Department {code}"),
            [department_changes(plan, code)?],
        ))
    });
    let notices: Vec<TextLine> = plan
        .notices
        .iter()
        .map(|notice| TextLine::from(format!("  {notice}")).with_hanging_indent(4))
        .collect();
    let notices = (!notices.is_empty()).then(|| Block::titled("Unchanged", [Block::Lines(notices)]));
    titled.chain([Block::line(plan_totals(plan))]).chain(notices).collect()
}
