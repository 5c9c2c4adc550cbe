//! Making, changing and removing a connector, so that a lost answer or a second caller never makes two of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{ConnectorClient, LiveConnector, conflict, diff::diff_configs};
use crate::{
    api::connect::{CreateConnector, DeleteConnector, PutConnectorConfig},
    client::ClientError,
    resources::ResourceError,
};

/// A connector as it should be.
#[derive(Clone)]
pub struct DesiredConnector {
    /// Its name.
    pub name: String,
    /// Its configuration, secrets in clear.
    pub config: BTreeMap<String, String>,
    /// Where it begins to read.
    pub offsets: Option<serde_json::Value>,
    /// Keys that hold secrets.
    pub secret_keys: BTreeSet<String>,
}

// Secrets are in the configuration.
impl std::fmt::Debug for DesiredConnector {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys: Vec<&String> = self.config.keys().collect();
        out.debug_struct("DesiredConnector")
            .field("name", &self.name)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}

impl DesiredConnector {
    /// Whether `seen` is what is wanted, as far as one can see.
    #[must_use]
    pub fn matches(&self, observed: &LiveConnector) -> bool {
        let fields = diff_configs(&observed.expanded.info.config, &self.config, &self.secret_keys);
        !fields.iter().any(super::FieldDiff::is_certain)
    }
}

/// How a connector came to be there.
#[derive(Clone, Debug)]
pub enum CreateOutcome {
    /// This call made it. The list did not show it yet when there is nothing here.
    Created(Option<LiveConnector>),
    /// It was there when the service was asked, and is what was wanted: an earlier try whose answer was lost.
    AlreadyExists(LiveConnector),
}

impl ConnectorClient {
    /// Makes a connector; asks once. After a lost answer, or when the service says that the name is taken, it looks for
    /// what may have been made.
    ///
    /// # Errors
    /// When the service refuses, or when there is another connector of that name.
    pub async fn create(&self, desired: &DesiredConnector) -> Result<CreateOutcome, ResourceError> {
        let request = CreateConnector {
            cluster_path: self.cluster_path.clone(),
            name: desired.name.clone(),
            config: desired.config.clone(),
            offsets: desired.offsets.clone(),
        };
        let mut sent = self.client.send(&request).await;
        if let Err(error) = &sent
            && name_is_taken(error)
            && self.wait_until_deleted(&desired.name).await?
        {
            sent = self.client.send(&request).await;
        }
        match sent {
            Ok(_) => Ok(CreateOutcome::Created(self.wait_until_listed(&desired.name).await?)),
            Err(error) if error.is_outcome_unknown() || name_is_taken(&error) => {
                let Some(seen) = self.wait_until_listed(&desired.name).await? else {
                    return Err(error.into());
                };
                match desired.matches(&seen) {
                    true => Ok(CreateOutcome::AlreadyExists(seen)),
                    false => Err(conflict(format!(
                        "connector `{}` ({}) exists already, and is configured differently",
                        seen.name,
                        seen.id()
                    ))),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces the whole configuration of the connector that was `seen`. Reads it again first: a connector that is gone
    /// would be made anew by this call, and one that somebody else changed would lose that change.
    ///
    /// # Errors
    /// When the service refuses, or when it is gone or another than it was.
    pub async fn replace(
        &self,
        observed: &LiveConnector,
        config: &BTreeMap<String, String>,
    ) -> Result<(), ResourceError> {
        let now = self.ensure_same_connector(observed).await?;
        if now.expanded.info.config != observed.expanded.info.config {
            let other = diff_configs(
                &observed.expanded.info.config,
                &now.expanded.info.config,
                &BTreeSet::new(),
            );
            let keys: Vec<&str> = other.iter().map(|field| field.config.as_str()).collect();
            return Err(ResourceError::Stale {
                what: format!("connector `{}`", observed.name),
                expected: "the configuration that was shown".to_owned(),
                found: format!("other values of {}", keys.join(", ")),
            });
        }
        let mut config = config.clone();
        // Another name in it would make a second connector (docs/reference/connect.md#update-a-connector).
        config.insert("name".to_owned(), observed.name.clone());
        let request = PutConnectorConfig {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
            config,
        };
        self.client.send(&request).await?;
        Ok(())
    }

    /// Deletes the connector that was `seen`. Reads it again first, because the name may be another's by now. Gone already
    /// is as good.
    ///
    /// # Errors
    /// When the service refuses, also when it does so with a 200; or when another connector has that name by now.
    pub async fn delete(&self, observed: &LiveConnector) -> Result<(), ResourceError> {
        match self.find_by_name(&observed.name).await? {
            None => return Ok(()),
            Some(now) if now.expanded.id != observed.expanded.id => {
                return Err(stale_error(observed, now.id().to_owned()));
            }
            Some(_) => {}
        }
        let request = DeleteConnector {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
        };
        match self.client.send(&request).await {
            // A 200 with an error in it is a failure (docs/reference/connect.md#error-bodies, E6).
            Ok(answered) => match answered.value.error {
                None => Ok(()),
                Some(error) => Err(conflict(format!(
                    "connector `{}` was not deleted although the service answered {}: {}",
                    observed.name,
                    answered.status.as_u16(),
                    error_text(&error)
                ))),
            },
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The connector that was `seen`, as it is now.
    async fn ensure_same_connector(&self, observed: &LiveConnector) -> Result<LiveConnector, ResourceError> {
        match self.find_by_name(&observed.name).await? {
            None => Err(stale_error(observed, "no connector of that name".to_owned())),
            Some(now) if now.expanded.id != observed.expanded.id => Err(stale_error(observed, now.id().to_owned())),
            Some(now) => Ok(now),
        }
    }
}

fn stale_error(observed: &LiveConnector, found: String) -> ResourceError {
    ResourceError::Stale {
        what: format!("connector `{}`", observed.name),
        expected: observed.id().to_owned(),
        found,
    }
}

/// Whether the service refuses because the name is taken. The status is in no document
/// (docs/reference/connect.md#connector-names), so the words count, too.
fn name_is_taken(error: &ClientError) -> bool {
    error.is_conflict() || error.detail().is_some_and(|detail| detail.contains("already exists"))
}

fn error_text(error: &serde_json::Value) -> String {
    let text = error.as_str().or_else(|| error["message"].as_str());
    text.map_or_else(|| error.to_string(), str::to_owned)
}
