//! Source of access answers: Confluent Cloud, a saved snapshot, or the platform configuration.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    access::{AccessModel, PersonaAccount},
    config::{LoadedProfile, SnapshotFile},
    error::{Error, ErrorKind},
    manifest::{Stage, Workspace},
    model::{DepartmentCode, Listing, Principal, Snapshot, StageAddress, ownership::account_name},
    plan::{self, ObservationTarget},
    session::{self, ConnectorSession, PlatformSession, RunContext, Settings},
};

/// Number of concurrent requests of an observation.
const CONCURRENCY: usize = 8;

/// Access model of a loaded source, with the platform files and the caller.
pub struct AccessContext {
    /// Settings of `ebs.toml`, departments and templates, without errors.
    pub workspace: Workspace,
    /// Principals, role bindings and ACLs of the source.
    pub model: AccessModel,
    /// Description of the source.
    pub source: AccessSource,
    /// Caller, the default principal of questions.
    pub caller: Option<Caller>,
}

/// Caller of a command.
#[derive(Clone, Debug)]
pub enum Caller {
    /// Owner of the API key.
    Principal(Principal),
    /// Persona of the profile.
    Persona(DepartmentCode, String),
}

/// Description of a source.
#[derive(Clone, Debug, Serialize)]
pub struct AccessSource {
    /// Kind of source.
    kind: AccessSourceKind,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    stage: String,
    /// Origin of the platform configuration.
    platform: String,
    /// Path of the snapshot; `None` if the source is not a snapshot.
    file: Option<PathBuf>,
    /// Time of the observation.
    taken_at: Option<Timestamp>,
    /// Principal that observed.
    observed_by: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum AccessSourceKind {
    Planned,
    Saved,
    Live,
}

impl AccessSource {
    /// Returns a sentence about the source.
    #[must_use]
    pub fn describe(&self) -> String {
        let stage = &self.stage;
        let by = self.observed_by.as_deref().unwrap_or_default();
        let at = self.taken_at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
        let at = at.unwrap_or_default();
        match self.kind {
            AccessSourceKind::Planned => format!("Source: {}, stage `{stage}`.", self.platform),
            AccessSourceKind::Saved => {
                let file = self.file.as_ref().map(|file| file.display().to_string());
                let file = file.unwrap_or_default();
                format!("Source: snapshot `{file}` of stage `{stage}`, taken at {at} with the data visible to `{by}`.")
            }
            AccessSourceKind::Live => {
                format!("Source: current state of stage `{stage}` with the data visible to `{by}`.")
            }
        }
    }

    /// Returns the name of the stage.
    #[must_use]
    pub fn stage(&self) -> &str {
        &self.stage
    }

    /// Whether the source is the platform configuration.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        self.kind == AccessSourceKind::Planned
    }

    /// Returns a sentence about data that the source never contains.
    #[must_use]
    pub fn limitation(&self) -> Option<&'static str> {
        match self.kind {
            AccessSourceKind::Planned => {
                Some("The platform files contain neither administrators nor roles bound by hand.")
            }
            AccessSourceKind::Saved | AccessSourceKind::Live => None,
        }
    }
}

/// Loads the access that the platform configuration declares.
///
/// # Errors
/// The configuration or the profile is invalid, or the organization is unknown.
pub fn load_planned_access(run: &RunContext) -> Result<AccessContext, Error> {
    let profile = session::load_selected_profile(run, run.environment.dirs()?)?;
    let workspace = load_platform(run)?;
    let (stage_name, stage) = Settings::resolve(run, profile.as_ref(), Some(&workspace)).platform_stage(&workspace)?;
    let address = workspace
        .planned_address(&stage)
        .ok_or_else(|| Error::failed("`ebs.toml` names no organization"))?;
    let impersonated = run
        .options
        .impersonated_persona()
        .and_then(|(department, persona)| Some(Caller::Persona(department.parse().ok()?, persona.to_owned())));
    let facts = profile.map(|loaded| loaded.profile.facts);
    Ok(AccessContext {
        model: workspace.planned_access(&stage_name, &address),
        source: AccessSource {
            kind: AccessSourceKind::Planned,
            stage: stage_name,
            platform: workspace.origin.to_string(),
            file: None,
            taken_at: None,
            observed_by: None,
        },
        caller: facts
            .map(|facts| Caller::Persona(facts.department, facts.persona))
            .or(impersonated),
        workspace,
    })
}

