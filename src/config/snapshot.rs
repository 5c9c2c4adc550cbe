//! Snapshots on disk: what `access audit --save` writes and `--from` reads. One format, with its version in front.
//!
//! A snapshot holds no secret, but it is the map of who may do what, so the file is for this user alone.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::save::{self, IfExists, SaveError};
use crate::{
    hint::{Advice, Hint},
    model::{Snapshot, listing},
};

/// What the file says it is.
const FORMAT: &str = "confluent-ebs/snapshot";

/// The version that is written, and the newest that is read. It grows when a program that does not know the new one
/// would misread a file; a field that an older program may pass over is no reason.
const VERSION: u32 = 1;

/// A snapshot, and the stage that it is of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SnapshotFile {
    /// The stage, as `ebs.toml` called it.
    pub stage: String,
    /// What was seen, and what could not be looked at.
    pub snapshot: Snapshot,
}

/// What stands in front, read before anything else.
#[derive(Serialize, Deserialize)]
struct SnapshotHeader {
    format: String,
    version: u32,
}

/// Which of the parts that were added later are there.
#[derive(Deserialize)]
struct SnapshotParts {
    snapshot: SnapshotSections,
}

#[derive(Deserialize)]
struct SnapshotSections {
    acls: Option<IgnoredAny>,
}

#[derive(Serialize)]
struct SnapshotDocument<'a> {
    #[serde(flatten)]
    header: SnapshotHeader,
    #[serde(flatten)]
    saved: &'a SnapshotFile,
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
    NotASnapshot(PathBuf),
    /// A newer program wrote it.
    #[error("the snapshot `{}` has version {found}, and this program reads none above {VERSION}", path.display())]
    UnsupportedVersion {
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
            Self::NotASnapshot(_) | Self::Damaged { .. } => {
                vec!["`confluent ebs access audit --save FILE` writes a snapshot.".into()]
            }
            Self::UnsupportedVersion { .. } => {
                vec!["Read it with the program that wrote it, or with a newer one.".into()]
            }
        }
    }
}

impl SnapshotFile {
    /// Writes it to `path`, for this user alone; the folder must exist.
    ///
    /// # Errors
    /// As for [`save::save`].
    pub fn save(&self, path: &Path, if_exists: IfExists) -> Result<(), SaveError> {
        save::save(path, self.text().as_bytes(), if_exists)
    }

