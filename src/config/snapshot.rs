//! Snapshot files, written by `access audit --save` and read with `--from`. The format starts with its version.
//!
//! A snapshot contains no secret but shows all permissions, so the file is readable only by the user.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::save::{self, IfExists, SaveError};
use crate::{
    hint::{Advice, Hint},
    model::Snapshot,
};

/// Identifier of the format.
const FORMAT: &str = "confluent-ebs/snapshot";

/// Version that is written, and the newest that can be read. It increases only if older programs would misread a new
/// file; an additional field that they may ignore is no reason.
const VERSION: u32 = 1;

/// Snapshot with its stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SnapshotFile {
    /// Name of the stage in `ebs.toml`.
    pub stage: String,
    /// Observed state, including what is unknown.
    pub snapshot: Snapshot,
}

/// Header of the file, read first.
#[derive(Serialize, Deserialize)]
struct SnapshotHeader {
    format: String,
    version: u32,
}

#[derive(Serialize)]
struct SnapshotDocument<'a> {
    #[serde(flatten)]
    header: SnapshotHeader,
    #[serde(flatten)]
    saved: &'a SnapshotFile,
}

/// Error of reading a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// I/O error.
    #[error("cannot read the snapshot `{}`", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// I/O error.
        source: io::Error,
    },
    /// The file is not a snapshot.
    #[error("`{}` is not a snapshot of `confluent-ebs`", .0.display())]
    NotASnapshot(PathBuf),
    /// The file has a newer version.
    #[error("cannot read the snapshot `{}`: version {found} is newer than the supported version {VERSION}", path.display())]
    UnsupportedVersion {
        /// Path of the file.
        path: PathBuf,
        /// Version of the file.
        found: u32,
    },
    /// The snapshot is damaged.
    #[error("the snapshot `{}` is damaged", path.display())]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// JSON error with its position.
        source: serde_json::Error,
    },
}

impl Advice for SnapshotError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Io { .. } => Vec::new(),
            Self::NotASnapshot(_) | Self::Damaged { .. } => {
                vec!["Write a snapshot with `confluent ebs access audit --save FILE`.".into()]
            }
            Self::UnsupportedVersion { .. } => {
                vec!["Update `confluent-ebs` to the version that wrote the file.".into()]
            }
        }
    }
}

impl SnapshotFile {
    /// Writes the snapshot to `path`, readable only by the user; the folder must exist.
    ///
    /// # Errors
    /// As for [`save::save`].
    pub fn save(&self, path: &Path, if_exists: IfExists) -> Result<(), SaveError> {
        save::save(path, self.text().as_bytes(), if_exists)
    }

    /// Reads a file written by [`Self::save`].
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
        // Check the header before parsing the rest.
        match serde_json::from_str::<SnapshotHeader>(text) {
            Ok(header) if header.format == FORMAT && header.version <= VERSION => {}
            Ok(header) if header.format == FORMAT => {
                return Err(SnapshotError::UnsupportedVersion {
                    path: path(),
                    found: header.version,
                });
            }
            // A truncated file is not valid JSON but starts with the format's identifier.
            Err(source) if text.get(..200).unwrap_or(text).contains(FORMAT) => {
                return Err(SnapshotError::Damaged { path: path(), source });
            }
            _ => return Err(SnapshotError::NotASnapshot(path())),
        }
        let damaged = |source| SnapshotError::Damaged { path: path(), source };
        let mut saved: Self = serde_json::from_str(text).map_err(damaged)?;
        let document: serde_json::Value = serde_json::from_str(text).map_err(damaged)?;
        for (section, listing) in Snapshot::LATER_SECTIONS {
            if document["snapshot"].get(section).is_none() {
                // A missing section is unknown, not empty.
                let unknown = saved.snapshot.unknown.entry(listing);
                unknown.or_insert_with(|| "the snapshot was taken by a version that did not read them".to_owned());
            }
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
        // A snapshot can always be serialised as JSON.
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
        ConnectorIdentity, Listing, ObservedAccount, ObservedBinding, ObservedConnector, ObservedKey, Principal, Role,
        RoleBinding, StageAddress,
    };

    fn saved() -> SnapshotFile {
        let address = StageAddress {
            organization: "11111111-2222-3333-4444-555555555555".parse().unwrap(),
            environment: "env-abc123".parse().unwrap(),
            cluster: "lkc-abc123".parse().unwrap(),
            schema_registry: None,
        };
        let taken_at = "2026-01-02T03:04:05Z".parse().unwrap();
        let snapshot = Snapshot {
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
            unknown: BTreeMap::from([(Listing::SubjectBindings, "403".into())]),
            ..Snapshot::new(taken_at, address.clone(), Principal::from_id("u-abc123"))
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

    // A missing section is unknown, not absent.
    #[test]
    fn a_snapshot_without_an_acl_section_reports_acls_as_unknown() {
        let mut old: serde_json::Value = serde_json::from_str(&saved().text()).unwrap();
        old["snapshot"].as_object_mut().unwrap().remove("acls").unwrap();
        let read = SnapshotFile::parse(Path::new("seen.json"), &old.to_string())
            .unwrap()
            .snapshot;
        assert_eq!(
            read.unknown[&Listing::Acls],
            "the snapshot was taken by a version that did not read them"
        );
        assert!(!saved().snapshot.unknown.contains_key(&Listing::Acls));
        let new = SnapshotFile::parse(Path::new("seen.json"), &saved().text())
            .unwrap()
            .snapshot;
        assert!(!new.unknown.contains_key(&Listing::Acls));
        assert_eq!(new.acls, saved().snapshot.acls);
        // Only a missing section marks an older version; a section of the wrong type is an error.
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
