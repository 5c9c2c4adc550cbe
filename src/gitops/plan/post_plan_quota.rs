//! Quota of the state after a plan.

use std::collections::BTreeMap;

use super::{DesiredFile, GitopsPlan, ItemAction, PlanProblem};
use crate::{
    api::connect::ExpandedConnector,
    model::{DepartmentQuota, PlatformTeam, Prefix},
    quota::{DepartmentUsage, tasks_max},
};

/// Adds an error for each limit that the plan would exceed. A department that exceeds a limit already, because the quota
/// was lowered, may still make changes that do not increase its usage.
pub(super) fn check_quota(
    plan: &mut GitopsPlan,
    observed: &BTreeMap<String, ExpandedConnector>,
    desired: &[DesiredFile],
    prefix: &Prefix,
    quota: &DepartmentQuota,
    platform_team: &PlatformTeam,
) {
    let files: BTreeMap<&str, &DesiredFile> = desired.iter().map(|file| (file.address.name.as_str(), file)).collect();
    let before = DepartmentUsage::from_connectors(observed, prefix);
    let mut after = before.tasks_by_connector.clone();
    for item in &plan.items {
        match item.action {
            ItemAction::Delete => drop(after.remove(&item.address.name)),
            ItemAction::Pause | ItemAction::Resume => {}
            ItemAction::Create | ItemAction::Update | ItemAction::Replace => {
                if let Some(former) = &item.replaces {
                    after.remove(former);
                }
                let Some(file) = files.get(item.address.name.as_str()) else {
                    continue;
                };
                let tasks = tasks_max(&file.config).unwrap_or(1);
                let former = after.insert(item.address.name.clone(), tasks).unwrap_or_default();
                let problem = |message: String| {
                    let fix = format!("Ask {platform_team} for a larger quota, or change the file.");
                    PlanProblem::new(&item.address.name, message).with_fix(fix)
                };
                if item.action != ItemAction::Update && !quota.allows_plugin(file.class()) {
                    let message = format!("the quota does not allow plugin `{}`", file.class());
                    plan.errors.push(problem(message));
                }
                if tasks > quota.tasks_per_connector && tasks > former {
                    let message = format!("`tasks.max` is {tasks}, the quota allows {}", quota.tasks_per_connector);
                    plan.errors.push(problem(message));
                }
            }
        }
    }
    let connectors = u32::try_from(after.len()).unwrap_or(u32::MAX);
    let tasks = after.values().copied().fold(0, u32::saturating_add);
    let limits = [
        ("connectors", before.connectors, connectors, quota.connectors),
        ("tasks", before.tasks, tasks, quota.tasks),
    ];
    for (noun, before, after, limit) in limits {
        if after > limit && after > before {
            plan.errors.push(PlanProblem {
                connector: None,
                message: format!(
                    "after this plan department `{}` has {after} {noun}, the quota allows {limit}",
                    plan.department
                ),
                fix: Some(format!("Delete connectors, or ask {platform_team} for a larger quota.")),
            });
        }
    }
}
