//! Snapshots on disk: what `access audit --save` writes and `--from` reads. One format, with its version in front.
//!
//! A snapshot holds no secret, but it is the map of who may do what, so the file is for this user alone.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::save::{self, Existing, SaveError};
use crate::{
    hint::{Advice, Hint},
    model::{Snapshot, hidden},
};

/// What the file says it is.
const FORMAT: &str = "confluent-ebs/snapshot";

/// The version that is written, and the newest that is read. It grows when a program that does not know the new one
/// would misread a file; a field that an older program may pass over is no reason.
const VERSION: u32 = 1;

/// A snapshot, and the stage that it is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedSnapshot {
    /// The stage, as `ebs.toml` called it.
    pub stage: String,
    /// What was seen, and what could not be looked at.
    pub snapshot: Snapshot,
}

/// What stands in front, read before anything else.
#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
}

/// Which of the parts that were added later are there.
#[derive(Deserialize)]
struct Parts {
    snapshot: Looked,
}

#[derive(Deserialize)]
struct Looked {
    acls: Option<IgnoredAny>,
}

#[derive(Serialize)]
struct File<'a> {
    #[serde(flatten)]
    header: Header,
    #[serde(flatten)]
    saved: &'a SavedSnapshot,
}

/// Why a snapshot cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The system refused.
    #[error("cannot read the snapshot `{}`", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else.
    #[error("`{}` is not a snapshot of confluent-ebs", .0.display())]
    Foreign(PathBuf),
    /// A newer program wrote it.
    #[error("the snapshot `{}` has version {found}, and this program reads none above {VERSION}", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It says that it is one, and is damaged.
    #[error("the snapshot `{}` is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and how.
        source: serde_json::Error,
    },
}

impl Advice for SnapshotError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Io { .. } => Vec::new(),
            Self::Foreign(_) | Self::Damaged { .. } => {
                vec!["`confluent ebs access audit --save FILE` writes a snapshot.".into()]
            }
            Self::Newer { .. } => vec!["Read it with the program that wrote it, or with a newer one.".into()],
        }
    }
}

