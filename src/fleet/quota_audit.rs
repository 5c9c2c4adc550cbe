//! Evaluates usage against quotas; pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::{
    OwnerDepartment, has_task_count,
    quota_state::{QuotaState, is_complete},
};
use crate::{
    api::{
        connect::{ClusterPath, ExpandedConnector},
        quota::AppliedQuota,
    },
    client::ClientError,
    model::{ConnectorIdentity, DepartmentCode, ObservedAccount},
    plan::observe::connector_identity,
    quota::{ClusterTaskLimit, DepartmentUsage, counted_tasks, is_counted},
    text::{count_noun, join_list},
};

/// Service accounts by id.
pub type AccountsById = BTreeMap<String, ObservedAccount>;

/// Result of a quota audit.
#[derive(Clone, Debug, Serialize)]
pub struct QuotaAudit {
    /// Time of the observation.
    pub taken_at: Timestamp,
    /// Selected department; `None` for all departments.
    pub department: Option<DepartmentCode>,
    /// Stages.
    pub stages: Vec<StageQuotaAudit>,
    /// Provider quotas of the organization.
    pub provider_quotas: Vec<ProviderQuota>,
    /// Data that could not be observed, with the reason.
    pub unknown: BTreeMap<String, String>,
}

/// Audit of a stage.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StageQuotaAudit {
    pub(crate) stage: String,
    pub(crate) cluster: String,
    /// Reason why the stage could not be observed.
    pub unknown: Option<String>,
    #[serde(skip)]
    pub(crate) denied: bool,
    /// Usage of the whole cluster; `None` for a single department.
    pub cluster_usage: Option<ClusterQuotaUsage>,
    /// Departments, those over quota first.
    pub departments: Vec<DepartmentQuotaUsage>,
    /// Unowned connectors.
    pub unowned: Vec<UnownedConnector>,
    /// Connectors that run under an account of another department.
    pub foreign_accounts: Vec<ForeignAccountConnector>,
    /// Connectors whose account is unknown.
    pub unknown_accounts: Vec<UnknownAccountConnector>,
    /// Provider quotas of the cluster.
    pub provider_quotas: Vec<ProviderQuota>,
}

/// Usage of a whole cluster.
#[derive(Clone, Debug, Serialize)]
pub struct ClusterQuotaUsage {
    pub(crate) connectors: u32,
    pub(crate) tasks: u32,
    /// Whether the task counts of all connectors are known; otherwise `tasks` is a lower bound.
    pub complete: bool,
    /// Tasks that all departments may use together, and reserved tasks.
    pub tasks_allocatable: u32,
    pub(crate) tasks_reserved: u32,
    /// Sum of the quotas of all departments.
    pub tasks_allocated: u32,
    pub(crate) connectors_allocated: u32,
    /// Allocated share of the allocatable tasks in percent; more than 100 means overcommitted.
    pub allocated_percent: u32,
    pub(crate) state: QuotaState,
    pub(crate) over_quota_observed_since: Option<Timestamp>,
}

/// Usage of a department.
#[derive(Clone, Debug, Serialize)]
pub struct DepartmentQuotaUsage {
    pub(crate) department: DepartmentCode,
    pub(crate) name: String,
    pub(crate) connectors: u32,
    pub(crate) connectors_limit: u32,
    pub(crate) tasks: u32,
    pub(crate) tasks_limit: u32,
    pub(crate) tasks_per_connector_limit: u32,
    /// Whether the task counts of all connectors are known; otherwise `tasks` is a lower bound.
    pub complete: bool,
    pub(crate) state: QuotaState,
    /// Time since when this machine has observed the department over quota; Confluent Cloud does not report it.
    pub over_quota_observed_since: Option<Timestamp>,
    /// Connectors with more tasks than the limit per connector.
    pub oversized: Vec<OversizedConnector>,
}

/// Connector with more tasks than the limit per connector.
#[derive(Clone, Debug, Serialize)]
pub struct OversizedConnector {
    pub(crate) name: String,
    pub(crate) tasks: u32,
}

/// Connector without a department.
#[derive(Clone, Debug, Serialize)]
pub struct UnownedConnector {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) status: String,
    pub(crate) tasks: u32,
    /// Whether the task count is known; otherwise `tasks` is a lower bound.
    pub complete: bool,
    /// Account of the connector; `None` if unknown.
    pub runs_as: Option<String>,
    /// Department of that account.
    pub account_department: Option<DepartmentCode>,
}

/// Connector that runs under an account of another department.
#[derive(Clone, Debug, Serialize)]
pub struct ForeignAccountConnector {
    pub(crate) name: String,
    pub(crate) department: DepartmentCode,
    pub(crate) runs_as: String,
    /// Department of the account; `None` if it belongs to no department in this stage.
    pub account_department: Option<DepartmentCode>,
}

/// Connector whose account is unknown.
#[derive(Clone, Debug, Serialize)]
pub struct UnknownAccountConnector {
    pub(crate) name: String,
    pub(crate) reason: &'static str,
}

