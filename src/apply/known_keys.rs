//! Recorded keys: from the journal, the evidence files and the profile store.

use std::{collections::BTreeMap, path::Path, time::Duration};

use jiff::SignedDuration;

use super::{Journal, JournalError, JournalLine};
use crate::{
    access::audit::RejectedKeyRecord,
    handover::{
        ProfileStore,
        evidence::{self, KeyClaim},
    },
    model::{Snapshot, ownership::account_name},
    resources::api_key::KnownKeys,
};

/// Beginning of the label of a created account in journals without [`JournalLine::AccountCreated`].
const OLD_ACCOUNT_LABEL: &str = "create service-account ";

/// Loads the recorded keys as of `snapshot`; a key younger than `budget` may belong to an active run. Evidence and
/// profiles record only keys of the account that they name.
///
/// # Errors
/// When the journal exists and cannot be read.
pub fn load_known_keys(
    journal: &Path,
    evidence_dir: &Path,
    store: &ProfileStore,
    snapshot: &Snapshot,
    budget: Duration,
) -> Result<KnownKeys, JournalError> {
    let mut ledger = KnownKeys {
        now: snapshot.taken_at,
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
    let claims = evidence::read_key_claims(evidence_dir).into_iter();
    for claim in claims.chain(store.key_claims()) {
        match check_claim(&claim, snapshot, budget) {
            Ok(()) => {
                ledger.keys.insert(claim.key, true);
            }
            Err(reason) => ledger.rejected.push(RejectedKeyRecord {
                key: claim.key,
                file: claim.file.display().to_string(),
                reason,
            }),
        }
    }
    ledger.pending = store.stored_keys().pending.into_keys().collect();
    Ok(ledger)
}

/// Checks that a key belongs to the account that a file names, and is not younger than the file. Everyone who may
/// change a repository can add evidence to it.
fn check_claim(claim: &KeyClaim, snapshot: &Snapshot, budget: Duration) -> Result<(), String> {
    // A key that is not observed may have been deleted since.
    let Some(key) = snapshot.keys.iter().find(|key| key.id == claim.key) else {
        return Ok(());
    };
    let owner = snapshot.display_name(&key.owner);
    let Some((stage, department, persona)) = &claim.persona else {
        return Err(format!(
            "the file is not a complete profile; the key belongs to `{owner}`"
        ));
    };
    let account = key.owner.service_account().and_then(|id| snapshot.account(id));
    let Ok(department) = department.parse() else {
        return Err(format!("`{department}` is not a department code"));
    };
    let expected = account_name(stage, &department, persona);
    if account.is_none_or(|account| account.name != expected) {
        return Err(format!(
            "the file is about `{expected}`, but the key belongs to `{owner}`"
        ));
    }
    let is_account =
        |named: &String| account.is_some_and(|account| *named == account.name || *named == account.id.as_str());
    if let Some(named) = claim.account.as_ref().filter(|named| !is_account(named)) {
        return Err(format!(
            "the file names account `{named}`, but the key belongs to `{owner}`"
        ));
    }
    // Evidence carries the start of its run.
    let budget = SignedDuration::try_from(budget).unwrap_or(SignedDuration::MAX);
    match (claim.at, key.created_at) {
        (Some(at), Some(created)) if created.duration_since(at) > budget => {
            Err(format!("the file is of {at}, but the key was created at {created}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::model::{ObservedAccount, ObservedKey, Principal, ServiceAccountId, StageAddress};

    fn snapshot() -> Snapshot {
        let address = StageAddress {
            organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
            environment: "env-1".parse().unwrap(),
            cluster: "lkc-1".parse().unwrap(),
            schema_registry: None,
        };
        let taken_at = "2026-11-22T12:00:00Z".parse().unwrap();
        let mut snapshot = Snapshot::new(taken_at, address, Principal::from_id("u-admin"));
        for (id, name) in [("sa-1", "ebs-prod-claims-operator"), ("sa-2", "ebs-prod-claims-viewer")] {
            snapshot.accounts.push(ObservedAccount {
                id: id.parse().unwrap(),
                name: name.to_owned(),
                description: String::new(),
                created_at: None,
            });
        }
        snapshot.keys.push(ObservedKey {
            id: "KEY1".parse().unwrap(),
            owner: Principal::from_id("sa-1"),
            resource: "cloud".to_owned(),
            description: String::new(),
            created_at: Some("2026-11-22T10:00:00Z".parse().unwrap()),
        });
        snapshot
    }

    fn claim(stage: &str, department: &str, persona: &str, account: &str, at: &str) -> KeyClaim {
        KeyClaim {
            key: "KEY1".parse().unwrap(),
            persona: Some((stage.to_owned(), department.to_owned(), persona.to_owned())),
            account: Some(account.to_owned()),
            at: Some(at.parse().unwrap()),
            file: PathBuf::from("evidence/a.json"),
        }
    }

    #[test]
    fn evidence_records_only_the_key_of_its_account_stage_department_and_persona() {
        let (name, at) = ("ebs-prod-claims-operator", "2026-11-22T09:58:00Z");
        let is_accepted = |claim: &KeyClaim| check_claim(claim, &snapshot(), Duration::from_mins(6)).is_ok();
        let right = claim("prod", "claims", "operator", name, at);
        assert!(is_accepted(&right));
        assert!(is_accepted(&claim("prod", "claims", "operator", "sa-1", at)), "by id");
        for wrong in [
            claim("test", "claims", "operator", name, at),
            claim("prod", "fraud", "operator", name, at),
            claim("prod", "claims", "viewer", name, at),
            claim("prod", "claims", "viewer", "ebs-prod-claims-viewer", at),
            claim("prod", "claims", "operator", "sa-2", at),
            // Older than the key.
            claim("prod", "claims", "operator", name, "2026-11-22T09:50:00Z"),
            KeyClaim {
                persona: None,
                ..right.clone()
            },
        ] {
            assert!(!is_accepted(&wrong), "{wrong:?}");
        }
        let gone = KeyClaim {
            key: "GONE".parse().unwrap(),
            ..claim("test", "a", "b", "c", at)
        };
        assert!(is_accepted(&gone), "a deleted key needs no record");
    }
    fn accounts(lines: &[&str]) -> Vec<ServiceAccountId> {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("prod.jsonl");
        std::fs::write(&journal, lines.join("\n") + "\n").unwrap();
        let store = ProfileStore::new(folder.path().join("handover"));
        let known = load_known_keys(
            &journal,
            &folder.path().join("evidence"),
            &store,
            &snapshot(),
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