/// Loads the current access in Confluent Cloud. A department with a profile and without the platform configuration sees
/// the data visible to its API key.
///
/// # Errors
/// The caller is a persona of the sandbox, which is not allowed to list role bindings, or the organization cannot be
/// observed.
pub async fn observe_access(run: &RunContext) -> Result<AccessContext, Error> {
    if let Some((department, persona)) = run.options.impersonated_persona() {
        let persona = format!("{department}/{persona}");
        return Err(
            Error::usage(format!("persona `{persona}` is not allowed to list role bindings"))
                .with_hint(format!("Ask as the provisioner with `--sandbox --as {persona}`."))
                .with_hint("Ask as the persona with its profile: `--profile FILE`."),
        );
    }
    let folders = run.environment.dirs()?;
    let profile = session::load_selected_profile(run, folders)?;
    if let Some(profile) = profile
        && Settings::resolve(run, Some(&profile), None).sandbox_dir().is_none()
        && Workspace::find(run.environment.working_dir()?, run.platform_dir().as_deref())?.is_none()
    {
        return load_from_profile(run, profile).await;
    }
    let session = PlatformSession::open(run, CONCURRENCY)?;
    session::report_warnings(run, &session.warnings);
    let snapshot = session.observe().await?;
    Ok(observed_context(session.workspace, session.stage_name, &snapshot, None))
}

/// Loads the data visible to the API key of a profile, without the platform configuration.
async fn load_from_profile(run: &RunContext, profile: LoadedProfile) -> Result<AccessContext, Error> {
    let session = ConnectorSession::open(run)?;
    let facts = profile.profile.facts;
    let target = ObservationTarget {
        organization: Some(facts.organization.clone()),
        environment: session.connectors.cluster_path.environment.clone(),
        cluster: session.connectors.cluster_path.cluster.clone(),
        schema_registry: facts.schema_registry.clone(),
        provisioner: None,
        key: session.api_key.clone(),
    };
    let client = &session.connectors.client;
    let mut snapshot = plan::observe_visible(client, session.clock(), &target).await?;
    snapshot
        .unknown
        .insert(Listing::Acls, "only administrators may list ACLs".to_owned());
    let mut context = observed_context(Workspace::without_files(), facts.stage.clone(), &snapshot, None);
    context.model.personas.push(PersonaAccount {
        account: account_name(&facts.stage, &facts.department, &facts.persona),
        department: facts.department,
        template: None,
        prefix: facts.prefix,
        persona: facts.persona,
        principal: Some(snapshot.observed_by),
    });
    Ok(context)
}

/// Loads the access in a snapshot.
///
/// # Errors
/// The snapshot is invalid, or of another organization or stage.
pub fn load_saved_access(run: &RunContext, file: &Path) -> Result<AccessContext, Error> {
    let (workspace, saved) = load_snapshot(run, file)?;
    Ok(observed_context(
        workspace,
        saved.stage,
        &saved.snapshot,
        Some(file.to_owned()),
    ))
}

/// Loads a snapshot and the platform configuration.
///
/// # Errors
/// They are about different organizations or stages.
pub(in crate::provisioning) fn load_snapshot(
    run: &RunContext,
    file: &Path,
) -> Result<(Workspace, SnapshotFile), Error> {
    let saved = SnapshotFile::load(file)?;
    let workspace = load_platform(run)?;
    let differs = |what: String| {
        Error::new(
            ErrorKind::Failed,
            format!("snapshot `{}` was taken of {what}", file.display()),
        )
        .with_hint("Use the platform files with which the snapshot was saved.")
    };
    if let Some(stage) = run.options.stage.as_ref().filter(|stage| **stage != saved.stage) {
        return Err(differs(format!("stage `{}`, not of `{stage}`", saved.stage)));
    }
    let Some((_, stage)) = workspace.platform.stage(Some(&saved.stage)) else {
        return Err(differs(format!(
            "stage `{}`, which {} does not have",
            saved.stage, workspace.origin
        )));
    };
    let snapshot = &saved.snapshot;
    if !matches_stage(stage, &workspace, &snapshot.address) {
        let StageAddress {
            organization,
            environment,
            cluster,
            ..
        } = &snapshot.address;
        return Err(differs(format!(
            "organization `{organization}`, `{environment}`, `{cluster}`, which is not stage `{}` of {}",
            saved.stage, workspace.origin
        )));
    }
    Ok((workspace, saved))
}

fn matches_stage(stage: &Stage, workspace: &Workspace, address: &StageAddress) -> bool {
    let written = workspace.platform.organization.as_ref();
    stage.environment == address.environment
        && stage.cluster == address.cluster
        && written.is_none_or(|organization| *organization == address.organization)
}

fn observed_context(workspace: Workspace, stage: String, snapshot: &Snapshot, file: Option<PathBuf>) -> AccessContext {
    AccessContext {
        model: workspace.observed_access(&stage, snapshot),
        source: AccessSource {
            kind: if file.is_some() {
                AccessSourceKind::Saved
            } else {
                AccessSourceKind::Live
            },
            stage,
            platform: workspace.origin.to_string(),
            file,
            taken_at: Some(snapshot.taken_at),
            observed_by: Some(snapshot.display_name(&snapshot.observed_by)),
        },
        caller: Some(Caller::Principal(snapshot.observed_by.clone())),
        workspace,
    }
}

/// Loads the platform configuration and reports its warnings.
fn load_platform(run: &RunContext) -> Result<Workspace, Error> {
    let (workspace, warnings) = session::load_valid_workspace(run, run.options.is_sandbox())?;
    session::report_warnings(run, &warnings);
    Ok(workspace)
}
