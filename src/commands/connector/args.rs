//! Flags of several connector commands.

use std::path::PathBuf;

use crate::connectors::BackupPolicy;

/// Flags for secrets in connector files.
#[derive(Debug, clap::Args)]
pub(super) struct SecretArgs {
    /// Directory of the files that "${file:PATH}" refers to.
    #[arg(long, value_name = "string")]
    pub(super) secrets_dir: Option<PathBuf>,
}

/// Flags for backups of connectors.
#[derive(Clone, Debug, clap::Args)]
pub(in crate::commands) struct BackupArgs {
    /// Directory for the backup. Default: in the state directory.
    #[arg(long, value_name = "string", conflicts_with = "no_backup")]
    backup_dir: Option<PathBuf>,
    /// Do not back up the current configuration.
    #[arg(long)]
    no_backup: bool,
}

impl BackupArgs {
    /// Returns the policy that the flags set.
    pub(in crate::commands) fn policy(&self) -> BackupPolicy {
        BackupPolicy {
            enabled: !self.no_backup,
            dir: self.backup_dir.clone(),
        }
    }
}
