//! A Confluent Cloud on loopback: it authenticates, enforces roles, remembers, delays and breaks; its connectors live and fail.
//!
//! [`Sandbox`] is the handle. In-process its [`router`](Sandbox::router) is called as a service and its
//! [`clock`](Sandbox::clock) steps while somebody waits on it; [`serve`](Sandbox::serve) puts it on a loopback socket, where
//! the stock CLI and Terraform's provider can use it. `docs/sandbox.md` explains it to its users, `docs/assumptions.md`
//! lists what nobody could yet try on a live organization.
//!
//! A request goes this way: `service` reads it and finds its caller (`auth`), lets a fault strike (`faults`),
//! counts it (`limits`), and hands it with a look at the state (`tx`) to the handler of its route (`routes`), one
//! file per API group. The handler answers, or refuses (`reply`), and says what is to be changed (`records`); the
//! changes and the journal entry are stored in one line (`store`).
//!
//! Only what stands above this module is used, so that it cannot agree with our own client by accident.

mod acls;
pub mod assumptions;
pub mod auth;
mod clock;
pub mod connector;
mod control;
mod crypt;
mod error;
pub mod faults;
mod folder;
mod index;
pub mod info;
mod inventory;
pub mod journal;
mod limits;
mod page;
mod plant;
mod records;
mod reply;
mod request;
mod routes;
pub mod seed;
mod server;
mod service;
pub mod settings;
mod state;
mod store;
mod tx;
mod view;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderName, Method};
use jiff::Timestamp;

pub use assumptions::{Assumptions, Listing};
pub use auth::Access;
pub use connector::{ArmedConnectorFault, ConnectAssumptions, ConnectorFault, TASKS_PER_CLUSTER};
pub use error::SandboxError;
pub use faults::{ArmedFault, Fault, FaultKind};
pub use info::{Info, StageInfo};
pub use journal::JournalEntry;
pub use seed::{ADMIN_EMAIL, ADMIN_PASSWORD, ClusterKind, PROVISIONER, Seed, SeedCluster, SeedStage};
pub use server::Condition;
pub use settings::{RateLimit, Settings, Timing};

use self::{
    clock::{Anchor, SandboxTime},
    limits::{Meters, Windows},
    service::Mode,
    state::{Change, State},
    store::Store,
};
use crate::clock::{Clock, Time as _};

/// What changes while requests are processed.
#[derive(Debug)]
struct Live {
    store: Store,
    windows: Windows,
    meters: Meters,
}

type Kill = Arc<dyn Fn() + Send + Sync>;

struct Inner {
    token: String,
    dir: Option<PathBuf>,
    time: SandboxTime,
    clock: Clock,
    live: Mutex<Live>,
    kill: Mutex<Option<Kill>>,
    url: Mutex<Option<String>>,
}

/// An embedded Confluent Cloud. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Sandbox(Arc<Inner>);

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The control token stays out.
        out.debug_struct("Sandbox")
            .field("dir", &self.0.dir)
            .finish_non_exhaustive()
    }
}

/// A mutex whose holder panicked still guards whole states: changes are made after everything that may fail.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One route that the sandbox serves, at its path and below `/api`.
#[derive(Clone, Copy, Debug)]
pub struct RouteInfo {
    /// The verb.
    pub method: &'static Method,
    /// The path, with `{name}` for its variable parts.
    pub path: &'static str,
    /// Which credentials it takes.
    pub access: Access,
}

/// Making one.
impl Sandbox {
    /// A sandbox that is gone with the process.
    pub fn in_memory(seed: Seed, settings: Settings) -> Result<Self, SandboxError> {
        Self::without_folder(seed, settings, None)
    }

    /// The same, at a moment that stands still but for what is waited and advanced: for tests whose output holds times.
    pub fn in_memory_at(seed: Seed, settings: Settings, moment: Timestamp) -> Result<Self, SandboxError> {
        Self::without_folder(seed, settings, Some(moment))
    }

    fn without_folder(seed: Seed, settings: Settings, standing: Option<Timestamp>) -> Result<Self, SandboxError> {
        seed.check().map_err(SandboxError::Seed)?;
        settings.check().map_err(SandboxError::Setting)?;
        let token = folder::new_token()?;
        let anchor = Anchor::at(standing.unwrap_or_else(Timestamp::now), settings.time_scale);
        let state = seed.plant(settings, &token, anchor)?;
        Ok(Self::assemble(
            token,
            None,
            SandboxTime::new(anchor, standing),
            Store::in_memory(state),
        ))
    }

