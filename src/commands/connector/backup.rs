//! Saving a connector before it is changed or removed, as a file that makes it again.

use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use crate::{
    commands::Ctx,
    config::{SaveError, save},
    error::{Error, ResultExt},
    resources::connector::{Backup, ConnectorClient, LiveConnector, SecretReference},
    session::ConnectorSession,
    text,
};

/// What stands for itself in the name of a file on every system.
const FILE_NAME_CHARS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b' ');

/// Where connectors are saved before they are changed or removed.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::commands) struct BackupArgs {
    /// Folder to save the former configuration to. Default: the state folder.
    #[arg(long, value_name = "string", conflicts_with = "no_backup")]
    backup_dir: Option<PathBuf>,
    /// Do not save the former configuration.
    #[arg(long)]
    no_backup: bool,
}

/// A connector that was saved.
#[derive(Clone, Debug, Serialize)]
pub(in crate::commands) struct BackupFile {
    /// Its name.
    pub(in crate::commands) name: String,
    /// The file; `connector create` takes it.
    pub(in crate::commands) path: PathBuf,
    /// Whether the file says where it was.
    pub(super) has_offsets: bool,
    /// What nobody can read back.
    pub(super) secrets: Vec<SecretReference>,
}

impl BackupFile {
    /// What its file needs from whoever uses it.
    pub(super) fn secrets_hint(&self) -> Option<String> {
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

impl BackupArgs {
    /// Saves the configuration of `seen` before it is changed, and says where.
    pub(super) async fn backup_current(
        &self,
        ctx: &Ctx,
        session: &ConnectorSession,
        observed: &LiveConnector,
    ) -> Result<Option<BackupFile>, Error> {
        let backup = self
            .backup(ctx, &session.connectors, &session.backup_dir, observed, false)
            .await?;
        if let Some(backup) = &backup {
            let path = backup.path.display();
            ctx.ui.info(&format!("The former configuration is saved to {path}."));
        }
        Ok(backup)
    }

    /// Saves `seen` below `folder`, with its offsets if `offsets` are asked for; nothing where the caller wants nothing saved.
    pub(in crate::commands) async fn backup(
        &self,
        ctx: &Ctx,
        connectors: &ConnectorClient,
        folder: &Path,
        observed: &LiveConnector,
        offsets: bool,
    ) -> Result<Option<BackupFile>, Error> {
        if self.no_backup {
            return Ok(None);
        }
        let offsets = match offsets {
            true => match connectors.offsets(observed).await {
                Ok(offsets) => Some(offsets),
                Err(error) => {
                    let why = Error::from(error);
                    ctx.ui.warn(&format!(
                        "the offsets of connector \"{}\" are not saved: {why:#}",
                        observed.name
                    ));
                    None
                }
            },
            false => None,
        };
        let backup = Backup::from_connector(observed, offsets.as_ref());
        let folder = match &self.backup_dir {
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