/// Provider quota.
#[derive(Clone, Debug, Serialize)]
pub struct ProviderQuota {
    pub(crate) quota_code: String,
    pub(crate) name: String,
    /// Limit; `None` if the provider reports no count.
    pub limit: Option<u64>,
    /// Usage; `None` if unknown (docs/reference/quotas.md#service-quota-api).
    pub used: Option<u64>,
    /// State; `None` if usage or limit is unknown.
    pub state: Option<QuotaState>,
}

impl ProviderQuota {
    pub(crate) fn from_applied(quota: &AppliedQuota) -> Self {
        let limit = u64::try_from(quota.applied_limit).ok();
        let used = quota.usage.and_then(|usage| u64::try_from(usage).ok());
        Self {
            quota_code: quota.id.clone(),
            name: quota.display_name.clone(),
            limit,
            used,
            state: used.zip(limit).map(|(used, limit)| QuotaState::from_usage(used, limit)),
        }
    }
}

impl QuotaAudit {
    /// Returns a message about departments and clusters over quota: a single one by name, several by number.
    pub fn over_quota_message(&self) -> Option<String> {
        let departments = || {
            let rows = self
                .stages
                .iter()
                .flat_map(|stage| stage.departments.iter().map(move |row| (stage, row)));
            rows.filter(|(_, row)| row.is_over_quota())
        };
        let clusters = || {
            let is_over = |platform: &ClusterQuotaUsage| platform.state == QuotaState::Over;
            self.stages
                .iter()
                .filter(move |stage| stage.cluster_usage.as_ref().is_some_and(is_over))
        };
        // A department over quota in two stages counts once.
        let codes: BTreeSet<&DepartmentCode> = departments().map(|(_, row)| &row.department).collect();
        let first = departments().next();
        match (codes.len(), clusters().count()) {
            (0, 0) => None,
            (1, 0) if departments().count() == 1 => first.map(|(stage, row)| {
                format!(
                    "department `{}` in stage `{}` is over quota",
                    row.department, stage.stage
                )
            }),
            (0, 1) => clusters()
                .next()
                .map(|stage| format!("cluster `{}` is over quota", stage.cluster)),
            (departments, clusters) => {
                let counted = [count_noun(departments, "department"), count_noun(clusters, "cluster")];
                let counted: Vec<String> = counted.into_iter().filter(|text| !text.starts_with("no ")).collect();
                let verb = if departments + clusters == 1 {
                    "is over quota"
                } else {
                    "are over quota"
                };
                Some(format!("{} {verb}", join_list(&counted)))
            }
        }
    }

    /// Returns a sentence about departments and clusters whose state is unknown.
    pub fn unknown_state_message(&self) -> Option<String> {
        let rows = self.stages.iter().flat_map(|stage| &stage.departments);
        let rows = rows.filter(|row| row.state == QuotaState::Unknown && !row.is_over_quota());
        let departments: BTreeSet<&DepartmentCode> = rows.map(|row| &row.department).collect();
        let platforms = self.stages.iter().filter_map(|stage| stage.cluster_usage.as_ref());
        let clusters = platforms
            .filter(|platform| platform.state == QuotaState::Unknown)
            .count();
        let counted = [(departments.len(), "department"), (clusters, "cluster")];
        let counted = counted.into_iter().filter(|(number, _)| *number > 0);
        let counted: Vec<String> = counted.map(|(number, what)| count_noun(number, what)).collect();
        let whether = match departments.len() + clusters {
            0 => return None,
            1 => "is",
            _ => "are",
        };
        Some(format!("Unknown whether {} {whether} over quota.", join_list(&counted)))
    }
}

impl DepartmentQuotaUsage {
    /// Returns whether the department exceeds any of its limits.
    pub fn is_over_quota(&self) -> bool {
        self.state == QuotaState::Over || !self.oversized.is_empty()
    }
}

/// Cluster with its observed connectors.
pub struct ClusterInput<'a> {
    pub(crate) stage: &'a str,
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
            stage: cluster.stage.to_owned(),
            cluster: cluster.cluster_path.cluster.to_string(),
            provider_quotas: cluster.quotas,
            ..StageQuotaAudit::default()
        };
        let list = match cluster.list {
            Ok(list) => list,
            Err(error) => {
                audit.unknown = Some(error.to_string());
                audit.denied = error.is_forbidden() || error.is_unauthorized();
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
        stage: &str,
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

    fn evaluate_unowned(&self, stage: &str, name: &str, now: &ExpandedConnector) -> UnownedConnector {
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

/// Returns the department that an account claims in its tag, if its stage is one of the stages in `of`. Tags can be
/// forged; `access audit` verifies who controls the account.
fn department_of_account(account: &ObservedAccount, of: &str) -> Option<DepartmentCode> {
    let tag = account.tag()?;
    of.split(", ").any(|stage| stage == tag.stage).then_some(tag.department)
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