    /// The sandbox in `dir`, made there if there is none. With settings they replace what it had, with `None` it keeps
    /// them. Stages that the seed has and the sandbox has not are added.
    pub fn open(dir: &Path, seed: Seed, settings: impl Into<Option<Settings>>) -> Result<Self, SandboxError> {
        let settings = settings.into();
        seed.check().map_err(SandboxError::Seed)?;
        settings
            .as_ref()
            .map_or(Ok(()), Settings::check)
            .map_err(SandboxError::Setting)?;
        let in_dir = |source| SandboxError::Folder {
            dir: dir.to_owned(),
            source,
        };
        folder::prepare(dir).map_err(in_dir)?;
        let token = folder::control_token(dir).map_err(in_dir)?;
        let plant = || {
            let settings = settings.clone().unwrap_or_default();
            let anchor = Anchor::at(Timestamp::now(), settings.time_scale);
            seed.clone().plant(settings, &token, anchor)
        };
        let store = Store::open(dir, plant).map_err(in_dir)?;
        if store.state.seed.organization != seed.organization {
            return Err(SandboxError::OtherOrganization {
                dir: dir.to_owned(),
                found: store.state.seed.organization.clone(),
                wanted: seed.organization,
            });
        }
        let time = SandboxTime::new(store.state.anchor, None);
        let sandbox = Self::assemble(token, Some(dir.to_owned()), time, store);
        sandbox.grow(&seed)?;
        if let Some(settings) = settings
            && sandbox.settings()? != settings
        {
            sandbox.set_settings(settings)?;
        }
        Ok(sandbox)
    }

    fn assemble(token: String, dir: Option<PathBuf>, time: SandboxTime, store: Store) -> Self {
        Self(Arc::new(Inner {
            token,
            dir,
            clock: Clock::new(time.clone()),
            time,
            live: Mutex::new(Live {
                store,
                windows: Windows::default(),
                meters: Meters::default(),
            }),
            kill: Mutex::new(None),
            url: Mutex::new(None),
        }))
    }

    /// Adds what `seed` has and the state has not.
    fn grow(&self, seed: &Seed) -> Result<(), SandboxError> {
        let (mut live, mut turn, now) = self.begin()?;
        let changes = seed.growth(&live.store.state, self.token(), now)?;
        if !changes.is_empty() {
            self.change(&mut live, &mut turn, changes)?;
        }
        Ok(())
    }
}

/// Using it.
impl Sandbox {
    /// The sandbox as a service, to be called in this process.
    pub fn router(&self) -> axum::Router {
        service::router(self.clone(), Mode::InProcess)
    }

    /// Serves on `listener`, which must be on loopback, until the future is dropped. On a state folder it is the only
    /// server, and other processes find it with [`Sandbox::server_of`].
    pub async fn serve(&self, listener: tokio::net::TcpListener) -> Result<(), SandboxError> {
        let address = listener.local_addr()?;
        if !address.ip().is_loopback() {
            return Err(SandboxError::NotLoopback(address));
        }
        let url = format!("http://{address}");
        let _reign = match &self.0.dir {
            None => None,
            Some(dir) => Some(server::Reign::begin(dir, &url)?.ok_or_else(|| SandboxError::Running {
                url: Self::server_of(dir).unwrap_or_else(|| "another address".to_owned()),
            })?),
        };
        self.0.time.serve();
        *lock(&self.0.url) = Some(url);
        axum::serve(listener, service::router(self.clone(), Mode::Served)).await?;
        Ok(())
    }

    /// The address of the server that runs on a state folder, if one does.
    pub fn server_of(dir: &Path) -> Option<String> {
        server::server_of(dir)
    }

    /// What can be seen of a state folder without opening it: nothing is made there, and nobody is waited for.
    pub fn condition_of(dir: &Path) -> Condition {
        server::condition_of(dir)
    }

    /// The control token of a state folder: it opens the control endpoints of the server that runs on it.
    pub fn control_token_of(dir: &Path) -> Result<Option<String>, SandboxError> {
        Ok(folder::read_token(dir)?)
    }

    /// The sandbox's time; in-process it steps while somebody waits on it.
    pub fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    /// From now on waiting on the clock takes real time in this process, too: for whoever watches what happens.
    pub fn wait_in_real_time(&self) {
        self.0.time.serve();
    }

    /// The control token. It opens the control endpoints, and stands in for any principal (see [`Sandbox::stand_in`]).
    pub fn control_token(&self) -> &str {
        &self.0.token
    }

