//! Pause, resume, restart.

use std::time::Duration;

use serde::Serialize;

use super::{Connectors, Seen, foreign};
use crate::{
    api::connect::{PauseConnector, RestartConnector, ResumeConnector},
    resources::ResourceError,
};

/// How long pausing or resuming may take before it is given up: live tests of others allow a minute (dossier `connect.md`
/// §3.2).
const PATIENCE: Duration = Duration::from_mins(2);

/// How a connector was restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Restarted {
    /// By the service's own restart.
    Restart,
    /// By a pause and a resume, because the service restarts only what runs.
    PauseAndResume,
}

impl Connectors {
    /// Asks for a pause; it takes a while.
    pub async fn pause(&self, seen: &Seen) -> Result<(), ResourceError> {
        let request = PauseConnector {
            place: self.place.clone(),
            name: seen.name.clone(),
        };
        self.client.send(&request).await?;
        Ok(())
    }

    /// Asks to go on; it takes a while.
    pub async fn resume(&self, seen: &Seen) -> Result<(), ResourceError> {
        let request = ResumeConnector {
            place: self.place.clone(),
            name: seen.name.clone(),
        };
        self.client.send(&request).await?;
        Ok(())
    }

    /// Restarts what runs; pauses and resumes what failed or runs in part (dossier `connect.md` §2.8).
    ///
    /// # Errors
    /// When the service refuses, or when the connector is in a state from which it cannot be restarted.
    pub async fn restart(&self, seen: &Seen) -> Result<Restarted, ResourceError> {
        match seen.state() {
            "RUNNING" => match self.ask_to_restart(seen).await {
                Ok(()) => Ok(Restarted::Restart),
                // It stopped running after it was seen.
                Err(ResourceError::Client(error)) if error.status().is_some_and(|status| status == 400) => {
                    self.pause_and_resume(seen).await
                }
                Err(error) => Err(error),
            },
            "FAILED" | "DEGRADED" => self.pause_and_resume(seen).await,
            "PAUSED" => Err(foreign(format!(
                "connector `{}` is paused: resume it instead",
                seen.name
            ))),
            state => Err(foreign(format!(
                "connector `{}` is {}: only one that runs or failed can be restarted",
                seen.name,
                if state.is_empty() { "in no state yet" } else { state }
            ))),
        }
    }

    async fn ask_to_restart(&self, seen: &Seen) -> Result<(), ResourceError> {
        let request = RestartConnector {
            place: self.place.clone(),
            name: seen.name.clone(),
        };
        match self.client.send(&request).await {
            Ok(_) => Ok(()),
            // A second restart does no harm beyond the first; still nothing is sent twice blindly.
            Err(error) => Err(error.into()),
        }
    }

    async fn pause_and_resume(&self, seen: &Seen) -> Result<Restarted, ResourceError> {
        self.pause(seen).await?;
        let begun = self.clock.now();
        loop {
            self.clock.sleep(Duration::from_secs(3)).await;
            let paused = self.named(&seen.name).await?.is_none_or(|now| now.state() == "PAUSED");
            // Resumed in any case: a connector must not stay paused because it was slow.
            if paused || self.clock.since(begun) > PATIENCE {
                break;
            }
        }
        self.resume(seen).await?;
        Ok(Restarted::PauseAndResume)
    }
}
