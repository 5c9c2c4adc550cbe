//! Pause, resume and restart of connectors.

use std::time::Duration;

use serde::Serialize;

use super::{ConnectorClient, LiveConnector, conflict};
use crate::{
    api::connect::{PauseConnector, RestartConnector, ResumeConnector},
    model::ConnectorState,
    resources::ResourceError,
};

/// Timeout for a pause during a restart: other projects' live tests allow 1 min
/// (docs/reference/connect.md#timing-of-states).
const PAUSE_TIMEOUT: Duration = Duration::from_mins(2);

/// Method of a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartMethod {
    /// Restart request of the service.
    Restart,
    /// Pause and resume, because the service restarts only running connectors.
    PauseAndResume,
}

/// Returns the method that restarts `observed` (docs/reference/connect.md#restart).
///
/// # Errors
/// When its state does not allow a restart.
pub fn planned_restart(observed: &LiveConnector) -> Result<RestartMethod, ResourceError> {
    let reason = match observed.state() {
        ConnectorState::Running => return Ok(RestartMethod::Restart),
        ConnectorState::Failed | ConnectorState::Degraded => return Ok(RestartMethod::PauseAndResume),
        ConnectorState::Paused => "it is paused; resume it instead".to_owned(),
        ConnectorState::Unreported => {
            "it is in no state yet, and only running, degraded or failed connectors can be restarted".to_owned()
        }
        state => format!("it is {state}, and only running, degraded or failed connectors can be restarted"),
    };
    Err(conflict(format!(
        "cannot restart connector `{}`: {reason}",
        observed.name
    )))
}

impl ConnectorClient {
    /// Requests a pause, which takes effect later.
    pub async fn pause(&self, observed: &LiveConnector) -> Result<(), ResourceError> {
        let request = PauseConnector {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
        };
        self.client.send(&request).await?;
        self.end_observed_period(observed);
        Ok(())
    }

    /// Requests a resume, which takes effect later.
    pub async fn resume(&self, observed: &LiveConnector) -> Result<(), ResourceError> {
        let request = ResumeConnector {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
        };
        self.client.send(&request).await?;
        self.end_observed_period(observed);
        Ok(())
    }

    /// Restarts a running connector; pauses and resumes a failed or degraded one (docs/reference/connect.md#restart).
    ///
    /// # Errors
    /// When the request fails, or the state does not allow a restart.
    pub async fn restart(&self, observed: &LiveConnector) -> Result<RestartMethod, ResourceError> {
        match planned_restart(observed)? {
            RestartMethod::Restart => match self.request_restart(observed).await {
                Ok(()) => Ok(RestartMethod::Restart),
                // It stopped running after it was observed.
                Err(ResourceError::Client(error)) if error.status().is_some_and(|status| status == 400) => {
                    self.pause_and_resume(observed).await
                }
                Err(error) => Err(error),
            },
            RestartMethod::PauseAndResume => self.pause_and_resume(observed).await,
        }
    }

    async fn request_restart(&self, observed: &LiveConnector) -> Result<(), ResourceError> {
        let request = RestartConnector {
            cluster_path: self.cluster_path.clone(),
            name: observed.name.clone(),
        };
        match self.client.send(&request).await {
            Ok(_) => {
                self.end_observed_period(observed);
                Ok(())
            }
            // No retry, although a second restart would be harmless.
            Err(error) => Err(error.into()),
        }
    }

    async fn pause_and_resume(&self, observed: &LiveConnector) -> Result<RestartMethod, ResourceError> {
        self.pause(observed).await?;
        let begun = self.clock.now();
        // Resume even after a cancellation or a timeout, so that the connector does not stay paused.
        while self.pause_for(Duration::from_secs(3)).await {
            let paused = self
                .find_by_name(&observed.name)
                .await?
                .is_none_or(|now| now.state().is_paused());
            if paused || self.clock.elapsed_since(begun) > PAUSE_TIMEOUT {
                break;
            }
        }
        self.resume(observed).await?;
        match self.interrupt.is_cancelled() {
            true => Err(conflict(format!(
                "interrupted while connector `{}` was paused for its restart; it was resumed",
                observed.name
            ))),
            false => Ok(RestartMethod::PauseAndResume),
        }
    }
}
