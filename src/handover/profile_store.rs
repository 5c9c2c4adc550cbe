//! Profile store: the folder of profiles.
//!
//! A profile is written as `<name>.toml.unproved` before its key becomes live, and renamed to `<name>.toml` when the
//! key is verified. A finished profile is never overwritten.
//!
//! For a department with recipients, both files are encrypted (`<name>.toml.age.unproved`, `<name>.toml.age`), so
//! plaintext never reaches the disk. A run cannot read the encrypted pending profile of an interrupted run; it deletes
//! that key, which was never delivered, and creates another. It does the same with a plaintext pending profile from a
//! run before there were recipients.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    age::{self, AgeError},
    evidence::KeyClaim,
};
use crate::{
    config::{
        IfExists, Profile, ProfileKeys, SaveError,
        git::ensure_ignored_by_git,
        save::{
            TEMP_FILE_PREFIX, check_secret_path, check_writable, create_private_dir, rename_into_place, save,
            save_secret,
        },
    },
    hint::{Advice, Hint},
    model::{ApiKeyId, DepartmentCode, Recipient, Secret},
    private,
    redact::SecretRegistry,
};

/// Extension of a pending profile.
const PENDING_EXTENSION: &str = "unproved";

/// Extension of an encrypted profile.
const AGE_EXTENSION: &str = "age";

/// Reason why a profile cannot be stored.
#[derive(Debug, thiserror::Error)]
pub enum ProfileStoreError {
    /// The profile cannot be written.
    #[error(transparent)]
    Save(#[from] SaveError),
    /// The profile cannot be encrypted.
    #[error("cannot encrypt the profile to its recipients")]
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

/// Recipients of profiles.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipients {
    /// Recipients for all departments.
    pub common: BTreeSet<Recipient>,
    /// Additional recipients by department.
    pub by_department: BTreeMap<DepartmentCode, Vec<Recipient>>,
}

impl Recipients {
    /// Returns the recipients for a department; none if its profiles are plaintext.
    #[must_use]
    pub fn for_department(&self, department: &DepartmentCode) -> Vec<Recipient> {
        let own = self.by_department.get(department).into_iter().flatten();
        let all: BTreeSet<&Recipient> = self.common.iter().chain(own).collect();
        all.into_iter().cloned().collect()
    }
}

/// Id of a profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProfileId {
    /// Stage name; `None` for the default stage.
    pub stage: Option<String>,
    /// Department.
    pub department: DepartmentCode,
    /// Persona.
    pub persona: String,
}

impl ProfileId {
    /// Returns the path of the finished plaintext profile relative to the folder.
    #[must_use]
    pub fn relative_path(&self) -> PathBuf {
        let name = format!("{}-{}.toml", self.department, self.persona);
        self.stage.iter().collect::<PathBuf>().join(name)
    }
}

/// Returns the department of a profile file name; a persona contains no dash.
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

/// Keys found in the folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredKeys {
    /// Keys in finished profiles.
    pub finished: BTreeMap<ApiKeyId, PathBuf>,
    /// Keys in pending profiles.
    pub pending: BTreeMap<ApiKeyId, PathBuf>,
}

/// Folder of profiles.
#[derive(Clone, Debug)]
pub struct ProfileStore {
    folder: PathBuf,
    recipients: Recipients,
    /// Receives the secrets of the profiles that are read.
    secrets: SecretRegistry,
}

