//! Saving a connector before it is changed or removed, as a file that makes it again.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{
    config::{SaveError, save},
    error::{Error, ResultExt},
    resources::connector::{Backup, ConnectorClient, LiveConnector, SecretReference},
    session::{ConnectorSession, RunContext},
    text,
};

/// What stands for itself in the name of a file on every system.
const FILE_NAME_CHARS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b' ');

/// Whether and where connectors are backed up before they are changed or removed.
#[derive(Clone, Debug)]
pub struct BackupPolicy {
    /// Whether a backup is written at all.
    pub enabled: bool,
    /// Folder of backups instead of the state folder.
    pub dir: Option<PathBuf>,
}

/// A connector that was saved.
#[derive(Clone, Debug, Serialize)]
pub struct BackupFile {
    /// Its name.
    pub name: String,
    /// The file; `connector create` takes it.
    pub path: PathBuf,
    /// Whether the file says where it was.
    pub has_offsets: bool,
    /// What nobody can read back.
    pub secrets: Vec<SecretReference>,
}

impl BackupFile {
    /// What its file needs from whoever uses it.
    pub fn secrets_hint(&self) -> Option<String> {
        let variables: Vec<&str> = self.secrets.iter().map(|secret| secret.variable.as_str()).collect();
        (!variables.is_empty()).then(|| {
            let them = if variables.len() == 1 { "it" } else { "them" };
            format!(
                "The service shows no secrets: set {} before you use {them}.",
                text::join_list(&variables)
            )
        })
    }
}

impl BackupPolicy {
    /// Saves the configuration of `seen` before it is changed, and says where.
    pub async fn backup_current(
        &self,
        run: &RunContext,
        session: &ConnectorSession,
        observed: &LiveConnector,
    ) -> Result<Option<BackupFile>, Error> {
        let backup = self
            .backup(run, &session.connectors, &session.backup_dir, observed, false)
            .await?;
        if let Some(backup) = &backup {
            let path = backup.path.display();
            run.info(format!("The former configuration is saved to {path}."));
        }
        Ok(backup)
    }

    /// Saves `seen` below `folder`, with its offsets if `offsets` are asked for; nothing where the caller wants nothing saved.
    pub async fn backup(
        &self,
        run: &RunContext,
        connectors: &ConnectorClient,
        folder: &Path,
        observed: &LiveConnector,
        offsets: bool,
    ) -> Result<Option<BackupFile>, Error> {
        if !self.enabled {
            return Ok(None);
        }
        let offsets = match offsets {
            true => match connectors.offsets(observed).await {
                Ok(offsets) => Some(offsets),
                Err(error) => {
                    let why = Error::from(error);
                    run.warn(format!(
                        "the offsets of connector \"{}\" are not saved: {why:#}",
                        observed.name
                    ));
                    None
                }
            },
            false => None,
        };
        let backup = Backup::from_connector(observed, offsets.as_ref());
        let folder = match &self.dir {
            Some(folder) => folder.clone(),
            None => folder.join(connectors.cluster_path.cluster.as_str()),
        };
        let moment = connectors.clock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let path = write_backup(&folder, &moment, &observed.name, &backup.to_json_text())
            .with_context(|| {
                format!(
                    "connector \"{}\" could not be saved, so nothing was changed",
                    observed.name
                )
            })
            .hint("`--backup-dir` names another folder, `--no-backup` does without.")?;
        Ok(Some(BackupFile {
            name: observed.name.clone(),
            path,
            has_offsets: backup.document.get("offsets").is_some(),
            secrets: backup.secrets,
        }))
    }
}

/// Writes one file into a folder of its moment, and never over another.
fn write_backup(folder: &Path, moment: &str, name: &str, text: &str) -> Result<PathBuf, SaveError> {
    let file = format!("{}.json", utf8_percent_encode(name, FILE_NAME_CHARS));
    let moments = std::iter::once(moment.to_owned()).chain((2..).map(|number| format!("{moment}-{number}")));
    for moment in moments {
        let folder = folder.join(moment);
        let path = folder.join(&file);
        save::create_private_dir(&folder)?;
        match save::save(&path, text.as_bytes(), save::IfExists::Keep) {
            Err(SaveError::Exists(_)) => {}
            saved => return saved.map(|()| path),
        }
    }
    unreachable!("there is always another number")
}
