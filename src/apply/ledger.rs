//! What we know of our own keys: from the journal, the evidence files and the folder of profiles.

use std::{path::Path, time::Duration};

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
            Line::Done {
                change, id: Some(id), ..
            } if change.starts_with("create service-account ") => {
                ledger.accounts.extend(id.parse());
            }
            _ => {}
        }
    }
    let vouched = evidence::vouched(evidence_dir).into_keys();
    ledger.keys.extend(vouched.map(|key| (key, true)));
    let contents = sink.contents();
    ledger.keys.extend(contents.finished.into_keys().map(|key| (key, true)));
    ledger.waiting = contents.unproved.into_keys().collect();
    Ok(ledger)
}
