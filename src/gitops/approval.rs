//! Which changes of a plan may be applied: those of an approved plan, or those up to a risk.

use std::{collections::BTreeSet, fmt, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    file_tree::ConnectorAddress,
    plan::{GitopsPlan, ItemAction, PLAN_FORMAT, PlanItem, Risk},
};
use crate::{
    diag::{Severity, SourceSpan},
    error::{Error, ErrorKind, ResultExt as _},
    manifest::gitops::FreezeWindow,
    text::{count_noun, join_code},
};

/// Number of deletions that every apply allows.
const MIN_DELETIONS: usize = 3;
/// Part of a department's connectors that one apply may delete.
const DELETED_PART: usize = 5;

/// What was approved.
#[derive(Clone, Debug)]
pub enum Approval {
    /// The plan with this id, and nothing else.
    Id(String),
    /// The changes of a saved plan; those that are done already need no approval.
    Plan(SavedPlans),
    /// All changes up to this risk; `None` allows no change.
    UpTo(Option<Risk>),
}

impl fmt::Display for Approval {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(_) | Self::Plan(_) => out.write_str("plan"),
            Self::UpTo(None) => out.write_str("max-risk none"),
            Self::UpTo(Some(risk)) => write!(out, "max-risk {risk}"),
        }
    }
}

/// Plans as `gitops plan --out` saves them.
#[derive(Clone, Debug, Deserialize)]
pub struct SavedPlans {
    plans: Vec<SavedPlan>,
}

#[derive(Clone, Debug, Deserialize)]
struct SavedPlan {
    format: u32,
    department: String,
    stage: String,
    id: Option<String>,
    items: Vec<SavedItem>,
}

#[derive(Clone, Debug, Deserialize)]
struct SavedItem {
    id: String,
    address: ConnectorAddress,
    action: ItemAction,
    config_hash: Option<String>,
}

impl SavedPlans {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// The file is not readable, is not a plan, has another format version, or contains a plan that cannot be applied.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("cannot read `{shown}`"))
            .hint("Pass a plan ID of 32 hexadecimal digits, or a file of `confluent ebs gitops plan --out FILE`.")?;
        let saved: Self = serde_json::from_str(&text).map_err(|error| {
            Error::failed(format!("`{shown}` is not a plan: {error}"))
                .with_hint("Save a plan with `confluent ebs gitops plan --out FILE`.")
        })?;
        if let Some(plan) = saved.plans.iter().find(|plan| plan.format != PLAN_FORMAT) {
            return Err(Error::failed(format!(
                "`{shown}` has format {}, this version reads format {PLAN_FORMAT}",
                plan.format
            )));
        }
        if saved.plans.iter().any(|plan| plan.id.is_none()) {
            return Err(Error::refused(format!(
                "the plan in `{shown}` contains errors, so it cannot be applied"
            )));
        }
        Ok(saved)
    }

    fn plan(&self, department: &str, stage: &str) -> Option<&SavedPlan> {
        self.plans
            .iter()
            .find(|plan| plan.department == department && plan.stage == stage)
    }
}

/// Changes to apply and those that wait for an approval.
#[derive(Clone, Debug, Default)]
pub struct ApprovedItems {
    /// Changes to apply, in the order of the plan.
    pub approved: Vec<PlanItem>,
    /// Changes whose risk is not allowed.
    pub held_back: Vec<PlanItem>,
}

/// Exceptions from the limits of an apply.
#[derive(Clone, Debug, Default)]
pub struct ApplyExceptions {
    /// Number of connectors of a department that may be deleted, instead of the usual limit.
    pub allowed_deletions: Option<usize>,
    /// Ticket that allows an apply during a freeze.
    pub break_glass: Option<String>,
}

