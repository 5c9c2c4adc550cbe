//! Usage against quotas, as one result with its messages; pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::{ConnectorCondition, ObservationFailure, StageNames, at_least_prefix, quota_state::QuotaState};
use crate::{
    api::quota::AppliedQuota,
    diag::Finding,
    error::{Error, ErrorKind},
    manifest::Workspace,
    model::{ConnectorState, DepartmentCode},
    text::{capitalize, count_noun, join_list},
};

/// Result of a quota audit.
#[derive(Clone, Debug, Serialize)]
pub struct QuotaAudit {
    /// Time of the observation.
    pub taken_at: Timestamp,
    /// Selected department; `None` for all departments.
    pub department: Option<DepartmentCode>,
    /// Quota usage of each stage.
    pub stages: Vec<StageQuotaAudit>,
    /// Provider quotas of the organization.
    pub provider_quotas: Vec<ProviderQuota>,
    /// Data that could not be observed, with the reason.
    pub unknown: BTreeMap<String, String>,
}

/// Audit of a stage.
#[derive(Clone, Debug, Default, Serialize)]
pub struct StageQuotaAudit {
    pub(crate) stage: StageNames,
    pub(crate) cluster: String,
    /// Reason why the stage could not be observed.
    pub unknown: Option<ObservationFailure>,
    /// Usage of the whole cluster; `None` for a single department.
    pub cluster_usage: Option<ClusterQuotaUsage>,
    /// Departments, those over quota first.
    pub departments: Vec<DepartmentQuotaUsage>,
    /// Connectors whose names begin with no prefix of a department.
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
    pub(crate) status: ConnectorState,
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

/// Service quota of Confluent Cloud with its usage.
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
                let counted = count_both(departments, clusters);
                let verb = if departments + clusters == 1 {
                    "is over quota"
                } else {
                    "are over quota"
                };
                Some(format!("{counted} {verb}"))
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
        let whether = match departments.len() + clusters {
            0 => return None,
            1 => "is",
            _ => "are",
        };
        let counted = count_both(departments.len(), clusters);
        Some(format!("Unknown whether {counted} {whether} over quota."))
    }

    /// Returns the result in one or two sentences, and the condition that represents it.
    pub fn verdict(&self) -> (ConnectorCondition, String) {
        let unobserved = self.stages.iter().filter(|stage| stage.unknown.is_some()).count();
        let unclear = self.unknown_state_message();
        let (condition, verdict) = match (self.over_quota_message(), unobserved) {
            (Some(over), _) => (ConnectorCondition::Failed, Some(format!("{over}."))),
            (None, 1..) => (
                ConnectorCondition::Unknown,
                Some(format!("{} not observed.", count_noun(unobserved, "stage"))),
            ),
            (None, 0) if unclear.is_some() => (ConnectorCondition::Unknown, None),
            (None, 0) => (ConnectorCondition::Running, Some("No quota is exceeded.".to_owned())),
        };
        let sentences: Vec<String> = verdict.into_iter().chain(unclear).collect();
        (condition, capitalize(&sentences.join(" ")))
    }

    /// Returns what `-o sarif` reports, with the files of `workspace` that the findings belong to.
    #[must_use]
    pub fn findings(&self, workspace: &Workspace) -> Vec<Finding> {
        let findings = self.stages.iter().flat_map(StageQuotaAudit::findings);
        findings
            .map(|(department, finding)| workspace.locate(finding, department))
            .collect()
    }

    /// Returns the error if a department or cluster is over quota, or if a stage could not be observed.
    pub fn error(&self) -> Option<Error> {
        if let Some(message) = self.over_quota_message() {
            let hint = "Show the tasks of each connector with `confluent ebs quota describe --department CODE`.";
            return Some(Error::new(ErrorKind::Refused, message).with_hint(hint));
        }
        self.stages.iter().find_map(|stage| {
            let why = stage.unknown.as_ref()?;
            let kind = if why.denied {
                ErrorKind::Denied
            } else {
                ErrorKind::Failed
            };
            Some(Error::new(
                kind,
                format!("cannot observe stage `{}`: {why}", stage.stage),
            ))
        })
    }
}

/// Returns both numbers in words, without a zero.
fn count_both(departments: usize, clusters: usize) -> String {
    let counted = [(departments, "department"), (clusters, "cluster")];
    let counted = counted.into_iter().filter(|(number, _)| *number > 0);
    let counted: Vec<String> = counted.map(|(number, what)| count_noun(number, what)).collect();
    join_list(&counted)
}

