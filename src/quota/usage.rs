//! Quota usage (docs/reference/quotas.md#counting-connectors). Every existing connector counts, whatever its state, so
//! that resuming a connector never fails because of a quota.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{api::connect::ExpandedConnector, model::Prefix};

/// Invalid value of `tasks.max`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid `tasks.max` `{0}`: not a positive whole number")]
pub struct InvalidTasks(pub String);

/// Returns the `tasks.max` of a configuration; the default is 1 (docs/reference/quotas.md#counting-connectors).
///
/// # Errors
/// When the value is zero, negative or not a number.
pub fn tasks_max(config: &BTreeMap<String, String>) -> Result<u32, InvalidTasks> {
    match config.get("tasks.max") {
        None => Ok(1),
        Some(text) => match text.trim().parse() {
            Ok(tasks) if tasks > 0 => Ok(tasks),
            _ => Err(InvalidTasks(text.clone())),
        },
    }
}

/// Returns the number of tasks that a connector counts for: the larger of `tasks.max` and the running tasks. A failed
/// connector may report no tasks.
#[must_use]
pub fn counted_tasks(config: &BTreeMap<String, String>, tasks: usize) -> u32 {
    let running = u32::try_from(tasks).unwrap_or(u32::MAX);
    tasks_max(config).unwrap_or(1).max(running)
}

/// Returns whether a connector counts: in every state except DELETED (docs/reference/quotas.md#counting-connectors).
#[must_use]
pub fn is_counted(connector: &ExpandedConnector) -> bool {
    !connector.status.connector.state.is_deleted()
}

fn connector_tasks(connector: &ExpandedConnector) -> u32 {
    counted_tasks(&connector.info.config, connector.status.tasks.len())
}

/// Quota usage of a department.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DepartmentUsage {
    /// Number of connectors.
    pub connectors: u32,
    /// Number of tasks; a lower bound if a configuration is unreadable.
    pub tasks: u32,
    /// Tasks of each connector.
    pub tasks_by_connector: BTreeMap<String, u32>,
    /// Connectors with unreadable configurations, whose tasks are estimates.
    pub unreadable: Vec<String>,
}

impl DepartmentUsage {
    /// Computes the usage of the connectors whose names begin with `prefix` from the expanded list of a cluster.
    #[must_use]
    pub fn from_connectors(list: &BTreeMap<String, ExpandedConnector>, prefix: &Prefix) -> Self {
        let mut usage = Self::default();
        for (name, connector) in list.iter().filter(|(name, c)| prefix.owns(name) && is_counted(c)) {
            let tasks = connector_tasks(connector);
            usage.connectors += 1;
            usage.tasks = usage.tasks.saturating_add(tasks);
            usage.tasks_by_connector.insert(name.clone(), tasks);
            if connector.info.config.is_empty() {
                usage.unreadable.push(name.clone());
            }
        }
        usage
    }
}

/// Number of tasks on a cluster as far as the caller can see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "known", content = "tasks")]
pub enum ClusterUsage {
    /// Lower bound: the list contains connectors of several owners.
    #[serde(rename = "yes")]
    Known(u32),
    /// The list contains only the caller's connectors; others may be hidden.
    #[serde(rename = "no")]
    Unknown,
}

impl ClusterUsage {
    /// Computes the usage of the cluster for the owner of `prefix`. `is_platform_scope` is set for callers who can list
    /// all connectors.
    #[must_use]
    pub fn from_connectors(
        list: &BTreeMap<String, ExpandedConnector>,
        prefix: &Prefix,
        is_platform_scope: bool,
    ) -> Self {
        if !is_platform_scope && list.keys().all(|name| prefix.owns(name)) {
            return Self::Unknown;
        }
        let tasks = list.values().filter(|c| is_counted(c)).map(connector_tasks);
        Self::Known(tasks.fold(0, u32::saturating_add))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::connect::TaskStatus;

    pub(crate) fn connector(tasks_max: Option<&str>, running: usize, state: &str) -> ExpandedConnector {
        let mut connector = ExpandedConnector::default();
        connector
            .info
            .config
            .insert("connector.class".into(), "DatagenSource".into());
        if let Some(tasks) = tasks_max {
            connector.info.config.insert("tasks.max".into(), tasks.into());
        }
        connector.status.connector.state = state.into();
        connector.status.tasks = vec![TaskStatus::default(); running];
        connector
    }

    fn prefix() -> Prefix {
        Prefix::parse("claims-").unwrap()
    }

    // Cases from docs/reference/quotas.md#counting-connectors.
    #[test]
    fn every_state_except_deleted_counts_in_full() {
        for state in [
            "",
            "NONE",
            "PROVISIONING",
            "RUNNING",
            "DEGRADED",
            "FAILED",
            "PAUSED",
            "NEW",
        ] {
            let list = [("claims-a".to_owned(), connector(Some("3"), 0, state))].into();
            assert_eq!(DepartmentUsage::from_connectors(&list, &prefix()).tasks, 3, "{state}");
        }
        let list = [("claims-a".to_owned(), connector(Some("3"), 0, "DELETED"))].into();
        assert_eq!(
            DepartmentUsage::from_connectors(&list, &prefix()),
            DepartmentUsage::default()
        );
    }

    #[test]
    fn counted_tasks_are_the_larger_of_configured_and_running() {
        assert_eq!(counted_tasks(&connector(Some("2"), 5, "").info.config, 5), 5);
        assert_eq!(counted_tasks(&connector(Some("4"), 1, "").info.config, 1), 4);
        assert_eq!(counted_tasks(&connector(None, 0, "").info.config, 0), 1);
        for wrong in ["0", "-1", "two", ""] {
            let config = connector(Some(wrong), 0, "").info.config;
            assert_eq!(tasks_max(&config), Err(InvalidTasks(wrong.into())));
            assert_eq!(counted_tasks(&config, 2), 2);
        }
    }

    #[test]
    fn an_unreadable_configuration_is_listed_and_not_counted_as_zero() {
        let list = [("claims-a".to_owned(), ExpandedConnector::default())].into();
        let usage = DepartmentUsage::from_connectors(&list, &prefix());
        assert_eq!((usage.connectors, usage.tasks), (1, 1));
        assert_eq!(usage.unreadable, ["claims-a"]);
    }

    #[test]
    fn cluster_usage_is_unknown_to_a_caller_who_sees_only_its_own_connectors() {
        let mut list: BTreeMap<_, _> = [("claims-a".to_owned(), connector(Some("3"), 0, "RUNNING"))].into();
        assert_eq!(
            ClusterUsage::from_connectors(&list, &prefix(), false),
            ClusterUsage::Unknown
        );
        assert_eq!(
            ClusterUsage::from_connectors(&list, &prefix(), true),
            ClusterUsage::Known(3)
        );
        list.insert("motor-a".into(), connector(Some("4"), 0, "FAILED"));
        assert_eq!(
            ClusterUsage::from_connectors(&list, &prefix(), false),
            ClusterUsage::Known(7)
        );
        assert_eq!(DepartmentUsage::from_connectors(&list, &prefix()).tasks, 3);
    }
}
