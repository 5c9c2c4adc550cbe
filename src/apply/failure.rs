//! Errors of plan steps.

use crate::{
    config::SaveError,
    handover::ProfileStoreError,
    hint::{Advice, Hint},
    resources::{ResourceError, connector::WaitError},
};

use super::{DeliveryError, JournalError};

/// Reason why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The request failed, or the object differs from the plan.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// The wait for a state failed.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// A backup could not be written.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// A profile could not be written or encrypted.
    #[error(transparent)]
    ProfileStore(#[from] ProfileStoreError),
    /// The command did not accept a finished profile.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A probe failed: a key can do what it must not, or cannot do what it must.
    #[error("{0}")]
    ProbeFailed(String),
    /// The result of an earlier step is missing.
    #[error("{0}")]
    MissingInput(String),
}

impl StepError {
    /// Returns the error with all its causes in one line.
    #[must_use]
    pub fn full_message(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let next = error.to_string();
            if !text.contains(&next) {
                text = format!("{text}: {next}");
            }
            cause = error.source();
        }
        text
    }

    /// Returns the request id if the service responded.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Resource(error) => error.request_id(),
            _ => None,
        }
    }
}

impl Advice for StepError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Resource(error) => error.hints(),
            Self::Wait(error) => error.hints(),
            Self::ProbeFailed(_) => vec![
                "This key was not delivered. Find out why the probe failed before you re-run the command.".into(),
                "The profile stays in the folder. The next run tests the API key of the profile again; if the profile is \
                 encrypted, the next run replaces the key instead."
                    .into(),
            ],
            Self::ProfileStore(error) => error.hints(),
            Self::Delivery(error) => error.hints(),
            Self::Save(_) | Self::Journal(_) | Self::MissingInput(_) => Vec::new(),
        }
    }
}
