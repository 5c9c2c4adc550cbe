//! Recorded keys: from the journal, the evidence files and the profile store.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jiff::Timestamp;

use super::{Journal, JournalError, JournalLine};
use crate::{
    handover::{ProfileStore, evidence},
    resources::api_key::KnownKeys,
};

/// Loads the recorded keys as of `now`; a key younger than `budget` may belong to an active run.
///
/// # Errors
/// When the journal exists and cannot be read.
pub fn load_known_keys(
    journal: &Path,
    evidence_dir: &Path,
    store: &ProfileStore,
    now: Timestamp,
    budget: Duration,
) -> Result<KnownKeys, JournalError> {
    let mut ledger = KnownKeys {
        now,
        max_run_time: budget,
        ..KnownKeys::default()
    };
    let mut proved = BTreeMap::new();
    for line in Journal::read(journal)? {
        match line {
            JournalLine::RunStarted { run, .. } => {
                ledger.runs.insert(run);
            }
            JournalLine::KeyCreated { key, .. } => {
                ledger.keys.entry(key).or_insert(false);
            }
            JournalLine::KeyHandedOver { key, .. } => {
                ledger.keys.insert(key, true);
            }
            JournalLine::ProfileProved { from, keys, .. } => {
                proved.insert(from, keys);
            }
            JournalLine::Done {
                change, id: Some(id), ..
            } if change.starts_with("create service-account ") => {
                ledger.accounts.extend(id.parse());
            }
            _ => {}
        }
    }
    // A run may crash between renaming a profile and recording it, and the keys of an encrypted profile cannot be read.
    // If the pending file is gone, the profile was finished; it may have been moved since.
    let finished = proved.into_iter().filter(|(from, _)| !from.exists());
    ledger
        .keys
        .extend(finished.flat_map(|(_, keys)| keys).map(|key| (key, true)));
    let recorded = evidence::read_recorded_keys(evidence_dir).into_keys();
    ledger.keys.extend(recorded.map(|key| (key, true)));
    let contents = store.stored_keys();
    ledger.keys.extend(contents.finished.into_keys().map(|key| (key, true)));
    ledger.pending = contents.pending.into_keys().collect();
    Ok(ledger)
}
