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
mod state_dir;
mod index;
pub mod info;
mod inventory;
pub mod journal;
mod rate_limits;
mod pagination;
mod direct_binding;
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

pub use assumptions::{ListVisibility, SandboxAssumptions};
pub use auth::RouteAuth;
pub use connector::{ArmedConnectorFault, ConnectAssumptions, ConnectorFault, TASKS_PER_CLUSTER};
pub use error::SandboxError;
pub use faults::{ArmedFault, Fault, FaultKind};
pub use info::{SandboxInfo, StageInfo};
pub use journal::SandboxJournalEntry;
pub use seed::{ADMIN_EMAIL, ADMIN_PASSWORD, ClusterKind, PROVISIONER, Seed, SeedCluster, SeedStage};
pub use server::StateDirStatus;
pub use settings::{RateLimit, SandboxSettings, Timing};

use self::{
    clock::{ClockBase, SandboxTime},
    rate_limits::{RateLimitWindows, RequestMeters},
    service::ServiceMode,
    state::{SandboxState, StateChange},
    store::Store,
};
use crate::clock::{Clock, TimeSource as _};

/// What changes while requests are processed.
#[derive(Debug)]
struct LiveState {
    store: Store,
    windows: RateLimitWindows,
    meters: RequestMeters,
}

type KillHook = Arc<dyn Fn() + Send + Sync>;

struct SandboxInner {
    token: String,
    dir: Option<PathBuf>,
    time: SandboxTime,
    clock: Clock,
    live: Mutex<LiveState>,
    kill: Mutex<Option<KillHook>>,
    url: Mutex<Option<String>>,
}

/// An embedded Confluent Cloud. Cheap to clone; all clones are the same one.
#[derive(Clone)]
pub struct Sandbox(Arc<SandboxInner>);

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The control token stays out.
        out.debug_struct("Sandbox")
            .field("dir", &self.0.dir)
            .finish_non_exhaustive()
    }
}

/// A mutex whose holder panicked still guards whole states: changes are made after everything that may fail.
fn lock_mutex<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
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
    pub auth: RouteAuth,
}

/// Making one.
impl Sandbox {
    /// A sandbox that is gone with the process.
    pub fn in_memory(seed: Seed, settings: SandboxSettings) -> Result<Self, SandboxError> {
        Self::build_in_memory(seed, settings, None)
    }

    /// The same, at a moment that stands still but for what is waited and advanced: for tests whose output holds times.
    pub fn in_memory_at(seed: Seed, settings: SandboxSettings, moment: Timestamp) -> Result<Self, SandboxError> {
        Self::build_in_memory(seed, settings, Some(moment))
    }

    fn build_in_memory(
        seed: Seed,
        settings: SandboxSettings,
        standing: Option<Timestamp>,
    ) -> Result<Self, SandboxError> {
        seed.validate().map_err(SandboxError::Seed)?;
        settings.validate().map_err(SandboxError::Setting)?;
        let token = state_dir::new_token()?;
        let anchor = ClockBase::at(standing.unwrap_or_else(Timestamp::now), settings.time_scale);
        let state = seed.build_state(settings, &token, anchor)?;
        Ok(Self::assemble(
            token,
            None,
            SandboxTime::new(anchor, standing),
            Store::in_memory(state),
        ))
    }