impl DepartmentQuotaUsage {
    /// Returns whether the department exceeds any of its limits.
    pub fn is_over_quota(&self) -> bool {
        self.state == QuotaState::Over || !self.oversized.is_empty()
    }

    /// Formats used and allowed tasks, such as `12 of 20`; marked as a lower bound if a configuration is unreadable.
    pub fn tasks_text(&self) -> String {
        format!(
            "{}{} of {}",
            at_least_prefix(self.complete),
            self.tasks,
            self.tasks_limit
        )
    }

    /// Returns the label of a department's quota state.
    pub fn state_label(&self) -> &'static str {
        match self.state {
            QuotaState::Over => QuotaState::Over.label(),
            _ if !self.oversized.is_empty() => "connector over",
            state => state.label(),
        }
    }
}

impl ClusterQuotaUsage {
    /// Returns sentences about the usage of the whole cluster.
    pub fn sentences(&self) -> [String; 2] {
        let used = format!(
            "{} use {}{} of {} tasks; {} reserved.",
            count_noun(usize::try_from(self.connectors).unwrap_or(usize::MAX), "connector"),
            at_least_prefix(self.complete),
            self.tasks,
            self.tasks_allocatable,
            self.tasks_reserved
        );
        let allocated = format!(
            "Allocated quotas: {} tasks and {} connectors ({} % of the allocatable tasks).",
            self.tasks_allocated, self.connectors_allocated, self.allocated_percent
        );
        [capitalize(&used), allocated]
    }
}

impl StageQuotaAudit {
    /// Returns the findings about connectors, as sentences.
    pub fn notes(&self) -> Vec<String> {
        let findings = self.connector_findings().into_iter();
        findings.map(|(_, finding)| format!("{}.", finding.message)).collect()
    }

    fn connector_findings(&self) -> Vec<(Option<&DepartmentCode>, Finding)> {
        let mut findings = Vec::new();
        for row in &self.departments {
            findings.extend(row.oversized.iter().map(|connector| {
                let message = format!(
                    "{} uses {} tasks; the limit per connector of {} is {}",
                    connector.name, connector.tasks, row.department, row.tasks_per_connector_limit
                );
                (Some(&row.department), Finding::error("connector-over-quota", message))
            }));
        }
        findings.extend(self.unowned.iter().map(|row| {
            let account = match (&row.runs_as, &row.account_department) {
                (Some(account), Some(code)) => format!(", and runs as {account}, an account of {code}"),
                (Some(account), None) => format!(", and runs as {account}"),
                (None, _) => String::new(),
            };
            let tasks = count_noun(usize::try_from(row.tasks).unwrap_or(usize::MAX), "task");
            let least = at_least_prefix(row.complete);
            let message = format!("{} is unowned: {least}{tasks}{account}", row.name);
            (None, Finding::warning("unowned-connector", message))
        }));
        findings.extend(self.foreign_accounts.iter().map(|row| {
            let whose = match &row.account_department {
                Some(code) => format!("an account of {code}"),
                None => format!("which is not an account of {} in this stage", row.department),
            };
            let message = format!("{} runs as {}, {whose}", row.name, row.runs_as);
            (Some(&row.department), Finding::warning("foreign-account", message))
        }));
        let unknown = self.unknown_accounts.iter();
        findings.extend(unknown.map(|row| {
            let message = format!("The account of {} is unknown: {}", row.name, row.reason);
            (None, Finding::info("unknown-account", message))
        }));
        findings
    }

    /// Returns the findings of the stage with the departments that they are about, for code scanners.
    fn findings(&self) -> Vec<(Option<&DepartmentCode>, Finding)> {
        let stage = &self.stage;
        let unobserved = self.unknown.iter().map(|why| {
            let message = format!("stage `{stage}` could not be observed: {why}");
            (None, Finding::warning("unobserved-stage", message))
        });
        let cluster = self
            .cluster_usage
            .iter()
            .filter(|usage| usage.state == QuotaState::Over);
        let cluster = cluster.map(|usage| {
            let [used, _] = usage.sentences();
            let finding = Finding::error(
                "cluster-over-quota",
                format!("cluster `{}` is over quota: {used}", self.cluster),
            );
            (None, finding)
        });
        let departments = self.departments.iter().filter(|row| row.state == QuotaState::Over);
        let departments = departments.map(|row| {
            let message = format!(
                "department `{}` is over quota in stage `{stage}`: {} of {} connectors, {} tasks",
                row.department,
                row.connectors,
                row.connectors_limit,
                row.tasks_text()
            );
            (Some(&row.department), Finding::error("department-over-quota", message))
        });
        let all = unobserved.chain(cluster).chain(departments);
        all.chain(self.connector_findings()).collect()
    }
}
