//! Files that run the connector files of a repository in the pipelines of a forge: workflows, owners, ignored files, and
//! what people who write these files need: schemas and settings of editors, and first policies.
//!
//! Everything here is pure except [`changed_places`], which asks Git, and what compares and writes files.
//! The pipelines call only `confluent-ebs`, Git and the forge's own tools (`docs/pipelines.md`).

pub mod changed_places;
pub mod code_owners;
pub mod generated_file;
pub mod options;
pub mod place;
mod repository_files;
pub mod templates;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use self::{
    code_owners::code_owners,
    generated_file::{GeneratedFile, WrittenFile},
    options::{Forge, PipelineOptions},
    place::{PROFILES, PipelinePlace},
    repository_files::{editor_files, first_policies},
    templates::pipeline_files,
};
use super::workspace::GitopsWorkspace;
use crate::{error::Error, text::join_code};

/// Files that no commit should contain: what the jobs write.
const IGNORED: &str =
    "/plan.json\n/plan.md\n/plan.result\n/drift.md\n/drift.result\n/changed.json\n/backups/\n/new-evidence/\n";

/// Content of the repository that its pipelines depend on.
pub struct PipelineInput<'a> {
    /// Forge, runner and branch.
    pub options: &'a PipelineOptions,
    /// Departments and stages, sorted.
    pub places: Vec<PipelinePlace>,
    /// Whether the repository contains `ebs.toml`.
    pub has_platform: bool,
    /// CODEOWNERS without its frame; empty if no owners are configured.
    pub code_owners: String,
}

impl PipelineInput<'_> {
    /// Returns all files that are kept up to date.
    ///
    /// # Errors
    /// A template cannot be rendered.
    pub fn files(&self) -> Result<Vec<GeneratedFile>, Error> {
        let mut files = pipeline_files(self)?;
        files.push(GeneratedFile::block(".gitignore", IGNORED.to_owned()));
        let owners = match self.options.forge {
            Forge::Github => Some(".github/CODEOWNERS"),
            Forge::Gitlab => Some(".gitlab/CODEOWNERS"),
            // Azure Repos has no such file; its branch policies name reviewers by path.
            Forge::Azure => None,
        };
        if let (Some(path), false) = (owners, self.code_owners.is_empty()) {
            files.push(GeneratedFile::block(path, self.code_owners.clone()));
        }
        files.extend(editor_files());
        Ok(files)
    }
}

/// Compares the files of `options` with those of the repository, and writes them unless `options.check`.
///
/// # Errors
/// The options do not fit the repository, or a file cannot be read or written.
pub fn write_pipelines(workspace: &GitopsWorkspace, options: &PipelineOptions) -> Result<Vec<WrittenFile>, Error> {
    options.check_forge()?;
    let places = workspace.places();
    if places.is_empty() {
        let error = Error::failed("the pipelines would have no jobs: no department may use a stage");
        return Err(match &workspace.platform {
            Some(_) => error.with_hint("Create a department with `confluent ebs department new CODE`."),
            None => error.with_hint("Write the first file `connectors/DEPARTMENT/STAGE/NAME.yaml`."),
        });
    }
    let input = PipelineInput {
        options,
        has_platform: workspace.platform.is_some(),
        code_owners: workspace
            .platform
            .as_ref()
            .map(|platform| code_owners(platform, &workspace.tree, options.forge))
            .unwrap_or_default(),
        places,
    };
    check_names(&input.places, options.with_environments)?;
    check_profiles(workspace.root(), &input.places)?;
    let root = workspace.root();
    let mut files = input.files()?;
    if !options.check {
        files.extend(first_policies(root));
    }
    // All files are compared before the first one is written.
    let states: Vec<WrittenFile> = files.iter().map(|file| file.compare(root)).collect::<Result<_, _>>()?;
    if options.check {
        return Ok(states);
    }
    let refused: Vec<String> = states
        .iter()
        .filter(|file| !file.may_be_written(options.force))
        .map(|file| file.path.display().to_string())
        .collect();
    if !refused.is_empty() {
        return Err(
            Error::refused(format!("{} changed by hand; nothing was written", join_code(&refused)))
                .with_hint("Overwrite with `--force`.")
                .with_hint("Or delete the first line of the file, if you want to maintain it yourself."),
        );
    }
    for (file, state) in files.iter().zip(&states) {
        if state.is_to_be_written() {
            file.write(root)?;
        }
    }
    Ok(states)
}

/// Checks that no two departments get the same environment or the same names of secrets.
fn check_names(places: &[PipelinePlace], with_environments: bool) -> Result<(), Error> {
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for place in places {
        let own = match with_environments {
            true => ["", "-plan", "-automatic"]
                .map(|suffix| format!("{}{suffix}", place.environment))
                .to_vec(),
            false => vec![place.variable.clone()],
        };
        for name in own {
            if let Some(other) = names.insert(name.clone(), &place.address) {
                return Err(Error::refused(format!(
                    "`{other}` and `{}` would share the keys named `{name}`",
                    place.address
                ))
                .with_hint("Rename the department or the stage."));
            }
        }
    }
    Ok(())
}

/// Checks that the profiles in the repository contain no key: everybody who reads the repository would have it.
fn check_profiles(root: &Path, places: &[PipelinePlace]) -> Result<(), Error> {
    let mut with_key = Vec::new();
    for stage in places.iter().map(|place| &place.stage).collect::<BTreeSet<_>>() {
        let folder = root.join(PROFILES).join(stage);
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            if text.lines().any(|line| line.trim_start().starts_with("[key")) {
                with_key.push(format!("{PROFILES}/{stage}/{}", entry.file_name().display()));
            }
        }
    }
    with_key.sort();
    if with_key.is_empty() {
        return Ok(());
    }
    Err(
        Error::refused(format!("{} must not contain an API key", join_code(&with_key)))
            .with_hint("Remove the `[key]` table; the key belongs to an environment of the forge.")
            .with_hint("If the file was pushed, rotate the key with `confluent ebs keys rotate`."),
    )
}

/// Path of a file in messages and results.
pub(crate) fn relative_path(path: &str) -> PathBuf {
    path.split('/').collect()
}
