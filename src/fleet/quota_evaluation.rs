//! Evaluates the connectors of a cluster against quotas; pure.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    OwnerDepartment, StageNames, has_task_count,
    quota_audit::{
        ClusterQuotaUsage, DepartmentQuotaUsage, ForeignAccountConnector, OversizedConnector, ProviderQuota,
        StageQuotaAudit, UnknownAccountConnector, UnownedConnector,
    },
    quota_state::{QuotaState, is_complete},
};
use crate::{
    api::connect::{ClusterPath, ExpandedConnector},
    client::ClientError,
    model::{ConnectorIdentity, DepartmentCode, ObservedAccount},
    plan::observe::connector_identity,
    quota::{ClusterTaskLimit, DepartmentUsage, counted_tasks, is_counted},
};

/// Service accounts by id.
pub type AccountsById = BTreeMap<String, ObservedAccount>;

/// Cluster with its observed connectors.
pub struct ClusterInput<'a> {
    pub(crate) stage: &'a StageNames,
    pub(crate) cluster_path: &'a ClusterPath,
    pub(crate) ceiling: ClusterTaskLimit,
    pub(crate) list: Result<&'a BTreeMap<String, ExpandedConnector>, &'a ClientError>,
    pub(crate) quotas: Vec<ProviderQuota>,
}

/// Function that returns since when a subject has been observed in a state.
pub type StateSince<'a> = &'a mut dyn FnMut(&str, &str) -> Timestamp;

/// Observed data of all clusters.
pub struct QuotaEvaluator<'a> {
    pub(crate) owners: &'a [OwnerDepartment],
    /// Whether a single department is selected; the result must not reveal other departments then.
    pub single_department: bool,
    /// Service accounts; `None` if they could not be listed.
    pub accounts: Option<&'a AccountsById>,
}

impl QuotaEvaluator<'_> {
    /// Evaluates a cluster.
    pub fn evaluate_cluster(&self, cluster: ClusterInput<'_>, since: StateSince<'_>) -> StageQuotaAudit {
        let mut audit = StageQuotaAudit {
            stage: cluster.stage.clone(),
            cluster: cluster.cluster_path.cluster.to_string(),
            provider_quotas: cluster.quotas,
            ..StageQuotaAudit::default()
        };
        let list = match cluster.list {
            Ok(list) => list,
            Err(error) => {
                audit.unknown = Some(error.into());
                return audit;
            }
        };
        let mut departments: Vec<DepartmentQuotaUsage> = self
            .owners
            .iter()
            .map(|owner| evaluate_department(owner, list, since))
            .collect();
        departments.sort_by_cached_key(|row| (!row.is_over_quota(), row.department.clone()));
        audit.departments = departments;
        if !self.single_department {
            audit.cluster_usage = Some(self.evaluate_cluster_usage(list, cluster.ceiling, since));
        }
        for (name, now) in list.iter().filter(|(_, now)| is_counted(now)) {
            match self.owners.iter().find(|owner| owner.prefix.owns(name)) {
                Some(owner) => self.check_account(cluster.stage, owner, name, now, &mut audit),
                None if self.single_department => {}
                None => audit.unowned.push(self.evaluate_unowned(cluster.stage, name, now)),
            }
        }
        audit
    }

    fn evaluate_cluster_usage(
        &self,
        list: &BTreeMap<String, ExpandedConnector>,
        ceiling: ClusterTaskLimit,
        since: StateSince<'_>,
    ) -> ClusterQuotaUsage {
        let counted = || list.values().filter(|now| is_counted(now));
        let tasks = counted().map(task_count).fold(0, u32::saturating_add);
        let allocated = self.owners.iter().map(|owner| owner.quota.tasks);
        let allocated = allocated.fold(0, u32::saturating_add);
        let connectors = self.owners.iter().map(|owner| owner.quota.connectors);
        let allocatable = ceiling.allocatable();
        let percent = u64::from(allocated) * 100 / u64::from(allocatable.max(1));
        let complete = counted().all(has_task_count);
        let state = QuotaState::from_tasks(tasks, allocatable, complete);
        let over_since = since("over the cluster", over_quota_key(state == QuotaState::Over));
        ClusterQuotaUsage {
            connectors: u32::try_from(counted().count()).unwrap_or(u32::MAX),
            tasks,
            complete,
            tasks_allocatable: allocatable,
            tasks_reserved: ceiling.reserved(),
            tasks_allocated: allocated,
            connectors_allocated: connectors.fold(0, u32::saturating_add),
            allocated_percent: u32::try_from(percent).unwrap_or(u32::MAX),
            state,
            over_quota_observed_since: (state == QuotaState::Over).then_some(over_since),
        }
    }

    /// Checks whether a connector runs under an account of another department.
    fn check_account(
        &self,
        stage: &StageNames,
        owner: &OwnerDepartment,
        name: &str,
        now: &ExpandedConnector,
        audit: &mut StageQuotaAudit,
    ) {
        let unclear = |reason: &'static str| UnknownAccountConnector {
            name: name.to_owned(),
            reason,
        };
        let id = match connector_identity(&now.info.config) {
            Some(ConnectorIdentity::ServiceAccount(id)) => id,
            Some(ConnectorIdentity::ApiKey(_)) => {
                // `access audit` finds the owner of the key, if the key is readable.
                return audit.unknown_accounts.push(unclear("it runs with an API key"));
            }
            Some(ConnectorIdentity::Other(_)) => {
                return audit.unknown_accounts.push(unclear("its `kafka.auth.mode` is unknown"));
            }
            None => {
                return audit
                    .unknown_accounts
                    .push(unclear("its configuration is not readable"));
            }
        };
        let Some(accounts) = self.accounts else {
            return audit
                .unknown_accounts
                .push(unclear("the service accounts could not be listed"));
        };
        let account = accounts.get(&id);
        let account_of = account.and_then(|account| department_of_account(account, stage));
        if account_of.as_ref() != Some(&owner.code) {
            audit.foreign_accounts.push(ForeignAccountConnector {
                name: name.to_owned(),
                department: owner.code.clone(),
                runs_as: account_label(account, &id),
                // Must not reveal the owner to another department.
                account_department: account_of.filter(|_| !self.single_department),
            });
        }
    }

    fn evaluate_unowned(&self, stage: &StageNames, name: &str, now: &ExpandedConnector) -> UnownedConnector {
        let id = match connector_identity(&now.info.config) {
            Some(ConnectorIdentity::ServiceAccount(id)) => Some(id),
            _ => None,
        };
        let account = id.as_ref().and_then(|id| self.accounts?.get(id));
        UnownedConnector {
            name: name.to_owned(),
            id: now.id.id.clone(),
            status: now.status.connector.state.clone(),
            tasks: task_count(now),
            complete: has_task_count(now),
            runs_as: id.map(|id| account_label(account, &id)),
            account_department: account.and_then(|account| department_of_account(account, stage)),
        }
    }
}

