//! What is used, by whom, and what should not be: pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    api::{
        connect::{Expanded, Place},
        quota::AppliedQuota,
    },
    client::ClientError,
    commands::{
        fleet::{Owner, tells_tasks},
        quota::state::{State, is_complete},
    },
    model::{ConnectorIdentity, DepartmentCode, SeenAccount},
    plan::observe::identity,
    quota::{Ceiling, Usage, counts, metered},
    render::words::{count, list},
};

/// Service accounts by id.
pub(super) type Accounts = BTreeMap<String, SeenAccount>;

/// The whole audit.
#[derive(Clone, Debug, Serialize)]
pub(in crate::commands) struct Audit {
    /// When it was looked.
    pub(super) taken_at: Timestamp,
    /// The one department that was asked about.
    pub(super) department: Option<DepartmentCode>,
    /// By stage.
    pub(super) stages: Vec<StageAudit>,
    /// The provider's quotas of the organization.
    pub(super) provider_quotas: Vec<ProviderQuota>,
    /// What could not be looked at, each with the reason.
    pub(super) unknown: BTreeMap<String, String>,
}

/// One stage.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct StageAudit {
    pub(super) stage: String,
    pub(super) cluster: String,
    /// Why nothing could be seen.
    pub(super) unknown: Option<String>,
    #[serde(skip)]
    pub(super) denied: bool,
    /// The cluster as a whole; not for one department alone.
    pub(super) platform: Option<PlatformUse>,
    /// The departments, those that exceed first.
    pub(super) departments: Vec<DepartmentUse>,
    /// Connectors of no department.
    pub(super) unmanaged: Vec<Unmanaged>,
    /// Connectors whose account is somebody else's.
    pub(super) foreign_accounts: Vec<ForeignAccount>,
    /// Connectors of which nobody can say as whom they run.
    pub(super) unclear_accounts: Vec<Unclear>,
    /// The provider's quotas of the cluster.
    pub(super) provider_quotas: Vec<ProviderQuota>,
}

/// A cluster as a whole.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PlatformUse {
    pub(super) connectors: u32,
    pub(super) tasks: u32,
    /// Whether it is known of all connectors how many tasks count; if not, tasks are a lower bound.
    pub(super) complete: bool,
    /// How many departments may have together, how many more are kept free.
    pub(super) tasks_allocatable: u32,
    pub(super) tasks_reserved: u32,
    /// What the quotas of all departments come to.
    pub(super) tasks_promised: u32,
    pub(super) connectors_promised: u32,
    /// What is promised of what may be had, in percent; more than 100 is over-commit.
    pub(super) promised_percent: u32,
    pub(super) state: State,
    pub(super) over_seen_since: Option<Timestamp>,
}

/// One department.
#[derive(Clone, Debug, Serialize)]
pub(super) struct DepartmentUse {
    pub(super) department: DepartmentCode,
    pub(super) name: String,
    pub(super) connectors: u32,
    pub(super) connectors_limit: u32,
    pub(super) tasks: u32,
    pub(super) tasks_limit: u32,
    pub(super) tasks_per_connector_limit: u32,
    /// Whether it is known of all connectors how many tasks count; if not, tasks are a lower bound.
    pub(super) complete: bool,
    pub(super) state: State,
    /// Since when this computer has seen it exceed; the service does not tell.
    pub(super) over_seen_since: Option<Timestamp>,
    /// Connectors with more tasks than one may have.
    pub(super) oversized: Vec<Oversized>,
}

/// A connector with more tasks than one may have.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Oversized {
    pub(super) name: String,
    pub(super) tasks: u32,
}

/// A connector of no department.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Unmanaged {
    pub(super) name: String,
    pub(super) id: String,
    pub(super) status: String,
    pub(super) tasks: u32,
    /// Whether it is known how many tasks count; if not, tasks are a lower bound.
    pub(super) complete: bool,
    /// As whom it runs; nothing when that is not known.
    pub(super) runs_as: Option<String>,
    /// The department whose account that is.
    pub(super) account_of: Option<DepartmentCode>,
}

