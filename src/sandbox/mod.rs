//! Embedded Confluent Cloud on loopback, with authentication, RBAC, persistence, delays, faults and simulated
//! connectors.
//!
//! [`Sandbox`] is the handle. In-process, [`router`](Sandbox::router) returns an HTTP service, and the
//! [`clock`](Sandbox::clock) skips ahead when a task waits. [`serve`](Sandbox::serve) listens on a loopback socket,
//! which the Confluent CLI and the Terraform provider can use. `docs/sandbox.md` is the user documentation;
//! `docs/assumptions.md` lists unconfirmed behaviour of Confluent Cloud.
//!
//! Processing of a request: `service` reads it, `auth` authenticates the caller, `faults` applies a fault,
//! `rate_limits` counts the request, and `routes` calls the handler of the route with a transaction (`tx`). There is
//! one module of handlers per API group. The handler returns a `reply` and records changes (`records`); `store` writes
//! the changes and the journal entry in one line.
//!
//! The sandbox uses only the modules below it in the architecture and never `client`, so that the two cannot share a
//! mistake.

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
use crate::{
    clock::{Clock, TimeSource as _},
    private,
};

/// Mutable data of the sandbox.
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

/// Embedded Confluent Cloud. Clones are cheap and share the same state.
#[derive(Clone)]
pub struct Sandbox(Arc<SandboxInner>);

impl std::fmt::Debug for Sandbox {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The control token is omitted.
        out.debug_struct("Sandbox")
            .field("dir", &self.0.dir)
            .finish_non_exhaustive()
    }
}

/// Locks a mutex, even if it is poisoned: changes are made only after all fallible steps, so the data is consistent.
fn lock_mutex<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns the clock base of a new sandbox.
fn new_clock_base(fixed_start: Option<Timestamp>, settings: &SandboxSettings) -> ClockBase {
    match fixed_start {
        Some(moment) => ClockBase::fixed_at(moment, settings.time_scale),
        None => ClockBase::at(Timestamp::now(), settings.time_scale),
    }
}

/// Route of the sandbox, available at its path and below `/api`.
#[derive(Clone, Copy, Debug)]
pub struct RouteInfo {
    /// HTTP method.
    pub method: &'static Method,
    /// Path with `{name}` placeholders.
    pub path: &'static str,
    /// Accepted credentials.
    pub auth: RouteAuth,
}

/// Constructors.
impl Sandbox {
    /// Creates a sandbox in memory.
    pub fn in_memory(seed: Seed, settings: SandboxSettings) -> Result<Self, SandboxError> {
        Self::build_in_memory(seed, settings, None)
    }

    /// Creates a sandbox in memory whose time only moves by waits and advances, for tests with timestamps in their
    /// output.
    pub fn in_memory_at(seed: Seed, settings: SandboxSettings, moment: Timestamp) -> Result<Self, SandboxError> {
        Self::build_in_memory(seed, settings, Some(moment))
    }

    fn build_in_memory(
        seed: Seed,
        settings: SandboxSettings,
        fixed_start: Option<Timestamp>,
    ) -> Result<Self, SandboxError> {
        seed.validate().map_err(SandboxError::Seed)?;
        settings.validate().map_err(SandboxError::Setting)?;
        let token = state_dir::new_token()?;
        let base = new_clock_base(fixed_start, &settings);
        let state = seed.build_state(settings, &token, base)?;
        Ok(Self::assemble(
            token,
            None,
            SandboxTime::new(base),
            Store::in_memory(state),
        ))
    }

    /// Opens the sandbox in `dir` and creates it if none exists. `settings` replace the stored ones; `None` keeps them.
    /// Stages of the seed that the sandbox lacks are added.
    pub fn open(dir: &Path, seed: Seed, settings: impl Into<Option<SandboxSettings>>) -> Result<Self, SandboxError> {
        Self::open_at(dir, seed, settings, None)
    }

