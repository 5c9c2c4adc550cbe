//! Connectors: observed through the expanded list, addressed by name.
//!
//! - [`ConnectorClient`]: operations on the connectors of one cluster
//! - [`diff`]: differences between desired and observed configurations
//! - [`offsets`]: reading and altering offsets
//! - [`wait`]: waiting for a state
//! - [`cause`](mod@cause): cause of a failure
//! - [`diagnosis`]: explanation of a failure, its owner and its fix
//! - [`backup`]: file to recreate a connector
//! - [`ConnectorCondition`]: comparable condition
//! - [`state_history`]: how long this machine has observed a state

pub mod backup;
pub mod cause;
mod change;
pub mod condition;
pub mod diagnosis;
pub mod diff;
mod lifecycle;
pub mod offsets;
pub mod state_history;
pub mod wait;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

pub use backup::{Backup, SecretReference};
pub use cause::{FailureCause, ServiceValidationError, find_cause, root_cause_line};
pub use change::{CreateOutcome, DesiredConnector};
pub use condition::{ConditionCounts, ConnectorCondition};
pub use diff::{FieldDiff, SecretChange, diff_configs, is_mask, is_server_key};
pub use lifecycle::{RestartMethod, planned_restart};
pub use state_history::{StateHistoryStore, format_age};
pub use wait::{PollSnapshot, WaitError, WaitGoal, WaitOptions, WaitOutcome};

use http::StatusCode;
use tokio_util::sync::CancellationToken;

use super::{ResourceError, sleep_or_cancel};
use crate::{
    api::connect::{
        ClusterPath, ErrorRecommendations, ExpandedConnector, GetConnector, GetConnectorStatus,
        GetErrorRecommendations, ListConnectors,
    },
    client::{Client, ClientError},
    clock::Clock,
    model::ConnectorState,
};

/// Client for the connectors of one Kafka cluster.
#[derive(Clone, Debug)]
pub struct ConnectorClient {
    /// Client of the Confluent Cloud API.
    pub client: Client,
    /// Environment and Kafka cluster.
    pub cluster_path: ClusterPath,
    /// Clock.
    pub clock: Clock,
    /// Folder that records when a state was first observed, if it is recorded.
    pub history_dir: Option<PathBuf>,
    /// Cancellation of the run; it ends every pause.
    pub interrupt: CancellationToken,
}

/// Connector as observed.
#[derive(Clone, Debug)]
pub struct LiveConnector {
    /// Connector name, which addresses it in the API.
    pub name: String,
    /// Id, configuration and status.
    pub expanded: ExpandedConnector,
}

impl LiveConnector {
    /// Returns its id (`lcc-…`), or its name if the id is unknown.
    #[must_use]
    pub fn id(&self) -> &str {
        match self.expanded.id.id.as_str() {
            "" => &self.name,
            id => id,
        }
    }

    /// Returns its state as reported by the service.
    #[must_use]
    pub fn state(&self) -> &ConnectorState {
        &self.expanded.status.connector.state
    }

    /// Returns its plugin.
    #[must_use]
    pub fn class(&self) -> &str {
        self.expanded
            .info
            .config
            .get("connector.class")
            .map_or("", String::as_str)
    }

    /// Returns `source` or `sink`; the status takes precedence over the configuration
    /// (docs/reference/quotas.md#counting-connectors).
    #[must_use]
    pub fn direction(&self) -> &str {
        let status = &self.expanded.status.connector_type;
        if status.is_empty() {
            &self.expanded.info.connector_type
        } else {
            status
        }
    }
}

impl ConnectorClient {
    /// Lists all visible connectors with one request, which is also the only one that returns ids. Deleted connectors,
    /// which the service lists for a while, are omitted.
    pub async fn list(&self) -> Result<BTreeMap<String, ExpandedConnector>, ClientError> {
        let mut list = self.list_including_deleted().await?;
        list.retain(|_, connector| !connector.status.connector.state.is_deleted());
        self.record_states(&list);
        Ok(list)
    }

    async fn list_including_deleted(&self) -> Result<BTreeMap<String, ExpandedConnector>, ClientError> {
        Ok(self
            .client
            .send(&ListConnectors(self.cluster_path.clone()))
            .await?
            .value)
    }

    /// Waits until a deleted connector is no longer listed, because its name is taken until then
    /// (docs/reference/connect.md#delete-a-connector: allow 30 s). Returns whether there was one and it is gone.
    async fn wait_until_deleted(&self, name: &str) -> Result<bool, ClientError> {
        const WAITS: [u64; 8] = [1, 2, 3, 5, 10, 10, 15, 15];
        let mut was_there = false;
        for wait in WAITS {
            match self.list_including_deleted().await?.get(name) {
                Some(found) if found.status.connector.state.is_deleted() => was_there = true,
                Some(_) => return Ok(false),
                None => return Ok(was_there),
            }
            if !self.pause_for(Duration::from_secs(wait)).await {
                break;
            }
        }
        Ok(false)
    }

