//! Profiles on this computer: the one that a run selects, the imported ones, and the import of a delivered file.

use std::path::{Path, PathBuf};

use super::RunContext;
use crate::{
    config::{
        IfExists, LoadedProfile, Profile, ResolvedSetting, SaveError, SettingSource, StandardDirs,
        profile::is_readable_by_others,
        save::{create_private_dir, save, save_secret},
    },
    diag::has_errors,
    env,
    error::{Error, ResultExt},
    handover::age::{self, Identities},
    hint::closest_match,
    model::Secret,
};

/// Returns the selected profile: name or file.
#[must_use]
pub fn selected_profile(run: &RunContext, dirs: &StandardDirs) -> Option<ResolvedSetting<String>> {
    if let Some(named) = run.options.profile.clone() {
        return Some(ResolvedSetting::new(named, SettingSource::Flag("--profile")));
    }
    // Credentials of the environment are ignored with `--sandbox`.
    if run.options.is_sandbox() {
        return None;
    }
    if let Some(named) = run.variable(env::CONFLUENT_EBS_PROFILE) {
        let source = SettingSource::Environment(env::CONFLUENT_EBS_PROFILE);
        return Some(ResolvedSetting::new(named, source));
    }
    // A key in the environment is specific to this job, so it takes precedence over the default profile.
    match run.variable(env::CONFLUENT_CLOUD_API_KEY) {
        Some(_) => None,
        None => dirs
            .current_profile()
            .map(|named| ResolvedSetting::new(named, SettingSource::ProfileUse)),
    }
}

/// Loads the profile that the flags, the environment or `profile use` select.
///
/// # Errors
/// The profile is invalid.
pub fn load_selected_profile(run: &RunContext, dirs: &StandardDirs) -> Result<Option<LoadedProfile>, Error> {
    let Some(selected) = selected_profile(run, dirs) else {
        return Ok(None);
    };
    let named = selected.value;
    let loaded = Profile::load(&dirs.profile(&named), &run.options.trusted_hosts)
        .map_err(|findings| Error::findings(format!("invalid profile `{named}`"), findings))?;
    loaded.register_secrets(&run.environment.secrets);
    Ok(Some(loaded))
}

/// Loads the profile at `path` and reports its warnings.
///
/// # Errors
/// The profile is invalid.
pub fn load_profile(run: &RunContext, path: &Path) -> Result<LoadedProfile, Error> {
    let loaded = Profile::load(path, &run.options.trusted_hosts)
        .map_err(|findings| Error::findings(format!("invalid profile `{}`", path.display()), findings))?;
    loaded.register_secrets(&run.environment.secrets);
    for warning in &loaded.warnings {
        run.warn(&warning.message);
    }
    Ok(loaded)
}

/// Returns the names of the imported profiles, sorted.
#[must_use]
pub fn imported_profiles(dirs: &StandardDirs) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(dirs.profiles()) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "toml"))
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Makes an imported profile the default.
///
/// # Errors
/// The profile is not imported or invalid.
pub fn set_default_profile(run: &RunContext, name: &str) -> Result<(), Error> {
    let dirs = run.environment.dirs()?;
    find_imported(dirs, name)?;
    load_profile(run, &dirs.profile(name))?;
    Ok(save(&dirs.current_profile_file(), name.as_bytes(), IfExists::Replace)?)
}

/// Import of a profile file.
#[derive(Clone, Debug)]
pub struct ProfileImport {
    /// Path of the profile that the platform team delivered.
    pub file: PathBuf,
    /// File with the private key that decrypts it.
    pub identity: Option<PathBuf>,
    /// Name of the imported profile; by default the name of the file.
    pub name: Option<String>,
    /// Whether an existing profile of that name is replaced.
    pub replace: bool,
}

/// Result of an import of a profile.
#[derive(Clone, Debug)]
pub struct ImportedProfile {
    /// Name under which the profile was imported.
    pub name: String,
    /// File of the imported profile.
    pub file: PathBuf,
    /// Whether the delivered file was encrypted; the imported one is not.
    pub encrypted: bool,
    /// Whether the file was reissued without a key and got the stored key.
    pub key_kept: bool,
}

/// How a delivered profile relates to the stored one.
enum Reissue {
    /// The delivered profile has no key and is of the same persona: its text with the stored keys.
    Merged(Secret),
    /// The delivered profile has no key, and the stored one has the key of another persona.
    OtherPersona,
    /// The delivered profile has a key, or the stored one has none.
    Other,
}

/// Merges a profile that was reissued without its key with the stored one.
fn merge_reissued(file: &Path, delivered: &str, stored: &str, trusted: &[String]) -> Reissue {
    let (new, new_keys, _) = Profile::parse(file, delivered.to_owned(), trusted);
    let (old, keys, _) = Profile::parse(file, stored.to_owned(), trusted);
    let (Some(mut new), Some(old)) = (new, old) else {
        return Reissue::Other;
    };
    if !new_keys.is_empty() || keys.is_empty() {
        return Reissue::Other;
    }
    let persona = |profile: &Profile| {
        let facts = &profile.facts;
        (
            facts.organization.clone(),
            facts.stage.clone(),
            facts.department.clone(),
            facts.persona.clone(),
        )
    };
    if persona(&new) != persona(&old) {
        return Reissue::OtherPersona;
    }
    // The department may have added these; the platform team does not write them.
    if new.secret_variables.is_empty() {
        new.secret_variables = old.secret_variables;
    }
    let text = new.render_keys(file, &keys.to_list());
    let with_hosts = || {
        let stored: toml_edit::DocumentMut = stored.parse().ok()?;
        let hosts = stored.get("endpoints")?;
        let mut document: toml_edit::DocumentMut = text.parse().ok()?;
        document.insert("endpoints", hosts.clone());
        Some(document.to_string())
    };
    Reissue::Merged(Secret::new(with_hosts().unwrap_or(text)))
}

