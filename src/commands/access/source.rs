//! Where answers come from: the service, a snapshot of it, or the platform's files.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use super::session::{self, DepartmentSession, Session};
use crate::{
    access::{Member, Scene},
    commands::Ctx,
    config::{Folders, LoadedProfile, SavedSnapshot},
    error::{Error, ErrorKind},
    manifest::{Stage, Workspace},
    model::{Address, DepartmentCode, Principal, Snapshot, hidden, ownership::account_name},
    plan::{self, Target},
    render::{Line, Style},
};

/// The flags that say where answers come from.
#[derive(Debug, clap::Args)]
pub(super) struct From {
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
pub(super) enum Otherwise {
    /// From the service.
    Live,
    /// From the files.
    Planned,
}

/// What questions are asked of.
pub(super) struct Ground {
    /// The platform's files.
    pub(super) workspace: Workspace,
    /// Who may do what.
    pub(super) scene: Scene,
    /// Where that came from.
    pub(super) source: Source,
    /// Who asks, when nobody else is named.
    pub(super) me: Option<Me>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(super) enum Me {
    /// The owner of the key.
    Principal(Principal),
    /// Whom the profile is for.
    Persona(DepartmentCode, String),
}

/// Where answers came from.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Source {
    /// `planned`, `saved` or `live`.
    kind: Kind,
    /// The stage.
    stage: String,
    /// The files of the platform.
    platform: String,
    /// The file of the snapshot.
    file: Option<PathBuf>,
    /// When it was looked.
    taken_at: Option<Timestamp>,
    /// Who looked.
    seen_by: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Planned,
    Saved,
    Live,
}

impl Source {
    /// Where answers came from, in a line.
    pub(super) fn line(&self) -> Line {
        let stage = &self.stage;
        let by = self.seen_by.as_deref().unwrap_or_default();
        let at = self.taken_at.map(|at| at.strftime("%Y-%m-%d %H:%M UTC").to_string());
        let at = at.unwrap_or_default();
        let text = match self.kind {
            Kind::Planned => format!("From the files of {}, stage {stage}.", self.platform),
            Kind::Saved => {
                let file = self.file.as_ref().map(|file| file.display().to_string());
                let file = file.unwrap_or_default();
                format!("From the snapshot {file} of stage {stage}, seen at {at} by {by}.")
            }
            Kind::Live => format!("As {by} sees stage {stage} now."),
        };
        Line::new().styled(Style::Muted, text)
    }

    /// Whether nothing but files was looked at.
    pub(super) fn is_planned(&self) -> bool {
        self.kind == Kind::Planned
    }

    /// What no answer from this source can know, in a sentence.
    pub(super) fn limit(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Planned => Some("Administrators, and whoever was given a role by hand, are not in the files."),
            Kind::Saved | Kind::Live => None,
        }
    }
}

impl From {
    /// Looks.
    pub(super) fn look(&self, ctx: &Ctx, otherwise: Otherwise) -> Result<Ground, Error> {
        if let Some(file) = &self.from {
            return saved(ctx, file);
        }
        if self.planned || (!self.live && otherwise == Otherwise::Planned) {
            return planned(ctx);
        }
        live(ctx)
    }
}

fn planned(ctx: &Ctx) -> Result<Ground, Error> {
    let profile = session::profile(ctx, &Folders::discover()?)?;
    let workspace = files(ctx)?;
    let (stage_name, stage) = session::stage(ctx, &workspace, profile.as_ref())?;
    let address = workspace
        .planned_address(&stage)
        .ok_or_else(|| Error::failed("the platform's files name no place"))?;
    let stand_in = ctx.globals.sandbox_as.as_deref().and_then(|who| {
        let (department, persona) = who.split_once('/')?;
        Some(Me::Persona(department.parse().ok()?, persona.to_owned()))
    });
    let facts = profile.map(|loaded| loaded.profile.facts);
    Ok(Ground {
        scene: workspace.planned(&stage_name, &address),
        source: Source {
            kind: Kind::Planned,
            stage: stage_name,
            platform: workspace.origin.to_string(),
            file: None,
            taken_at: None,
            seen_by: None,
        },
        me: facts
            .map(|facts| Me::Persona(facts.department, facts.persona))
            .or(stand_in),
        workspace,
    })
}

/// Whoever stands in for an account of the sandbox has no key that could tell whose it is; answers for whom.
pub(super) fn stand_in(ctx: &Ctx) -> Option<&str> {
    ctx.globals.sandbox_as.as_deref().filter(|who| who.contains('/'))
}

