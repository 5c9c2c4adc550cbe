//! Creation, update and deletion of connectors, safe against lost responses and concurrent changes.

use std::collections::{BTreeMap, BTreeSet};

use super::{ConnectorClient, LiveConnector, conflict, diff::diff_configs};
use crate::{
    api::connect::{CreateConnector, DeleteConnector, PutConnectorConfig},
    client::ClientError,
    resources::ResourceError,
};

/// Desired connector.
#[derive(Clone)]
pub struct DesiredConnector {
    /// Connector name.
    pub name: String,
    /// Configuration with plaintext secrets.
    pub config: BTreeMap<String, String>,
    /// Initial offsets.
    pub offsets: Option<serde_json::Value>,
    /// Keys whose values are secrets.
    pub secret_keys: BTreeSet<String>,
}

// The configuration contains secrets.
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
    /// Returns whether `observed` has no known difference from the desired connector.
    #[must_use]
    pub fn matches(&self, observed: &LiveConnector) -> bool {
        let fields = diff_configs(&observed.expanded.info.config, &self.config, &self.secret_keys);
        !fields.iter().any(super::FieldDiff::is_certain)
    }
}

/// Result of a create.
#[derive(Clone, Debug)]
pub enum CreateOutcome {
    /// The connector was created; `None` if the list does not contain it yet.
    Created(Option<LiveConnector>),
    /// An identical connector existed, created by an earlier request with a lost response.
    AlreadyExists(LiveConnector),
}

impl ConnectorClient {
    /// Creates a connector with a single request. After a lost response or a name conflict, looks for the created
    /// connector.
    ///
    /// # Errors
    /// When the request fails, or a different connector has this name.
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
                        "connector `{}` ({}) already exists with a different configuration",
                        seen.name,
                        seen.id()
                    ))),
                }
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Replaces the whole configuration of a connector. Reads it first: the request would recreate a deleted connector
    /// and overwrite a concurrent change.
    ///
    /// # Errors
    /// When the request fails, or the connector was deleted or changed.
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
                expected: "the planned configuration".to_owned(),
                found: format!("other values of {}", keys.join(", ")),
            });
        }
        let mut config = config.clone();
        // Another name would create a second connector (docs/reference/connect.md#update-a-connector).
        config.insert("name".to_owned(), observed.name.clone());
        let request = PutConnectorConfig {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
            config,
        };
        self.client.send(&request).await?;
        self.end_observed_period(observed);
        Ok(())
    }

    /// Deletes a connector. Reads it first, because another connector may have its name by now. A missing connector is
    /// not an error.
    ///
    /// # Errors
    /// When the service refuses, even with status 200, or another connector has this name.
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
            // A 200 response may contain an error (docs/reference/connect.md#error-bodies, E6).
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

    /// Reads a connector again and checks that it is the same one.
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

/// Returns whether the service refuses because the name exists. The status is undocumented
/// (docs/reference/connect.md#connector-names), so the message is checked, too.
fn name_is_taken(error: &ClientError) -> bool {
    error.is_conflict() || error.detail().is_some_and(|detail| detail.contains("already exists"))
}

fn error_text(error: &serde_json::Value) -> String {
    let text = error.as_str().or_else(|| error["message"].as_str());
    text.map_or_else(|| error.to_string(), str::to_owned)
}