/// A connector that runs as somebody else.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ForeignAccount {
    pub(super) name: String,
    pub(super) department: DepartmentCode,
    pub(super) runs_as: String,
    /// Whose account it is; nothing when it is no department's in this stage.
    pub(super) account_of: Option<DepartmentCode>,
}

/// A connector of which nobody can say as whom it runs.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Unclear {
    pub(super) name: String,
    pub(super) reason: &'static str,
}

/// One quota of the provider.
#[derive(Clone, Debug, Serialize)]
pub(super) struct ProviderQuota {
    pub(super) quota_code: String,
    pub(super) name: String,
    /// Nothing where the provider tells no number of things.
    pub(super) limit: Option<u64>,
    /// Absent means unknown (dossier `quotas.md` §1.5).
    pub(super) used: Option<u64>,
    /// Nothing where the use or the limit is not known.
    pub(super) state: Option<State>,
}

impl ProviderQuota {
    pub(super) fn of(quota: &AppliedQuota) -> Self {
        let limit = u64::try_from(quota.applied_limit).ok();
        let used = quota.usage.and_then(|usage| u64::try_from(usage).ok());
        Self {
            quota_code: quota.id.clone(),
            name: quota.display_name.clone(),
            limit,
            used,
            state: used.zip(limit).map(|(used, limit)| State::of_one(used, limit)),
        }
    }
}

impl Audit {
    /// Who uses more than they may, in words: one by name, several by number.
    pub(super) fn over(&self) -> Option<String> {
        let departments = || {
            let rows = self
                .stages
                .iter()
                .flat_map(|stage| stage.departments.iter().map(move |row| (stage, row)));
            rows.filter(|(_, row)| row.exceeds())
        };
        let clusters = || {
            let is_over = |platform: &PlatformUse| platform.state == State::Over;
            self.stages
                .iter()
                .filter(move |stage| stage.platform.as_ref().is_some_and(is_over))
        };
        // A department that exceeds in two stages is one department.
        let codes: BTreeSet<&DepartmentCode> = departments().map(|(_, row)| &row.department).collect();
        let first = departments().next();
        match (codes.len(), clusters().count()) {
            (0, 0) => None,
            (1, 0) if departments().count() == 1 => first.map(|(stage, row)| {
                format!(
                    "department \"{}\" in stage {} uses more than it may",
                    row.department, stage.stage
                )
            }),
            (0, 1) => clusters()
                .next()
                .map(|stage| format!("cluster \"{}\" uses more than it may", stage.cluster)),
            (departments, clusters) => {
                let counted = [count(departments, "department"), count(clusters, "cluster")];
                let counted: Vec<String> = counted.into_iter().filter(|text| !text.starts_with("no ")).collect();
                let verb = if departments + clusters == 1 {
                    "uses more than it may"
                } else {
                    "use more than they may"
                };
                Some(format!("{} {verb}", list(&counted)))
            }
        }
    }

    /// Of how many nobody knows whether they use more than they may, in a sentence.
    pub(super) fn unclear(&self) -> Option<String> {
        let rows = self.stages.iter().flat_map(|stage| &stage.departments);
        let rows = rows.filter(|row| row.state == State::Unknown && !row.exceeds());
        let departments: BTreeSet<&DepartmentCode> = rows.map(|row| &row.department).collect();
        let platforms = self.stages.iter().filter_map(|stage| stage.platform.as_ref());
        let clusters = platforms.filter(|platform| platform.state == State::Unknown).count();
        let counted = [(departments.len(), "department"), (clusters, "cluster")];
        let counted = counted.into_iter().filter(|(number, _)| *number > 0);
        let counted: Vec<String> = counted.map(|(number, what)| count(number, what)).collect();
        let whether = match departments.len() + clusters {
            0 => return None,
            1 => "it uses more than it may",
            _ => "they use more than they may",
        };
        Some(format!("Of {} it is not known whether {whether}.", list(&counted)))
    }
}