    /// The sandbox in `dir`, made there if there is none. With settings they replace what it had, with `None` it keeps
    /// them. Stages that the seed has and the sandbox has not are added.
    pub fn open(dir: &Path, seed: Seed, settings: impl Into<Option<SandboxSettings>>) -> Result<Self, SandboxError> {
        let settings = settings.into();
        seed.validate().map_err(SandboxError::Seed)?;
        settings
            .as_ref()
            .map_or(Ok(()), SandboxSettings::validate)
            .map_err(SandboxError::Setting)?;
        let in_dir = |source| SandboxError::Folder {
            dir: dir.to_owned(),
            source,
        };
        state_dir::create_private_dir(dir).map_err(in_dir)?;
        let token = state_dir::control_token(dir).map_err(in_dir)?;
        let plant = || {
            let settings = settings.clone().unwrap_or_default();
            let anchor = ClockBase::at(Timestamp::now(), settings.time_scale);
            seed.clone().build_state(settings, &token, anchor)
        };
        let store = Store::open(dir, plant).map_err(in_dir)?;
        if store.state.seed.organization != seed.organization {
            return Err(SandboxError::OtherOrganization {
                dir: dir.to_owned(),
                found: store.state.seed.organization.clone(),
                wanted: seed.organization,
            });
        }
        let time = SandboxTime::new(store.state.clock_base, None);
        let sandbox = Self::assemble(token, Some(dir.to_owned()), time, store);
        sandbox.extend_from_seed(&seed)?;
        if let Some(settings) = settings
            && sandbox.settings()? != settings
        {
            sandbox.set_settings(settings)?;
        }
        Ok(sandbox)
    }

    fn assemble(token: String, dir: Option<PathBuf>, time: SandboxTime, store: Store) -> Self {
        Self(Arc::new(SandboxInner {
            token,
            dir,
            clock: Clock::new(time.clone()),
            time,
            live: Mutex::new(LiveState {
                store,
                windows: RateLimitWindows::default(),
                meters: RequestMeters::default(),
            }),
            kill: Mutex::new(None),
            url: Mutex::new(None),
        }))
    }

    /// Adds what `seed` has and the state has not.
    fn extend_from_seed(&self, seed: &Seed) -> Result<(), SandboxError> {
        let (mut live, mut turn, now) = self.lock_state()?;
        let changes = seed.missing_changes(&live.store.state, self.token(), now)?;
        if !changes.is_empty() {
            self.commit_changes(&mut live, &mut turn, changes)?;
        }
        Ok(())
    }
}

/// Using it.
impl Sandbox {
    /// The sandbox as a service, to be called in this process.
    pub fn router(&self) -> axum::Router {
        service::router(self.clone(), ServiceMode::InProcess)
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
            Some(dir) => Some(
                server::ServerLock::acquire(dir, &url)?.ok_or_else(|| SandboxError::AlreadyRunning {
                    url: Self::running_server_url(dir).unwrap_or_else(|| "another address".to_owned()),
                })?,
            ),
        };
        self.0.time.use_real_time();
        *lock_mutex(&self.0.url) = Some(url);
        axum::serve(listener, service::router(self.clone(), ServiceMode::Served)).await?;
        Ok(())
    }

    /// The address of the server that runs on a state folder, if one does.
    pub fn running_server_url(dir: &Path) -> Option<String> {
        server::running_server_url(dir)
    }

    /// What can be seen of a state folder without opening it: nothing is made there, and nobody is waited for.
    pub fn state_dir_status(dir: &Path) -> StateDirStatus {
        server::state_dir_status(dir)
    }

    /// The control token of a state folder: it opens the control endpoints of the server that runs on it.
    pub fn read_control_token(dir: &Path) -> Result<Option<String>, SandboxError> {
        Ok(state_dir::read_token(dir)?)
    }

    /// The sandbox's time; in-process it steps while somebody waits on it.
    pub fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    /// From now on waiting on the clock takes real time in this process, too: for whoever watches what happens.
    pub fn use_real_time(&self) {
        self.0.time.use_real_time();
    }

    /// The control token. It opens the control endpoints, and stands in for any principal (see [`Sandbox::stand_in`]).
    pub fn control_token(&self) -> &str {
        &self.0.token
    }

    /// Headers that make a request one of `principal` (`sa-…`, `u-…`), without its key.
    pub fn impersonation_headers(&self, principal: &str) -> [(HeaderName, String); 2] {
        [
            (HeaderName::from_static(auth::TOKEN_HEADER), self.0.token.clone()),
            (HeaderName::from_static(auth::IMPERSONATE_HEADER), principal.to_owned()),
        ]
    }

    /// What a "kill" fault does: in the command line program it ends the process. Without it the connection breaks.
    /// When `kill` returns, the caller never gets an answer, as if it had died.
    pub fn on_kill(&self, kill: impl Fn() + Send + Sync + 'static) {
        *lock_mutex(&self.0.kill) = Some(Arc::new(kill));
    }

    /// Every route there is.
    pub fn routes() -> impl Iterator<Item = RouteInfo> {
        routes::all_routes().map(|route| RouteInfo {
            method: &route.method,
            path: route.path,
            auth: route.auth,
        })
    }

    fn lock_live(&self) -> MutexGuard<'_, LiveState> {
        lock_mutex(&self.0.live)
    }

    fn time(&self) -> &SandboxTime {
        &self.0.time
    }

    fn token(&self) -> &str {
        &self.0.token
    }

    fn kill_hook(&self) -> Option<KillHook> {
        lock_mutex(&self.0.kill).clone()
    }
}

