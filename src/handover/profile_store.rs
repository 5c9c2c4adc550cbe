//! The folder of profiles.
//!
//! A profile is written as `<name>.toml.unproved` before its key becomes live, and renamed to `<name>.toml` once the key
//! is proved. A finished profile is never overwritten.
//!
//! For a department with recipients both are encrypted (`<name>.toml.age.unproved`, `<name>.toml.age`): no clear text
//! touches the disk, not even for the time of the proof. What we cannot read again cannot be proved again either, so a
//! run that takes over from an interrupted one deletes such a key, which nobody else has, and makes another. The same goes
//! for a key that lies there in clear from a run before there were recipients.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use super::age::{self, AgeError};
use crate::{
    config::{
        IfExists, Profile, ProfileKeys, SaveError,
        save::{TEMP_FILE_PREFIX, check_writable, create_private_dir, rename_into_place, save},
    },
    hint::{Advice, Hint},
    model::{ApiKeyId, DepartmentCode, Recipient, Secret},
};

/// The ending of a profile whose key is not proved yet.
const PENDING_EXTENSION: &str = "unproved";

/// The ending of an encrypted profile.
const AGE_EXTENSION: &str = "age";

/// Why a profile cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum ProfileStoreError {
    /// It cannot be written.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// It cannot be encrypted.
    #[error("a profile that has recipients cannot be encrypted")]
    Age(#[from] AgeError),
}

impl Advice for ProfileStoreError {
    fn hints(&self) -> Vec<Hint> {
        match self {
            Self::Save(error) => error.hints(),
            Self::Age(error) => error.hints(),
        }
    }
}

/// To whom profiles are encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Of every department, besides its own.
    pub common: BTreeSet<Recipient>,
    /// A department's own.
    pub by_department: BTreeMap<DepartmentCode, Vec<Recipient>>,
}

impl Recipients {
    /// Who can open the profiles of a department; none when they are in clear.
    #[must_use]
    pub fn for_department(&self, department: &DepartmentCode) -> Vec<Recipient> {
        let own = self.by_department.get(department).into_iter().flatten();
        let all: BTreeSet<&Recipient> = self.common.iter().chain(own).collect();
        all.into_iter().cloned().collect()
    }
}

/// Which profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProfileId {
    /// The stage, unless it is the default one.
    pub stage: Option<String>,
    /// The department.
    pub department: DepartmentCode,
    /// The persona.
    pub persona: String,
}

impl ProfileId {
    /// The path of the finished profile in clear below the folder.
    #[must_use]
    pub fn relative_path(&self) -> PathBuf {
        let name = format!("{}-{}.toml", self.department, self.persona);
        self.stage.iter().collect::<PathBuf>().join(name)
    }
}

/// The department of a file of ours, from its name: a persona's has no dash.
fn department_of(path: &Path) -> Option<DepartmentCode> {
    let name = path.file_name()?.to_str()?;
    let (department, _) = name.split_once('.')?.0.rsplit_once('-')?;
    department.parse().ok()
}

fn with_extension_added(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// What lies in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredKeys {
    /// Keys in finished profiles.
    pub finished: BTreeMap<ApiKeyId, PathBuf>,
    /// Keys in profiles that are not proved yet.
    pub pending: BTreeMap<ApiKeyId, PathBuf>,
}

/// The folder of profiles.
#[derive(Clone, Debug)]
pub struct ProfileStore {
    folder: PathBuf,
    recipients: Recipients,
}

