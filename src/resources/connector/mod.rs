//! Connectors: seen through the expanded list, made and changed by name, waited for on the clock.
//!
//! - [`Connectors`]: the connectors of one cluster, and what can be done to them
//! - [`diff`]: what differs between a configuration that is wanted and one that was read
//! - [`offsets`]: where it is, and moving it
//! - [`wait`]: until it runs, or until it is clear that it does not
//! - [`cause`](mod@cause): why it does not run
//! - [`diagnosis`]: what that means, whose it is and what helps
//! - [`backup`]: a file that makes it again

pub mod backup;
pub mod cause;
mod change;
pub mod diagnosis;
pub mod diff;
mod lifecycle;
pub mod offsets;
pub mod wait;

use std::{collections::BTreeMap, time::Duration};

pub use backup::{Backup, SecretReference};
pub use cause::{FailureCause, ServiceValidationError, find_cause};
pub use change::{CreateOutcome, DesiredConnector};
pub use diff::{FieldDiff, diff_configs, is_mask, is_server_key};
pub use lifecycle::RestartMethod;
pub use wait::{PollSnapshot, WaitError, WaitGoal, WaitOptions, WaitOutcome};

use http::StatusCode;

use super::ResourceError;
use crate::{
    api::connect::{
        ClusterPath, ErrorRecommendations, ExpandedConnector, GetConnector, GetConnectorStatus,
        GetErrorRecommendations, ListConnectors,
    },
    client::{Client, ClientError},
    clock::Clock,
};

/// The connectors of one Kafka cluster.
#[derive(Clone, Debug)]
pub struct ConnectorClient {
    /// The way to the service.
    pub client: Client,
    /// The cluster.
    pub cluster_path: ClusterPath,
    /// Time.
    pub clock: Clock,
}

/// A connector as it was seen.
#[derive(Clone, Debug)]
pub struct LiveConnector {
    /// Its name, by which everything is addressed.
    pub name: String,
    /// Id, configuration and state.
    pub expanded: ExpandedConnector,
}

impl LiveConnector {
    /// Its id (`lcc-…`), or its name where the service tells no id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self.expanded.id.id.as_str() {
            "" => &self.name,
            id => id,
        }
    }

    /// Its state, in the service's word.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.expanded.status.connector.state
    }

    /// Its plugin.
    #[must_use]
    pub fn class(&self) -> &str {
        self.expanded
            .info
            .config
            .get("connector.class")
            .map_or("", String::as_str)
    }

    /// `source` or `sink`: the status knows better than the configuration
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

/// The state of what is gone, and still in the lists.
const DELETED: &str = "DELETED";

impl ConnectorClient {
    /// All connectors that the caller may see, in one call. The only way to read: it alone tells ids, and one call is the
    /// same for one connector and for a hundred. Those that were deleted are gone, though the service shows them for a
    /// while.
    pub async fn list(&self) -> Result<BTreeMap<String, ExpandedConnector>, ClientError> {
        let mut list = self.list_including_deleted().await?;
        list.retain(|_, connector| connector.status.connector.state != DELETED);
        Ok(list)
    }

    async fn list_including_deleted(&self) -> Result<BTreeMap<String, ExpandedConnector>, ClientError> {
        Ok(self
            .client
            .send(&ListConnectors(self.cluster_path.clone()))
            .await?
            .value)
    }

    /// Waits until a deleted connector has left the lists, because its name is taken until then
    /// (docs/reference/connect.md#delete-a-connector: allow half a minute). Tells whether there was one, and it has
    /// left.
    async fn wait_until_deleted(&self, name: &str) -> Result<bool, ClientError> {
        const WAITS: [u64; 8] = [1, 2, 3, 5, 10, 10, 15, 15];
        let mut was_there = false;
        for wait in WAITS {
            match self.list_including_deleted().await?.get(name) {
                Some(found) if found.status.connector.state == DELETED => was_there = true,
                Some(_) => return Ok(false),
                None => return Ok(was_there),
            }
            self.clock.sleep(Duration::from_secs(wait)).await;
        }
        Ok(false)
    }

    /// The connector of that name. Where the service refuses the list to whoever may not see all of it
    /// (`docs/assumptions.md`, Q2), it is read alone, and its id stays unknown.
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

    /// The connectors that may be meant by `written`: all of them, in one call. Where the list is refused, those that are
    /// written as names, one by one.
    ///
    /// # Errors
    /// When they cannot be read; with the refusal of the list when something is written that is not a name.
    pub async fn list_selected(
        &self,
        selectors: &[String],
    ) -> Result<BTreeMap<String, ExpandedConnector>, ClientError> {
        Ok(self.try_list_selected(selectors).await?.0)
    }

    /// The same, and why there is no more than what is written, where the list is refused: what is not read cannot be
    /// counted.
    ///
    /// # Errors
    /// As [`Connectors::look`].
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

    /// One connector without its id, which the expanded list alone tells.
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

    /// The service's own advice on what is wrong with a connector, where it has some: refused, not found and a bad
    /// request all mean that there is none (docs/reference/connect.md#error-recommendations).
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

    /// Looks a few times for a connector that was just made: the list may lag behind
    /// (docs/reference/connect.md#create-a-connector).
    async fn wait_until_listed(&self, name: &str) -> Result<Option<LiveConnector>, ClientError> {
        const WAITS: [u64; 8] = [0, 1, 2, 3, 5, 5, 7, 7];
        for wait in WAITS {
            if wait > 0 {
                self.clock.sleep(Duration::from_secs(wait)).await;
            }
            match self.find_by_name(name).await? {
                Some(seen) if !seen.expanded.id.id.is_empty() => return Ok(Some(seen)),
                _ => {}
            }
        }
        self.find_by_name(name).await
    }
}

/// The connector that `written` means: an id when one has it, else a name.
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

/// Whether a connector is named, not its id or a pattern.
fn is_name(selector: &str) -> bool {
    !["lcc-", "clcc-"].iter().any(|id| selector.starts_with(id)) && !selector.contains(['*', '?'])
}

fn conflict(message: String) -> ResourceError {
    ResourceError::Conflict(message)
}

#[cfg(test)]
mod tests;
