//! Facts about connectors: rows of a list, and the details of one connector.

use serde::Serialize;

use super::{
    selectors,
    topics::TopicUsage,
    view::{error_trace, redact_message, redact_value, visible_cause},
};
use crate::{
    catalog::KeyGroup,
    error::Error,
    model::{ConnectorState, PlatformTeam, TaskState},
    quota::{DepartmentUsage, tasks_max},
    resources::connector::{FailureCause, LiveConnector},
    session::ConnectorSession,
};

/// State and plugin of a connector, with the fields of the Confluent CLI first.
#[derive(Debug, Serialize)]
pub struct ConnectorFacts {
    /// Id of the connector (`lcc-…`).
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// State as reported by Confluent Cloud.
    pub status: ConnectorState,
    /// `source` or `sink`.
    #[serde(rename = "type")]
    pub direction: String,
    /// Trace of a failed connector.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<String>,
    /// Class of the plugin.
    pub plugin: String,
    /// Number of running tasks.
    pub tasks_running: usize,
    /// Limit of tasks; `None` if the configuration is not readable or holds no number.
    pub tasks_max: Option<u32>,
}

impl ConnectorFacts {
    fn new(observed: &LiveConnector) -> Self {
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            status: observed.state().clone(),
            direction: observed.direction().to_owned(),
            trace: error_trace(observed),
            plugin: observed.class().to_owned(),
            tasks_running: observed.expanded.status.running_tasks(),
            tasks_max: tasks_max(&observed.expanded.info.config).ok(),
        }
    }
}

/// Connector of a list.
#[derive(Debug, Serialize)]
pub struct ListedConnector {
    /// State and plugin.
    #[serde(flatten)]
    pub facts: ConnectorFacts,
    /// Cause of the failure in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

/// Lists the connectors of the department, sorted by id, and its usage of the quota.
///
/// # Errors
/// The request fails.
pub async fn list(session: &ConnectorSession) -> Result<(Vec<ListedConnector>, Option<DepartmentUsage>), Error> {
    let list = session.connectors.list().await?;
    let department = session.department.as_ref();
    let usage = department.map(|department| DepartmentUsage::from_connectors(&list, &department.prefix));
    // Rows are built sequentially to drop each large list entry early.
    let own = selectors::into_department_connectors(department, list);
    let rows = own.map(|observed| ListedConnector {
        facts: ConnectorFacts::new(&observed),
        cause: visible_cause(&observed).map(|cause| cause.summary()),
    });
    let mut rows: Vec<ListedConnector> = rows.collect();
    rows.sort_by(|a, b| (&a.facts.id, &a.facts.name).cmp(&(&b.facts.id, &b.facts.name)));
    Ok((rows, usage))
}

/// Connector in the three parts of the Confluent CLI, followed by the cause of a failure.
#[derive(Debug, Serialize)]
pub struct ConnectorDescription {
    /// State and plugin.
    pub connector: ConnectorDetails,
    /// Tasks by number.
    pub tasks: Vec<ConnectorTask>,
    /// Configuration by key, without secrets.
    pub configs: Vec<ConfigValue>,
    /// Cause of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<FailureCause>,
    /// Platform team of the caller's department.
    #[serde(skip)]
    pub platform_team: PlatformTeam,
}

/// State and plugin of a connector, and its account.
#[derive(Debug, Serialize)]
pub struct ConnectorDetails {
    /// State and plugin.
    #[serde(flatten)]
    pub facts: ConnectorFacts,
    /// Topics that the configuration reads and writes.
    pub topics: TopicUsage,
    /// Service account of the connector, if it runs as one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_account: Option<String>,
}

/// Task of a connector.
#[derive(Debug, Serialize)]
pub struct ConnectorTask {
    /// Number of the task.
    pub task: u32,
    /// State of the task as reported by Confluent Cloud.
    pub state: TaskState,
    /// Message of the service about the task.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

/// Key of a configuration with its value.
#[derive(Debug, Serialize)]
pub struct ConfigValue {
    /// Configuration key of the connector.
    pub config: String,
    /// Value; redacted if it is a secret.
    pub value: String,
    /// Group of the key.
    pub group: KeyGroup,
}

/// Describes the connector with the id or name `selector`.
///
/// # Errors
/// There is no such connector, or it belongs to another department.
pub async fn describe(session: &ConnectorSession, selector: &str) -> Result<ConnectorDescription, Error> {
    let observed = selectors::find(session, selector).await?;
    let class = observed.class();
    let config = &observed.expanded.info.config;
    let tasks = observed.expanded.status.tasks.iter().map(|task| ConnectorTask {
        task: task.id,
        state: task.state.clone(),
        message: redact_message(&observed, &task.msg),
    });
    let mut tasks: Vec<ConnectorTask> = tasks.collect();
    tasks.sort_by_key(|task| task.task);
    let configs = config.iter().map(|(key, value)| ConfigValue {
        config: key.clone(),
        value: redact_value(class, key, value),
        group: KeyGroup::classify(class, key),
    });
    Ok(ConnectorDescription {
        connector: ConnectorDetails {
            facts: ConnectorFacts::new(&observed),
            topics: TopicUsage::new(class, config, observed.id()),
            service_account: config.get("kafka.service.account.id").cloned(),
        },
        tasks,
        configs: configs.collect(),
        cause: visible_cause(&observed),
        platform_team: session.platform_team().clone(),
    })
}
