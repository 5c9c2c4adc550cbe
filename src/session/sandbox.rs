//! The sandbox of a run, seeded with the stages of the platform.

use std::path::Path;

use jiff::Timestamp;

use super::{RunContext, Settings, load_selected_profile};
use crate::{
    env,
    error::Error,
    hint::Advice,
    manifest::Workspace,
    model::StageAddress,
    private,
    sandbox::{ClusterKind, Sandbox, SandboxError, SandboxInfo, Seed, SeedStage},
};

/// Converts a sandbox error and adds its hints. The general conversion cannot, because it does not depend on the
/// sandbox.
pub fn to_error_with_hints(error: SandboxError) -> Error {
    let hints = error.hints();
    let mut error = Error::from(error);
    error.hints = hints;
    error
}

/// Checks a sandbox folder that a profile names. It is used only if a sandbox is there and only the user can write to it:
/// a profile is written by another person.
///
/// # Errors
/// There is no sandbox in the folder, or others can write to it. The default folder is always accepted.
pub(super) fn check_sandbox_dir(run: &RunContext, folder: &Path) -> Result<(), Error> {
    if run.environment.dirs()?.sandbox() == folder {
        return Ok(());
    }
    private::check_own_folder(folder)?;
    if Sandbox::has_state(folder) {
        return Ok(());
    }
    Err(Error::refused(format!(
        "no sandbox in folder `{}`, which the profile names",
        folder.display()
    ))
    .with_hint("Only the default sandbox is created: select it with `--sandbox`, or with `endpoint = \"sandbox:\"`."))
}

/// The sandbox of a folder, seeded with the platform's stages when it is new.
pub fn open_sandbox(run: &RunContext, folder: &Path, workspace: &Workspace) -> Result<Sandbox, Error> {
    check_sandbox_dir(run, folder)?;
    Sandbox::open_at(folder, build_seed(workspace), None, sandbox_start(run)?).map_err(to_error_with_hints)
}

/// Returns the principals and keys that the selected sandbox starts with; `None` if the run uses Confluent Cloud.
pub fn sandbox_info(run: &RunContext, workspace: &Workspace) -> Result<Option<SandboxInfo>, Error> {
    let profile = load_selected_profile(run, run.environment.dirs()?)?;
    let settings = Settings::resolve(run, profile.as_ref(), None);
    let Some(folder) = settings.sandbox_dir() else {
        return Ok(None);
    };
    let sandbox = open_sandbox(run, folder, workspace)?;
    Ok(Some(sandbox.info(false).map_err(to_error_with_hints)?))
}

/// The fixed start time of a new sandbox, from `CONFLUENT_EBS_SANDBOX_START`.
pub fn sandbox_start(run: &RunContext) -> Result<Option<Timestamp>, Error> {
    let name = env::CONFLUENT_EBS_SANDBOX_START;
    let parse = |text: String| {
        text.parse().map_err(|_| {
            Error::usage(format!("`{name}` is not a point in time: `{text}`"))
                .with_hint("Write it as `2026-11-22T10:00:00Z`.")
        })
    };
    run.variable(name).map(parse).transpose()
}

/// Returns the seed of a new sandbox: organization, stages and clusters of `ebs.toml`, so that it can rehearse changes.
pub fn build_seed(workspace: &Workspace) -> Seed {
    let mut seed = Seed::default();
    let platform = &workspace.platform;
    if let Some(organization) = &platform.organization {
        seed.organization = organization.clone();
    }
    let default = platform.default_stage.as_str();
    let mut names: Vec<&String> = platform.stages.keys().collect();
    names.sort_by_key(|name| (name.as_str() != default, (*name).clone()));
    let stages: Vec<SeedStage> = names
        .into_iter()
        .map(|name| {
            let stage = &platform.stages[name];
            let address = StageAddress {
                organization: seed.organization.clone(),
                environment: stage.environment.clone(),
                cluster: stage.cluster.clone(),
                schema_registry: stage.schema_registry.clone(),
            };
            SeedStage {
                name: name.clone(),
                address,
                cluster_kind: ClusterKind::Enterprise,
            }
        })
        .collect();
    // The example has one environment with several clusters.
    let environments: Vec<_> = stages.iter().map(|stage| stage.address.environment.clone()).collect();
    seed.clusters
        .retain(|cluster| environments.contains(&cluster.environment));
    if !stages.is_empty() {
        seed.stages = stages;
    }
    seed
}
