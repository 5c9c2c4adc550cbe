//! What a command that talks to Confluent Cloud needs: the platform's files, a stage, a client, and the folders that go
//! with them.

mod department;
mod kafka;
mod observers;
mod way;

use std::{path::PathBuf, sync::Arc};

pub(super) use department::{DepartmentSession, Tenant};
pub(super) use kafka::{
    base as kafka_base, in_sandbox as kafka_in_sandbox, of_profile as kafka_of_profile, of_service as kafka_of_service,
};
pub(super) use observers::{Observers, connector_crn};
pub(super) use way::Way;

use super::Ctx;
use crate::{
    api::connect::Place,
    client::{BaseUrl, Client, trace::WireTrace},
    clock::Clock,
    config::{self, Endpoint, Folders, LoadedProfile},
    diag::Finding,
    env,
    error::{Error, ResultExt},
    handover::{Recipients, Sink},
    hint::Advice,
    manifest::{Loaded, Origin, Stage, Workspace},
    model::{Address, ApiKeyId, OrganizationId},
    plan::Target,
    sandbox::{ClusterKind, Sandbox, SandboxError, Seed, SeedStage, Settings},
};

/// Where things of a run are kept.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// Journals.
    pub(super) journal: PathBuf,
    /// Profiles, unless `--credentials-dir` says otherwise.
    pub(super) handover: PathBuf,
    /// Evidence, unless `--evidence-dir` says otherwise.
    pub(super) evidence: PathBuf,
    /// Connectors as they were before they were removed, unless `--save-dir` says otherwise.
    pub(super) saved: PathBuf,
}

impl Places {
    /// The journal of a stage.
    pub(super) fn journal_of(&self, organization: &OrganizationId, stage: &str) -> PathBuf {
        self.journal.join(format!("{organization}-{stage}.jsonl"))
    }

    /// A folder of profiles: `named`, else the one below the state folder.
    pub(super) fn sink(&self, named: Option<&PathBuf>) -> Result<Sink, Error> {
        if let Some(folder) = named {
            config::git::refuse_work_tree(folder)?;
        }
        Ok(Sink::new(named.unwrap_or(&self.handover).clone()))
    }
}

/// Where things of a run are kept that needs no way to an organization.
pub(super) fn offline_places(ctx: &Ctx, workspace: &Workspace) -> Result<Places, Error> {
    let folders = Folders::discover()?;
    let profile = profile(ctx, &folders)?;
    let sandbox = sandbox_folder(ctx, &folders, profile.as_ref()).is_some();
    Ok(places(&folders, sandbox, workspace))
}

/// A command's way to an organization.
pub(super) struct Session {
    /// The platform's files.
    pub(super) workspace: Workspace,
    /// What was odd about them.
    pub(super) warnings: Vec<Finding>,
    /// The stage, by name.
    pub(super) stage_name: String,
    /// The stage.
    pub(super) stage: Stage,
    /// The way to the service.
    pub(super) client: Client,
    /// The public half of the key that is used.
    pub(super) key: Option<ApiKeyId>,
    /// Time.
    pub(super) clock: Clock,
    /// Where things are kept.
    pub(super) places: Places,
    /// The address that profiles point to.
    pub(super) endpoint: Endpoint,
    kafka: kafka::KafkaKey,
    /// Hosts outside Confluent's domain that may be asked.
    trusted: Vec<String>,
}

impl Session {
    /// Finds the platform, the stage and the key that the flags, the environment and the files name.
    pub(super) fn open(ctx: &Ctx, concurrency: usize) -> Result<Self, Error> {
        let folders = Folders::discover()?;
        let profile = profile(ctx, &folders)?;
        let sandbox_folder = sandbox_folder(ctx, &folders, profile.as_ref());
        let loaded = workspace(sandbox_folder.is_some())?;
        let (workspace, warnings) = loaded
            .into_result()
            .map_err(|findings| Error::findings("the platform's files hold mistakes", findings))?;
        let (stage_name, stage) = stage(ctx, &workspace, profile.as_ref())?;
        let (way, kafka) = match &sandbox_folder {
            Some(folder) => {
                let way = Way::sandbox(ctx, folder, &workspace, profile.as_ref())?;
                let kafka = kafka::in_sandbox(ctx, folder, &workspace, &stage, profile.as_ref(), &way.auth)?;
                (way, Ok(kafka))
            }
            None => (
                Way::service(ctx, profile.as_ref())?,
                kafka::of_service(profile.as_ref()),
            ),
        };
        if let Some(source) = way.auth.source().filter(|_| ctx.globals.verbosity() > 0) {
            let origin = &workspace.origin;
            ctx.ui
                .note(&format!("Credentials from {source}; platform from {origin}."));
        }
        let base: BaseUrl = way.base.parse().context("the endpoint cannot be used")?;
        let mut builder =
            Client::builder(base, way.transport, way.auth.clone(), way.clock.clone()).concurrency(concurrency);
        if ctx.globals.unsafe_trace {
            builder = builder.wire_trace(Arc::new(WireTrace::stderr()));
        }
        let places = places(&folders, sandbox_folder.is_some(), &workspace);
        Ok(Self {
            workspace,
            warnings,
            stage_name,
            stage,
            client: builder.build(),
            key: way.auth.key().and_then(|key| key.parse().ok()),
            clock: way.clock,
            places,
            endpoint: way.endpoint,
            kafka,
            trusted: ctx.globals.trust_endpoint.iter().cloned().collect(),
        })
    }

