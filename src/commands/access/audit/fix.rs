//! Removes what is ours and should not be there: role bindings of our accounts that no template asks for, and keys whose
//! secret nobody has. What belongs to others is never touched, and nothing is made.

use std::path::PathBuf;

use serde::Serialize;

use crate::{
    apply::Report as Applied,
    commands::{
        Ctx,
        estate::{
            Estate, FolderArgs, departments,
            shown::{changes, totals},
            unfinished,
        },
        session::Session,
    },
    error::Error,
    model::{Department, DepartmentCode},
    plan::{self, Change, Operation, Plan},
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
        let estate = Estate::look(ctx, &session, &departments, folders).await?;
        let plan = removals(plan::diff(&estate.wanted(true), &estate.observed.snapshot));
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

/// The part of a plan that removes and needs nothing made before.
fn removals(mut plan: Plan) -> Plan {
    let refused = plan.refusals.drain(..);
    let refused = refused.map(|refusal| {
        format!(
            "{} is left as it is ({}): {}",
            refusal.department, refusal.rule, refusal.message
        )
    });
    plan.notices = refused.collect();
    let removes = |change: &Change| {
        matches!(
            change.operation,
            Operation::DeleteBinding { .. } | Operation::DeleteKey { .. }
        )
    };
    let all = std::mem::take(&mut plan.changes);
    let (replaced, alone): (Vec<_>, Vec<_>) = all
        .into_iter()
        .filter(removes)
        .partition(|change| !change.needs.is_empty());
    // What takes its place is made first, and by `onboard`.
    plan.notices.extend(replaced.into_iter().map(|change| {
        format!(
            "{} is replaced by `confluent ebs onboard {} --prune`",
            change.what, change.department
        )
    }));
    plan.changes = alone
        .into_iter()
        .enumerate()
        .map(|(id, change)| Change { id, ..change })
        .collect();
    plan
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Action;

    fn change(operation: Operation, needs: Vec<usize>) -> Change {
        Change {
            id: 7,
            department: "claims".parse().unwrap(),
            persona: "operator".into(),
            action: Action::Delete,
            what: "it".into(),
            why: String::new(),
            needs,
            operation,
        }
    }

    #[test]
    fn only_removals_that_stand_alone_are_left() {
        let key = || Operation::DeleteKey {
            id: "ABCDEFGH".parse().unwrap(),
            owner: "sa-1".parse().unwrap(),
            keeps: None,
        };
        let plan = removals(Plan {
            changes: vec![change(key(), vec![0]), change(key(), Vec::new())],
            ..Plan::default()
        });
        assert_eq!((plan.changes.len(), plan.changes[0].id), (1, 0));
        assert!(plan.changes[0].needs.is_empty());
        assert!(plan.notices[0].contains("onboard claims --prune"));
    }
}