impl DepartmentUse {
    /// Whether it uses more than it may, in whichever way.
    pub(super) fn exceeds(&self) -> bool {
        self.state == State::Over || !self.oversized.is_empty()
    }
}

/// One cluster, and what was listed of it.
pub(super) struct Cluster<'a> {
    pub(super) stage: &'a str,
    pub(super) place: &'a Place,
    pub(super) ceiling: Ceiling,
    pub(super) list: Result<&'a BTreeMap<String, Expanded>, &'a ClientError>,
    pub(super) quotas: Vec<ProviderQuota>,
}

/// Since when something has been seen so.
pub(super) type Since<'a> = &'a mut dyn FnMut(&str, &str) -> Timestamp;

/// What is known of all clusters.
pub(super) struct Judge<'a> {
    pub(super) owners: &'a [Owner],
    /// One department is meant, and nothing of others is to be told.
    pub(super) alone: bool,
    /// Nothing when they could not be listed.
    pub(super) accounts: Option<&'a Accounts>,
}

impl Judge<'_> {
    /// Judges one cluster.
    pub(super) fn stage(&self, cluster: Cluster<'_>, since: Since<'_>) -> StageAudit {
        let mut audit = StageAudit {
            stage: cluster.stage.to_owned(),
            cluster: cluster.place.cluster.to_string(),
            provider_quotas: cluster.quotas,
            ..StageAudit::default()
        };
        let list = match cluster.list {
            Ok(list) => list,
            Err(error) => {
                audit.unknown = Some(error.to_string());
                audit.denied = error.is_forbidden() || error.is_unauthorized();
                return audit;
            }
        };
        let mut departments: Vec<DepartmentUse> =
            self.owners.iter().map(|owner| department(owner, list, since)).collect();
        departments.sort_by_cached_key(|row| (!row.exceeds(), row.department.clone()));
        audit.departments = departments;
        if !self.alone {
            audit.platform = Some(self.platform(list, cluster.ceiling, since));
        }
        for (name, now) in list.iter().filter(|(_, now)| counts(now)) {
            match self.owners.iter().find(|owner| owner.prefix.owns(name)) {
                Some(owner) => self.account(cluster.stage, owner, name, now, &mut audit),
                None if self.alone => {}
                None => audit.unmanaged.push(self.unmanaged(cluster.stage, name, now)),
            }
        }
        audit
    }

    fn platform(&self, list: &BTreeMap<String, Expanded>, ceiling: Ceiling, since: Since<'_>) -> PlatformUse {
        let counted = || list.values().filter(|now| counts(now));
        let tasks = counted().map(tasks_of).fold(0, u32::saturating_add);
        let promised = self.owners.iter().map(|owner| owner.quota.tasks);
        let promised = promised.fold(0, u32::saturating_add);
        let connectors = self.owners.iter().map(|owner| owner.quota.connectors);
        let allocatable = ceiling.allocatable();
        let percent = u64::from(promised) * 100 / u64::from(allocatable.max(1));
        let complete = counted().all(tells_tasks);
        let state = State::of_tasks(tasks, allocatable, complete);
        let seen = since("over the cluster", word(state == State::Over));
        PlatformUse {
            connectors: u32::try_from(counted().count()).unwrap_or(u32::MAX),
            tasks,
            complete,
            tasks_allocatable: allocatable,
            tasks_reserved: ceiling.reserved(),
            tasks_promised: promised,
            connectors_promised: connectors.fold(0, u32::saturating_add),
            promised_percent: u32::try_from(percent).unwrap_or(u32::MAX),
            state,
            over_seen_since: (state == State::Over).then_some(seen),
        }
    }

    /// Notes a department's connector that runs under an account of somebody else.
    fn account(&self, stage: &str, owner: &Owner, name: &str, now: &Expanded, audit: &mut StageAudit) {
        let unclear = |reason: &'static str| Unclear {
            name: name.to_owned(),
            reason,
        };
        let id = match identity(&now.info.config) {
            Some(ConnectorIdentity::ServiceAccount(id)) => id,
            Some(ConnectorIdentity::ApiKey(_)) => {
                // Whose key it is `access audit` looks up, where the key is shown at all.
                return audit.unclear_accounts.push(unclear("it runs with an API key"));
            }
            Some(ConnectorIdentity::Other(_)) => {
                return audit
                    .unclear_accounts
                    .push(unclear("its `kafka.auth.mode` is not known here"));
            }
            None => {
                return audit
                    .unclear_accounts
                    .push(unclear("its configuration may not be read"));
            }
        };
        let Some(accounts) = self.accounts else {
            return audit
                .unclear_accounts
                .push(unclear("the service accounts could not be listed"));
        };
        let account = accounts.get(&id);
        let account_of = account.and_then(|account| department_of(account, stage));
        if account_of.as_ref() != Some(&owner.code) {
            audit.foreign_accounts.push(ForeignAccount {
                name: name.to_owned(),
                department: owner.code.clone(),
                runs_as: shown(account, &id),
                // Whose it is would be told to somebody who asked about one department only.
                account_of: account_of.filter(|_| !self.alone),
            });
        }
    }

    fn unmanaged(&self, stage: &str, name: &str, now: &Expanded) -> Unmanaged {
        let id = match identity(&now.info.config) {
            Some(ConnectorIdentity::ServiceAccount(id)) => Some(id),
            _ => None,
        };
        let account = id.as_ref().and_then(|id| self.accounts?.get(id));
        Unmanaged {
            name: name.to_owned(),
            id: now.id.id.clone(),
            status: now.status.connector.state.clone(),
            tasks: tasks_of(now),
            complete: tells_tasks(now),
            runs_as: id.map(|id| shown(account, &id)),
            account_of: account.and_then(|account| department_of(account, stage)),
        }
    }
}

