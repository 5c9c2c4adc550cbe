//! History of states: since when this machine has observed each state. The API does not report when a state began. Each
//! cluster has a small file; no decision depends on it.
//!
//! Every list of connectors is an observation, whichever command needs it, and a change by this machine ends the period.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ConnectorClient, ConnectorCondition, LiveConnector};
use crate::{
    api::connect::{ClusterPath, ExpandedConnector},
    config::{
        IfExists, SaveError,
        save::{create_private_dir, save},
    },
    private,
};

/// Retention of entries that are no longer observed.
const RETENTION: Duration = Duration::from_hours(30 * 24);

/// Observed state of a subject.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct StateRecord {
    /// State; a different word starts a new record.
    state: String,
    /// First observation of the state.
    since: Timestamp,
    /// Last observation of the state.
    last_observed: Timestamp,
}

/// Observed states of a cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct StateHistory {
    #[serde(default)]
    records: BTreeMap<String, StateRecord>,
}

impl StateHistory {
    /// Records that `what` is in state `how`. Returns since when this state has been observed.
    pub fn record(&mut self, what: &str, how: &str, now: Timestamp) -> Timestamp {
        match self.records.get_mut(what) {
            // A time in the future comes from a wrong clock or from a sandbox that was reset.
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

/// File with the state history of a cluster.
#[derive(Clone, Debug)]
pub struct StateHistoryStore {
    folder: PathBuf,
    name: String,
}

impl StateHistoryStore {
    /// Returns the store of the cluster `place` in the directory `folder`.
    pub fn new(folder: &Path, place: &ClusterPath) -> Self {
        Self {
            folder: folder.join("state-history"),
            name: format!("{}-{}", place.environment, place.cluster),
        }
    }

    /// Loads the history, passes it to `look`, and saves it, under a lock. If the disk fails or another process holds
    /// the lock, the history starts empty: the caller never waits, because it may be refreshing a screen.
    pub fn update<T>(&self, now: Timestamp, look: impl Fn(&mut StateHistory) -> T) -> T {
        self.try_update(now, &look).unwrap_or_else(|error| {
            tracing::info!(error = %error, "the state history is not available");
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
        // An unreadable history is treated as empty.
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

/// Subject of the records of a connector.
#[must_use]
pub fn connector_subject(id: &str) -> String {
    format!("connector {id}")
}

impl ConnectorClient {
    /// Returns the history of the cluster, if it is recorded.
    fn history(&self) -> Option<StateHistoryStore> {
        let folder = self.history_dir.as_deref()?;
        Some(StateHistoryStore::new(folder, &self.cluster_path))
    }

    /// Records the conditions of listed connectors.
    pub(super) fn record_states(&self, list: &BTreeMap<String, ExpandedConnector>) {
        let Some(history) = self.history() else { return };
        let now = self.clock.now();
        history.update(now, |history| {
            for connector in list.values().filter(|connector| !connector.id.id.is_empty()) {
                let condition = ConnectorCondition::from_status(&connector.status);
                history.record(&connector_subject(&connector.id.id), condition.as_str(), now);
            }
        });
    }

    /// Ends the observed period of a connector that this machine changes, also if nothing observes the change.
    pub(super) fn end_observed_period(&self, changed: &LiveConnector) {
        let Some(history) = self.history() else { return };
        history.update(self.clock.now(), |history| {
            history.records.remove(&connector_subject(changed.id()));
        });
    }
}

/// Formats the minimum age of a state, such as `12m+`.
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
        // A clock that is behind the recorded time: the sandbox was reset.
        assert_eq!(see("failed", 5), at(5));
        // After a month without an observation, the record is discarded.
        let a_month_later = 60 * 24 * 31;
        assert_eq!(see("failed", a_month_later), at(a_month_later));
    }

    #[test]
    fn an_age_has_one_unit_and_is_a_lower_bound() {
        let after = |seconds: i64| format_age(at(0), Timestamp::from_second(seconds).unwrap());
        let shown = [-5, 59, 60, 3_599, 3_600, 172_799, 172_800].map(after);
        assert_eq!(shown, ["new", "new", "1m+", "59m+", "1h+", "47h+", "2d+"]);
    }

    // Waiting for another process would block the screen and its exit key.
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
        assert_eq!(see(3), at(1), "the history is kept");
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