    /// Returns whether `dir` contains the state of a sandbox, not a link to it.
    #[must_use]
    pub fn has_state(dir: &Path) -> bool {
        let metadata = std::fs::symlink_metadata(dir.join(store::STATE_FILE));
        metadata.is_ok_and(|metadata| metadata.is_file())
    }

    /// Like [`Sandbox::open`], but a new sandbox starts at `fixed_start` with a clock that moves only by waits, advances
    /// and serving, for tests whose output depends on the time. An existing sandbox keeps its clock.
    pub fn open_at(
        dir: &Path,
        seed: Seed,
        settings: impl Into<Option<SandboxSettings>>,
        fixed_start: Option<Timestamp>,
    ) -> Result<Self, SandboxError> {
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
        private::create_dir(dir).map_err(in_dir)?;
        let token = state_dir::control_token(dir).map_err(in_dir)?;
        let build_initial = || {
            let settings = settings.clone().unwrap_or_default();
            let base = new_clock_base(fixed_start, &settings);
            seed.clone().build_state(settings, &token, base)
        };
        let store = Store::open(dir, build_initial).map_err(in_dir)?;
        if store.state.seed.organization != seed.organization {
            return Err(SandboxError::OtherOrganization {
                dir: dir.to_owned(),
                found: store.state.seed.organization.clone(),
                wanted: seed.organization,
            });
        }
        let time = SandboxTime::new(store.state.clock_base);
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

    /// Adds the objects of `seed` that the state lacks.
    fn extend_from_seed(&self, seed: &Seed) -> Result<(), SandboxError> {
        let (mut live, mut guard, now) = self.lock_state()?;
        let changes = seed.missing_changes(&live.store.state, self.token(), now)?;
        if !changes.is_empty() {
            self.commit_changes(&mut live, &mut guard, changes)?;
        }
        Ok(())
    }
}

/// Access to the service, the clock and the credentials.
impl Sandbox {
    /// Returns the sandbox as an HTTP service, for calls within the process.
    pub fn router(&self) -> axum::Router {
        service::router(self.clone(), ServiceMode::InProcess)
    }

    /// Serves on `listener`, which must be on loopback, until the future is dropped. A state folder has at most one
    /// server; other processes find it with [`Sandbox::running_server_url`].
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

    /// Returns the URL of the server that runs on a state folder, if there is one.
    pub fn running_server_url(dir: &Path) -> Option<String> {
        server::running_server_url(dir)
    }

    /// Returns the clock of the server that runs on a state folder. Waits take real time, as for the server.
    pub fn running_server_clock(dir: &Path) -> Option<Clock> {
        let store = Store::open(dir, || Err(std::io::ErrorKind::NotFound.into())).ok()?;
        let time = SandboxTime::new(store.state.clock_base);
        time.sync_to(store.state.clock_base, store.ahead);
        time.use_real_time();
        Some(Clock::new(time))
    }

    /// Returns the status of a state folder without opening, creating or waiting for it.
    pub fn state_dir_status(dir: &Path) -> StateDirStatus {
        server::state_dir_status(dir)
    }

    /// Returns the control token of a state folder. It authorizes the control endpoints of the running server.
    pub fn read_control_token(dir: &Path) -> Result<Option<String>, SandboxError> {
        Ok(state_dir::read_token(dir)?)
    }

    /// Returns the clock of the sandbox. In-process, it skips ahead when a task waits.
    pub fn clock(&self) -> Clock {
        self.0.clock.clone()
    }

    /// Makes waits on the clock take real time in this process as well, for commands that follow changes over time.
    pub fn use_real_time(&self) {
        self.0.time.use_real_time();
    }

    /// Returns the control token. It authorizes the control endpoints and impersonation (see
    /// [`Sandbox::impersonation_headers`]).
    pub fn control_token(&self) -> &str {
        &self.0.token
    }

    /// Returns headers that make a request impersonate `principal` (`sa-…`, `u-…`), without its key.
    pub fn impersonation_headers(&self, principal: &str) -> [(HeaderName, String); 2] {
        [
            (HeaderName::from_static(auth::TOKEN_HEADER), self.0.token.clone()),
            (HeaderName::from_static(auth::IMPERSONATE_HEADER), principal.to_owned()),
        ]
    }