    /// Whether the stage is the one whose profiles lie at the top of the folder.
    pub(super) fn is_default_stage(&self) -> bool {
        self.stage_name == self.workspace.platform.default_stage
    }

    /// Where to look.
    pub(super) fn target(&self) -> Target {
        Target {
            organization: self.workspace.platform.organization.clone(),
            environment: self.stage.environment.clone(),
            cluster: self.stage.cluster.clone(),
            schema_registry: self.stage.schema_registry.clone(),
            provisioner: self.workspace.platform.provisioner.clone(),
            key: self.key.clone(),
        }
    }

    /// The journal of the stage.
    pub(super) fn journal(&self, organization: &OrganizationId) -> PathBuf {
        self.places.journal_of(organization, &self.stage_name)
    }

    /// Where it is written down what was done to the connectors of a cluster.
    pub(super) fn connector_journal(&self, place: &Place) -> PathBuf {
        connector_journal(&self.places.journal, place)
    }

    /// A folder of profiles: `named`, else the one below the state folder. Departments with recipients have theirs encrypted.
    pub(super) fn sink(&self, named: Option<&PathBuf>) -> Result<Sink, Error> {
        let own = self.workspace.departments().map(|department| {
            let recipients = department.recipients.clone();
            (department.code.clone(), recipients)
        });
        let recipients = Recipients {
            own: own.collect(),
            ..Recipients::default()
        };
        Ok(self.places.sink(named)?.sealed_to(recipients))
    }
}

/// A client without a platform: for what is done before there is an `ebs.toml`.
pub(super) fn service_client(ctx: &Ctx) -> Result<Client, Error> {
    let folders = Folders::discover()?;
    let profile = profile(ctx, &folders)?;
    let way = match sandbox_folder(ctx, &folders, profile.as_ref()) {
        Some(folder) => {
            let (workspace, _) = workspace(true)?
                .into_result()
                .map_err(|findings| Error::findings("the platform's files hold mistakes", findings))?;
            Way::sandbox(ctx, &folder, &workspace, profile.as_ref())?
        }
        None => Way::service(ctx, profile.as_ref())?,
    };
    let base: BaseUrl = way.base.parse().context("the endpoint cannot be used")?;
    Ok(Client::builder(base, way.transport, way.auth, way.clock).build())
}

/// A sandbox's error with its advice. Only commands know the sandbox, so the edge's error cannot look for it itself.
pub(super) fn sandbox_error(error: SandboxError) -> Error {
    let hints = error.hints();
    let mut error = Error::from(error);
    error.hints = hints;
    error
}

/// The sandbox of a folder, seeded with the platform's stages when it is new.
pub(super) fn open_sandbox(folder: &std::path::Path, workspace: &Workspace) -> Result<Sandbox, Error> {
    let settings: Option<Settings> = None;
    Sandbox::open(folder, seed(workspace), settings).map_err(sandbox_error)
}