/// Removes an imported profile and returns its file. If it is the default profile, there is none afterwards.
///
/// # Errors
/// The profile is not imported, or its file cannot be removed.
pub fn remove_profile(run: &RunContext, name: &str) -> Result<PathBuf, Error> {
    let dirs = run.environment.dirs()?;
    find_imported(dirs, name)?;
    let remove =
        |file: &Path| std::fs::remove_file(file).with_context(|| format!("cannot remove `{}`", file.display()));
    if dirs.current_profile().as_deref() == Some(name) {
        remove(&dirs.current_profile_file())?;
    }
    let file = dirs.profile(name);
    remove(&file)?;
    Ok(file)
}

/// Checks that a profile is imported.
fn find_imported(dirs: &StandardDirs, name: &str) -> Result<(), Error> {
    let known = imported_profiles(dirs);
    if known.iter().any(|imported| imported == name) {
        return Ok(());
    }
    let error = Error::failed(format!("profile `{name}` not found"));
    Err(match closest_match(name, known.iter().map(String::as_str)) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint("Import a profile with `confluent ebs profile import`."),
    })
}

impl ProfileImport {
    /// Copies the profile to the profiles of the user, decrypted and readable only by the user. A profile that was reissued
    /// without its key replaces the stored one of the same persona and gets its key.
    ///
    /// # Errors
    /// The name or the profile is invalid, it cannot be decrypted, or the name is in use.
    pub fn run(&self, run: &RunContext) -> Result<ImportedProfile, Error> {
        let name = self.name.clone().unwrap_or_else(|| default_name(&self.file));
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if name.is_empty() || !name.chars().all(safe) {
            return Err(Error::usage(format!(
                "invalid profile name `{name}`: only letters, digits, `-` and `_` are allowed"
            ))
            .with_hint("Choose a name with `--name`."));
        }
        let (text, encrypted) = self.read(run)?;
        let dirs = run.environment.dirs()?;
        create_private_dir(dirs.profiles())?;
        let file = dirs.profile(&name);
        let reissue = match std::fs::read_to_string(&file) {
            Ok(stored) => merge_reissued(&file, text.expose(), &stored, &run.options.trusted_hosts),
            Err(_) => Reissue::Other,
        };
        let (text, existing) = match reissue {
            Reissue::Merged(merged) => (merged, IfExists::Replace),
            Reissue::OtherPersona if !self.replace => {
                return Err(Error::failed(format!(
                    "profile `{name}` is of another persona, department or stage, and the file contains no key"
                ))
                .with_hint("Import the file under another name with `--name`."));
            }
            Reissue::OtherPersona | Reissue::Other if self.replace => (text, IfExists::Replace),
            Reissue::OtherPersona | Reissue::Other => (text, IfExists::Keep),
        };
        let key_kept = matches!(existing, IfExists::Replace) && !self.replace;
        save_secret(&file, text.expose().as_bytes(), existing, &run.environment.secrets).map_err(
            |error| match error {
                SaveError::Exists(_) => Error::failed(format!("profile `{name}` already exists"))
                    .with_hint("Replace it with `--force`, for example after a rotation, or keep both with `--name`."),
                error => error.into(),
            },
        )?;
        Ok(ImportedProfile {
            name,
            file,
            encrypted,
            key_kept,
        })
    }

    /// Returns the decrypted, valid text of the profile, and whether it was encrypted.
    fn read(&self, run: &RunContext) -> Result<(Secret, bool), Error> {
        let shown = self.file.display();
        // `load` reports a file that cannot be read.
        let Some(encrypted) = age::read_encrypted(&self.file).ok().flatten() else {
            load_profile(run, &self.file)?;
            if self.identity.is_some() {
                run.warn("the profile is not encrypted; `--identity` is ignored");
            }
            let text = std::fs::read_to_string(&self.file).with_context(|| format!("cannot read `{shown}`"))?;
            return Ok((Secret::new(text), false));
        };
        let Some(identity) = &self.identity else {
            return Err(Error::failed(format!("profile `{shown}` is encrypted"))
                .with_hint("Pass the file with your private key: `--identity key.txt`."));
        };
        let identities = Identities::load(identity)?;
        if is_readable_by_others(identity) {
            run.warn(format!("other users of this machine can read `{}`", identity.display()));
        }
        let text =
            age::decrypt(&encrypted, &identities).with_context(|| format!("cannot decrypt profile `{shown}`"))?;
        let (profile, keys, findings) =
            Profile::parse(&self.file, text.expose().to_owned(), &run.options.trusted_hosts);
        keys.register(&run.environment.secrets);
        if profile.is_none() || has_errors(&findings) {
            return Err(Error::findings(format!("invalid profile `{shown}`"), findings));
        }
        for warning in &findings {
            run.warn(&warning.message);
        }
        Ok((text, true))
    }
}

/// Returns the name of the file without the endings `.toml` and `.toml.age` and without the mark of a rotation.
fn default_name(file: &Path) -> String {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = name.strip_suffix(".age").unwrap_or(name);
    let name = name.strip_suffix(".toml").unwrap_or(name);
    let is_mark = |end: &str| end.len() == 8 && end.bytes().all(|byte| byte.is_ascii_hexdigit());
    let unmarked = name.rsplit_once('.').filter(|(_, end)| is_mark(end));
    unmarked.map_or(name, |(start, _)| start).to_owned()
}
