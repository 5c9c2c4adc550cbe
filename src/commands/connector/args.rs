//! Flags of several connector commands.

use std::{path::PathBuf, time::Duration};

use crate::{
    commands::duration::parse_duration,
    connectors::{BackupPolicy, secrets::SecretSources},
};

/// Flags for secrets in connector files.
#[derive(Debug, clap::Args)]
pub(in crate::commands) struct SecretArgs {
    /// Directory of the files that "${file:PATH}" refers to.
    #[arg(long, value_name = "string")]
    secrets_dir: Option<PathBuf>,
}

impl SecretArgs {
    /// Returns the sources of secrets; `prompt` asks the user.
    pub(in crate::commands) fn sources<'a>(&'a self, prompt: &'a dyn Fn(&str) -> Option<String>) -> SecretSources<'a> {
        SecretSources {
            dir: self.secrets_dir.as_deref(),
            prompt,
        }
    }
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

/// Default timeout: nearly all connectors settle within three minutes (docs/reference/connect.md#timing-of-states).
pub(in crate::commands) const DEFAULT_TIMEOUT: &str = "10m";

/// Flags of the wait after a change.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct WaitArgs {
    /// Do not wait until the connector runs.
    #[arg(long)]
    pub(super) no_wait: bool,
    /// Timeout, such as 30s, 5m, or 2h.
    #[arg(long, value_name = "duration", default_value = DEFAULT_TIMEOUT, value_parser = parse_duration)]
    pub(super) timeout: Duration,
}
