//! Backups of connectors before a change or deletion, as files that recreate them.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{
    config::{SaveError, save},
    error::{Error, ResultExt},
    hint::{connector_arg, shell_quote},
    resources::connector::{Backup, ConnectorClient, LiveConnector, SecretReference},
    session::{ConnectorSession, RunContext},
    text,
};

/// Characters that need no escaping in file names on any system.
const FILE_NAME_CHARS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b' ');

/// Policy for backups of connectors before a change or deletion.
#[derive(Clone, Debug)]
pub struct BackupPolicy {
    /// Whether a backup is written at all.
    pub enabled: bool,
    /// Directory of backups; `None` for the state directory.
    pub dir: Option<PathBuf>,
}

/// Backup of a connector.
#[derive(Clone, Debug, Serialize)]
pub struct BackupFile {
    /// Name of the connector.
    pub name: String,
    /// Path of the file, which `connector create` accepts.
    pub path: PathBuf,
    /// Whether the file contains offsets.
    pub has_offsets: bool,
    /// Secrets of the connector, which are not readable and must be set by reference.
    pub secrets: Vec<SecretReference>,
}

impl BackupFile {
    /// Returns a command that applies the file to the connector: `connector update` or `connector offset update`.
    pub fn restore_command(&self, command: &str, id: &str) -> String {
        config_file_command(command, id, &self.name, &self.path)
    }

    /// Returns a hint about the secrets that the file requires.
    pub fn secrets_hint(&self) -> Option<String> {
        let variables: Vec<&str> = self.secrets.iter().map(|secret| secret.variable.as_str()).collect();
        (!variables.is_empty()).then(|| {
            let them = if variables.len() == 1 { "it" } else { "them" };
            format!(
                "Secrets are not readable: set {} before you use {them}.",
                text::join_list(&variables)
            )
        })
    }
}

/// Returns a command that applies a connector file to an existing connector.
pub fn config_file_command(command: &str, id: &str, name: &str, file: &Path) -> String {
    let file = shell_quote(&file.display().to_string());
    format!(
        "confluent ebs {command} {} --config-file {file}",
        connector_arg(id, name)
    )
}

impl BackupPolicy {
    /// Backs up the configuration of `observed` before a change, and reports the path.
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
            run.info(format!("Saved the previous configuration to `{path}`."));
        }
        Ok(backup)
    }

    /// Backs up the connectors in `observed` to `folder`, with offsets if requested. Does nothing if the policy
    /// disables backups.
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
        let mut saved_offsets = None;
        if offsets {
            match connectors.offsets(observed).await {
                Ok(offsets) => saved_offsets = Some(offsets),
                Err(error) => run.warn(format!(
                    "cannot back up the offsets of connector `{}`: {:#}",
                    observed.name,
                    Error::from(error)
                )),
            }
        }
        let backup = Backup::from_connector(observed, saved_offsets.as_ref());
        let folder = match &self.dir {
            Some(folder) => folder.clone(),
            None => folder.join(connectors.cluster_path.cluster.as_str()),
        };
        let moment = connectors.clock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
        let path = write_backup(&folder, &moment, &observed.name, &backup.to_json_text())
            .with_context(|| format!("cannot back up connector `{}`; nothing was changed", observed.name))
            .hint("Choose another directory with `--backup-dir`, or skip the backup with `--no-backup`.")?;
        Ok(Some(BackupFile {
            name: observed.name.clone(),
            path,
            has_offsets: backup.document.get("offsets").is_some(),
            secrets: backup.secrets,
        }))
    }
}

/// Writes a file to a directory named by the time, without overwriting an existing file.
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
