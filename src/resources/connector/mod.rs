//! Connectors: seen through the expanded list, made and changed by name, waited for on the clock.
//!
//! - [`Connectors`]: the connectors of one cluster, and what can be done to them
//! - [`diff`]: what differs between a configuration that is wanted and one that was read
//! - [`offsets`]: where it is, and moving it
//! - [`wait`]: until it runs, or until it is clear that it does not
//! - [`cause`](mod@cause): why it does not run
//! - [`backup`]: a file that makes it again

pub mod backup;
pub mod cause;
mod change;
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

use super::ResourceError;
use crate::{
    api::connect::{Expanded, ListConnectors, Place},
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

impl Connectors {
    /// All connectors that the caller may see, in one call. The only way to read: it alone tells ids, and one call is the
    /// same for one connector and for a hundred.
    pub async fn list(&self) -> Result<BTreeMap<String, Expanded>, ClientError> {
        Ok(self.client.send(&ListConnectors(self.place.clone())).await?.value)
    }

    /// The connector of that name.
    pub async fn named(&self, name: &str) -> Result<Option<Seen>, ClientError> {
        let mut list = self.list().await?;
        Ok(list.remove(name).map(|now| Seen {
            name: name.to_owned(),
            now,
        }))
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

fn foreign(message: String) -> ResourceError {
    ResourceError::Foreign(message)
}

#[cfg(test)]
mod tests;
