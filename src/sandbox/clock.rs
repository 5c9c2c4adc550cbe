//! Clock of the sandbox: the system time, optionally scaled, plus an offset for all waits and advances.

use std::{
    sync::{
        Arc, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::{TimeSource, VirtualTime};

/// Base of the sandbox clock: start and time scale. Stored, so that several processes use the same time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ClockBase {
    /// System time of the base.
    pub(crate) system: Timestamp,
    /// Sandbox time of the base, without offset.
    pub(crate) sandbox: Timestamp,
    /// Sandbox seconds per system second.
    pub(crate) scale: f64,
}

impl ClockBase {
    pub(crate) fn at(moment: Timestamp, scale: f64) -> Self {
        Self {
            system: moment,
            sandbox: moment,
            scale,
        }
    }

    /// Returns the sandbox time for the system time `system`, without offset.
    fn sandbox_time_at(&self, system: Timestamp) -> Timestamp {
        let passed = system.duration_since(self.system).as_secs_f64() * self.scale;
        SignedDuration::try_from_secs_f64(passed)
            .ok()
            .and_then(|passed| self.sandbox.checked_add(passed).ok())
            .unwrap_or(self.sandbox)
    }
}

/// Clock of a sandbox. In-process, it skips ahead when a task waits; in a server, waiting takes real time.
#[derive(Clone, Debug)]
pub(crate) struct SandboxTime {
    stepping: VirtualTime,
    base: Arc<RwLock<ClockBase>>,
    /// Fixed system time, for tests.
    fixed_now: Option<Timestamp>,
    real_time: Arc<AtomicBool>,
}

impl SandboxTime {
    pub(crate) fn new(base: ClockBase, fixed_now: Option<Timestamp>) -> Self {
        Self {
            stepping: VirtualTime::ahead_of_system(SignedDuration::ZERO),
            base: Arc::new(RwLock::new(base)),
            fixed_now,
            real_time: Arc::default(),
        }
    }

    fn base(&self) -> ClockBase {
        *self.base.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes waits take real time from now on.
    pub(crate) fn use_real_time(&self) {
        self.real_time.store(true, Ordering::SeqCst);
    }

    /// Takes over the base and the offset that another process stored.
    pub(crate) fn sync_to(&self, base: ClockBase, offset: SignedDuration) {
        *self.base.write().unwrap_or_else(std::sync::PoisonError::into_inner) = base;
        self.stepping.advance_to(offset);
    }

    pub(crate) fn offset(&self) -> SignedDuration {
        self.stepping.offset()
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.stepping.advance(duration);
    }

    /// Returns a base with another time scale that keeps the current sandbox time.
    pub(crate) fn rebased(&self, scale: f64) -> ClockBase {
        let system = self.system_now();
        ClockBase {
            system,
            sandbox: self.base().sandbox_time_at(system),
            scale,
        }
    }

    fn system_now(&self) -> Timestamp {
        self.fixed_now.unwrap_or_else(Timestamp::now)
    }
}

impl TimeSource for SandboxTime {
    fn now(&self) -> Timestamp {
        let time = self.base().sandbox_time_at(self.system_now());
        time.saturating_add(self.stepping.offset()).unwrap_or(Timestamp::MAX)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if self.real_time.load(Ordering::SeqCst) {
            Box::pin(tokio::time::sleep(duration.div_f64(self.base().scale)))
        } else {
            self.stepping.sleep(duration)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changing_the_time_scale_keeps_the_current_time() {
        let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let later = start + SignedDuration::from_secs(60);
        let time = SandboxTime::new(ClockBase::at(start, 2.0), Some(later));
        assert_eq!(time.now(), start + SignedDuration::from_secs(120));
        time.sync_to(time.rebased(10.0), SignedDuration::ZERO);
        assert_eq!(time.now(), start + SignedDuration::from_secs(120));
        time.advance(Duration::from_secs(5));
        assert_eq!(time.now(), start + SignedDuration::from_secs(125));
    }
}
