//! Recorded keys: from the journal, the evidence files and the profile store.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jiff::Timestamp;

use super::{Journal, JournalError, JournalLine};
use crate::{
    handover::{ProfileStore, evidence},
    resources::api_key::KnownKeys,
};

/// Beginning of the label of a created account in journals without [`JournalLine::AccountCreated`].
const OLD_ACCOUNT_LABEL: &str = "create service-account ";

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
            JournalLine::AccountCreated { account, .. } => {
                ledger.accounts.insert(account);
            }
            JournalLine::Done {
                change, id: Some(id), ..
            } if change.starts_with(OLD_ACCOUNT_LABEL) => {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ServiceAccountId;

    fn accounts(lines: &[&str]) -> Vec<ServiceAccountId> {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("prod.jsonl");
        std::fs::write(&journal, lines.join("\n") + "\n").unwrap();
        let store = ProfileStore::new(folder.path().join("handover"));
        let known = load_known_keys(
            &journal,
            &folder.path().join("evidence"),
            &store,
            Timestamp::UNIX_EPOCH,
            Duration::from_mins(5),
        );
        known.unwrap().accounts.into_iter().collect()
    }

    #[test]
    fn a_created_account_is_known_by_its_own_line_and_in_old_journals_by_its_label() {
        let typed = r#"{"at":"2026-11-22T10:00:00Z","event":"account_created","run":"r","account":"sa-abc123"}"#;
        let renamed =
            r#"{"at":"2026-11-22T10:00:00Z","event":"done","run":"r","change":"make account x","id":"sa-abc123"}"#;
        let old = r#"{"at":"2026-11-22T10:00:00Z","event":"done","run":"r","change":"create service-account x","id":"sa-abc123"}"#;
        let account: ServiceAccountId = "sa-abc123".parse().unwrap();
        assert_eq!(accounts(&[typed, renamed]), std::slice::from_ref(&account));
        assert_eq!(accounts(&[old]), [account]);
        assert!(accounts(&[renamed]).is_empty());
    }
}