impl ProfileStore {
    /// Creates a store in `folder`, which is created on first use.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            recipients: Recipients::default(),
            secrets: SecretRegistry::default(),
        }
    }

    /// Returns the store with a registry for the secrets that it reads.
    #[must_use]
    pub fn with_secrets(self, secrets: SecretRegistry) -> Self {
        Self { secrets, ..self }
    }

    /// Returns the registry of secret values.
    #[must_use]
    pub fn secrets(&self) -> &SecretRegistry {
        &self.secrets
    }

    /// Returns the store with encryption to `recipients`.
    #[must_use]
    pub fn with_recipients(self, recipients: Recipients) -> Self {
        Self { recipients, ..self }
    }

    /// Returns the recipients.
    #[must_use]
    pub fn recipients(&self) -> &Recipients {
        &self.recipients
    }

    /// Returns the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns whether the profiles of a department are encrypted.
    #[must_use]
    pub fn is_encrypted(&self, department: &DepartmentCode) -> bool {
        !self.recipients.for_department(department).is_empty()
    }

    /// Returns the path of the finished profile.
    #[must_use]
    pub fn path(&self, profile: &ProfileId) -> PathBuf {
        self.path_variants(profile).0
    }

    /// Returns the path of the finished profile and its path in the other form (plaintext or encrypted).
    fn path_variants(&self, profile: &ProfileId) -> (PathBuf, PathBuf) {
        let clear = self.folder.join(profile.relative_path());
        let sealed = with_extension_added(&clear, AGE_EXTENSION);
        match self.is_encrypted(&profile.department) {
            true => (sealed, clear),
            false => (clear, sealed),
        }
    }

    /// Returns the path of the pending profile.
    #[must_use]
    pub fn pending_path(&self, profile: &ProfileId) -> PathBuf {
        with_extension_added(&self.path(profile), PENDING_EXTENSION)
    }

    /// Checks before the first key is created that `profiles` can be written; each flag says whether a finished profile
    /// may already exist.
    ///
    /// # Errors
    /// When a finished profile exists unexpectedly, a folder is not writable, or this build cannot encrypt although
    /// there are recipients.
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
            self.check_git(place)?;
            folders.extend(path.parent().map(Path::to_owned));
        }
        Ok(folders.iter().try_for_each(|folder| check_writable(folder))?)
    }

    /// Checks that Git would commit none of the files that a profile has on its way: pending, finished, encrypted or not,
    /// and beside an existing one.
    fn check_git(&self, profile: &ProfileId) -> Result<(), SaveError> {
        let (path, other) = self.path_variants(profile);
        let marked = self
            .folder
            .join(profile.relative_path())
            .with_extension("01234567.toml");
        let names = [&path, &other, &marked].into_iter().flat_map(|path| {
            let pending = with_extension_added(path, PENDING_EXTENSION);
            [path.file_name().map(Into::into), pending.file_name().map(PathBuf::from)]
        });
        let folder = path.parent().unwrap_or(&self.folder);
        ensure_ignored_by_git(folder, names.flatten(), &self.secrets)?;
        check_secret_path(&path, &self.secrets)
    }

    /// Deletes temporary files of a crashed run of `stage` (`None`: the default stage). Call only with the stage's
    /// journal locked, when no other run is writing.
    pub fn remove_temp_files(&self, stage: Option<&str>) {
        let folder = stage.map_or_else(|| self.folder.clone(), |stage| self.folder.join(stage));
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_file() && entry.file_name().to_string_lossy().starts_with(TEMP_FILE_PREFIX) {
                // A remaining temporary file is harmless.
                let _ = fs::remove_file(path);
            }
        }
    }

    /// Writes a pending profile, encrypted if the department has recipients; it is on disk when this returns. Replaces
    /// the pending profile of an interrupted run: its key no longer exists or is part of the new text.
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
            self.check_git(profile)?;
            save_secret(&path, text.expose().as_bytes(), IfExists::Replace, &self.secrets)?;
        } else {
            let sealed = age::encrypt(text, &recipients)?;
            save(&path, sealed.as_bytes(), IfExists::Replace)?;
        }
        Ok(path)
    }

    /// Returns the final path of a profile: its own, or one with `suffix` (`claims-operator.<suffix>.toml`) if a
    /// finished profile exists and is kept.
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

    /// Returns the final plaintext name relative to the folder, with `suffix` if a finished profile exists.
    #[must_use]
    pub fn final_name(&self, profile: &ProfileId, suffix: &str) -> PathBuf {
        match self.existing_profile(profile) {
            None => profile.relative_path(),
            Some(_) => profile.relative_path().with_extension(format!("{suffix}.toml")),
        }
    }

    /// Returns the path of the existing finished profile, plaintext or encrypted.
    fn existing_profile(&self, profile: &ProfileId) -> Option<PathBuf> {
        let (path, other) = self.path_variants(profile);
        [path, other].into_iter().find(|path| path.exists())
    }

    /// Renames a pending profile to its [`final_path`](Self::final_path). Also deletes a pending profile in the other
    /// form, left before recipients were added or removed: its key is deleted.
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

    /// Writes the current content of a profile without its key beside the finished one:
    /// `claims-operator.<suffix>.toml`.
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
            // The suffix is a hash of the content: an interrupted run wrote the same.
            Ok(()) | Err(SaveError::Exists(_)) => Ok(path),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns the keys of a pending profile; none if it does not exist or is encrypted.
    #[must_use]
    pub fn pending_keys(&self, profile: &ProfileId) -> ProfileKeys {
        self.read_keys(&self.pending_path(profile)).unwrap_or_default()
    }

    /// Returns the Cloud API keys of a department in a stage from the plaintext profiles in the folder, to check that
    /// they no longer work. Keys of other kinds cannot be checked.
    #[must_use]
    pub fn cloud_keys(&self, department: &DepartmentCode, stage: &str) -> Vec<(ApiKeyId, Secret)> {
        let contents = self.stored_keys();
        let paths: BTreeSet<PathBuf> = contents
            .finished
            .into_values()
            .chain(contents.pending.into_values())
            .collect();
        let mut found = Vec::new();
        for path in paths {
            let Ok(text) = private::read_to_string(&path) else {
                continue;
            };
            let (profile, keys, _) = Profile::parse(&path, text, &[]);
            keys.register(&self.secrets);
            let is_meant = |profile: &Profile| profile.facts.department == *department && profile.facts.stage == stage;
            if profile.as_ref().is_some_and(is_meant) {
                found.extend(keys.cloud.map(|pair| (pair.id, pair.secret)));
            }
        }
        found
    }

    /// Returns the paths of the finished profiles of `stage` (`None`: the default stage), sorted.
    #[must_use]
    pub fn finished_files(&self, stage: Option<&str>) -> Vec<PathBuf> {
        let folder = stage.map_or_else(|| self.folder.clone(), |stage| self.folder.join(stage));
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut files: Vec<PathBuf> = entries
            .map(|entry| entry.path())
            .filter(|path| {
                let ending = path.extension();
                path.is_file() && ending.is_some_and(|ending| ending == "toml" || ending == AGE_EXTENSION)
            })
            .collect();
        files.sort();
        files
    }

    /// Reads the keys of all plaintext profiles. Other files are skipped, and so are plaintext pending profiles of
    /// departments with recipients.
    #[must_use]
    pub fn stored_keys(&self) -> StoredKeys {
        let mut contents = StoredKeys::default();
        let mut folders = vec![self.folder.clone()];
        // Two levels: profiles of the default stage, and one folder for each other stage.
        for level in 0..2 {
            for folder in std::mem::take(&mut folders) {
                for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                    let path = entry.path();
                    if path.is_dir() && level == 0 {
                        folders.push(path);
                    } else if let Some(keys) = self.read_keys(&path) {
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

impl ProfileStore {
    /// Returns the keys of a plaintext profile and registers their secrets.
    fn read_keys(&self, path: &Path) -> Option<ProfileKeys> {
        let ending = path.extension()?;
        if ending != "toml" && ending != PENDING_EXTENSION {
            return None;
        }
        let text = private::read_to_string(path).ok()?;
        // Only the keys are needed; the rest of the profile is validated where it is used.
        let (_, keys, _) = Profile::parse(path, text, &[]);
        keys.register(&self.secrets);
        (!keys.is_empty()).then_some(keys)
    }

    /// Returns the statements of the finished profiles about their keys, sorted by file.
    #[must_use]
    pub fn key_claims(&self) -> Vec<KeyClaim> {
        let mut claims: Vec<KeyClaim> = self
            .stored_keys()
            .finished
            .into_iter()
            .map(|(key, file)| {
                let text = private::read_to_string(&file).unwrap_or_default();
                let (profile, ..) = Profile::parse(&file, text, &[]);
                let facts = profile.map(|profile| profile.facts);
                KeyClaim {
                    key,
                    persona: facts.map(|facts| (facts.stage, facts.department.to_string(), facts.persona)),
                    account: None,
                    at: None,
                    file,
                }
            })
            .collect();
        claims.sort_by(|a, b| (&a.file, &a.key).cmp(&(&b.file, &b.key)));
        claims
    }
}

#[cfg(test)]
#[path = "profile_store_tests.rs"]
mod tests;
