//! Source of access answers: Confluent Cloud, a saved snapshot, or the platform configuration.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    access::{AccessModel, PersonaAccount},
    commands::Ctx,
    config::{LoadedProfile, SnapshotFile},
    error::{Error, ErrorKind},
    manifest::{Stage, Workspace},
    model::{DepartmentCode, Listing, Principal, Snapshot, StageAddress, ownership::account_name},
    plan::{self, ObservationTarget},
    render::{Style, TextLine},
    session::{self, ConnectorSession, PlatformSession, Settings},
};

/// Flags that select the source.
#[derive(Debug, clap::Args)]
pub(super) struct SourceArgs {
    /// Answer from the platform configuration, without an API key.
    #[arg(long, conflicts_with_all = ["from", "live"])]
    planned: bool,
    /// Answer from a snapshot that "access audit --save" wrote, without an API key.
    #[arg(long, value_name = "string", conflicts_with = "live")]
    from: Option<PathBuf>,
    /// Answer from the current state of Confluent Cloud.
    #[arg(long)]
    live: bool,
}

/// Source without a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DefaultSource {
    /// Confluent Cloud.
    Live,
    /// Platform configuration.
    Planned,
}

/// Loaded source.
pub(super) struct AccessContext {
    /// Platform configuration.
    pub(super) workspace: Workspace,
    /// Access model.
    pub(super) model: AccessModel,
    /// Description of the source.
    pub(super) source: AccessSource,
    /// Caller, the default principal of questions.
    pub(super) caller: Option<Caller>,
}

/// Caller of a command.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// Owner of the API key.
    Principal(Principal),
    /// Persona of the profile.
    Persona(DepartmentCode, String),
}

/// Description of a source.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AccessSource {
    /// Kind of source.
    kind: AccessSourceKind,
    /// Stage.
    stage: String,
    /// Origin of the platform configuration.
    platform: String,
    /// Snapshot file.
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
    /// Returns a line about the source.
    pub(super) fn line(&self) -> TextLine {
        let stage = &self.stage;
        let by = self.observed_by.as_deref().unwrap_or_default();
        let at = self.taken_at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
        let at = at.unwrap_or_default();
        let text = match self.kind {
            AccessSourceKind::Planned => format!("Source: {}, stage `{stage}`.", self.platform),
            AccessSourceKind::Saved => {
                let file = self.file.as_ref().map(|file| file.display().to_string());
                let file = file.unwrap_or_default();
                format!("Source: snapshot `{file}` of stage `{stage}`, taken at {at} with the data visible to `{by}`.")
            }
            AccessSourceKind::Live => {
                format!("Source: current state of stage `{stage}` with the data visible to `{by}`.")
            }
        };
        TextLine::new().with_styled_text(Style::Muted, text)
    }

    /// Whether the source is the platform configuration.
    pub(super) fn is_planned(&self) -> bool {
        self.kind == AccessSourceKind::Planned
    }

    /// Returns a sentence about data that the source never contains.
    pub(super) fn limitation(&self) -> Option<&'static str> {
        match self.kind {
            AccessSourceKind::Planned => {
                Some("The platform configuration contains neither administrators nor roles bound by hand.")
            }
            AccessSourceKind::Saved | AccessSourceKind::Live => None,
        }
    }
}

impl SourceArgs {
    /// Loads the selected source.
    pub(super) fn load(&self, ctx: &Ctx, default: DefaultSource) -> Result<AccessContext, Error> {
        if let Some(file) = &self.from {
            return load_saved(ctx, file);
        }
        if self.planned || (!self.live && default == DefaultSource::Planned) {
            return load_planned(ctx);
        }
        load_live(ctx)
    }
}

fn load_planned(ctx: &Ctx) -> Result<AccessContext, Error> {
    let profile = session::load_selected_profile(&ctx.run, ctx.run.environment.dirs()?)?;
    let workspace = load_platform(ctx)?;
    let (stage_name, stage) =
        Settings::resolve(&ctx.run, profile.as_ref(), Some(&workspace)).platform_stage(&workspace)?;
    let address = workspace
        .planned_address(&stage)
        .ok_or_else(|| Error::failed("`ebs.toml` names no organization"))?;
    let impersonated = ctx.run.options.sandbox_as.as_deref().and_then(|who| {
        let (department, persona) = who.split_once('/')?;
        Some(Caller::Persona(department.parse().ok()?, persona.to_owned()))
    });
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

/// Returns the persona that `--sandbox-as` impersonates. Without a key of its own, it cannot list role bindings.
pub(super) fn impersonated_persona(ctx: &Ctx) -> Option<&str> {
    ctx.run.options.sandbox_as.as_deref().filter(|who| who.contains('/'))
}

fn load_live(ctx: &Ctx) -> Result<AccessContext, Error> {
    if let Some(persona) = impersonated_persona(ctx) {
        return Err(
            Error::usage(format!("persona `{persona}` is not allowed to list role bindings"))
                .with_hint(format!("Ask as the provisioner with `--sandbox --as {persona}`."))
                .with_hint("Ask as the persona with its profile: `--profile FILE`."),
        );
    }
    let folders = ctx.run.environment.dirs()?;
    let profile = session::load_selected_profile(&ctx.run, folders)?;
    if let Some(profile) = profile
        && Settings::resolve(&ctx.run, Some(&profile), None)
            .sandbox_dir()
            .is_none()
        && Workspace::find(ctx.run.environment.working_dir()?, ctx.run.platform_dir().as_deref())?.is_none()
    {
        return load_from_profile(ctx, profile);
    }
    let session = PlatformSession::open(&ctx.run, 8)?;
    for warning in &session.warnings {
        ctx.ui.warn(&warning.message);
    }
    let snapshot = ctx.block_on(async { Ok(session.observe().await?) })?;
    Ok(observed_context(session.workspace, session.stage_name, &snapshot, None))
}

/// Loads the data visible to the API key of a profile, without the platform configuration.
fn load_from_profile(ctx: &Ctx, profile: LoadedProfile) -> Result<AccessContext, Error> {
    let session = ConnectorSession::open(&ctx.run)?;
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
    let mut snapshot = ctx.block_on(async { Ok(plan::observe_visible(client, session.clock(), &target).await?) })?;
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

fn load_saved(ctx: &Ctx, file: &std::path::Path) -> Result<AccessContext, Error> {
    let (workspace, saved) = load_snapshot(ctx, file)?;
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
pub(super) fn load_snapshot(ctx: &Ctx, file: &std::path::Path) -> Result<(Workspace, SnapshotFile), Error> {
    let saved = SnapshotFile::load(file)?;
    let workspace = load_platform(ctx)?;
    let differs = |what: String| {
        Error::new(ErrorKind::Failed, format!("snapshot `{}` is of {what}", file.display()))
            .with_hint("Use the platform configuration with which the snapshot was taken.")
    };
    if let Some(stage) = ctx.run.options.stage.as_ref().filter(|stage| **stage != saved.stage) {
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

/// Loads the platform configuration and prints its warnings.
fn load_platform(ctx: &Ctx) -> Result<Workspace, Error> {
    let (workspace, warnings) = session::load_valid_workspace(&ctx.run, ctx.run.options.is_sandbox())?;
    for warning in &warnings {
        ctx.ui.warn(&warning.message);
    }
    Ok(workspace)
}
