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
pub use cause::{Cause, ValidationError, cause};
pub use change::{Begun, Wanted};
pub use diff::{FieldDiff, differences, is_mask, is_server_key};
pub use lifecycle::Restarted;
pub use wait::{Goal, Outcome, Patience, Sight, WaitError};

use http::StatusCode;

use super::ResourceError;
use crate::{
    api::connect::{Expanded, GetConnector, GetRecommendations, GetStatus, ListConnectors, Place, Recommendations},
    client::{Client, ClientError},
    clock::Clock,
};

/// The connectors of one Kafka cluster.
#[derive(Clone, Debug)]
pub struct Connectors {
    /// The way to the service.
    pub client: Client,
    /// The cluster.
    pub place: Place,
    /// Time.
    pub clock: Clock,
}

/// A connector as it was seen.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Its name, by which everything is addressed.
    pub name: String,
    /// Id, configuration and state.
    pub now: Expanded,
}

impl Seen {
    /// Its id (`lcc-…`), or its name where the service tells no id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self.now.id.id.as_str() {
            "" => &self.name,
            id => id,
        }
    }

    /// Its state, in the service's word.
    #[must_use]
    pub fn state(&self) -> &str {
        &self.now.status.connector.state
    }

    /// Its plugin.
    #[must_use]
    pub fn class(&self) -> &str {
        self.now.info.config.get("connector.class").map_or("", String::as_str)
    }

    /// `source` or `sink`: the status knows better than the configuration (dossier `quotas.md` §5.1).
    #[must_use]
    pub fn direction(&self) -> &str {
        let status = &self.now.status.connector_type;
        if status.is_empty() {
            &self.now.info.connector_type
        } else {
            status
        }
    }
}

/// The state of what is gone, and still in the lists.
const DELETED: &str = "DELETED";

impl Connectors {
    /// All connectors that the caller may see, in one call. The only way to read: it alone tells ids, and one call is the
    /// same for one connector and for a hundred. Those that were deleted are gone, though the service shows them for a
    /// while.
    pub async fn list(&self) -> Result<BTreeMap<String, Expanded>, ClientError> {
        let mut list = self.everything().await?;
        list.retain(|_, connector| connector.status.connector.state != DELETED);
        Ok(list)
    }

    async fn everything(&self) -> Result<BTreeMap<String, Expanded>, ClientError> {
        Ok(self.client.send(&ListConnectors(self.place.clone())).await?.value)
    }

    /// Waits until a deleted connector has left the lists, because its name is taken until then (dossier `connect.md` §2.5:
    /// allow half a minute). Tells whether there was one, and it has left.
    async fn has_left(&self, name: &str) -> Result<bool, ClientError> {
        const WAITS: [u64; 8] = [1, 2, 3, 5, 10, 10, 15, 15];
        let mut was_there = false;
        for wait in WAITS {
            match self.everything().await?.get(name) {
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
    pub async fn named(&self, name: &str) -> Result<Option<Seen>, ClientError> {
        let now = match self.list().await {
            Ok(mut list) => list.remove(name),
            Err(error) if error.is_forbidden() => self.alone(name).await?,
            Err(error) => return Err(error),
        };
        Ok(now.map(|now| Seen {
            name: name.to_owned(),
            now,
        }))
    }

    /// The connectors that may be meant by `written`: all of them, in one call. Where the list is refused, those that are
    /// written as names, one by one.
    ///
    /// # Errors
    /// When they cannot be read; with the refusal of the list when something is written that is not a name.
    pub async fn look(&self, written: &[String]) -> Result<BTreeMap<String, Expanded>, ClientError> {
        Ok(self.look_or_why(written).await?.0)
    }

    /// The same, and why there is no more than what is written, where the list is refused: what is not read cannot be
    /// counted.
    ///
    /// # Errors
    /// As [`Connectors::look`].
    pub async fn look_or_why(
        &self,
        written: &[String],
    ) -> Result<(BTreeMap<String, Expanded>, Option<ClientError>), ClientError> {
        let refused = match self.list().await {
            Err(error) if error.is_forbidden() => error,
            read => return Ok((read?, None)),
        };
        if written.is_empty() || !written.iter().all(|name| is_name(name)) {
            return Err(refused);
        }
        let mut found = BTreeMap::new();
        for name in written {
            if let Some(now) = self.alone(name).await? {
                found.insert(name.clone(), now);
            }
        }
        Ok((found, Some(refused)))
    }

    /// One connector without its id, which the expanded list alone tells.
    async fn alone(&self, name: &str) -> Result<Option<Expanded>, ClientError> {
        let ask = GetConnector {
            place: self.place.clone(),
            name: name.to_owned(),
        };
        let info = match self.client.send(&ask).await {
            Ok(answered) => answered.value,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let ask = GetStatus {
            place: self.place.clone(),
            name: name.to_owned(),
        };
        match self.client.send(&ask).await {
            Ok(answered) => Ok(Some(Expanded {
                info,
                status: answered.value,
                ..Expanded::default()
            })),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The service's own advice on what is wrong with a connector, where it has some: refused, not found and a bad request
    /// all mean that there is none (dossier `connect.md` §2.10).
    pub async fn advice(&self, name: &str) -> Result<Option<Recommendations>, ClientError> {
        let ask = GetRecommendations {
            place: self.place.clone(),
            name: name.to_owned(),
        };
        match self.client.send(&ask).await {
            Ok(answered) => Ok(Some(answered.value)),
            Err(error) if error.is_forbidden() || error.is_not_found() => Ok(None),
            Err(error) if error.status() == Some(StatusCode::BAD_REQUEST) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Looks a few times for a connector that was just made: the list may lag behind (dossier `connect.md` §2.2).
    async fn appeared(&self, name: &str) -> Result<Option<Seen>, ClientError> {
        const WAITS: [u64; 8] = [0, 1, 2, 3, 5, 5, 7, 7];
        for wait in WAITS {
            if wait > 0 {
                self.clock.sleep(Duration::from_secs(wait)).await;
            }
            match self.named(name).await? {
                Some(seen) if !seen.now.id.id.is_empty() => return Ok(Some(seen)),
                _ => {}
            }
        }
        self.named(name).await
    }
}

/// The connector that `written` means: an id when one has it, else a name.
#[must_use]
pub fn find(list: &BTreeMap<String, Expanded>, written: &str) -> Option<Seen> {
    let by_id = list.iter().find(|(_, connector)| connector.id.id == written);
    by_id.or_else(|| list.get_key_value(written)).map(|(name, now)| Seen {
        name: name.clone(),
        now: now.clone(),
    })
}

/// Whether a connector is named, not its id or a pattern.
fn is_name(written: &str) -> bool {
    !["lcc-", "clcc-"].iter().any(|id| written.starts_with(id)) && !written.contains(['*', '?'])
}

fn foreign(message: String) -> ResourceError {
    ResourceError::Foreign(message)
}

#[cfg(test)]
mod tests;