/// Returns the approved changes of `plan`.
///
/// # Errors
/// The plan has errors or conflicts, is not the approved one (stale), deletes too many connectors of the department, or
/// changes connectors during a freeze.
pub fn approve(plan: &GitopsPlan, approval: &Approval, exceptions: &ApplyExceptions) -> Result<ApprovedItems, Error> {
    if plan.is_refused() {
        return Err(refused_plan(plan));
    }
    let (approved, held_back) = match approval {
        Approval::Id(id) => {
            if plan.id.as_ref() != Some(id) {
                return Err(stale(plan, &[]));
            }
            (plan.items.clone(), Vec::new())
        }
        Approval::Plan(saved) => {
            let saved = saved.plan(&plan.department, &plan.stage);
            let stale_items: Vec<&PlanItem> = plan
                .items
                .iter()
                .filter(|item| !saved.is_some_and(|saved| saved.approves(item)))
                .collect();
            if !stale_items.is_empty() {
                return Err(stale(plan, &stale_items));
            }
            (plan.items.clone(), Vec::new())
        }
        Approval::UpTo(risk) => plan
            .items
            .iter()
            .cloned()
            .partition(|item| risk.is_some_and(|risk| item.risk <= risk)),
    };
    let deletions = approved.iter().filter(|item| item.action == ItemAction::Delete).count();
    let allowed = exceptions
        .allowed_deletions
        .unwrap_or_else(|| MIN_DELETIONS.max(connector_count(plan) / DELETED_PART));
    if deletions > allowed {
        return Err(Error::refused(format!(
            "the plan deletes {} of department `{}`, {allowed} are allowed",
            count_noun(deletions, "connector"),
            plan.department
        ))
        .with_hint(format!(
            "Delete fewer at a time, or allow it with `--allow-deletes {deletions}`."
        )));
    }
    if let (Some(freeze), None, false) = (&plan.freeze, &exceptions.break_glass, approved.is_empty()) {
        return Err(frozen(plan, freeze));
    }
    Ok(ApprovedItems { approved, held_back })
}

fn frozen(plan: &GitopsPlan, freeze: &FreezeWindow) -> Error {
    Error::refused(freeze.describe(&plan.stage)).with_hint(
        "Apply after the freeze. In an emergency, `--break-glass TICKET` applies now and is recorded as evidence.",
    )
}

impl SavedPlan {
    /// Returns whether `item` was approved: as it is, or as the rest of an interrupted replacement, whose old connector is
    /// gone already.
    fn approves(&self, item: &PlanItem) -> bool {
        self.items.iter().any(|saved| {
            let is_rest = saved.action == ItemAction::Replace
                && item.action == ItemAction::Create
                && saved.address == item.address
                && saved.config_hash.is_some()
                && saved.config_hash == item.config_hash;
            saved.id == item.id || is_rest
        })
    }
}

fn refused_plan(plan: &GitopsPlan) -> Error {
    let problems = plan.conflicts.iter().chain(&plan.errors);
    let mut error = Error::refused(format!(
        "the plan of department `{}` contains errors, conflicts or violated policies, so it cannot be applied",
        plan.department
    ));
    for problem in problems {
        let place = problem
            .connector
            .as_deref()
            .map(|name| format!("`{name}`: "))
            .unwrap_or_default();
        let fix = problem.fix.as_deref().map(|fix| format!(" {fix}")).unwrap_or_default();
        error = error.with_hint(format!("{place}{}.{fix}", problem.message));
    }
    for finding in plan
        .policies
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
    {
        let place = finding.span.as_ref().map(SourceSpan::location).unwrap_or_default();
        let fix = finding.fix.as_deref().unwrap_or_default();
        error = error.with_hint(format!("`{place}`: {} [{}]. {fix}", finding.message, finding.rule));
    }
    error
}

fn stale(plan: &GitopsPlan, items: &[&PlanItem]) -> Error {
    let names: Vec<&str> = items.iter().map(|item| item.address.name.as_str()).collect();
    let what = match names.as_slice() {
        [] => String::new(),
        names => format!(" in {}", join_code(names)),
    };
    Error::new(
        ErrorKind::Stale,
        format!(
            "the plan of department `{}` is not the approved one{what}; nothing was changed",
            plan.department
        ),
    )
    .with_hint(
        "Files, policies or connectors changed since the plan was made. Plan again, and let the new plan be approved.",
    )
}