    /// Finds a connector by name. If the list is refused (`docs/assumptions.md`, Q2), the connector is read
    /// individually and its id is unknown.
    pub async fn find_by_name(&self, name: &str) -> Result<Option<LiveConnector>, ClientError> {
        let now = match self.list().await {
            Ok(mut list) => list.remove(name),
            Err(error) if error.is_forbidden() => self.get_without_id(name).await?,
            Err(error) => return Err(error),
        };
        Ok(now.map(|now| LiveConnector {
            name: name.to_owned(),
            expanded: now,
        }))
    }

    /// Lists the connectors that `selectors` may match with one request. If the list is refused, reads the connectors
    /// that are given by name one by one.
    ///
    /// # Errors
    /// When the request fails; with the refusal of the list if a selector is not a name.
    pub async fn list_selected(
        &self,
        selectors: &[String],
    ) -> Result<BTreeMap<String, ExpandedConnector>, ClientError> {
        Ok(self.try_list_selected(selectors).await?.0)
    }

    /// Lists like [`Self::list_selected`], and returns the refusal if the list was refused: unlisted connectors cannot
    /// be counted.
    ///
    /// # Errors
    /// As for [`Self::list_selected`].
    pub async fn try_list_selected(
        &self,
        selectors: &[String],
    ) -> Result<(BTreeMap<String, ExpandedConnector>, Option<ClientError>), ClientError> {
        let refused = match self.list().await {
            Err(error) if error.is_forbidden() => error,
            read => return Ok((read?, None)),
        };
        if selectors.is_empty() || !selectors.iter().all(|name| is_name(name)) {
            return Err(refused);
        }
        let mut found = BTreeMap::new();
        for name in selectors {
            if let Some(now) = self.get_without_id(name).await? {
                found.insert(name.clone(), now);
            }
        }
        Ok((found, Some(refused)))
    }

    /// Reads one connector without its id, which only the expanded list contains.
    async fn get_without_id(&self, name: &str) -> Result<Option<ExpandedConnector>, ClientError> {
        let ask = GetConnector {
            cluster_path: self.cluster_path.clone(),
            name: name.to_owned(),
        };
        let info = match self.client.send(&ask).await {
            Ok(answered) => answered.value,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let ask = GetConnectorStatus {
            cluster_path: self.cluster_path.clone(),
            name: name.to_owned(),
        };
        match self.client.send(&ask).await {
            Ok(answered) => Ok(Some(ExpandedConnector {
                info,
                status: answered.value,
                ..ExpandedConnector::default()
            })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the service's recommendations for the error of a connector; `None` for the statuses 403, 404 and 400,
    /// which mean that there are none (docs/reference/connect.md#error-recommendations).
    pub async fn recommendations(&self, name: &str) -> Result<Option<ErrorRecommendations>, ClientError> {
        let ask = GetErrorRecommendations {
            cluster_path: self.cluster_path.clone(),
            name: name.to_owned(),
        };
        match self.client.send(&ask).await {
            Ok(answered) => Ok(Some(answered.value)),
            Err(error) if error.is_forbidden() || error.is_not_found() => Ok(None),
            Err(error) if error.status() == Some(StatusCode::BAD_REQUEST) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sleeps unless the run is cancelled; returns whether it slept to the end.
    async fn pause_for(&self, wait: Duration) -> bool {
        sleep_or_cancel(&self.clock, &self.interrupt, wait).await
    }

    /// Polls for a new connector, because the list may be stale (docs/reference/connect.md#create-a-connector).
    async fn wait_until_listed(&self, name: &str) -> Result<Option<LiveConnector>, ClientError> {
        const WAITS: [u64; 8] = [0, 1, 2, 3, 5, 5, 7, 7];
        for wait in WAITS {
            if wait > 0 && !self.pause_for(Duration::from_secs(wait)).await {
                break;
            }
            match self.find_by_name(name).await? {
                Some(seen) if !seen.expanded.id.id.is_empty() => return Ok(Some(seen)),
                _ => {}
            }
        }
        self.find_by_name(name).await
    }
}

/// Finds the connector with the id or, failing that, the name `selector`.
#[must_use]
pub fn find_selected(list: &BTreeMap<String, ExpandedConnector>, selector: &str) -> Option<LiveConnector> {
    let by_id = list.iter().find(|(_, connector)| connector.id.id == selector);
    by_id
        .or_else(|| list.get_key_value(selector))
        .map(|(name, now)| LiveConnector {
            name: name.clone(),
            expanded: now.clone(),
        })
}

/// Returns whether a selector is a name, not an id or a pattern.
fn is_name(selector: &str) -> bool {
    !["lcc-", "clcc-"].iter().any(|id| selector.starts_with(id)) && !selector.contains(['*', '?'])
}

fn conflict(message: String) -> ResourceError {
    ResourceError::Conflict(message)
}

#[cfg(test)]
mod tests;
