//! Making, changing and removing a connector, so that a lost answer or a second caller never makes two of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Connectors, Seen, diff::differences, foreign};
use crate::{
    api::connect::{CreateConnector, DeleteConnector, PutConfig},
    client::ClientError,
    resources::ResourceError,
};

/// A connector as it should be.
#[derive(Clone)]
pub struct Wanted {
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
impl std::fmt::Debug for Wanted {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys: Vec<&String> = self.config.keys().collect();
        out.debug_struct("Wanted")
            .field("name", &self.name)
            .field("keys", &keys)
            .finish_non_exhaustive()
    }
}

impl Wanted {
    /// Whether `seen` is what is wanted, as far as one can see.
    #[must_use]
    pub fn is(&self, seen: &Seen) -> bool {
        let fields = differences(&seen.now.info.config, &self.config, &self.secret_keys);
        !fields.iter().any(super::FieldDiff::is_certain)
    }
}

/// How a connector came to be there.
#[derive(Clone, Debug)]
pub enum Begun {
    /// This call made it. The list did not show it yet when there is nothing here.
    Made(Option<Seen>),
    /// It was there when the service was asked, and is what was wanted: an earlier try whose answer was lost.
    Found(Seen),
}

impl Connectors {
    /// Makes a connector; asks once. After a lost answer, or when the service says that the name is taken, it looks for
    /// what may have been made.
    ///
    /// # Errors
    /// When the service refuses, or when there is another connector of that name.
    pub async fn create(&self, wanted: &Wanted) -> Result<Begun, ResourceError> {
        let request = CreateConnector {
            place: self.place.clone(),
            name: wanted.name.clone(),
            config: wanted.config.clone(),
            offsets: wanted.offsets.clone(),
        };
        let mut sent = self.client.send(&request).await;
        if let Err(error) = &sent
            && name_is_taken(error)
            && self.has_left(&wanted.name).await?
        {
            sent = self.client.send(&request).await;
        }
        match sent {
            Ok(_) => Ok(Begun::Made(self.appeared(&wanted.name).await?)),
            Err(error) if error.is_answer_lost() || name_is_taken(&error) => {
                let Some(seen) = self.appeared(&wanted.name).await? else {
                    return Err(error.into());
                };
                match wanted.is(&seen) {
                    true => Ok(Begun::Found(seen)),
                    false => Err(foreign(format!(
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
    pub async fn replace(&self, seen: &Seen, config: &BTreeMap<String, String>) -> Result<(), ResourceError> {
        let now = self.unchanged(seen).await?;
        if now.now.info.config != seen.now.info.config {
            let other = differences(&seen.now.info.config, &now.now.info.config, &BTreeSet::new());
            let keys: Vec<&str> = other.iter().map(|field| field.config.as_str()).collect();
            return Err(ResourceError::Stale {
                what: format!("connector `{}`", seen.name),
                expected: "the configuration that was shown".to_owned(),
                found: format!("other values of {}", keys.join(", ")),
            });
        }
        let mut config = config.clone();
        // Another name in it would make a second connector (dossier `connect.md` §2.4).
        config.insert("name".to_owned(), seen.name.clone());
        let request = PutConfig {
            place: self.place.clone(),
            name: seen.name.clone(),
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
    pub async fn delete(&self, seen: &Seen) -> Result<(), ResourceError> {
        match self.named(&seen.name).await? {
            None => return Ok(()),
            Some(now) if now.now.id != seen.now.id => return Err(stale(seen, now.id().to_owned())),
            Some(_) => {}
        }
        let request = DeleteConnector {
            place: self.place.clone(),
            name: seen.name.clone(),
        };
        match self.client.send(&request).await {
            // A 200 with an error in it is a failure (dossier `connect.md` §1.1, E6).
            Ok(answered) => match answered.value.error {
                None => Ok(()),
                Some(error) => Err(foreign(format!(
                    "connector `{}` was not deleted although the service answered {}: {}",
                    seen.name,
                    answered.status.as_u16(),
                    words(&error)
                ))),
            },
            Err(error) if error.is_not_found() => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The connector that was `seen`, as it is now.
    async fn unchanged(&self, seen: &Seen) -> Result<Seen, ResourceError> {
        match self.named(&seen.name).await? {
            None => Err(stale(seen, "no connector of that name".to_owned())),
            Some(now) if now.now.id != seen.now.id => Err(stale(seen, now.id().to_owned())),
            Some(now) => Ok(now),
        }
    }
}

fn stale(seen: &Seen, found: String) -> ResourceError {
    ResourceError::Stale {
        what: format!("connector `{}`", seen.name),
        expected: seen.id().to_owned(),
        found,
    }
}

/// Whether the service refuses because the name is taken. The status is in no document (dossier `connect.md` §4.5), so the
/// words count, too.
fn name_is_taken(error: &ClientError) -> bool {
    error.is_conflict() || error.detail().is_some_and(|detail| detail.contains("already exists"))
}

fn words(error: &serde_json::Value) -> String {
    let text = error.as_str().or_else(|| error["message"].as_str());
    text.map_or_else(|| error.to_string(), str::to_owned)
}