    /// Sets the action of a "kill" fault; the command-line program exits the process. By default, the connection
    /// breaks. If `kill` returns, the caller never gets a response, as if its process had died.
    pub fn on_kill(&self, kill: impl Fn() + Send + Sync + 'static) {
        *lock_mutex(&self.0.kill) = Some(Arc::new(kill));
    }

    /// Returns all routes.
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

/// Inspection and control.
impl Sandbox {
    fn read_state<T>(&self, read: impl FnOnce(&SandboxState, Timestamp) -> T) -> Result<T, SandboxError> {
        let (live, _turn, now) = self.lock_state()?;
        Ok(read(&live.store.state, now))
    }

    fn apply_changes(&self, changes: impl FnOnce(&SandboxState) -> Vec<StateChange>) -> Result<(), SandboxError> {
        let (mut live, mut guard, _) = self.lock_state()?;
        let changes = changes(&live.store.state);
        Ok(self.commit_changes(&mut live, &mut guard, changes)?)
    }

    /// Returns the addresses and keys of the sandbox.
    pub fn info(&self, show_secrets: bool) -> Result<SandboxInfo, SandboxError> {
        let mine = lock_mutex(&self.0.url).clone();
        let url = mine.or_else(|| self.0.dir.as_deref().and_then(Self::running_server_url));
        self.read_state(|state, _| SandboxInfo::from_state(state, url, show_secrets.then_some(self.token())))
    }

    /// Returns all requests in order.
    pub fn journal(&self) -> Result<Vec<SandboxJournalEntry>, SandboxError> {
        let (live, _turn, _) = self.lock_state()?;
        Ok(live.store.journal()?)
    }

    /// Returns the current sandbox time.
    pub fn now(&self) -> Result<Timestamp, SandboxError> {
        self.read_state(|_, now| now)
    }

    /// Moves the sandbox time forward.
    pub fn advance(&self, by: Duration) -> Result<Timestamp, SandboxError> {
        let (mut live, mut guard, _) = self.lock_state()?;
        self.0.time.advance(by);
        self.commit_changes(&mut live, &mut guard, Vec::new())?;
        Ok(self.0.time.now())
    }

    /// Returns the settings.
    pub fn settings(&self) -> Result<SandboxSettings, SandboxError> {
        self.read_state(|state, _| state.settings.clone())
    }

    /// Changes the settings from now on; pending operations keep their delays.
    pub fn set_settings(&self, settings: SandboxSettings) -> Result<(), SandboxError> {
        settings.validate().map_err(SandboxError::Setting)?;
        self.apply_changes(|state| {
            let rescaled = state.clock_base.scale.total_cmp(&settings.time_scale).is_ne();
            let base = rescaled.then(|| StateChange::ClockBase(self.0.time.rebased(settings.time_scale)));
            base.into_iter()
                .chain([StateChange::Settings(Box::new(settings))])
                .collect()
        })?;
        // Applies a new time scale at once instead of at the next request.
        self.read_state(|_, _| ())
    }

    /// Discards the state and creates a new one from the seed, with the same or other settings. The clock starts again;
    /// keys and control token stay the same.
    pub fn reset(&self, seed: Option<Seed>, settings: Option<SandboxSettings>) -> Result<(), SandboxError> {
        let (mut live, mut guard, _) = self.lock_state()?;
        let seed = seed.unwrap_or_else(|| live.store.state.seed.clone());
        let settings = settings.unwrap_or_else(|| live.store.state.settings.clone());
        seed.validate().map_err(SandboxError::Seed)?;
        settings.validate().map_err(SandboxError::Setting)?;
        let base = self.0.time.restarted(settings.time_scale);
        let state = seed.build_state(settings, self.token(), base)?;
        live.store.reset(&mut guard, state)?;
        self.0.time.sync_to(base, live.store.ahead);
        Ok(())
    }
}
