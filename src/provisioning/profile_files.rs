//! Profiles in the delivery folder, compared with the API keys of the organization.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{AclLookup, ConfirmPlan, ProvisioningOptions, Reconciliation};
use crate::{
    apply::{Journal, JournalLine},
    config::Profile,
    error::{Error, ErrorKind, ResultExt},
    model::{ApiKeyId, DepartmentCode, KeyKind, Listing, OrganizationId},
    session::{PlatformSession, RunContext},
};

/// State of a profile in the delivery folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileFileState {
    /// The profile contains an API key that exists.
    Valid,
    /// The profile contains no API key, and its content is current.
    Reissued,
    /// All API keys of the profile are deleted.
    KeyDeleted,
    /// The profile contains no API key, and its content is outdated.
    Superseded,
}

impl ProfileFileState {
    /// Returns whether the file is useless.
    #[must_use]
    pub const fn is_removable(self) -> bool {
        matches!(self, Self::KeyDeleted | Self::Superseded)
    }
}

/// Profile in the delivery folder.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileFileRow {
    /// Path below the folder.
    pub file: PathBuf,
    /// Code of the department: the name of its file without `.toml`.
    pub department: DepartmentCode,
    /// Name of the persona in the template, such as `operator`.
    pub persona: String,
    /// Ids of its keys.
    pub api_keys: Vec<ApiKeyId>,
    /// Whether the profile can still be used, and if not, why.
    pub state: ProfileFileState,
}

/// Profiles of one stage in the delivery folder.
#[derive(Clone, Debug, Serialize)]
pub struct ProfileFiles {
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Folder that contains the profiles.
    pub folder: PathBuf,
    /// Profiles, sorted by file.
    pub files: Vec<ProfileFileRow>,
    /// Whether the removable files were removed.
    pub removed: bool,
}

impl ProfileFiles {
    /// Returns the useless profiles.
    pub fn removable(&self) -> impl Iterator<Item = &ProfileFileRow> {
        self.files.iter().filter(|row| row.state.is_removable())
    }
}

/// Finds the profiles of the session's stage in the delivery folder, and removes the useless ones. Encrypted profiles
/// are judged by the keys that the journal records for their files.
///
/// # Errors
/// The API keys cannot be listed, or a file cannot be removed.
pub async fn prune_profile_files(
    run: &RunContext,
    session: &PlatformSession,
    options: ProvisioningOptions,
    dry_run: bool,
    confirm: &ConfirmPlan<'_, ProfileFiles>,
) -> Result<Option<ProfileFiles>, Error> {
    let departments: Vec<_> = session.workspace.departments().cloned().collect();
    let reconciliation = Reconciliation::observe(run, session, &departments, options, AclLookup::Skip).await?;
    let snapshot = &reconciliation.observed.snapshot;
    if let Some(reason) = snapshot.unknown_reason(&Listing::ApiKeys) {
        let message = format!("unknown which profiles are valid: the API keys could not be listed ({reason})");
        return Err(Error::new(ErrorKind::Denied, message));
    }
    let store = &reconciliation.profile_store;
    let desired_hash = |department: &DepartmentCode, persona: &str| {
        let mut desired = reconciliation.desired.iter();
        let found =
            desired.find(|desired| desired.department.code == *department && desired.department.retired.is_none())?;
        Some(found.persona(persona)?.tag.profile_hash.clone())
    };
    let exists = |id: &ApiKeyId| snapshot.keys.iter().any(|key| key.id == *id);
    let stored = read_stored_profiles(&reconciliation)?;
    let files = stored.into_iter().filter_map(|stored| {
        if stored
            .organization
            .is_some_and(|organization| organization != snapshot.address.organization)
        {
            return None;
        }
        let is_current =
            || desired_hash(&stored.department, &stored.persona).is_some_and(|hash| stored.profile_hash == Some(hash));
        let state = match (stored.keys.is_empty(), stored.keys.iter().any(exists)) {
            (false, true) => ProfileFileState::Valid,
            (false, false) => ProfileFileState::KeyDeleted,
            (true, _) if is_current() => ProfileFileState::Reissued,
            (true, _) => ProfileFileState::Superseded,
        };
        Some(ProfileFileRow {
            file: stored
                .path
                .strip_prefix(store.folder())
                .unwrap_or(&stored.path)
                .to_owned(),
            department: stored.department,
            persona: stored.persona,
            api_keys: stored.keys,
            state,
        })
    });
    let mut found = ProfileFiles {
        stage: session.stage_name.clone(),
        folder: store.folder().to_owned(),
        files: files.collect(),
        removed: false,
    };
    if dry_run || found.removable().next().is_none() {
        return Ok(Some(found));
    }
    if !confirm(&found)? {
        return Ok(None);
    }
    for row in found.removable() {
        let file = found.folder.join(&row.file);
        std::fs::remove_file(&file).with_context(|| format!("cannot remove `{}`", file.display()))?;
    }
    found.removed = true;
    Ok(Some(found))
}

/// Finished profile in the delivery folder.
struct StoredProfile {
    path: PathBuf,
    department: DepartmentCode,
    persona: String,
    keys: Vec<ApiKeyId>,
    /// Organization and hash of the content; `None` for an encrypted profile.
    organization: Option<OrganizationId>,
    profile_hash: Option<String>,
}

fn read_stored_profiles(reconciliation: &Reconciliation<'_>) -> Result<Vec<StoredProfile>, Error> {
    let session = reconciliation.session;
    let stage = (!session.is_default_stage()).then_some(session.stage_name.as_str());
    let journal = Journal::read(&reconciliation.journal_path)?;
    let recorded = |path: &Path| {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        journal.iter().rev().find_map(|line| match line {
            JournalLine::ProfileProved {
                department,
                persona,
                file,
                keys,
                ..
            } if *file == absolute => Some(StoredProfile {
                path: path.to_owned(),
                department: department.clone(),
                persona: persona.clone(),
                keys: keys.clone(),
                organization: None,
                profile_hash: None,
            }),
            _ => None,
        })
    };
    let read = |path: PathBuf| {
        if path.extension().is_some_and(|ending| ending == "age") {
            return recorded(&path);
        }
        let (profile, keys, _) = Profile::parse(&path, std::fs::read_to_string(&path).ok()?, &[]);
        let profile = profile.filter(|profile| profile.facts.stage == session.stage_name)?;
        Some(StoredProfile {
            path,
            profile_hash: Some(profile.profile_hash()),
            keys: [KeyKind::Cloud, KeyKind::Kafka, KeyKind::SchemaRegistry]
                .into_iter()
                .filter_map(|kind| Some(keys.get(kind)?.id.clone()))
                .collect(),
            department: profile.facts.department,
            persona: profile.facts.persona,
            organization: Some(profile.facts.organization),
        })
    };
    let files = reconciliation.profile_store.finished_files(stage);
    Ok(files.into_iter().filter_map(read).collect())
}
