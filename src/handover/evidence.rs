//! Evidence: what was wanted, found, done and proved, when, with which ids. No secret: it is made to be committed beside
//! `ebs.toml`, and vouches for the keys it names.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::ApiKeyId;

/// A key that was handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceKey {
    /// The public half.
    pub id: ApiKeyId,
    /// The account it belongs to.
    pub account: String,
    /// The persona.
    pub persona: String,
    /// Whether the profile with it was finished.
    pub handed_over: bool,
}

/// One department in one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvidenceRecord {
    /// The version of this form.
    pub version: u32,
    /// When the run began.
    pub at: Timestamp,
    /// The run's nonce.
    pub run: String,
    /// The version of this program.
    pub program: String,
    /// The stage.
    pub stage: String,
    /// The department.
    pub department: String,
    /// The prefix.
    pub prefix: String,
    /// Template and hash.
    pub template: String,
    /// Organization, environment, cluster, Schema Registry.
    pub address: serde_json::Value,
    /// The service account that did it.
    pub provisioner: String,
    /// The keys.
    pub keys: Vec<EvidenceKey>,
    /// To whom their profiles are encrypted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// What was wanted: accounts, grants with their reasons.
    pub desired: serde_json::Value,
    /// What was found before.
    pub observed: serde_json::Value,
    /// What was done, with ids and request ids.
    pub done: serde_json::Value,
    /// What was proved, refuted, not provable.
    pub probes: serde_json::Value,
    /// What was not looked at.
    pub unknown: serde_json::Value,
}

/// The name of an evidence file: department, stage and moment, in an order that sorts.
fn file_name(evidence: &EvidenceRecord) -> String {
    let at = evidence.at.strftime("%Y%m%dT%H%M%SZ");
    format!("{}-{}-{at}-{}.json", evidence.department, evidence.stage, evidence.run)
}

/// Writes `evidence` into `folder`; answers the path.
///
/// # Errors
/// When the folder or the file cannot be written.
pub fn write(folder: &Path, evidence: &EvidenceRecord) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let path = folder.join(file_name(evidence));
    let mut text = serde_json::to_string_pretty(evidence)?;
    text.push('\n');
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(&path).map_err(|error| error.error)?;
    Ok(path)
}

/// A key that evidence vouches for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedKey {
    /// The account it belonged to when it was handed over.
    pub account: String,
    /// When it was proved last.
    pub proved_at: Timestamp,
}

/// The keys that the evidence in `folder` vouches for: those that were handed over. What is no evidence is passed over.
#[must_use]
pub fn read_recorded_keys(folder: &Path) -> BTreeMap<ApiKeyId, RecordedKey> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let evidence = files
        .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "json"))
        .filter_map(|entry| serde_json::from_str::<EvidenceRecord>(&fs::read_to_string(entry.path()).ok()?).ok());
    let mut vouched: BTreeMap<ApiKeyId, RecordedKey> = BTreeMap::new();
    for evidence in evidence {
        for key in evidence.keys.into_iter().filter(|key| key.handed_over) {
            let known = vouched.entry(key.id).or_insert(RecordedKey {
                account: key.account,
                proved_at: evidence.at,
            });
            known.proved_at = evidence.at.max(known.proved_at);
        }
    }
    vouched
}
