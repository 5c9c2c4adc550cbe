//! What is known of our keys before a run.

use crate::{
    apply::{Journal, Line},
    error::Error,
    handover::{self, Sink},
    model::Snapshot,
    resources::{PROPAGATION_BUDGET, api_key::Ledger},
};

/// What the journal, the evidence and the folder of profiles know of our keys.
pub(super) fn read(
    journal: &std::path::Path,
    evidence_dir: &std::path::Path,
    sink: &Sink,
    seen: &Snapshot,
) -> Result<Ledger, Error> {
    let mut ledger = Ledger {
        now: seen.taken_at,
        budget: PROPAGATION_BUDGET,
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
            _ => {}
        }
    }
    ledger.keys.extend(
        handover::evidence::vouched(evidence_dir)
            .into_iter()
            .map(|key| (key, true)),
    );
    let contents = sink.contents();
    ledger.keys.extend(contents.finished.into_keys().map(|key| (key, true)));
    ledger.waiting = contents.unproved.into_keys().collect();
    Ok(ledger)
}
