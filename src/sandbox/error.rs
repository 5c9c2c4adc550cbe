//! Errors of the sandbox.

use std::{io, path::PathBuf};

use crate::{
    hint::{Advice, Hint},
    model::OrganizationId,
};

/// Error of a sandbox operation.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The state folder cannot be used.
    #[error("cannot use the state folder `{}`", dir.display())]
    Folder {
        /// Path of the folder.
        dir: PathBuf,
        /// Cause of the failure.
        source: io::Error,
    },
    /// Any other error of the operating system.
    #[error("sandbox I/O failed")]
    System(#[from] io::Error),
    /// The seed is invalid.
    #[error("invalid seed: {0}")]
    Seed(String),
    /// A setting or a fault is invalid.
    #[error("{0}")]
    Setting(String),
    /// The folder contains a sandbox of another organization.
    #[error("the sandbox in `{}` belongs to organization `{found}`, not `{wanted}`", dir.display())]
    OtherOrganization {
        /// Path of the folder.
        dir: PathBuf,
        /// Organization of the existing sandbox.
        found: OrganizationId,
        /// Requested organization.
        wanted: OrganizationId,
    },
    /// A server already runs on the folder.
    #[error("a sandbox server already runs at `{url}`")]
    AlreadyRunning {
        /// Address of that server.
        url: String,
    },
    /// The listener's address is not on loopback.
    #[error("cannot listen on `{0}`: the sandbox serves loopback addresses only")]
    NotLoopback(std::net::SocketAddr),
}

impl Advice for SandboxError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::OtherOrganization { .. } => vec![
                "Recreate the sandbox with the organization of `ebs.toml`: `confluent ebs sandbox reset`.".into(),
                "To keep both sandboxes, set `CONFLUENT_EBS_STATE_DIR` to another folder.".into(),
            ],
            Self::AlreadyRunning { .. } => {
                vec!["Show its address and credentials with `confluent ebs sandbox info`.".into()]
            }
            Self::NotLoopback(_) => vec!["Listen on `127.0.0.1`.".into()],
            _ => Vec::new(),
        }
    }
}
