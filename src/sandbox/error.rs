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
    #[error("the sandbox cannot keep its state in {}", dir.display())]
    Folder {
        /// Path of the folder.
        dir: PathBuf,
        /// Cause of the failure.
        source: io::Error,
    },
    /// Any other error of the operating system.
    #[error("the sandbox cannot work here")]
    System(#[from] io::Error),
    /// The seed is invalid.
    #[error("the sandbox cannot be seeded: {0}")]
    Seed(String),
    /// A setting or a fault is invalid.
    #[error("{0}")]
    Setting(String),
    /// The folder contains a sandbox of another organization.
    #[error("the sandbox in {} is of organization `{found}`, not `{wanted}`", dir.display())]
    OtherOrganization {
        /// Path of the folder.
        dir: PathBuf,
        /// Organization of the existing sandbox.
        found: OrganizationId,
        /// Requested organization.
        wanted: OrganizationId,
    },
    /// A server already runs on the folder.
    #[error("a sandbox already runs at {url}")]
    AlreadyRunning {
        /// Address of that server.
        url: String,
    },
    /// The listener's address is not on loopback.
    #[error("the sandbox serves this machine only, not {0}")]
    NotLoopback(std::net::SocketAddr),
}

impl Advice for SandboxError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::OtherOrganization { .. } => vec![
                "`confluent ebs sandbox reset` starts again with the organization of `ebs.toml`.".into(),
                "`CONFLUENT_EBS_STATE_DIR` names another folder, in which both can live side by side.".into(),
            ],
            Self::AlreadyRunning { .. } => vec!["`confluent ebs sandbox info` shows how to use it.".into()],
            Self::NotLoopback(_) => vec!["Listen on 127.0.0.1.".into()],
            _ => Vec::new(),
        }
    }
}