    /// Headers that make a request one of `principal` (`sa-…`, `u-…`), without its key.
    pub fn stand_in(&self, principal: &str) -> [(HeaderName, String); 2] {
        [
            (HeaderName::from_static(auth::TOKEN_HEADER), self.0.token.clone()),
            (HeaderName::from_static(auth::AS_HEADER), principal.to_owned()),
        ]
    }

    /// What a "kill" fault does: in the command line program it ends the process. Without it the connection breaks.
    /// When `kill` returns, the caller never gets an answer, as if it had died.
    pub fn on_kill(&self, kill: impl Fn() + Send + Sync + 'static) {
        *lock(&self.0.kill) = Some(Arc::new(kill));
    }

    /// Every route there is.
    pub fn routes() -> impl Iterator<Item = RouteInfo> {
        routes::all().map(|route| RouteInfo {
            method: &route.method,
            path: route.path,
            access: route.access,
        })
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        lock(&self.0.live)
    }

    fn time(&self) -> &SandboxTime {
        &self.0.time
    }

    fn token(&self) -> &str {
        &self.0.token
    }

    fn kill(&self) -> Option<Kill> {
        lock(&self.0.kill).clone()
    }
}

/// Looking at it and changing it from outside.
impl Sandbox {
    fn look<T>(&self, look: impl FnOnce(&State, Timestamp) -> T) -> Result<T, SandboxError> {
        let (live, _turn, now) = self.begin()?;
        Ok(look(&live.store.state, now))
    }

    fn set(&self, changes: impl FnOnce(&State) -> Vec<Change>) -> Result<(), SandboxError> {
        let (mut live, mut turn, _) = self.begin()?;
        let changes = changes(&live.store.state);
        Ok(self.change(&mut live, &mut turn, changes)?)
    }

    /// Where everything is, and which keys open it.
    pub fn info(&self, show_secrets: bool) -> Result<Info, SandboxError> {
        let mine = lock(&self.0.url).clone();
        let url = mine.or_else(|| self.0.dir.as_deref().and_then(Self::server_of));
        self.look(|state, _| Info::of(state, url, show_secrets.then_some(self.token())))
    }

    /// Every request there was, in order.
    pub fn journal(&self) -> Result<Vec<JournalEntry>, SandboxError> {
        let (live, _turn, _) = self.begin()?;
        Ok(live.store.journal()?)
    }

    /// What time it is in the sandbox.
    pub fn now(&self) -> Result<Timestamp, SandboxError> {
        self.look(|_, now| now)
    }

    /// Moves the sandbox's time forward.
    pub fn advance(&self, by: Duration) -> Result<Timestamp, SandboxError> {
        let (mut live, mut turn, _) = self.begin()?;
        self.0.time.advance(by);
        self.change(&mut live, &mut turn, Vec::new())?;
        Ok(self.0.time.now())
    }

    /// How it behaves.
    pub fn settings(&self) -> Result<Settings, SandboxError> {
        self.look(|state, _| state.settings.clone())
    }

    /// Makes it behave otherwise from now on; what is under way keeps its delays.
    pub fn set_settings(&self, settings: Settings) -> Result<(), SandboxError> {
        settings.check().map_err(SandboxError::Setting)?;
        self.set(|state| {
            let rescaled = state.anchor.scale.total_cmp(&settings.time_scale).is_ne();
            let anchor = rescaled.then(|| Change::Anchor(self.0.time.rescaled(settings.time_scale)));
            anchor
                .into_iter()
                .chain([Change::Settings(Box::new(settings))])
                .collect()
        })?;
        // A new speed counts at once, not only from the next request on.
        self.look(|_, _| ())
    }

    /// Throws everything away and seeds again, with the same settings or with others. Keys and control token stay.
    pub fn reset(&self, seed: Option<Seed>, settings: Option<Settings>) -> Result<(), SandboxError> {
        let (mut live, mut turn, _) = self.begin()?;
        let seed = seed.unwrap_or_else(|| live.store.state.seed.clone());
        let settings = settings.unwrap_or_else(|| live.store.state.settings.clone());
        seed.check().map_err(SandboxError::Seed)?;
        settings.check().map_err(SandboxError::Setting)?;
        let anchor = self.0.time.rescaled(settings.time_scale);
        let state = seed.plant(settings, self.token(), anchor)?;
        Ok(live.store.reset(&mut turn, state)?)
    }
}
