//! Since when things are as they are. The service does not tell; what can be told is since when this computer has seen it so
//! at every look. A small file for each cluster remembers it, and nothing is decided by it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    api::connect::ClusterPath,
    config::{
        IfExists, SaveError,
        save::{create_private_dir, save},
    },
    private,
};

/// What nobody has seen for so long is forgotten.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// How one thing was seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct StateRecord {
    /// How it was; another word is another beginning.
    state: String,
    /// The first look at which it was so.
    since: Timestamp,
    /// The last one.
    last_observed: Timestamp,
}

/// What was seen of one cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StateHistory {
    #[serde(default)]
    records: BTreeMap<String, StateRecord>,
}

impl StateHistory {
    /// `what` is `how` now. Answers since when it has been seen so.
    pub fn record(&mut self, what: &str, how: &str, now: Timestamp) -> Timestamp {
        match self.records.get_mut(what) {
            // What lies ahead was written by a clock that went wrong, or by a sandbox that has begun anew.
            Some(known) if known.state == how && known.last_observed <= now => {
                known.last_observed = now;
                known.since
            }
            _ => {
                let sighting = StateRecord {
                    state: how.to_owned(),
                    since: now,
                    last_observed: now,
                };
                self.records.insert(what.to_owned(), sighting);
                now
            }
        }
    }

    fn prune(&mut self, now: Timestamp) {
        let oldest = now.saturating_sub(RETENTION).unwrap_or(Timestamp::MIN);
        self.records.retain(|_, sighting| sighting.last_observed >= oldest);
    }
}

/// The file of a cluster's state history.
#[derive(Clone, Debug)]
pub struct StateHistoryStore {
    folder: PathBuf,
    name: String,
}

impl StateHistoryStore {
    /// The one of the cluster at `place`, below `folder`.
    pub fn new(folder: &Path, place: &ClusterPath) -> Self {
        Self {
            folder: folder.join("state-history"),
            name: format!("{}-{}", place.environment, place.cluster),
        }
    }

    /// Lets `look` see things and remembers them, one process at a time. Where the disk refuses, or another process has its
    /// turn, what is seen now is all there is: nobody waits, because a screen may be painted meanwhile.
    pub fn update<T>(&self, now: Timestamp, look: impl Fn(&mut StateHistory) -> T) -> T {
        self.try_update(now, &look).unwrap_or_else(|error| {
            tracing::info!(error = %error, "what was seen before is not known");
            look(&mut StateHistory::default())
        })
    }

    fn try_update<T>(&self, now: Timestamp, look: impl Fn(&mut StateHistory) -> T) -> Result<T, SaveError> {
        create_private_dir(&self.folder)?;
        let lock = self.folder.join(format!("{}.lock", self.name));
        let io = |source| SaveError::Io {
            action: "lock",
            path: lock.clone(),
            source,
        };
        let turn = private::open_lock_file(&lock).map_err(io)?;
        turn.try_lock().map_err(|busy| io(busy.into()))?;
        let path = self.folder.join(format!("{}.json", self.name));
        // What cannot be read is not there.
        let mut history: StateHistory =
            serde_json::from_slice(&std::fs::read(&path).unwrap_or_default()).unwrap_or_default();
        history.prune(now);
        let snapshot = look(&mut history);
        save(
            &path,
            &serde_json::to_vec(&history).unwrap_or_default(),
            IfExists::Replace,
        )?;
        Ok(snapshot)
    }
}

/// How long something has been seen so, at least: `12m+`.
pub fn format_age(since: Timestamp, now: Timestamp) -> String {
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
    fn the_start_of_a_state_is_kept_until_the_state_changes() {
        let folder = tempfile::tempdir().unwrap();
        let place = ClusterPath {
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
        };
        let history_store = StateHistoryStore::new(folder.path(), &place);
        let see = |how: &str, minute| {
            let now = at(minute);
            history_store.update(now, |history| history.record("claims-db", how, now))
        };
        assert_eq!(see("failed", 1), at(1));
        assert_eq!(see("failed", 9), at(1));
        assert_eq!(see("running", 10), at(10));
        assert_eq!(see("failed", 11), at(11));
        // A clock that stands before what was written: the sandbox was begun anew.
        assert_eq!(see("failed", 5), at(5));
        // After a month without a look nobody knows.
        let a_month_later = 60 * 24 * 31;
        assert_eq!(see("failed", a_month_later), at(a_month_later));
    }

    #[test]
    fn an_age_has_one_unit_and_is_a_lower_bound() {
        let after = |seconds: i64| format_age(at(0), Timestamp::from_second(seconds).unwrap());
        let shown = [-5, 59, 60, 3_599, 3_600, 172_799, 172_800].map(after);
        assert_eq!(shown, ["new", "new", "1m+", "59m+", "1h+", "47h+", "2d+"]);
    }

    // Whoever waits for another process holds up the screen that it paints, and the key that ends it.
    #[test]
    fn a_locked_history_does_not_block() {
        let folder = tempfile::tempdir().unwrap();
        let place = ClusterPath {
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
        };
        let history_store = StateHistoryStore::new(folder.path(), &place);
        let see = |minute| history_store.update(at(minute), |history| history.record("a", "failed", at(minute)));
        assert_eq!(see(1), at(1));
        let other = std::fs::File::create(folder.path().join("state-history/env-prod01-lkc-prod01.lock")).unwrap();
        other.lock().unwrap();
        let (done, answer) = std::sync::mpsc::channel();
        let meanwhile = history_store.clone();
        std::thread::spawn(move || done.send(meanwhile.update(at(2), |history| history.record("a", "failed", at(2)))));
        assert_eq!(answer.recv_timeout(Duration::from_secs(20)), Ok(at(2)));
        drop(other);
        assert_eq!(see(3), at(1), "what was remembered stays");
    }

    #[test]
    fn a_truncated_history_is_discarded_and_a_write_error_is_ignored() {
        let folder = tempfile::tempdir().unwrap();
        let place = ClusterPath {
            environment: "env-prod01".parse().unwrap(),
            cluster: "lkc-prod01".parse().unwrap(),
        };
        let history_store = StateHistoryStore::new(folder.path(), &place);
        std::fs::create_dir(folder.path().join("state-history")).unwrap();
        std::fs::write(folder.path().join("state-history/env-prod01-lkc-prod01.json"), "{\"se").unwrap();
        assert_eq!(
            history_store.update(at(1), |history| history.record("a", "failed", at(1))),
            at(1)
        );
        assert_eq!(
            history_store.update(at(2), |history| history.record("a", "failed", at(2))),
            at(1)
        );
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let nowhere = StateHistoryStore::new(&file, &place);
        assert_eq!(
            nowhere.update(at(3), |history| history.record("a", "failed", at(3))),
            at(3)
        );
    }
}