/// Looking at it and changing it from outside.
impl Sandbox {
    fn read_state<T>(&self, look: impl FnOnce(&SandboxState, Timestamp) -> T) -> Result<T, SandboxError> {
        let (live, _turn, now) = self.lock_state()?;
        Ok(look(&live.store.state, now))
    }

    fn apply_changes(&self, changes: impl FnOnce(&SandboxState) -> Vec<StateChange>) -> Result<(), SandboxError> {
        let (mut live, mut turn, _) = self.lock_state()?;
        let changes = changes(&live.store.state);
        Ok(self.commit_changes(&mut live, &mut turn, changes)?)
    }

    /// Where everything is, and which keys open it.
    pub fn info(&self, show_secrets: bool) -> Result<SandboxInfo, SandboxError> {
        let mine = lock_mutex(&self.0.url).clone();
        let url = mine.or_else(|| self.0.dir.as_deref().and_then(Self::running_server_url));
        self.read_state(|state, _| SandboxInfo::from_state(state, url, show_secrets.then_some(self.token())))
    }

    /// Every request there was, in order.
    pub fn journal(&self) -> Result<Vec<SandboxJournalEntry>, SandboxError> {
        let (live, _turn, _) = self.lock_state()?;
        Ok(live.store.journal()?)
    }

    /// What time it is in the sandbox.
    pub fn now(&self) -> Result<Timestamp, SandboxError> {
        self.read_state(|_, now| now)
    }

    /// Moves the sandbox's time forward.
    pub fn advance(&self, by: Duration) -> Result<Timestamp, SandboxError> {
        let (mut live, mut turn, _) = self.lock_state()?;
        self.0.time.advance(by);
        self.commit_changes(&mut live, &mut turn, Vec::new())?;
        Ok(self.0.time.now())
    }

    /// How it behaves.
    pub fn settings(&self) -> Result<SandboxSettings, SandboxError> {
        self.read_state(|state, _| state.settings.clone())
    }

    /// Makes it behave otherwise from now on; what is under way keeps its delays.
    pub fn set_settings(&self, settings: SandboxSettings) -> Result<(), SandboxError> {
        settings.validate().map_err(SandboxError::Setting)?;
        self.apply_changes(|state| {
            let rescaled = state.clock_base.scale.total_cmp(&settings.time_scale).is_ne();
            let anchor = rescaled.then(|| StateChange::ClockBase(self.0.time.rebased(settings.time_scale)));
            anchor
                .into_iter()
                .chain([StateChange::Settings(Box::new(settings))])
                .collect()
        })?;
        // A new speed counts at once, not only from the next request on.
        self.read_state(|_, _| ())
    }

    /// Throws everything away and seeds again, with the same settings or with others. Keys and control token stay.
    pub fn reset(&self, seed: Option<Seed>, settings: Option<SandboxSettings>) -> Result<(), SandboxError> {
        let (mut live, mut turn, _) = self.lock_state()?;
        let seed = seed.unwrap_or_else(|| live.store.state.seed.clone());
        let settings = settings.unwrap_or_else(|| live.store.state.settings.clone());
        seed.validate().map_err(SandboxError::Seed)?;
        settings.validate().map_err(SandboxError::Setting)?;
        let anchor = self.0.time.rebased(settings.time_scale);
        let state = seed.build_state(settings, self.token(), anchor)?;
        Ok(live.store.reset(&mut turn, state)?)
    }
}
