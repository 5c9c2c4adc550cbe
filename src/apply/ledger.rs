//! What we know of our own keys: from the journal, the evidence files and the folder of profiles.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jiff::Timestamp;

use super::{Journal, JournalError, Line};
use crate::{
    handover::{Sink, evidence},
    resources::api_key::Ledger,
};

/// Reads the ledger as it is at `now`; a key that is younger than `budget` may belong to a run that is still at work.
///
/// # Errors
/// When the journal is there and cannot be read.
pub fn ledger(
    journal: &Path,
    evidence_dir: &Path,
    sink: &Sink,
    now: Timestamp,
    budget: Duration,
) -> Result<Ledger, JournalError> {
    let mut ledger = Ledger {
        now,
        budget,
        ..Ledger::default()
    };
    let mut proved = BTreeMap::new();
    for line in Journal::read(journal)? {
        match line {
            Line::RunStarted { run, .. } => {
                ledger.runs.insert(run);
            }
            Line::KeyBorn { key, .. } => {
                ledger.keys.entry(key).or_insert(false);
            }
            Line::KeyHandedOver { key, .. } => {
                ledger.keys.insert(key, true);
            }
            Line::ProfileProved { from, keys, .. } => {
                proved.insert(from, keys);
            }
            Line::Done {
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
    let vouched = evidence::vouched(evidence_dir).into_keys();
    ledger.keys.extend(vouched.map(|key| (key, true)));
    let contents = sink.contents();
    ledger.keys.extend(contents.finished.into_keys().map(|key| (key, true)));
    ledger.waiting = contents.unproved.into_keys().collect();
    Ok(ledger)
}
