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

use super::{Journal, JournalError, Line, journal::absolute};
use crate::{
    clock::Clock,
    handover::{CommandError, HandoverCommand, Parcel, Place, Sink},
    hint::{Advice, Hint},
    interrupt::Interrupt,
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
        source: CommandError,
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
    remove: bool,
    turn: Mutex<()>,
}

/// What a delivery works with.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// What is written down.
    pub journal: &'a Journal,
    /// Time, for the journal.
    pub clock: &'a Clock,
    /// The run.
    pub run: &'a str,
    /// The wish to stop.
    pub interrupt: &'a Interrupt,
}

impl Delivery {
    /// Gives profiles to `command`; with `remove` their files go once it has taken them.
    #[must_use]
    pub fn new(command: HandoverCommand, remove: bool) -> Self {
        Self {
            command,
            remove,
            turn: Mutex::default(),
        }
    }

    /// The program that takes them.
    #[must_use]
    pub fn program(&self) -> &str {
        self.command.program()
    }

    /// Whether the files of profiles that were taken are removed.
    #[must_use]
    pub fn removes(&self) -> bool {
        self.remove
    }

    /// Gives a finished profile to the command.
    ///
    /// # Errors
    /// When the command does not take it, somebody wishes to stop, or the disk fails.
    pub async fn deliver(&self, route: Route<'_>, parcel: Parcel<'_>) -> Result<(), DeliveryError> {
        let _turn = self.turn.lock().await;
        if route.interrupt.is_wished() {
            return Err(DeliveryError::Interrupted(parcel.path.to_owned()));
        }
        self.command
            .give(parcel)
            .await
            .map_err(|source| DeliveryError::Command {
                file: parcel.path.to_owned(),
                source,
            })?;
        let taken = Line::ProfileTaken {
            run: route.run.to_owned(),
            file: absolute(parcel.path),
            keys: parcel.keys.to_vec(),
        };
        route.journal.write(route.clock.now(), &taken, true)?;
        self.tidy(parcel.path)
    }

    /// Removes the file of a profile that was taken, if that is wanted.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn tidy(&self, path: &Path) -> Result<(), DeliveryError> {
        if !self.remove {
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
pub struct LeftBehind {
    /// Which one.
    pub place: Place,
    /// The file.
    pub path: PathBuf,
    /// The keys in it.
    pub keys: Vec<ApiKeyId>,
    /// Whether a command took it.
    pub taken: bool,
}

/// The finished profiles of these departments that earlier runs left in the folder, the oldest first: of two for the same
/// persona the newer one must have the last word. `stage` is the folder's part for the stage, as in [`Place::stage`].
///
/// # Errors
/// When the journal is there and cannot be read.
pub fn left_behind(
    journal: &Path,
    sink: &Sink,
    stage: Option<&str>,
    departments: &[&DepartmentCode],
) -> Result<Vec<LeftBehind>, JournalError> {
    let folder = absolute(sink.folder());
    let mut found: Vec<LeftBehind> = Vec::new();
    for line in Journal::read(journal)? {
        match line {
            Line::ProfileProved {
                department,
                persona,
                file,
                keys,
                ..
            } => {
                found.retain(|left| left.path != file);
                found.push(LeftBehind {
                    place: Place {
                        stage: stage.map(str::to_owned),
                        department,
                        persona,
                    },
                    path: file,
                    keys,
                    taken: false,
                });
            }
            Line::ProfileTaken { file, .. } => {
                let taken = found.iter_mut().filter(|left| left.path == file);
                taken.for_each(|left| left.taken = true);
            }
            _ => {}
        }
    }
    found.retain(|left| {
        departments.contains(&&left.place.department) && left.path.starts_with(&folder) && left.path.exists()
    });
    Ok(found)
}