    /// Reads what [`Self::save`] wrote.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn load(path: &Path) -> Result<Self, SnapshotError> {
        let text = fs::read_to_string(path).map_err(|source| match source.kind() {
            io::ErrorKind::InvalidData => SnapshotError::NotASnapshot(path.to_owned()),
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
        match serde_json::from_str::<SnapshotHeader>(text) {
            Ok(header) if header.format == FORMAT && header.version <= VERSION => {}
            Ok(header) if header.format == FORMAT => {
                return Err(SnapshotError::UnsupportedVersion {
                    path: path(),
                    found: header.version,
                });
            }
            // Cut off in the middle it is no JSON any more, but still begins as one of ours.
            Err(source) if text.get(..200).unwrap_or(text).contains(FORMAT) => {
                return Err(SnapshotError::Damaged { path: path(), source });
            }
            _ => return Err(SnapshotError::NotASnapshot(path())),
        }
        let damaged = |source| SnapshotError::Damaged { path: path(), source };
        let mut saved: Self = serde_json::from_str(text).map_err(damaged)?;
        let parts: SnapshotParts = serde_json::from_str(text).map_err(damaged)?;
        if parts.snapshot.acls.is_none() {
            // Not that there were none.
            let unknown = saved.snapshot.unknown.entry(listing::ACLS.to_owned());
            unknown.or_insert_with(|| "the snapshot is from before they were looked at".to_owned());
        }
        Ok(saved)
    }

    fn text(&self) -> String {
        let file = SnapshotDocument {
            header: SnapshotHeader {
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
        ConnectorIdentity, ObservedAccount, ObservedBinding, ObservedConnector, ObservedKey, Principal, Role,
        RoleBinding, StageAddress,
    };

    fn saved() -> SnapshotFile {
        let address = StageAddress {
            organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
            environment: "env-abc123".parse().unwrap(),
            cluster: "lkc-abc123".parse().unwrap(),
            schema_registry: None,
        };
        let snapshot = Snapshot {
            taken_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            observed_by: Principal::from_id("u-abc123"),
            accounts: vec![ObservedAccount {
                id: "sa-abc123".parse().unwrap(),
                name: "billing \u{202e}".into(),
                description: String::new(),
                created_at: None,
            }],
            bindings: vec![ObservedBinding {
                id: "rb-abc123".parse().unwrap(),
                binding: RoleBinding::new(
                    Principal::from_id("pool-abc"),
                    Role::Other("Novelty".into()),
                    address.cluster_crn(),
                ),
            }],
            acls: vec!["TOPIC#claims-#PREFIXED#User:sa-abc123#*#READ#ALLOW".parse().unwrap()],
            keys: vec![ObservedKey {
                id: "ABCDEFGHIJKLMNOP".parse().unwrap(),
                owner: Principal::from_id("sa-abc123"),
                resource: "cloud".into(),
                description: String::new(),
                created_at: Some("2025-01-02T03:04:05Z".parse().unwrap()),
            }],
            connectors: vec![ObservedConnector {
                name: "claims-orders".into(),
                identity: Some(ConnectorIdentity::ServiceAccount("sa-abc123".into())),
                ..ObservedConnector::default()
            }],
            unknown: BTreeMap::from([("role bindings on subjects".into(), "403".into())]),
            address,
        };
        SnapshotFile {
            stage: "prod".into(),
            snapshot,
        }
    }

    #[test]
    fn a_saved_snapshot_is_loaded_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen.json");
        saved().save(&path, IfExists::Keep).unwrap();
        let read = SnapshotFile::load(&path).unwrap();
        assert_eq!(read.text(), saved().text());
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .starts_with("{\n  \"format\": \"confluent-ebs/snapshot\",\n  \"version\": 1,")
        );
        assert!(matches!(saved().save(&path, IfExists::Keep), Err(SaveError::Exists(_))));
    }

    #[test]
    fn each_kind_of_unreadable_file_has_its_own_error() {
        let read = |text: &str| SnapshotFile::parse(Path::new("seen.json"), text).unwrap_err();
        let text = saved().text();
        assert!(matches!(read(""), SnapshotError::NotASnapshot(_)));
        assert!(matches!(read("[]"), SnapshotError::NotASnapshot(_)));
        assert!(matches!(
            read(&text.replace(FORMAT, "a/b")),
            SnapshotError::NotASnapshot(_)
        ));
        assert!(matches!(
            read(&text.replace("\"version\": 1", "\"version\": 2, \"snapshot\": []")),
            SnapshotError::UnsupportedVersion { found: 2, .. }
        ));
        let damaged = text.replace("\"connectors\"", "\"conectors\"");
        assert!(matches!(read(&damaged), SnapshotError::Damaged { .. }));
        assert!(matches!(read(&text[..text.len() / 2]), SnapshotError::Damaged { .. }));
    }

    // Unknown is not absent.
    #[test]
    fn a_snapshot_without_an_acl_section_reports_acls_as_unknown() {
        let mut old: serde_json::Value = serde_json::from_str(&saved().text()).unwrap();
        old["snapshot"].as_object_mut().unwrap().remove("acls").unwrap();
        let read = SnapshotFile::parse(Path::new("seen.json"), &old.to_string())
            .unwrap()
            .snapshot;
        assert_eq!(
            read.unknown[listing::ACLS],
            "the snapshot is from before they were looked at"
        );
        assert!(!saved().snapshot.unknown.contains_key(listing::ACLS));
        let new = SnapshotFile::parse(Path::new("seen.json"), &saved().text())
            .unwrap()
            .snapshot;
        assert!(!new.unknown.contains_key(listing::ACLS));
        assert_eq!(new.acls, saved().snapshot.acls);
        // What is there and no list is no old snapshot.
        old["snapshot"]["acls"] = serde_json::json!("none");
        let read = SnapshotFile::parse(Path::new("seen.json"), &old.to_string());
        assert!(matches!(read, Err(SnapshotError::Damaged { .. })));
    }

    #[test]
    fn unknown_fields_of_a_snapshot_are_ignored() {
        let text = saved().text().replace("\"keys\": [", "\"novelties\": [1], \"keys\": [");
        let read = SnapshotFile::parse(Path::new("seen.json"), &text).unwrap();
        assert_eq!(read.text(), saved().text());
    }
}
