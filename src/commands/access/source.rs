//! Where answers come from: the service, a snapshot of it, or the platform's files.

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
    session::{self, ConnectorSession, PlatformSession},
};

/// The flags that say where answers come from.
#[derive(Debug, clap::Args)]
pub(super) struct SourceArgs {
    /// Answer from what the platform's files would give, without a key.
    #[arg(long, conflicts_with_all = ["from", "live"])]
    planned: bool,
    /// Answer from a snapshot that "access audit --save" wrote, without a key.
    #[arg(long, value_name = "string", conflicts_with = "live")]
    from: Option<PathBuf>,
    /// Answer from what the service says now.
    #[arg(long)]
    live: bool,
}

/// Where answers come from when no flag says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DefaultSource {
    /// From the service.
    Live,
    /// From the files.
    Planned,
}

/// What questions are asked of.
pub(super) struct AccessContext {
    /// The platform's files.
    pub(super) workspace: Workspace,
    /// Who may do what.
    pub(super) model: AccessModel,
    /// Where that came from.
    pub(super) source: AccessSource,
    /// Who asks, when nobody else is named.
    pub(super) caller: Option<Caller>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) enum Caller {
    /// The owner of the key.
    Principal(Principal),
    /// Whom the profile is for.
    Persona(DepartmentCode, String),
}

/// Where answers came from.
#[derive(Clone, Debug, Serialize)]
pub(super) struct AccessSource {
    /// `planned`, `saved` or `live`.
    kind: AccessSourceKind,
    /// The stage.
    stage: String,
    /// The files of the platform.
    platform: String,
    /// The file of the snapshot.
    file: Option<PathBuf>,
    /// When it was looked.
    taken_at: Option<Timestamp>,
    /// Who looked.
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
    /// Where answers came from, in a line.
    pub(super) fn line(&self) -> TextLine {
        let stage = &self.stage;
        let by = self.observed_by.as_deref().unwrap_or_default();
        let at = self.taken_at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
        let at = at.unwrap_or_default();
        let text = match self.kind {
            AccessSourceKind::Planned => format!("From the files of {}, stage {stage}.", self.platform),
            AccessSourceKind::Saved => {
                let file = self.file.as_ref().map(|file| file.display().to_string());
                let file = file.unwrap_or_default();
                format!("From the snapshot {file} of stage {stage}, seen at {at} by {by}.")
            }
            AccessSourceKind::Live => format!("As {by} sees stage {stage} now."),
        };
        TextLine::new().with_styled_text(Style::Muted, text)
    }

    /// Whether nothing but files was looked at.
    pub(super) fn is_planned(&self) -> bool {
        self.kind == AccessSourceKind::Planned
    }

    /// What no answer from this source can know, in a sentence.
    pub(super) fn limitation(&self) -> Option<&'static str> {
        match self.kind {
            AccessSourceKind::Planned => {
                Some("Administrators, and whoever was given a role by hand, are not in the files.")
            }
            AccessSourceKind::Saved | AccessSourceKind::Live => None,
        }
    }
}

impl SourceArgs {
    /// Looks.
    pub(super) fn load(&self, ctx: &Ctx, otherwise: DefaultSource) -> Result<AccessContext, Error> {
        if let Some(file) = &self.from {
            return load_saved(ctx, file);
        }
        if self.planned || (!self.live && otherwise == DefaultSource::Planned) {
            return load_planned(ctx);
        }
        load_live(ctx)
    }
}

fn load_planned(ctx: &Ctx) -> Result<AccessContext, Error> {
    let profile = session::load_selected_profile(&ctx.run, ctx.run.environment.dirs()?)?;
    let workspace = load_platform(ctx)?;
    let (stage_name, stage) = session::resolve_stage(&ctx.run, &workspace, profile.as_ref())?;
    let address = workspace
        .planned_address(&stage)
        .ok_or_else(|| Error::failed("the platform's files name no place"))?;
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

/// Whoever stands in for an account of the sandbox has no key that could tell whose it is; answers for whom.
pub(super) fn impersonated_persona(ctx: &Ctx) -> Option<&str> {
    ctx.run.options.sandbox_as.as_deref().filter(|who| who.contains('/'))
}

fn load_live(ctx: &Ctx) -> Result<AccessContext, Error> {
    if let Some(persona) = impersonated_persona(ctx) {
        return Err(Error::usage(format!("{persona} may not look at who may do what"))
            .with_hint(format!("Ask as the provisioner, with `--sandbox --as {persona}`."))
            .with_hint("Or act with the profile that `onboard` handed over: `--profile FILE`."));
    }
    let folders = ctx.run.environment.dirs()?;
    let profile = session::load_selected_profile(&ctx.run, folders)?;
    if let Some(profile) = profile
        && session::resolve_sandbox_folder(&ctx.run, folders, Some(&profile)).is_none()
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

/// Without the platform's files: what the owner of the profile's key sees of itself.
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
        .insert(Listing::Acls, "only administrators may list them".to_owned());
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

/// A snapshot, and the platform's files, which must be about the same place.
pub(super) fn load_snapshot(ctx: &Ctx, file: &std::path::Path) -> Result<(Workspace, SnapshotFile), Error> {
    let saved = SnapshotFile::load(file)?;
    let workspace = load_platform(ctx)?;
    let differs = |what: String| {
        Error::new(
            ErrorKind::Failed,
            format!("the snapshot `{}` is of {what}", file.display()),
        )
        .with_hint("Use the platform's files that it was taken with.")
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
            "organization {organization}, {environment}, {cluster}, which is not stage `{}` of {}",
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

/// The platform, without errors.
fn load_platform(ctx: &Ctx) -> Result<Workspace, Error> {
    let loaded = session::load_workspace(&ctx.run, ctx.run.options.is_sandbox())?;
    let (workspace, warnings) = loaded
        .into_result()
        .map_err(|findings| Error::findings("the platform's files hold mistakes", findings))?;
    for warning in &warnings {
        ctx.ui.warn(&warning.message);
    }
    Ok(workspace)
}
