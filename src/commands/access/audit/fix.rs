//! Removes what is ours and should not be there: role bindings and ACLs of our accounts that no template asks for, and
//! keys whose secret nobody has. What belongs to others is never touched, and nothing is made.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    apply::Report as Applied,
    commands::{
        Ctx,
        estate::{
            AclSight, Estate, FolderArgs, departments,
            shown::{changes, totals},
            unfinished,
        },
        session::Session,
    },
    error::Error,
    model::{Department, DepartmentCode},
    plan::{self, Change, Plan},
    render::{Block, Line},
};

/// What was removed, or would be.
#[derive(Debug, Serialize)]
pub(crate) struct Fixed {
    dry_run: bool,
    changes: Vec<Change>,
    /// What is left for other commands.
    notices: Vec<String>,
    #[serde(flatten)]
    report: Option<Applied>,
    evidence: Vec<PathBuf>,
    #[serde(skip)]
    blocks: Vec<Block>,
}

impl Fixed {
    /// The plan, for people.
    pub(super) fn blocks(&self) -> Vec<Block> {
        self.blocks.clone()
    }

    /// Why not everything was removed.
    pub(super) fn error(&self) -> Option<Error> {
        unfinished(self.report.as_ref()?)
    }

    /// Whether anything is different now.
    pub(super) fn has_changed(&self) -> bool {
        self.report.as_ref().is_some_and(|report| !report.done.is_empty())
    }
}

/// Plans, asks and removes; `None` when the answer is no.
pub(super) fn fix(
    ctx: &Ctx,
    codes: &[DepartmentCode],
    folders: &FolderArgs,
    dry_run: bool,
) -> Result<Option<Fixed>, Error> {
    let session = Session::open(ctx, 8)?;
    let departments: Vec<Department> = match codes.is_empty() {
        true => session.workspace.active_departments().cloned().collect(),
        false => departments(&session, codes)?,
    };
    ctx.block_on(async {
        let estate = Estate::look(ctx, &session, &departments, folders, AclSight::Possible).await?;
        let plan = plan::removals(&estate.wanted(true), &estate.observed.snapshot);
        let mut fixed = Fixed {
            dry_run,
            changes: plan.changes.clone(),
            notices: plan.notices.clone(),
            report: None,
            evidence: Vec::new(),
            blocks: blocks(&plan, &departments),
        };
        if dry_run || plan.is_empty() {
            return Ok(Some(fixed));
        }
        if !ctx.globals.yes {
            ctx.ui.show(&fixed.blocks)?;
            if !ctx.confirm("Remove them?")? {
                return Ok(None);
            }
        }
        let (report, evidence) = estate.carry_out(ctx, "access audit --fix", &plan, 8).await?;
        fixed.report = Some(report);
        fixed.evidence = evidence;
        Ok(Some(fixed))
    })
}

fn blocks(plan: &Plan, departments: &[Department]) -> Vec<Block> {
    let titled = departments.iter().filter_map(|department| {
        let code = &department.code;
        Some(Block::titled(format!("Department {code}"), [changes(plan, code)?]))
    });
    let left: Vec<Line> = plan
        .notices
        .iter()
        .map(|notice| Line::from(format!("  {notice}")).hang(4))
        .collect();
    let left = (!left.is_empty()).then(|| Block::titled("Left as it is", [Block::Lines(left)]));
    titled.chain([Block::line(totals(plan))]).chain(left).collect()
}