/// Change that waits for an approval, for the result of an apply.
#[derive(Clone, Debug, Serialize)]
pub struct HeldBackItem {
    /// Name of the connector.
    pub name: String,
    /// What would happen.
    pub action: ItemAction,
    /// Risk of the change, which decides whether it needs an approval.
    pub risk: Risk,
}

impl From<&PlanItem> for HeldBackItem {
    fn from(item: &PlanItem) -> Self {
        Self {
            name: item.address.name.clone(),
            action: item.action,
            risk: item.risk,
        }
    }
}

/// Returns the number of connectors of the department that `plan` knows.
fn connector_count(plan: &GitopsPlan) -> usize {
    let mut names: BTreeSet<&str> = plan.states.iter().map(|live| live.name.as_str()).collect();
    let without_file = plan.unmanaged.iter().chain(&plan.released);
    names.extend(without_file.map(|live| live.name.as_str()));
    names.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gitops::LiveFact;

    fn item(name: &str, action: ItemAction, risk: Risk, id: &str) -> PlanItem {
        PlanItem {
            id: id.to_owned(),
            address: ConnectorAddress {
                department: "claims".to_owned(),
                stage: "prod".to_owned(),
                name: name.to_owned(),
            },
            action,
            lcc: None,
            replaces: None,
            final_state: None,
            config_hash: Some("hash".to_owned()),
            fields: Vec::new(),
            risk,
            reasons: Vec::new(),
        }
    }

    fn plan(items: &[PlanItem]) -> GitopsPlan {
        let mut plan = GitopsPlan {
            format: PLAN_FORMAT,
            department: "claims".to_owned(),
            stage: "prod".to_owned(),
            items: items.to_vec(),
            ..GitopsPlan::default()
        };
        plan.seal();
        plan
    }

    fn saved(plan: &GitopsPlan) -> Approval {
        let text = serde_json::json!({ "plans": [plan] }).to_string();
        Approval::Plan(serde_json::from_str(&text).unwrap())
    }

    fn kind(result: Result<ApprovedItems, Error>) -> Result<(usize, usize), ErrorKind> {
        result
            .map(|items| (items.approved.len(), items.held_back.len()))
            .map_err(|error| error.kind)
    }

    #[test]
    fn an_id_approves_exactly_one_plan() {
        let create = item("claims-a", ItemAction::Create, Risk::Normal, "1");
        let approved = plan(std::slice::from_ref(&create));
        let approval = Approval::Id(approved.id.clone().unwrap());
        assert_eq!(
            kind(approve(&approved, &approval, &ApplyExceptions::default())),
            Ok((1, 0))
        );
        let other = plan(&[create, item("claims-b", ItemAction::Delete, Risk::Destructive, "2")]);
        assert_eq!(
            kind(approve(&other, &approval, &ApplyExceptions::default())),
            Err(ErrorKind::Stale)
        );
    }

    #[test]
    fn a_saved_plan_approves_what_remains_of_it_and_nothing_else() {
        let items = [
            item("claims-a", ItemAction::Create, Risk::Normal, "1"),
            item("claims-b", ItemAction::Replace, Risk::Destructive, "2"),
        ];
        let approval = saved(&plan(&items));
        assert_eq!(
            kind(approve(&plan(&items), &approval, &ApplyExceptions::default())),
            Ok((2, 0))
        );
        assert_eq!(
            kind(approve(&plan(&items[1..]), &approval, &ApplyExceptions::default())),
            Ok((1, 0))
        );
        assert_eq!(
            kind(approve(&plan(&[]), &approval, &ApplyExceptions::default())),
            Ok((0, 0))
        );
        // The old connector of the replacement is gone, the new one is missing.
        let rest = item("claims-b", ItemAction::Create, Risk::Normal, "3");
        assert_eq!(
            kind(approve(
                &plan(std::slice::from_ref(&rest)),
                &approval,
                &ApplyExceptions::default()
            )),
            Ok((1, 0))
        );
        let mut other = rest;
        other.config_hash = Some("other".to_owned());
        assert_eq!(
            kind(approve(&plan(&[other]), &approval, &ApplyExceptions::default())),
            Err(ErrorKind::Stale)
        );
    }

    #[test]
    fn a_risk_holds_back_what_is_above_it() {
        let items = [
            item("claims-a", ItemAction::Create, Risk::Normal, "1"),
            item("claims-b", ItemAction::Update, Risk::High, "2"),
            item("claims-c", ItemAction::Delete, Risk::Destructive, "3"),
        ];
        let counts = [None, Some(Risk::Normal), Some(Risk::High), Some(Risk::Destructive)].map(|risk| {
            kind(approve(
                &plan(&items),
                &Approval::UpTo(risk),
                &ApplyExceptions::default(),
            ))
            .unwrap()
        });
        assert_eq!(counts, [(0, 3), (1, 2), (2, 1), (3, 0)]);
    }

    #[test]
    fn deletions_are_limited_to_three_or_a_fifth() {
        let deletions = |count: usize| -> Vec<PlanItem> {
            let one = |number: usize| {
                item(
                    &format!("claims-{number}"),
                    ItemAction::Delete,
                    Risk::Destructive,
                    &number.to_string(),
                )
            };
            (0..count).map(one).collect()
        };
        let approve_deletions = |count: usize, connectors: usize, allowed_deletions: Option<usize>| {
            let mut plan = plan(&deletions(count));
            let live = |number: usize| LiveFact {
                name: format!("claims-{number}"),
                lcc: format!("lcc-{number}"),
                state: "RUNNING".to_owned(),
            };
            plan.states = (0..connectors).map(live).collect();
            let exceptions = ApplyExceptions {
                allowed_deletions,
                break_glass: None,
            };
            kind(approve(&plan, &Approval::UpTo(Some(Risk::Destructive)), &exceptions))
        };
        assert_eq!(approve_deletions(3, 4, None), Ok((3, 0)));
        assert_eq!(approve_deletions(4, 19, None), Err(ErrorKind::Refused));
        assert_eq!(approve_deletions(4, 20, None), Ok((4, 0)));
        assert_eq!(approve_deletions(4, 4, Some(4)), Ok((4, 0)));
        assert_eq!(approve_deletions(1, 4, Some(0)), Err(ErrorKind::Refused));
    }

    #[test]
    fn a_freeze_refuses_changes_unless_a_ticket_allows_them() {
        let mut frozen = plan(&[item("claims-a", ItemAction::Create, Risk::Normal, "1")]);
        frozen.freeze = Some(FreezeWindow {
            from: "2026-12-20T00:00:00Z".parse().unwrap(),
            until: "2027-01-04T00:00:00Z".parse().unwrap(),
            reason: "year end".to_owned(),
            stages: Vec::new(),
        });
        let approval = Approval::Id(frozen.id.clone().unwrap());
        let error = approve(&frozen, &approval, &ApplyExceptions::default()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert_eq!(
            error.to_string(),
            "stage `prod` is frozen until 2027-01-04T00:00:00Z: year end"
        );
        let ticket = ApplyExceptions {
            allowed_deletions: None,
            break_glass: Some("INC-1".to_owned()),
        };
        assert_eq!(kind(approve(&frozen, &approval, &ticket)), Ok((1, 0)));
        // Nothing to apply is no apply.
        let nothing = Approval::UpTo(None);
        assert_eq!(
            kind(approve(&frozen, &nothing, &ApplyExceptions::default())),
            Ok((0, 1))
        );
    }

    #[test]
    fn a_plan_with_errors_is_refused_whatever_was_approved() {
        let mut broken = plan(&[item("claims-a", ItemAction::Create, Risk::Normal, "1")]);
        let approval = Approval::Id(broken.id.clone().unwrap());
        broken.errors.push(crate::gitops::PlanProblem::new("claims-a", "wrong"));
        broken.seal();
        assert_eq!(
            kind(approve(&broken, &approval, &ApplyExceptions::default())),
            Err(ErrorKind::Refused)
        );
    }
}
