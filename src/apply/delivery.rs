//! Giving finished profiles to a command, each of them once.
//!
//! A profile is given as soon as it is finished, while others are still made, so that a machine which is thrown away takes
//! as little as possible with it. That the command took it is written into the journal; what a run that failed or died left
//! in the folder is given by the next one. Two profiles are never given at the same time: the command may ask somebody.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tokio::sync::Mutex;

use super::{Journal, JournalError, JournalLine, journal::to_absolute};
use crate::{
    cancel::CancelToken,
    clock::Clock,
    handover::{HandoverCommand, HandoverError, HandoverRequest, ProfileId, ProfileStore},
    hint::{Advice, Hint},
    model::{ApiKeyId, DepartmentCode},
};

/// Why a finished profile was not given away. It is still there.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The command did not take it.
    #[error("the profile stays in `{}`", file.display())]
    Command {
        /// The file.
        file: PathBuf,
        /// Why.
        source: HandoverError,
    },
    /// Somebody wished to stop before.
    #[error("interrupted; the profile stays in `{}`", .0.display())]
    Interrupted(PathBuf),
    /// That it was taken could not be written down.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It was taken, and its file could not be removed.
    #[error("the command took the profile, but `{}` could not be removed", file.display())]
    Remove {
        /// The file.
        file: PathBuf,
        /// What the system said.
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

/// A command that takes profiles, and what happens to their files.
#[derive(Debug)]
pub struct Delivery {
    command: HandoverCommand,
    /// Whether the file of a profile that was taken is removed.
    removes_file: bool,
    lock: Mutex<()>,
}

/// What a delivery works with.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryContext<'a> {
    /// What is written down.
    pub journal: &'a Journal,
    /// Time, for the journal.
    pub clock: &'a Clock,
    /// The run.
    pub run_id: &'a str,
    /// The wish to stop.
    pub interrupt: &'a CancelToken,
}

impl Delivery {
    /// Gives profiles to `command`; with `remove` their files go once it has taken them.
    #[must_use]
    pub fn new(command: HandoverCommand, remove: bool) -> Self {
        Self {
            command,
            removes_file: remove,
            lock: Mutex::default(),
        }
    }

    /// The program that takes them.
    #[must_use]
    pub fn program(&self) -> &str {
        self.command.program()
    }

    /// Whether the files of profiles that were taken are removed.
    #[must_use]
    pub fn removes_files(&self) -> bool {
        self.removes_file
    }

    /// Gives a finished profile to the command.
    ///
    /// # Errors
    /// When the command does not take it, somebody wishes to stop, or the disk fails.
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
            .run(request)
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

    /// Removes the file of a profile that was taken, if that is wanted.
    ///
    /// # Errors
    /// When the system refuses.
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

/// A finished profile that an earlier run left in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingProfile {
    /// Which one.
    pub profile: ProfileId,
    /// The file.
    pub path: PathBuf,
    /// The keys in it.
    pub keys: Vec<ApiKeyId>,
    /// Whether a command took it.
    pub delivered: bool,
}

/// The finished profiles of these departments that earlier runs left in the folder, the oldest first: of two for the same
/// persona the newer one must have the last word. `stage` is the folder's part for the stage, as in [`Place::stage`].
///
/// # Errors
/// When the journal is there and cannot be read.
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
