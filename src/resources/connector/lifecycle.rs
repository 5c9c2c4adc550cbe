//! Pause, resume, restart.

use std::time::Duration;

use serde::Serialize;

use super::{ConnectorClient, LiveConnector, conflict};
use crate::{
    api::connect::{PauseConnector, RestartConnector, ResumeConnector},
    resources::ResourceError,
};

/// How long pausing or resuming may take before it is given up: live tests of others allow a minute
/// (docs/reference/connect.md#timing-of-states).
const PAUSE_TIMEOUT: Duration = Duration::from_mins(2);

/// How a connector was restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartMethod {
    /// By the service's own restart.
    Restart,
    /// By a pause and a resume, because the service restarts only what runs.
    PauseAndResume,
}

impl ConnectorClient {
    /// Asks for a pause; it takes a while.
    pub async fn pause(&self, observed: &LiveConnector) -> Result<(), ResourceError> {
        let request = PauseConnector {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
        };
        self.client.send(&request).await?;
        Ok(())
    }

    /// Asks to go on; it takes a while.
    pub async fn resume(&self, observed: &LiveConnector) -> Result<(), ResourceError> {
        let request = ResumeConnector {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
        };
        self.client.send(&request).await?;
        Ok(())
    }

    /// Restarts what runs; pauses and resumes what failed or runs in part (docs/reference/connect.md#restart).
    ///
    /// # Errors
    /// When the service refuses, or when the connector is in a state from which it cannot be restarted.
    pub async fn restart(&self, observed: &LiveConnector) -> Result<RestartMethod, ResourceError> {
        match observed.state() {
            "RUNNING" => match self.request_restart(observed).await {
                Ok(()) => Ok(RestartMethod::Restart),
                // It stopped running after it was seen.
                Err(ResourceError::Client(error)) if error.status().is_some_and(|status| status == 400) => {
                    self.pause_and_resume(observed).await
                }
                Err(error) => Err(error),
            },
            "FAILED" | "DEGRADED" => self.pause_and_resume(observed).await,
            "PAUSED" => Err(conflict(format!(
                "connector `{}` is paused: resume it instead",
                observed.name
            ))),
            state => Err(conflict(format!(
                "connector `{}` is {}: only one that runs or failed can be restarted",
                observed.name,
                if state.is_empty() { "in no state yet" } else { state }
            ))),
        }
    }

    async fn request_restart(&self, observed: &LiveConnector) -> Result<(), ResourceError> {
        let request = RestartConnector {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
        };
        match self.client.send(&request).await {
            Ok(_) => Ok(()),
            // A second restart does no harm beyond the first; still nothing is sent twice blindly.
            Err(error) => Err(error.into()),
        }
    }

    async fn pause_and_resume(&self, observed: &LiveConnector) -> Result<RestartMethod, ResourceError> {
        self.pause(observed).await?;
        let begun = self.clock.now();
        loop {
            self.clock.sleep(Duration::from_secs(3)).await;
            let paused = self
                .find_by_name(&observed.name)
                .await?
                .is_none_or(|now| now.state() == "PAUSED");
            // Resumed in any case: a connector must not stay paused because it was slow.
            if paused || self.clock.elapsed_since(begun) > PAUSE_TIMEOUT {
                break;
            }
        }
        self.resume(observed).await?;
        Ok(RestartMethod::PauseAndResume)
    }
}
