//! Delivery of finished profiles to a command, each profile once.
//!
//! A profile is delivered as soon as it is finished, while other changes are still being applied; if the machine is
//! lost, few profiles are lost with it. Each delivery is recorded in the journal, and the next run delivers the
//! profiles that a failed run left in the folder. Deliveries run one at a time, because the command may prompt the
//! user.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{Journal, JournalError, JournalLine, journal::to_absolute};
use crate::{
    clock::Clock,
    handover::{HandoverCommand, HandoverError, HandoverRequest, ProfileId, ProfileStore},
    hint::{Advice, Hint},
    model::{ApiKeyId, DepartmentCode},
    redact::SecretRegistry,
};

/// Reason why a finished profile was not delivered. Its file still exists.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The command failed.
    #[error("cannot deliver the profile; it stays in `{}`", file.display())]
    Command {
        /// Profile file.
        file: PathBuf,
        /// Cause.
        source: HandoverError,
    },
    /// The run was cancelled before the delivery.
    #[error("interrupted; the profile stays in `{}`", .0.display())]
    Interrupted(PathBuf),
    /// The delivery could not be recorded.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The profile was delivered, but its file could not be deleted.
    #[error("the profile was delivered, but `{}` cannot be deleted", file.display())]
    Remove {
        /// Profile file.
        file: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
}

impl Advice for DeliveryError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Command { source, .. } => source.hints(),
            Self::Interrupted(_) | Self::Journal(_) | Self::Remove { .. } => Vec::new(),
        }
    }
}

/// Command that receives profiles, and the handling of their files.
#[derive(Debug)]
pub struct Delivery {
    command: HandoverCommand,
    /// Whether to delete the file of a delivered profile.
    removes_file: bool,
    lock: Mutex<()>,
}

/// Context of a delivery.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryContext<'a> {
    /// Journal.
    pub journal: &'a Journal,
    /// Clock for the journal.
    pub clock: &'a Clock,
    /// Run id.
    pub run_id: &'a str,
    /// Registry of secret values.
    pub secrets: &'a SecretRegistry,
    /// Cancellation.
    pub interrupt: &'a CancellationToken,
}

impl Delivery {
    /// Creates a delivery to `command`; `remove` deletes the files of delivered profiles.
    #[must_use]
    pub fn new(command: HandoverCommand, remove: bool) -> Self {
        Self {
            command,
            removes_file: remove,
            lock: Mutex::default(),
        }
    }

    /// Returns the program of the command.
    #[must_use]
    pub fn program(&self) -> &str {
        self.command.program()
    }

    /// Returns whether the files of delivered profiles are deleted.
    #[must_use]
    pub fn removes_files(&self) -> bool {
        self.removes_file
    }

    /// Delivers a finished profile to the command.
    ///
    /// # Errors
    /// When the command fails, the run is cancelled, or a file operation fails.
    pub async fn deliver(
        &self,
        context: DeliveryContext<'_>,
        request: HandoverRequest<'_>,
    ) -> Result<(), DeliveryError> {
        let _turn = self.lock.lock().await;
        if context.interrupt.is_cancelled() {
            return Err(DeliveryError::Interrupted(request.path.to_owned()));
        }
        self.command
            .run(request, context.secrets)
            .await
            .map_err(|source| DeliveryError::Command {
                file: request.path.to_owned(),
                source,
            })?;
        let taken = JournalLine::ProfileDelivered {
            run: context.run_id.to_owned(),
            file: to_absolute(request.path),
            keys: request.keys.to_vec(),
        };
        context.journal.write(context.clock.now(), &taken, true)?;
        self.remove_file(request.path)
    }

    /// Deletes the file of a delivered profile if the delivery is configured to do so.
    ///
    /// # Errors
    /// When the file cannot be deleted.
    pub fn remove_file(&self, path: &Path) -> Result<(), DeliveryError> {
        if !self.removes_file {
            return Ok(());
        }
        fs::remove_file(path).map_err(|source| DeliveryError::Remove {
            file: path.to_owned(),
            source,
        })
    }
}

/// Finished profile that an earlier run left in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingProfile {
    /// Profile id.
    pub profile: ProfileId,
    /// Profile file.
    pub path: PathBuf,
    /// Keys in the profile.
    pub keys: Vec<ApiKeyId>,
    /// Whether a command received it.
    pub delivered: bool,
}

/// Finds the finished profiles of `departments` that earlier runs left in the folder, oldest first, so that a newer
/// profile of the same persona is delivered last. `stage` is the stage's part of the path, as in [`ProfileId::stage`].
///
/// # Errors
/// When the journal exists and cannot be read.
pub fn find_pending_profiles(
    journal: &Path,
    store: &ProfileStore,
    stage: Option<&str>,
    departments: &[&DepartmentCode],
) -> Result<Vec<PendingProfile>, JournalError> {
    let folder = to_absolute(store.folder());
    let mut found: Vec<PendingProfile> = Vec::new();
    for line in Journal::read(journal)? {
        match line {
            JournalLine::ProfileProved {
                department,
                persona,
                file,
                keys,
                ..
            } => {
                found.retain(|left| left.path != file);
                found.push(PendingProfile {
                    profile: ProfileId {
                        stage: stage.map(str::to_owned),
                        department,
                        persona,
                    },
                    path: file,
                    keys,
                    delivered: false,
                });
            }
            JournalLine::ProfileDelivered { file, .. } => {
                let taken = found.iter_mut().filter(|left| left.path == file);
                taken.for_each(|left| left.delivered = true);
            }
            _ => {}
        }
    }
    found.retain(|left| {
        departments.contains(&&left.profile.department) && left.path.starts_with(&folder) && left.path.exists()
    });
    Ok(found)
}
