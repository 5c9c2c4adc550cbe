//! The folder of profiles.
//!
//! A profile is written as `<name>.toml.unproved` before its key becomes live, and renamed to `<name>.toml` once the key
//! is proved. A finished profile is never overwritten.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use crate::{
    config::{
        Existing, Profile, ProfileKeys, SaveError,
        save::{HALF_WRITTEN, check_writable, create_private_folder, promote, save},
    },
    model::{ApiKeyId, DepartmentCode, Secret},
};

/// The ending of a profile whose key is not proved yet.
const UNPROVED: &str = "unproved";

/// Which profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The stage, unless it is the default one.
    pub stage: Option<String>,
    /// The department.
    pub department: DepartmentCode,
    /// The persona.
    pub persona: String,
}

impl Place {
    /// The path of the finished profile below the folder.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        let name = format!("{}-{}.toml", self.department, self.persona);
        self.stage.iter().collect::<PathBuf>().join(name)
    }
}

/// What lies in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Keys in finished profiles.
    pub finished: BTreeMap<ApiKeyId, PathBuf>,
    /// Keys in profiles that are not proved yet.
    pub unproved: BTreeMap<ApiKeyId, PathBuf>,
}

/// The folder of profiles.
#[derive(Clone, Debug)]
pub struct Sink {
    folder: PathBuf,
}

impl Sink {
    /// The folder `folder`; it is made when it is first needed.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the finished profile of `place` is, or will be.
    #[must_use]
    pub fn path(&self, place: &Place) -> PathBuf {
        self.folder.join(place.file())
    }

    fn unproved(&self, place: &Place) -> PathBuf {
        let mut name = self.path(place).into_os_string();
        name.push(".");
        name.push(UNPROVED);
        name.into()
    }

    /// Makes sure, before the first key is made, that `places` can be written; each says whether a finished profile may be
    /// there already.
    ///
    /// # Errors
    /// When a finished profile stands in the way, or nothing can be written there.
    pub fn prepare<'a>(&self, places: impl IntoIterator<Item = (&'a Place, bool)>) -> Result<(), SaveError> {
        let mut folders = BTreeSet::new();
        for (place, beside) in places {
            let path = self.path(place);
            if path.exists() && !beside {
                return Err(SaveError::Exists(path));
            }
            folders.extend(path.parent().map(Path::to_owned));
        }
        folders.iter().try_for_each(|folder| check_writable(folder))
    }

    /// Removes the files of `stage` (none: the default one) that a run left half-written when it died. Only for whoever
    /// holds the stage's journal: nobody else is writing then.
    pub fn sweep(&self, stage: Option<&str>) {
        let folder = stage.map_or_else(|| self.folder.clone(), |stage| self.folder.join(stage));
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_file() && entry.file_name().to_string_lossy().starts_with(HALF_WRITTEN) {
                // One that stays is in nobody's way.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Puts a profile on the disk, not proved yet. When this returns it has reached the disk. One that an interrupted
    /// run left at the same place is replaced: its key no longer exists, or is in the new text too.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, place: &Place, text: &Secret) -> Result<PathBuf, SaveError> {
        let path = self.unproved(place);
        if let Some(folder) = path.parent() {
            create_private_folder(folder)?;
        }
        save(&path, text.expose().as_bytes(), Existing::Replace)?;
        Ok(path)
    }

    /// Gives a proved profile its final name.
    ///
    /// # Errors
    /// When a finished profile of that name exists, or the file cannot be renamed.
    pub fn finish(&self, place: &Place) -> Result<PathBuf, SaveError> {
        let path = self.path(place);
        promote(&self.unproved(place), &path, Existing::Keep)?;
        Ok(path)
    }

    /// Gives a proved profile its final name, or, where a finished one has it, a name with `mark` beside that one:
    /// `claims-operator.<mark>.toml`.
    ///
    /// # Errors
    /// When the file cannot be renamed.
    pub fn finish_beside(&self, place: &Place, mark: &str) -> Result<PathBuf, SaveError> {
        match self.finish(place) {
            Err(SaveError::Exists(path)) => {
                let path = path.with_extension(format!("{mark}.toml"));
                promote(&self.unproved(place), &path, Existing::Keep)?;
                Ok(path)
            }
            finished => finished,
        }
    }

    /// Writes what a profile says now, without its key, beside the finished one: `claims-operator.<mark>.toml`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn reissue(&self, place: &Place, mark: &str, text: &str) -> Result<PathBuf, SaveError> {
        let path = self.path(place).with_extension(format!("{mark}.toml"));
        if let Some(folder) = path.parent() {
            create_private_folder(folder)?;
        }
        match save(&path, text.as_bytes(), Existing::Keep) {
            // The mark is a hash of what it says: an earlier, interrupted run wrote the same.
            Ok(()) | Err(SaveError::Exists(_)) => Ok(path),
            Err(error) => Err(error),
        }
    }

    /// The keys in a profile that is not proved yet; none when there is no such profile.
    #[must_use]
    pub fn unproved_keys(&self, place: &Place) -> ProfileKeys {
        keys_in(&self.unproved(place)).unwrap_or_default()
    }

    /// The Cloud keys of a department whose profiles lie here, with their secrets: to try whether they are dead. Other keys
    /// open nothing that could be tried.
    #[must_use]
    pub fn cloud_keys_of(&self, department: &DepartmentCode) -> Vec<(ApiKeyId, Secret)> {
        let contents = self.contents();
        let paths: BTreeSet<PathBuf> = contents
            .finished
            .into_values()
            .chain(contents.unproved.into_values())
            .collect();
        let mut found = Vec::new();
        for path in paths {
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let (profile, keys, _) = Profile::parse(&path, text, &[]);
            if profile.is_some_and(|profile| profile.facts.department == *department) {
                found.extend(keys.cloud.map(|pair| (pair.id, pair.secret)));
            }
        }
        found
    }

    /// Looks at what is there. What cannot be read as a profile is not one.
    #[must_use]
    pub fn contents(&self) -> Contents {
        let mut contents = Contents::default();
        let mut folders = vec![self.folder.clone()];
        // Two levels: the default stage's profiles, and one folder for each other stage.
        for level in 0..2 {
            for folder in std::mem::take(&mut folders) {
                for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                    let path = entry.path();
                    if path.is_dir() && level == 0 {
                        folders.push(path);
                    } else if let Some(keys) = keys_in(&path) {
                        let proved = path.extension().is_none_or(|ending| ending != UNPROVED);
                        let list = if proved {
                            &mut contents.finished
                        } else {
                            &mut contents.unproved
                        };
                        let pairs = [keys.cloud, keys.kafka, keys.schema_registry];
                        list.extend(pairs.into_iter().flatten().map(|pair| (pair.id, path.clone())));
                    }
                }
            }
        }
        contents
    }
}

