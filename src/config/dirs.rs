//! Where the program keeps things: the state folder (sandbox, journals, hand-over files) and the profiles.

use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use crate::env;

const NAME: &str = "confluent-ebs";

/// Nobody's home.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the home folder of this user is not known; set `{}` to a folder to keep things in",
    env::CONFLUENT_EBS_STATE_DIR
)]
pub struct NoHomeDir;

/// The folders of this user. None of them is made before something is put into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandardDirs {
    state: PathBuf,
    profiles: PathBuf,
}

impl StandardDirs {
    /// The folders of this user: `state_dir` (from `CONFLUENT_EBS_STATE_DIR`), else what the system says (XDG on Linux and macOS; on
    /// Windows below the user's own local and roaming application data).
    ///
    /// # Errors
    /// The system does not know a home folder.
    pub fn discover(state_dir: Option<PathBuf>) -> Result<Self, NoHomeDir> {
        let system = etcetera::choose_base_strategy().ok().map(|base| {
            // Windows has no state folder; its cache folder is the one that stays on this computer.
            let state = base.state_dir().unwrap_or_else(|| base.cache_dir());
            (state.join(NAME), base.config_dir().join(NAME))
        });
        let (state, config) = match (state_dir, system) {
            // A pipeline without a home keeps everything in one place.
            (Some(state), None) => (state.clone(), state),
            (Some(state), Some((_, config))) => (state, config),
            (None, Some(folders)) => folders,
            (None, None) => return Err(NoHomeDir),
        };
        Ok(Self::with_roots(state, config))
    }

    /// Folders below `state`, profiles below `config`.
    pub fn with_roots(state: impl Into<PathBuf>, config: impl AsRef<Path>) -> Self {
        Self {
            state: state.into(),
            profiles: config.as_ref().join("profiles"),
        }
    }

    /// The state folder itself.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The sandbox's state.
    pub fn sandbox(&self) -> PathBuf {
        self.state.join("sandbox")
    }

    /// Journals of runs.
    pub fn journal(&self) -> PathBuf {
        self.state.join("journal")
    }

    /// Connectors as they were before they were changed or removed.
    pub fn backups(&self) -> PathBuf {
        self.state.join("backups")
    }

    /// What is kept about logs and metrics: limits that processes share, and lines that were read with `--cache`.
    pub fn telemetry(&self) -> PathBuf {
        self.state.join("telemetry")
    }

    /// Profiles that were handed over and not fetched yet.
    pub fn handover(&self) -> PathBuf {
        self.state.join("handover")
    }

    /// Evidence: beside `ebs.toml` when there is one, because it is made to be committed there.
    pub fn evidence(&self, platform: Option<&Path>) -> PathBuf {
        platform.unwrap_or(&self.state).join("evidence")
    }

    /// Profiles that this user works with.
    pub fn profiles(&self) -> &Path {
        &self.profiles
    }

    /// The file that names the profile of `profile use`.
    pub fn current_profile_file(&self) -> PathBuf {
        self.profiles.with_file_name("current-profile")
    }

    /// The name of the profile that commands act with when none is named.
    pub fn current_profile(&self) -> Option<String> {
        let name = std::fs::read_to_string(self.current_profile_file()).ok()?;
        let name = name.trim();
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// The file that `--profile` means: a file when it holds a path separator or ends in `.toml`, else a name. An encrypted
    /// one (`.toml.age`) is a file, too: what is wrong with it can be told.
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
