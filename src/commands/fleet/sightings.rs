//! Since when things are as they are. The service does not tell; what can be told is since when this computer has seen it so
//! at every look. A small file for each cluster remembers it, and nothing is decided by it.

use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    api::connect::Place,
    config::{
        Existing, SaveError,
        save::{create_private_folder, save},
    },
};

/// What nobody has seen for so long is forgotten.
const KEPT: Duration = Duration::from_hours(30 * 24);

/// How one thing was seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Sighting {
    /// How it was; another word is another beginning.
    how: String,
    /// The first look at which it was so.
    since: Timestamp,
    /// The last one.
    last: Timestamp,
}

/// What was seen of one cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::commands) struct Sightings {
    #[serde(default)]
    seen: BTreeMap<String, Sighting>,
}

impl Sightings {
    /// `what` is `how` now. Answers since when it has been seen so.
    pub(in crate::commands) fn see(&mut self, what: &str, how: &str, now: Timestamp) -> Timestamp {
        match self.seen.get_mut(what) {
            // What lies ahead was written by a clock that went wrong, or by a sandbox that has begun anew.
            Some(known) if known.how == how && known.last <= now => {
                known.last = now;
                known.since
            }
            _ => {
                let sighting = Sighting {
                    how: how.to_owned(),
                    since: now,
                    last: now,
                };
                self.seen.insert(what.to_owned(), sighting);
                now
            }
        }
    }

    fn forget(&mut self, now: Timestamp) {
        let oldest = now.saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        self.seen.retain(|_, sighting| sighting.last >= oldest);
    }
}

/// The file of a cluster's sightings.
#[derive(Clone, Debug)]
pub(in crate::commands) struct Notebook {
    folder: PathBuf,
    name: String,
}

impl Notebook {
    /// The one of the cluster at `place`, below `folder`.
    pub(in crate::commands) fn of(folder: &Path, place: &Place) -> Self {
        Self {
            folder: folder.join("sightings"),
            name: format!("{}-{}", place.environment, place.cluster),
        }
    }

    /// Lets `look` see things and remembers them, one process at a time. Where the disk refuses, or another process has its
    /// turn, what is seen now is all there is: nobody waits, because a screen may be painted meanwhile.
    pub(in crate::commands) fn with<T>(&self, now: Timestamp, look: impl Fn(&mut Sightings) -> T) -> T {
        self.remembered(now, &look).unwrap_or_else(|error| {
            tracing::info!(error = %error, "what was seen before is not known");
            look(&mut Sightings::default())
        })
    }

    fn remembered<T>(&self, now: Timestamp, look: impl Fn(&mut Sightings) -> T) -> Result<T, SaveError> {
        create_private_folder(&self.folder)?;
        let lock = self.folder.join(format!("{}.lock", self.name));
        let io = |source| SaveError::Io {
            what: "lock",
            path: lock.clone(),
            source,
        };
        let turn = File::create(&lock).map_err(io)?;
        turn.try_lock().map_err(|busy| io(busy.into()))?;
        let path = self.folder.join(format!("{}.json", self.name));
        // What cannot be read is not there.
        let mut sightings: Sightings =
            serde_json::from_slice(&std::fs::read(&path).unwrap_or_default()).unwrap_or_default();
        sightings.forget(now);
        let seen = look(&mut sightings);
        save(
            &path,
            &serde_json::to_vec(&sightings).unwrap_or_default(),
            Existing::Replace,
        )?;
        Ok(seen)
    }
}

/// How long something has been seen so, at least: `12m+`.
pub(in crate::commands) fn age(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
    match seconds {
        0..60 => "new".to_owned(),
        60..3600 => format!("{}m+", seconds / 60),
        3600..172_800 => format!("{}h+", seconds / 3600),
        _ => format!("{}d+", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(minutes * 60).unwrap()
    }

    #[test]
    fn a_beginning_is_remembered_until_something_changes() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
        };
        let notebook = Notebook::of(folder.path(), &place);
        let see = |how: &str, minute| {
            let now = at(minute);
            notebook.with(now, |sightings| sightings.see("claims-db", how, now))
        };
        assert_eq!(see("failed", 1), at(1));
        assert_eq!(see("failed", 9), at(1));
        assert_eq!(see("running", 10), at(10));
        assert_eq!(see("failed", 11), at(11));
        // A clock that stands before what was written: the sandbox was begun anew.
        assert_eq!(see("failed", 5), at(5));
        // After a month without a look nobody knows.
        let later = 60 * 24 * 31;
        assert_eq!(see("failed", later), at(later));
    }

    #[test]
    fn how_long_is_told_in_one_unit_and_as_a_lower_bound() {
        let after = |seconds: i64| age(at(0), Timestamp::from_second(seconds).unwrap());
        let shown = [-5, 59, 60, 3_599, 3_600, 172_799, 172_800].map(after);
        assert_eq!(shown, ["new", "new", "1m+", "59m+", "1h+", "47h+", "2d+"]);
    }

    // Whoever waits for another process holds up the screen that it paints, and the key that ends it.
    #[test]
    fn nobody_waits_for_a_process_that_keeps_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
        };
        let notebook = Notebook::of(folder.path(), &place);
        let see = |minute| notebook.with(at(minute), |seen| seen.see("a", "failed", at(minute)));
        assert_eq!(see(1), at(1));
        let other = File::create(folder.path().join("sightings/env-prod01-lkc-prod01.lock")).unwrap();
        other.lock().unwrap();
        let (done, answer) = std::sync::mpsc::channel();
        let meanwhile = notebook.clone();
        std::thread::spawn(move || done.send(meanwhile.with(at(2), |seen| seen.see("a", "failed", at(2)))));
        assert_eq!(answer.recv_timeout(Duration::from_secs(20)), Ok(at(2)));
        drop(other);
        assert_eq!(see(3), at(1), "what was remembered stays");
    }

    #[test]
    fn half_a_file_is_no_file_and_a_disk_that_refuses_is_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
        };
        let notebook = Notebook::of(folder.path(), &place);
        std::fs::create_dir(folder.path().join("sightings")).unwrap();
        std::fs::write(folder.path().join("sightings/env-prod01-lkc-prod01.json"), "{\"se").unwrap();
        assert_eq!(notebook.with(at(1), |seen| seen.see("a", "failed", at(1))), at(1));
        assert_eq!(notebook.with(at(2), |seen| seen.see("a", "failed", at(2))), at(1));
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let nowhere = Notebook::of(&file, &place);
        assert_eq!(nowhere.with(at(3), |seen| seen.see("a", "failed", at(3))), at(3));
    }
}