impl ProfileStore {
    /// The folder `folder`; it is made when it is first needed.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            recipients: Recipients::default(),
        }
    }

    /// The same folder, where profiles are encrypted to recipients.
    #[must_use]
    pub fn with_recipients(self, recipients: Recipients) -> Self {
        Self { recipients, ..self }
    }

    /// To whom profiles are encrypted.
    #[must_use]
    pub fn recipients(&self) -> &Recipients {
        &self.recipients
    }

    /// Where it is.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Whether the profiles of a department are encrypted.
    #[must_use]
    pub fn is_encrypted(&self, department: &DepartmentCode) -> bool {
        !self.recipients.for_department(department).is_empty()
    }

    /// Where the finished profile of `place` is, or will be.
    #[must_use]
    pub fn path(&self, profile: &ProfileId) -> PathBuf {
        self.path_variants(profile).0
    }

    /// The path of the finished profile, and the one it would have if it were in clear instead of encrypted, or the other
    /// way round.
    fn path_variants(&self, profile: &ProfileId) -> (PathBuf, PathBuf) {
        let clear = self.folder.join(profile.relative_path());
        let sealed = with_extension_added(&clear, AGE_EXTENSION);
        match self.is_encrypted(&profile.department) {
            true => (sealed, clear),
            false => (clear, sealed),
        }
    }

    /// Where the profile of `place` is until it is proved.
    #[must_use]
    pub fn pending_path(&self, profile: &ProfileId) -> PathBuf {
        with_extension_added(&self.path(profile), PENDING_EXTENSION)
    }

    /// Makes sure, before the first key is made, that `places` can be written; each says whether a finished profile may be
    /// there already.
    ///
    /// # Errors
    /// When a finished profile stands in the way, in clear or encrypted, or nothing can be written there, or this build
    /// cannot encrypt what is to be encrypted.
    pub fn prepare<'a>(
        &self,
        profiles: impl IntoIterator<Item = (&'a ProfileId, bool)>,
    ) -> Result<(), ProfileStoreError> {
        let mut folders = BTreeSet::new();
        for (place, allow_existing) in profiles {
            let path = self.path(place);
            if let Some(path) = self.existing_profile(place).filter(|_| !allow_existing) {
                return Err(SaveError::Exists(path).into());
            }
            if self.is_encrypted(&place.department) {
                age::ensure_supported()?;
            }
            folders.extend(path.parent().map(Path::to_owned));
        }
        Ok(folders.iter().try_for_each(|folder| check_writable(folder))?)
    }

    /// Removes the files of `stage` (none: the default one) that a run left half-written when it died. Only for whoever
    /// holds the stage's journal: nobody else is writing then.
    pub fn remove_temp_files(&self, stage: Option<&str>) {
        let folder = stage.map_or_else(|| self.folder.clone(), |stage| self.folder.join(stage));
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_file() && entry.file_name().to_string_lossy().starts_with(TEMP_FILE_PREFIX) {
                // One that stays is in nobody's way.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Puts a profile on the disk, not proved yet, encrypted if the department has recipients. When this returns it has
    /// reached the disk. One that an interrupted run left at the same place is replaced: its key no longer exists, or is
    /// in the new text too.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_pending(&self, profile: &ProfileId, text: &Secret) -> Result<PathBuf, ProfileStoreError> {
        let path = self.pending_path(profile);
        if let Some(folder) = path.parent() {
            create_private_dir(folder)?;
        }
        let recipients = self.recipients.for_department(&profile.department);
        if recipients.is_empty() {
            save(&path, text.expose().as_bytes(), IfExists::Replace)?;
        } else {
            let sealed = age::encrypt(text, &recipients)?;
            save(&path, sealed.as_bytes(), IfExists::Replace)?;
        }
        Ok(path)
    }

    /// The name that the profile of `place` gets once it is proved: its own, or, where a finished one may be there and is,
    /// one with `mark` beside that one (`claims-operator.<mark>.toml`).
    #[must_use]
    pub fn final_path(&self, profile: &ProfileId, suffix: Option<&str>) -> PathBuf {
        let path = self.path(profile);
        match suffix.filter(|_| self.existing_profile(profile).is_some()) {
            None => path,
            Some(mark) => {
                let marked = self.folder.join(self.final_name(profile, mark));
                match self.is_encrypted(&profile.department) {
                    true => with_extension_added(&marked, AGE_EXTENSION),
                    false => marked,
                }
            }
        }
    }

    /// The same name in clear, below the folder, for a profile that may stand beside another.
    #[must_use]
    pub fn final_name(&self, profile: &ProfileId, suffix: &str) -> PathBuf {
        match self.existing_profile(profile) {
            None => profile.relative_path(),
            Some(_) => profile.relative_path().with_extension(format!("{suffix}.toml")),
        }
    }

    /// The finished profile of `place` that is there, in clear or encrypted.
    fn existing_profile(&self, profile: &ProfileId) -> Option<PathBuf> {
        let (path, other) = self.path_variants(profile);
        [path, other].into_iter().find(|path| path.exists())
    }

    /// Gives a proved profile its final name, a [`Sink::target`]. What an interrupted run left in the other form, before
    /// there were recipients or while there were, is removed: its key is gone.
    ///
    /// # Errors
    /// When a finished profile of that name exists, or the file cannot be renamed.
    pub fn commit(&self, profile: &ProfileId, target: &Path) -> Result<(), ProfileStoreError> {
        let stale = with_extension_added(&self.path_variants(profile).1, PENDING_EXTENSION);
        match fs::remove_file(&stale) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                let what = "remove";
                return Err(SaveError::Io {
                    action: what,
                    path: stale,
                    source,
                }
                .into());
            }
            _ => {}
        }
        Ok(rename_into_place(&self.pending_path(profile), target, IfExists::Keep)?)
    }

    /// Writes what a profile says now, without its key, beside the finished one: `claims-operator.<mark>.toml`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_reissued(&self, profile: &ProfileId, suffix: &str, text: &str) -> Result<PathBuf, ProfileStoreError> {
        let path = self
            .folder
            .join(profile.relative_path())
            .with_extension(format!("{suffix}.toml"));
        if let Some(folder) = path.parent() {
            create_private_dir(folder)?;
        }
        match save(&path, text.as_bytes(), IfExists::Keep) {
            // The mark is a hash of what it says: an earlier, interrupted run wrote the same.
            Ok(()) | Err(SaveError::Exists(_)) => Ok(path),
            Err(error) => Err(error.into()),
        }
    }

    /// The keys in a profile that is not proved yet; none when there is no such profile, or it is encrypted.
    #[must_use]
    pub fn pending_keys(&self, profile: &ProfileId) -> ProfileKeys {
        read_keys(&self.pending_path(profile)).unwrap_or_default()
    }

    /// The Cloud keys of a department whose profiles lie here, with their secrets: to try whether they are dead. Other keys
    /// open nothing that could be tried, and encrypted ones cannot be read.
    #[must_use]
    pub fn cloud_keys(&self, department: &DepartmentCode) -> Vec<(ApiKeyId, Secret)> {
        let contents = self.stored_keys();
        let paths: BTreeSet<PathBuf> = contents
            .finished
            .into_values()
            .chain(contents.pending.into_values())
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

    /// Looks at what is there. What cannot be read as a profile is not one, and what is not proved yet but in clear,
    /// where it should be encrypted, is not waited for.
    #[must_use]
    pub fn stored_keys(&self) -> StoredKeys {
        let mut contents = StoredKeys::default();
        let mut folders = vec![self.folder.clone()];
        // Two levels: the default stage's profiles, and one folder for each other stage.
        for level in 0..2 {
            for folder in std::mem::take(&mut folders) {
                for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                    let path = entry.path();
                    if path.is_dir() && level == 0 {
                        folders.push(path);
                    } else if let Some(keys) = read_keys(&path) {
                        let proved = path.extension().is_none_or(|ending| ending != PENDING_EXTENSION);
                        if !proved && department_of(&path).is_some_and(|department| self.is_encrypted(&department)) {
                            continue;
                        }
                        let list = if proved {
                            &mut contents.finished
                        } else {
                            &mut contents.pending
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

fn read_keys(path: &Path) -> Option<ProfileKeys> {
    let ending = path.extension()?;
    if ending != "toml" && ending != PENDING_EXTENSION {
        return None;
    }
    let text = fs::read_to_string(path).ok()?;
    // Only the keys are looked at: whether the rest may be trusted matters to who uses the profile.
    let (_, keys, _) = Profile::parse(path, text, &[]);
    (!keys.is_empty()).then_some(keys)
}

#[cfg(test)]
#[path = "profile_store_tests.rs"]
mod tests;