/// What a new sandbox holds: the organization, stages and clusters of `ebs.toml`, which makes it a rehearsal.
pub(super) fn seed(workspace: &Workspace) -> Seed {
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
            let address = Address {
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
    // More clusters hang on an environment of the example's.
    let environments: Vec<_> = stages.iter().map(|stage| stage.address.environment.clone()).collect();
    seed.clusters
        .retain(|cluster| environments.contains(&cluster.environment));
    if !stages.is_empty() {
        seed.stages = stages;
    }
    seed
}

/// The profile that is meant, and who says so.
pub(super) fn named_profile(ctx: &Ctx, folders: &Folders) -> Option<(String, &'static str)> {
    if let Some(named) = ctx.globals.profile.clone() {
        return Some((named, "--profile"));
    }
    // Under --sandbox the environment's credentials are ignored.
    if ctx.globals.is_sandbox() {
        return None;
    }
    if let Some(named) = env::var(env::CONFLUENT_EBS_PROFILE) {
        return Some((named, env::CONFLUENT_EBS_PROFILE));
    }
    // A key in the environment was set for this job, the chosen profile for all of them.
    match env::var(env::CONFLUENT_CLOUD_API_KEY) {
        Some(_) => None,
        None => folders.current_profile().map(|named| (named, "`profile use`")),
    }
}

/// The profile that the flags or the environment name.
pub(super) fn profile(ctx: &Ctx, folders: &Folders) -> Result<Option<LoadedProfile>, Error> {
    let Some((named, _)) = named_profile(ctx, folders) else {
        return Ok(None);
    };
    let trusted: Vec<String> = ctx.globals.trust_endpoint.iter().cloned().collect();
    let path = folders.profile(&named);
    config::Profile::load(&path, &trusted)
        .map(Some)
        .map_err(|findings| Error::findings(format!("profile `{named}` cannot be used"), findings))
}

/// The state folder of the sandbox that is meant; `None` for the real service.
pub(super) fn sandbox_folder(ctx: &Ctx, folders: &Folders, profile: Option<&LoadedProfile>) -> Option<PathBuf> {
    match profile.map(|loaded| &loaded.profile.endpoint) {
        Some(Endpoint::Sandbox(Some(folder))) => Some(folder.clone()),
        Some(Endpoint::Sandbox(None)) => Some(folders.sandbox()),
        _ => ctx.globals.is_sandbox().then(|| folders.sandbox()),
    }
}

/// The platform's files; for the sandbox the built-in example when there are none.
pub(super) fn workspace(sandbox: bool) -> Result<Loaded, Error> {
    let here = std::env::current_dir().context("the working folder cannot be told")?;
    match Workspace::find(&here)? {
        Some(folder) => Ok(Workspace::load(&folder)),
        None if sandbox => Ok(Workspace::embedded()),
        None => Err(Error::failed("no ebs.toml here or in a folder above")
            .with_hint("`confluent ebs init` makes one.")
            .with_hint("`--sandbox` uses a built-in example of 24 departments.")),
    }
}

/// The stage that the flags name, else the profile's, else the platform's default.
pub(super) fn stage(
    ctx: &Ctx,
    workspace: &Workspace,
    profile: Option<&LoadedProfile>,
) -> Result<(String, Stage), Error> {
    let of_profile = profile.map(|loaded| loaded.profile.facts.stage.as_str());
    let named = ctx.globals.stage.as_deref().or(of_profile);
    if let Some((name, stage)) = workspace.platform.stage(named) {
        let mut stage = stage.clone();
        if let Some(environment) = &ctx.globals.environment {
            stage.environment = environment.clone();
        }
        if let Some(cluster) = &ctx.globals.cluster {
            stage.cluster = cluster.clone();
        }
        return Ok((name.to_owned(), stage));
    }
    let known: Vec<&str> = workspace.platform.stages.keys().map(String::as_str).collect();
    let written = named.unwrap_or(&workspace.platform.default_stage);
    let error = Error::usage(format!("there is no stage `{written}` in {}", workspace.origin));
    Err(match crate::hint::nearest(written, known.iter().copied()) {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error.with_hint(format!("There is: {}.", known.join(", "))),
    })
}

/// The journal of a cluster's connectors, below the folder of journals.
fn connector_journal(folder: &std::path::Path, place: &Place) -> PathBuf {
    let file = format!("{}-{}.jsonl", place.environment, place.cluster);
    folder.join("connectors").join(file)
}

fn places(folders: &Folders, sandbox: bool, workspace: &Workspace) -> Places {
    if sandbox {
        // Beside the sandbox's own state, so that a rehearsal never mixes with what it rehearses.
        let folder = folders.sandbox();
        return Places {
            journal: folder.join("runs"),
            handover: folder.join("handover"),
            evidence: folder.join("evidence"),
            saved: folder.join("saved"),
        };
    }
    let platform = match &workspace.origin {
        Origin::Folder(folder) => Some(folder.as_path()),
        Origin::Embedded | Origin::Nothing => None,
    };
    Places {
        journal: folders.journal(),
        handover: folders.handover(),
        evidence: folders.evidence(platform),
        saved: folders.saved(),
    }
}
