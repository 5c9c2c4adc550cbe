//! Evidence: desired, observed and applied state of a run with probe results and ids. Evidence contains no secrets, is
//! meant to be committed beside `ebs.toml`, and records the keys that it lists.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    config::{
        IfExists,
        profile::is_readable_by_others,
        save::{save, save_public},
    },
    model::ApiKeyId,
    private,
    redact::SecretRegistry,
};

/// Key in an evidence file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceKey {
    /// API key id.
    pub id: ApiKeyId,
    /// Account of the key.
    pub account: String,
    /// Persona.
    pub persona: String,
    /// Whether the profile with the key was finished.
    pub handed_over: bool,
}

/// Evidence of one department in one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvidenceRecord {
    /// Format version.
    pub version: u32,
    /// Start of the run.
    pub at: Timestamp,
    /// Run id.
    pub run: String,
    /// Version of this program.
    pub program: String,
    /// Stage name.
    pub stage: String,
    /// Department.
    pub department: String,
    /// Prefix.
    pub prefix: String,
    /// Template name and hash.
    pub template: String,
    /// Organization, environment, cluster and Schema Registry.
    pub address: serde_json::Value,
    /// Service account that made the changes.
    pub provisioner: String,
    /// Keys.
    pub keys: Vec<EvidenceKey>,
    /// Recipients of the department's profiles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// Desired accounts and grants with their reasons.
    pub desired: serde_json::Value,
    /// Observed state before the run.
    pub observed: serde_json::Value,
    /// Applied changes with object ids and request ids.
    pub done: serde_json::Value,
    /// Probe results: passed, failed or inconclusive.
    pub probes: serde_json::Value,
    /// Lists that could not be read.
    pub unknown: serde_json::Value,
}

impl EvidenceRecord {
    /// Whether the run left nothing of the department in the stage: an off-boarding desires no accounts, and its proof found
    /// neither remaining resources nor an accepted API key.
    #[must_use]
    pub fn is_removal(&self) -> bool {
        let is_empty = |value: &serde_json::Value| value.as_array().is_some_and(Vec::is_empty);
        let is_accepted = |key: &serde_json::Value| key["state"] == "still_accepted";
        let keys = self.probes["keys"].as_array();
        is_empty(&self.desired)
            && is_empty(&self.probes["remaining"])
            && !keys.is_some_and(|keys| keys.iter().any(is_accepted))
    }
}

/// Returns the file name of an evidence record: department, stage, time and run, in a sortable form.
fn file_name(evidence: &EvidenceRecord) -> String {
    let at = evidence.at.strftime("%Y%m%dT%H%M%SZ");
    format!("{}-{}-{at}-{}.json", evidence.department, evidence.stage, evidence.run)
}

/// Writes `evidence` without `secrets` into `folder` and returns the path.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn write(folder: &Path, evidence: &EvidenceRecord, secrets: &SecretRegistry) -> io::Result<PathBuf> {
    let mut evidence = evidence.clone();
    for part in [
        &mut evidence.desired,
        &mut evidence.observed,
        &mut evidence.done,
        &mut evidence.probes,
        &mut evidence.unknown,
    ] {
        secrets.redact_json(part);
    }
    // Below the state folder, the folder is private; beside `ebs.toml`, it is meant to be committed.
    let is_public = folder.parent().is_some_and(is_readable_by_others);
    match is_public {
        true => private::create_readable_dir(folder)?,
        false => private::create_dir(folder)?,
    }
    let path = folder.join(file_name(&evidence));
    let mut text = serde_json::to_string_pretty(&evidence)?;
    text.push('\n');
    let write = if is_public { save_public } else { save };
    write(&path, text.as_bytes(), IfExists::Replace).map_err(io::Error::other)?;
    Ok(path)
}

/// Statement of a file that a key was given to a persona.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyClaim {
    /// Key.
    pub key: ApiKeyId,
    /// Stage, department and persona; `None` if the file does not say for whom the key is.
    pub persona: Option<(String, String, String)>,
    /// Name or id of the owner, if the file says it.
    pub account: Option<String>,
    /// Time of the statement, if the file says it.
    pub at: Option<Timestamp>,
    /// File.
    pub file: PathBuf,
}

/// Reads the statements of the evidence files in `folder` about keys that were handed over; skips other files.
#[must_use]
pub fn read_key_claims(folder: &Path) -> Vec<KeyClaim> {
    let mut claims = Vec::new();
    for (file, evidence) in read_records(folder) {
        for key in evidence.keys.into_iter().filter(|key| key.handed_over) {
            claims.push(KeyClaim {
                key: key.id,
                persona: Some((evidence.stage.clone(), evidence.department.clone(), key.persona)),
                account: Some(key.account),
                at: Some(evidence.at),
                file: file.clone(),
            });
        }
    }
    claims.sort_by(|a, b| (&a.file, &a.key).cmp(&(&b.file, &b.key)));
    claims
}

/// Reads the evidence files in `folder`; skips other files.
pub(crate) fn read_records(folder: &Path) -> impl Iterator<Item = (PathBuf, EvidenceRecord)> {
    let paths = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .filter_map(|path| {
            let evidence = serde_json::from_str(&private::read_to_string(&path).ok()?).ok()?;
            Some((path, evidence))
        })
}

/// Key that evidence records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedKey {
    /// Account of the key when it was handed over.
    pub account: String,
    /// Time of the latest successful verification.
    pub proved_at: Timestamp,
}

/// Reads the keys that the evidence files in `folder` record as handed over; skips other files.
#[must_use]
pub fn read_recorded_keys(folder: &Path) -> BTreeMap<ApiKeyId, RecordedKey> {
    let mut recorded: BTreeMap<ApiKeyId, RecordedKey> = BTreeMap::new();
    for (_, evidence) in read_records(folder) {
        for key in evidence.keys.into_iter().filter(|key| key.handed_over) {
            let known = recorded.entry(key.id).or_insert(RecordedKey {
                account: key.account,
                proved_at: evidence.at,
            });
            known.proved_at = evidence.at.max(known.proved_at);
        }
    }
    recorded
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn record(desired: &Value, proof: &Value) -> EvidenceRecord {
        serde_json::from_value(json!({
            "version": 1, "at": "2026-11-22T10:00:00Z", "run": "1", "program": "1", "stage": "prod",
            "department": "claims", "prefix": "claims-", "template": "hybrid@1", "address": {}, "provisioner": "sa-1",
            "keys": [], "desired": desired, "observed": [], "done": {}, "probes": proof, "unknown": {},
        }))
        .unwrap()
    }

    #[test]
    fn an_off_boarding_is_a_removal_only_if_its_proof_found_nothing() {
        let key = |state: &str| json!({"api_key": "ABCDEFGHIJKLMNOP", "state": state});
        let proof = |remaining: Value, state: &str| json!({"keys": [key(state)], "remaining": remaining});
        assert!(record(&json!([]), &proof(json!([]), "refused")).is_removal());
        assert!(record(&json!([]), &proof(json!([]), "gone")).is_removal());
        assert!(!record(&json!([]), &proof(json!([]), "still_accepted")).is_removal());
        assert!(!record(&json!([]), &proof(json!(["service-account sa-2"]), "refused")).is_removal());
        // An onboarding, whose probes are by account.
        assert!(!record(&json!([{"account": "a"}]), &json!({"a": []})).is_removal());
    }
}