/// The department that an account was made for in one of the stages `of` that share a cluster. A tag can be forged, so this
/// says whose it claims to be; `access audit` says who controls it.
fn department_of(account: &SeenAccount, of: &str) -> Option<DepartmentCode> {
    let tag = account.tag()?;
    of.split(", ").any(|stage| stage == tag.stage).then_some(tag.department)
}

fn shown(account: Option<&SeenAccount>, id: &str) -> String {
    match account {
        Some(account) => format!("{} ({id})", account.name),
        None => id.to_owned(),
    }
}

fn tasks_of(now: &Expanded) -> u32 {
    metered(&now.info.config, now.status.tasks.len())
}

fn word(over: bool) -> &'static str {
    if over { "over" } else { "within" }
}

fn department(owner: &Owner, list: &BTreeMap<String, Expanded>, since: Since<'_>) -> DepartmentUse {
    let usage = Usage::of(list, &owner.prefix);
    let complete = is_complete(&usage, list);
    let most = owner.quota.tasks_per_connector;
    let oversized = usage.tasks_by_connector.iter().filter(|(_, tasks)| **tasks > most);
    let mut row = DepartmentUse {
        department: owner.code.clone(),
        name: owner.name.clone(),
        connectors: usage.connectors,
        connectors_limit: owner.quota.connectors,
        tasks: usage.tasks,
        tasks_limit: owner.quota.tasks,
        tasks_per_connector_limit: most,
        complete,
        state: State::of(&usage, &owner.quota, complete),
        over_seen_since: None,
        oversized: oversized
            .map(|(name, tasks)| Oversized {
                name: name.clone(),
                tasks: *tasks,
            })
            .collect(),
    };
    let seen = since(&format!("over {}", owner.code), word(row.exceeds()));
    row.over_seen_since = row.exceeds().then_some(seen);
    row
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
