//! Why a step of a plan failed, whatever kind of thing it was about.

use crate::{
    config::SaveError,
    handover::ProfileStoreError,
    hint::{Advice, Hint},
    resources::{ResourceError, connector::WaitError},
};

use super::{DeliveryError, JournalError};

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The service refused, did not answer, or holds something else than the plan saw.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// What was waited for did not come.
    #[error(transparent)]
    Wait(#[from] WaitError),
    /// What makes something restorable could not be written.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// A secret could not be written, or not be encrypted.
    #[error(transparent)]
    ProfileStore(#[from] ProfileStoreError),
    /// A profile was made and proved, and not taken by the command that it was for.
    #[error(transparent)]
    Delivery(#[from] DeliveryError),
    /// The journal could not be written.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// A key can do what it must not, or cannot do what it must.
    #[error("{0}")]
    ProbeFailed(String),
    /// Something that an earlier step should have left is not there.
    #[error("{0}")]
    MissingInput(String),
}

impl StepError {
    /// What happened and why, in one line.
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

    /// The request's id, when the service answered.
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
                "Nothing was handed over for this key: find out why before you run the command again.".into(),
                "The unproved profile stays in the folder; the next run proves it again, or makes another key if it is \
                 encrypted."
                    .into(),
            ],
            Self::ProfileStore(error) => error.hints(),
            Self::Delivery(error) => error.hints(),
            Self::Save(_) | Self::Journal(_) | Self::MissingInput(_) => Vec::new(),
        }
    }
}