fn keys_in(path: &Path) -> Option<ProfileKeys> {
    let ending = path.extension()?;
    if ending != "toml" && ending != UNPROVED {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    // Only the keys are looked at: whether the rest may be trusted matters to who uses the profile.
    let (_, keys, _) = Profile::parse(path, text, &[]);
    (!keys.is_empty()).then_some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(persona: &str) -> Place {
        Place {
            stage: None,
            department: "claims".parse().unwrap(),
            persona: persona.into(),
        }
    }

    #[test]
    fn a_profile_is_unproved_first_and_finished_once() {
        let folder = tempfile::tempdir().unwrap();
        let sink = Sink::new(folder.path().join("cred"));
        sink.prepare([(&place("operator"), false)]).unwrap();
        let profile = |key: &str| Secret::new(format!("[key]\nid = \"{key}\"\nsecret = \"s\"\n"));
        sink.put(&place("operator"), &profile("AAAABBBBCCCCDDDD")).unwrap();
        assert_eq!(sink.contents().unproved.len(), 1);
        let path = sink.finish(&place("operator")).unwrap();
        assert_eq!(path, folder.path().join("cred/claims-operator.toml"));
        assert_eq!(sink.contents().finished.len(), 1);
        assert_eq!(sink.contents().unproved.len(), 0);
        assert!(matches!(
            sink.prepare([(&place("operator"), false)]),
            Err(SaveError::Exists(_))
        ));
        sink.put(&place("operator"), &profile("EEEEFFFFGGGGHHHH")).unwrap();
        assert!(matches!(sink.finish(&place("operator")), Err(SaveError::Exists(_))));
        assert!(fs::read_to_string(path).unwrap().contains("AAAABBBBCCCCDDDD"));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let sink = Sink::new(folder.path().join("cred"));
        let path = sink.put(&place("operator"), &Secret::new("x")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(
            fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}