impl SavedSnapshot {
    /// Writes it to `path`, for this user alone; the folder must exist.
    ///
    /// # Errors
    /// As for [`save::save`].
    pub fn save(&self, path: &Path, existing: Existing) -> Result<(), SaveError> {
        save::save(path, self.text().as_bytes(), existing)
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn load(path: &Path) -> Result<Self, SnapshotError> {
        let text = fs::read_to_string(path).map_err(|source| match source.kind() {
            io::ErrorKind::InvalidData => SnapshotError::Foreign(path.to_owned()),
            _ => SnapshotError::Io {
                path: path.to_owned(),
                source,
            },
        })?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self, SnapshotError> {
        let path = || path.to_owned();
        // The header says what the rest may look like.
        match serde_json::from_str::<Header>(text) {
            Ok(header) if header.format == FORMAT && header.version <= VERSION => {}
            Ok(header) if header.format == FORMAT => {
                return Err(SnapshotError::Newer {
                    path: path(),
                    found: header.version,
                });
            }
            // Cut off in the middle it is no JSON any more, but still begins as one of ours.
            Err(source) if text.get(..200).unwrap_or(text).contains(FORMAT) => {
                return Err(SnapshotError::Damaged { path: path(), source });
            }
            _ => return Err(SnapshotError::Foreign(path())),
        }
        let damaged = |source| SnapshotError::Damaged { path: path(), source };
        let mut saved: Self = serde_json::from_str(text).map_err(damaged)?;
        let parts: Parts = serde_json::from_str(text).map_err(damaged)?;
        if parts.snapshot.acls.is_none() {
            // Not that there were none.
            let unknown = saved.snapshot.unknown.entry(hidden::ACLS.to_owned());
            unknown.or_insert_with(|| "the snapshot is from before they were looked at".to_owned());
        }
        Ok(saved)
    }

    fn text(&self) -> String {
        let file = File {
            header: Header {
                format: FORMAT.to_owned(),
                version: VERSION,
            },
            saved: self,
        };
        // A snapshot is text, numbers and lists, which always have a JSON form.
        let mut text = serde_json::to_string_pretty(&file).unwrap_or_default();
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::{
        Address, ConnectorIdentity, Principal, Role, RoleBinding, SeenAccount, SeenBinding, SeenConnector, SeenKey,
    };

    fn saved() -> SavedSnapshot {
        let address = Address {
            organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
            environment: "env-abc123".parse().unwrap(),
            cluster: "lkc-abc123".parse().unwrap(),
            schema_registry: None,
        };
        let snapshot = Snapshot {
            taken_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            seen_by: Principal::from_id("u-abc123"),
            accounts: vec![SeenAccount {
                id: "sa-abc123".parse().unwrap(),
                name: "billing \u{202e}".into(),
                description: String::new(),
                created_at: None,
            }],
            bindings: vec![SeenBinding {
                id: "rb-abc123".parse().unwrap(),
                binding: RoleBinding::new(
                    Principal::from_id("pool-abc"),
                    Role::Other("Novelty".into()),
                    address.cluster_crn(),
                ),
            }],
            acls: vec!["TOPIC#claims-#PREFIXED#User:sa-abc123#*#READ#ALLOW".parse().unwrap()],
            keys: vec![SeenKey {
                id: "ABCDEFGHIJKLMNOP".parse().unwrap(),
                owner: Principal::from_id("sa-abc123"),
                resource: "cloud".into(),
                description: String::new(),
                created_at: Some("2025-01-02T03:04:05Z".parse().unwrap()),
            }],
            connectors: vec![SeenConnector {
                name: "claims-orders".into(),
                identity: Some(ConnectorIdentity::ServiceAccount("sa-abc123".into())),
                ..SeenConnector::default()
            }],
            unknown: BTreeMap::from([("role bindings on subjects".into(), "403".into())]),
            address,
        };
        SavedSnapshot {
            stage: "prod".into(),
            snapshot,
        }
    }

    #[test]
    fn what_was_saved_is_what_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen.json");
        saved().save(&path, Existing::Keep).unwrap();
        let read = SavedSnapshot::load(&path).unwrap();
        assert_eq!(read.text(), saved().text());
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .starts_with("{\n  \"format\": \"confluent-ebs/snapshot\",\n  \"version\": 1,")
        );
        assert!(matches!(saved().save(&path, Existing::Keep), Err(SaveError::Exists(_))));
    }

    #[test]
    fn what_cannot_be_read_is_told_apart() {
        let read = |text: &str| SavedSnapshot::parse(Path::new("seen.json"), text).unwrap_err();
        let text = saved().text();
        assert!(matches!(read(""), SnapshotError::Foreign(_)));
        assert!(matches!(read("[]"), SnapshotError::Foreign(_)));
        assert!(matches!(read(&text.replace(FORMAT, "a/b")), SnapshotError::Foreign(_)));
        assert!(matches!(
            read(&text.replace("\"version\": 1", "\"version\": 2, \"snapshot\": []")),
            SnapshotError::Newer { found: 2, .. }
        ));
        let damaged = text.replace("\"connectors\"", "\"conectors\"");
        assert!(matches!(read(&damaged), SnapshotError::Damaged { .. }));
        assert!(matches!(read(&text[..text.len() / 2]), SnapshotError::Damaged { .. }));
    }

    // Unknown is not absent.
    #[test]
    fn a_snapshot_from_before_acls_were_looked_at_does_not_say_that_there_are_none() {
        let mut old: serde_json::Value = serde_json::from_str(&saved().text()).unwrap();
        old["snapshot"].as_object_mut().unwrap().remove("acls").unwrap();
        let read = SavedSnapshot::parse(Path::new("seen.json"), &old.to_string())
            .unwrap()
            .snapshot;
        assert_eq!(
            read.unknown[hidden::ACLS],
            "the snapshot is from before they were looked at"
        );
        assert!(!saved().snapshot.unknown.contains_key(hidden::ACLS));
        let new = SavedSnapshot::parse(Path::new("seen.json"), &saved().text())
            .unwrap()
            .snapshot;
        assert!(!new.unknown.contains_key(hidden::ACLS));
        assert_eq!(new.acls, saved().snapshot.acls);
        // What is there and no list is no old snapshot.
        old["snapshot"]["acls"] = serde_json::json!("none");
        let read = SavedSnapshot::parse(Path::new("seen.json"), &old.to_string());
        assert!(matches!(read, Err(SnapshotError::Damaged { .. })));
    }

    #[test]
    fn a_file_may_hold_more_than_this_program_knows() {
        let text = saved().text().replace("\"keys\": [", "\"novelties\": [1], \"keys\": [");
        let read = SavedSnapshot::parse(Path::new("seen.json"), &text).unwrap();
        assert_eq!(read.text(), saved().text());
    }
}
