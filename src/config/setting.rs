//! Value of a setting with its source.

use std::{fmt, path::PathBuf};

use crate::manifest::{WorkspaceOrigin, workspace::PLATFORM_FILE};

/// Source of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingSource {
    /// Flag, as typed.
    Flag(&'static str),
    /// Environment variable.
    Environment(&'static str),
    /// Profile.
    Profile(PathBuf),
    /// Default profile of the user.
    ProfileUse,
    /// `ebs.toml`.
    Platform(WorkspaceOrigin),
    /// Current directory or one of its parents.
    WorkingDir,
    /// Default.
    Default,
}

impl fmt::Display for SettingSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(out, "{flag}"),
            Self::Environment(variable) => write!(out, "environment variable {variable}"),
            Self::Profile(path) => write!(out, "profile {}", path.display()),
            Self::ProfileUse => out.write_str("`profile use`"),
            Self::Platform(WorkspaceOrigin::Folder(folder)) => write!(out, "{}", folder.join(PLATFORM_FILE).display()),
            Self::Platform(embedded) => write!(out, "{embedded}"),
            Self::WorkingDir => out.write_str("current directory"),
            Self::Default => out.write_str("default"),
        }
    }
}

/// Value with its source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedSetting<T> {
    /// Value.
    pub value: T,
    /// Source.
    pub source: SettingSource,
}

impl<T> ResolvedSetting<T> {
    /// Creates a value with its source.
    pub fn new(value: T, source: SettingSource) -> Self {
        Self { value, source }
    }
}