fn live(ctx: &Ctx) -> Result<Ground, Error> {
    if let Some(somebody) = stand_in(ctx) {
        return Err(Error::usage(format!("{somebody} may not look at who may do what"))
            .with_hint(format!("Ask as the provisioner, with `--sandbox --as {somebody}`."))
            .with_hint("Or act with the profile that `onboard` handed over: `--profile FILE`."));
    }
    let folders = Folders::discover()?;
    let profile = session::profile(ctx, &folders)?;
    if let Some(profile) = profile
        && session::sandbox_folder(ctx, &folders, Some(&profile)).is_none()
        && Workspace::find(&std::env::current_dir()?)?.is_none()
    {
        return of_profile(ctx, profile);
    }
    let session = Session::open(ctx, 8)?;
    for warning in &session.warnings {
        ctx.ui.warn(&warning.message);
    }
    let seen = ctx.block_on(async { Ok(session.look().await?) })?;
    Ok(seen_ground(session.workspace, session.stage_name, &seen, None))
}

/// Without the platform's files: what the owner of the profile's key sees of itself.
fn of_profile(ctx: &Ctx, profile: LoadedProfile) -> Result<Ground, Error> {
    let session = DepartmentSession::open(ctx)?;
    let facts = profile.profile.facts;
    let target = Target {
        organization: Some(facts.organization.clone()),
        environment: session.connectors.place.environment.clone(),
        cluster: session.connectors.place.cluster.clone(),
        schema_registry: facts.schema_registry.clone(),
        provisioner: None,
        key: session.key.clone(),
    };
    let client = &session.connectors.client;
    let mut seen = ctx.block_on(async { Ok(plan::look(client, session.clock(), &target).await?) })?;
    seen.unknown
        .insert(hidden::ACLS.to_owned(), "only administrators may list them".to_owned());
    let mut ground = seen_ground(Workspace::nothing(), facts.stage.clone(), &seen, None);
    ground.scene.members.push(Member {
        account: account_name(&facts.stage, &facts.department, &facts.persona),
        department: facts.department,
        template: None,
        prefix: facts.prefix,
        persona: facts.persona,
        principal: Some(seen.seen_by),
    });
    Ok(ground)
}

fn saved(ctx: &Ctx, file: &std::path::Path) -> Result<Ground, Error> {
    let (workspace, saved) = load(ctx, file)?;
    Ok(seen_ground(
        workspace,
        saved.stage,
        &saved.snapshot,
        Some(file.to_owned()),
    ))
}

/// A snapshot, and the platform's files, which must be about the same place.
pub(super) fn load(ctx: &Ctx, file: &std::path::Path) -> Result<(Workspace, SavedSnapshot), Error> {
    let saved = SavedSnapshot::load(file)?;
    let workspace = files(ctx)?;
    let differs = |what: String| {
        Error::new(
            ErrorKind::Failed,
            format!("the snapshot `{}` is of {what}", file.display()),
        )
        .with_hint("Use the platform's files that it was taken with.")
    };
    if let Some(stage) = ctx.globals.stage.as_ref().filter(|stage| **stage != saved.stage) {
        return Err(differs(format!("stage `{}`, not of `{stage}`", saved.stage)));
    }
    let Some((_, stage)) = workspace.platform.stage(Some(&saved.stage)) else {
        return Err(differs(format!(
            "stage `{}`, which {} does not have",
            saved.stage, workspace.origin
        )));
    };
    let seen = &saved.snapshot;
    if !is_there(stage, &workspace, &seen.address) {
        let Address {
            organization,
            environment,
            cluster,
            ..
        } = &seen.address;
        return Err(differs(format!(
            "organization {organization}, {environment}, {cluster}, which is not stage `{}` of {}",
            saved.stage, workspace.origin
        )));
    }
    Ok((workspace, saved))
}

fn is_there(stage: &Stage, workspace: &Workspace, address: &Address) -> bool {
    let written = workspace.platform.organization.as_ref();
    stage.environment == address.environment
        && stage.cluster == address.cluster
        && written.is_none_or(|organization| *organization == address.organization)
}

fn seen_ground(workspace: Workspace, stage: String, seen: &Snapshot, file: Option<PathBuf>) -> Ground {
    Ground {
        scene: workspace.recognize(&stage, seen),
        source: Source {
            kind: if file.is_some() { Kind::Saved } else { Kind::Live },
            stage,
            platform: workspace.origin.to_string(),
            file,
            taken_at: Some(seen.taken_at),
            seen_by: Some(seen.name_of(&seen.seen_by)),
        },
        me: Some(Me::Principal(seen.seen_by.clone())),
        workspace,
    }
}

/// The platform, without errors.
fn files(ctx: &Ctx) -> Result<Workspace, Error> {
    let loaded = session::workspace(ctx.globals.is_sandbox())?;
    let (workspace, warnings) = loaded
        .into_result()
        .map_err(|findings| Error::findings("the platform's files hold mistakes", findings))?;
    for warning in &warnings {
        ctx.ui.warn(&warning.message);
    }
    Ok(workspace)
}
