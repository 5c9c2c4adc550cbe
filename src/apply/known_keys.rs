//! What we know of our own keys: from the journal, the evidence files and the folder of profiles.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jiff::Timestamp;

use super::{Journal, JournalError, JournalLine};
use crate::{
    handover::{ProfileStore, evidence},
    resources::api_key::KnownKeys,
};

/// Reads the ledger as it is at `now`; a key that is younger than `budget` may belong to a run that is still at work.
///
/// # Errors
/// When the journal is there and cannot be read.
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
    // A run may die between giving a profile its name and saying so, and an encrypted one cannot say which keys it holds.
    // It has left the name before; where it is by now is not asked, because it may have been taken away already.
    let finished = proved.into_iter().filter(|(from, _)| !from.exists());
    ledger
        .keys
        .extend(finished.flat_map(|(_, keys)| keys).map(|key| (key, true)));
    let vouched = evidence::read_recorded_keys(evidence_dir).into_keys();
    ledger.keys.extend(vouched.map(|key| (key, true)));
    let contents = store.stored_keys();
    ledger.keys.extend(contents.finished.into_keys().map(|key| (key, true)));
    ledger.pending = contents.pending.into_keys().collect();
    Ok(ledger)
}