/// Returns the department that an account claims in its tag, if the tag names one of the stages. Tags can be forged;
/// `access audit` verifies who controls the account.
fn department_of_account(account: &ObservedAccount, stages: &StageNames) -> Option<DepartmentCode> {
    let tag = account.tag()?;
    stages.contains(&tag.stage).then_some(tag.department)
}

fn account_label(account: Option<&ObservedAccount>, id: &str) -> String {
    match account {
        Some(account) => format!("{} ({id})", account.name),
        None => id.to_owned(),
    }
}

fn task_count(now: &ExpandedConnector) -> u32 {
    counted_tasks(&now.info.config, now.status.tasks.len())
}

fn over_quota_key(over: bool) -> &'static str {
    if over { "over" } else { "within" }
}

fn evaluate_department(
    owner: &OwnerDepartment,
    list: &BTreeMap<String, ExpandedConnector>,
    since: StateSince<'_>,
) -> DepartmentQuotaUsage {
    let usage = DepartmentUsage::from_connectors(list, &owner.prefix);
    let complete = is_complete(&usage, list);
    let most = owner.quota.tasks_per_connector;
    let oversized = usage.tasks_by_connector.iter().filter(|(_, tasks)| **tasks > most);
    let mut row = DepartmentQuotaUsage {
        department: owner.code.clone(),
        name: owner.name.clone(),
        connectors: usage.connectors,
        connectors_limit: owner.quota.connectors,
        tasks: usage.tasks,
        tasks_limit: owner.quota.tasks,
        tasks_per_connector_limit: most,
        complete,
        state: QuotaState::for_department(&usage, &owner.quota, complete),
        over_quota_observed_since: None,
        oversized: oversized
            .map(|(name, tasks)| OversizedConnector {
                name: name.clone(),
                tasks: *tasks,
            })
            .collect(),
    };
    let over_since = since(&format!("over {}", owner.code), over_quota_key(row.is_over_quota()));
    row.over_quota_observed_since = row.is_over_quota().then_some(over_since);
    row
}

#[cfg(test)]
#[path = "quota_evaluation_tests.rs"]
mod tests;
