//! Standard directories: the state folder (sandbox, journals, profiles to deliver) and the profiles folder.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::env;

const NAME: &str = "confluent-ebs";

/// The home directory is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot determine the home directory; set `{}` to a folder for local state",
    env::CONFLUENT_EBS_STATE_DIR
)]
pub struct NoHomeDir;

/// Directories of the user. Each is created when a file is written into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardDirs {
    state: PathBuf,
    profiles: PathBuf,
}

impl StandardDirs {
    /// Returns the directories of the user: `CONFLUENT_EBS_STATE_DIR`, or the system's standard (XDG on Linux and
    /// macOS; local and roaming application data on Windows).
    ///
    /// # Errors
    /// The home directory is unknown.
    pub fn discover(state_dir: Option<PathBuf>) -> Result<Self, NoHomeDir> {
        let system = etcetera::choose_base_strategy().ok().map(|base| {
            // Windows has no state folder; its cache folder is also local to the computer.
            let state = base.state_dir().unwrap_or_else(|| base.cache_dir());
            (state.join(NAME), base.config_dir().join(NAME))
        });
        let (state, config) = match (state_dir, system) {
            // Without a home directory, as in a pipeline, all files go into the state folder.
            (Some(state), None) => (state.clone(), state),
            (Some(state), Some((_, config))) => (state, config),
            (None, Some(folders)) => folders,
            (None, None) => return Err(NoHomeDir),
        };
        Ok(Self::with_roots(state, config))
    }

    /// Returns directories below `state`, with profiles below `config`.
    pub fn with_roots(state: impl Into<PathBuf>, config: impl AsRef<Path>) -> Self {
        Self {
            state: state.into(),
            profiles: config.as_ref().join("profiles"),
        }
    }

    /// Returns the state folder.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Returns the folder of the sandbox.
    pub fn sandbox(&self) -> PathBuf {
        self.state.join("sandbox")
    }

    /// Returns the folder of journals.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// Returns the folder of backups: connector configurations before a change or deletion.
    pub fn backups(&self) -> PathBuf {
        self.state.join("backups")
    }

    /// Returns the folder of shared rate limits and of the log cache (`--cache`).
    pub fn telemetry(&self) -> PathBuf {
        self.state.join("telemetry")
    }

    /// Returns the folder of profiles that are not delivered yet.
    pub fn handover(&self) -> PathBuf {
        self.state.join("handover")
    }

    /// Returns the folder of evidence: next to `ebs.toml`, where it is committed, or in the state folder.
    pub fn evidence(&self, platform: Option<&Path>) -> PathBuf {
        platform.unwrap_or(&self.state).join("evidence")
    }

    /// Returns the folder of the user's profiles.
    pub fn profiles(&self) -> &Path {
        &self.profiles
    }

    /// Returns the file that names the current profile (`profile use`).
    pub fn current_profile_file(&self) -> PathBuf {
        self.profiles.with_file_name("current-profile")
    }

    /// Returns the name of the current profile, if one is selected.
    pub fn current_profile(&self) -> Option<String> {
        let name = std::fs::read_to_string(self.current_profile_file()).ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// Returns the file that `--profile` selects: a file if it contains a path separator or ends in
    /// `.toml`, else a profile name. An encrypted file (`.toml.age`) counts as a file, so that its error message is
    /// specific.
    pub fn profile(&self, written: &str) -> PathBuf {
        let lower = written.to_ascii_lowercase();
        let is_file = [".toml", ".toml.age"].iter().any(|end| lower.ends_with(end));
        if is_file || written.contains(std::path::is_separator) {
            PathBuf::from(written)
        } else {
            self.profiles.join(format!("{written}.toml"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_a_name_or_a_file() {
        let folders = StandardDirs::with_roots("state", "config");
        assert_eq!(
            folders.profile("claims-operator"),
            Path::new("config/profiles/claims-operator.toml")
        );
        assert_eq!(
            folders.profile("claims-operator.toml"),
            Path::new("claims-operator.toml")
        );
        assert_eq!(
            folders.profile("claims-operator.toml.age"),
            Path::new("claims-operator.toml.age")
        );
        assert_eq!(folders.profile("./claims-operator"), Path::new("./claims-operator"));
        assert_eq!(
            folders.evidence(Some(Path::new("platform"))),
            Path::new("platform/evidence")
        );
        assert_eq!(folders.evidence(None), Path::new("state/evidence"));
    }
}
