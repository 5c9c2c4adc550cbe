//! Flags that several commands share.

use std::path::PathBuf;

use crate::connectors::BackupPolicy;

/// Where secrets come from.
#[derive(Debug, clap::Args)]
pub(super) struct SecretArgs {
    /// Folder of the files that "${file:PATH}" refers to.
    #[arg(long, value_name = "string")]
    pub(super) secrets_dir: Option<PathBuf>,
}

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

impl BackupArgs {
    /// The policy that the flags describe.
    pub(in crate::commands) fn policy(&self) -> BackupPolicy {
        BackupPolicy {
            enabled: !self.no_backup,
            dir: self.backup_dir.clone(),
        }
    }
}
