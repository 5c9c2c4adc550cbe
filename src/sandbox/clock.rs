//! Clock of the sandbox: the system time, optionally scaled, plus an offset for all waits and advances.

use std::{
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
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
    /// Whether the clock ignores the system time and moves only by waits, advances and serving.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_fixed: bool,
    /// Number of resets before this base. Only a reset sets the clock back.
    #[serde(default)]
    pub(crate) resets: u32,
}

impl ClockBase {
    pub(crate) fn at(moment: Timestamp, scale: f64) -> Self {
        Self {
            system: moment,
            sandbox: moment,
            scale,
            is_fixed: false,
            resets: 0,
        }
    }

    /// Returns a base whose clock stands still at `moment`.
    pub(crate) fn fixed_at(moment: Timestamp, scale: f64) -> Self {
        Self {
            is_fixed: true,
            ..Self::at(moment, scale)
        }
    }

    /// Returns the base after a reset: a fixed clock starts again, another one continues with the system time.
    fn restarted(&self, scale: f64) -> Self {
        let base = match self.is_fixed {
            true => Self::fixed_at(self.system, scale),
            false => Self::at(Timestamp::now(), scale),
        };
        Self {
            resets: self.resets + 1,
            ..base
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
    real_time: Arc<AtomicBool>,
    /// End of the real time that a fixed clock has already counted.
    counted_until: Arc<Mutex<Option<Instant>>>,
}

impl SandboxTime {
    pub(crate) fn new(base: ClockBase) -> Self {
        Self {
            stepping: VirtualTime::ahead_of_system(SignedDuration::ZERO),
            base: Arc::new(RwLock::new(base)),
            real_time: Arc::default(),
            counted_until: Arc::default(),
        }
    }

    fn base(&self) -> ClockBase {
        *self.base.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Makes waits take real time from now on.
    pub(crate) fn use_real_time(&self) {
        self.real_time.store(true, Ordering::SeqCst);
        self.count_real_time();
    }

    /// Takes over the base and the offset that another process stored.
    pub(crate) fn sync_to(&self, base: ClockBase, offset: SignedDuration) {
        let mut current = self.base.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if current.resets == base.resets {
            self.stepping.advance_to(offset);
        } else {
            self.stepping.set_offset(offset);
        }
        *current = base;
    }

    /// Returns the base of the clock after a reset.
    pub(crate) fn restarted(&self, scale: f64) -> ClockBase {
        self.base().restarted(scale)
    }

    pub(crate) fn offset(&self) -> SignedDuration {
        self.count_real_time();
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
            ..self.base()
        }
    }

    fn system_now(&self) -> Timestamp {
        let base = self.base();
        match base.is_fixed {
            true => base.system,
            false => Timestamp::now(),
        }
    }

    /// If waits take real time, moves a fixed clock by the real time since the last call.
    fn count_real_time(&self) {
        let base = self.base();
        if !base.is_fixed || !self.real_time.load(Ordering::SeqCst) {
            return;
        }
        let mut counted_until = self
            .counted_until
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let now = Instant::now();
        let last = *counted_until.get_or_insert(now);
        // The clock counts whole milliseconds; the next call counts the rest.
        let passed = Duration::from_millis(
            u64::try_from(now.duration_since(last).mul_f64(base.scale).as_millis()).unwrap_or(u64::MAX),
        );
        self.stepping.advance(passed);
        *counted_until = Some(last + passed.div_f64(base.scale));
    }
}

impl TimeSource for SandboxTime {
    fn now(&self) -> Timestamp {
        self.count_real_time();
        let time = self.base().sandbox_time_at(self.system_now());
        time.saturating_add(self.stepping.offset()).unwrap_or(Timestamp::MAX)
    }

    fn is_virtual(&self) -> bool {
        !self.real_time.load(Ordering::SeqCst)
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

    fn start() -> Timestamp {
        "2026-11-22T10:00:00Z".parse().unwrap()
    }

    #[test]
    fn changing_the_time_scale_keeps_the_current_time() {
        let later = start() + SignedDuration::from_secs(60);
        let base = ClockBase {
            sandbox: ClockBase::at(start(), 2.0).sandbox_time_at(later),
            ..ClockBase::fixed_at(later, 2.0)
        };
        let time = SandboxTime::new(base);
        assert_eq!(time.now(), start() + SignedDuration::from_secs(120));
        time.sync_to(time.rebased(10.0), SignedDuration::ZERO);
        assert_eq!(time.now(), start() + SignedDuration::from_secs(120));
        time.advance(Duration::from_secs(5));
        assert_eq!(time.now(), start() + SignedDuration::from_secs(125));
    }

    #[test]
    fn only_a_reset_sets_the_clock_back() {
        let time = SandboxTime::new(ClockBase::fixed_at(start(), 1.0));
        time.advance(Duration::from_hours(1));
        time.sync_to(ClockBase::fixed_at(start(), 1.0), SignedDuration::ZERO);
        assert_eq!(time.now(), start() + SignedDuration::from_hours(1));
        time.sync_to(time.restarted(1.0), SignedDuration::ZERO);
        assert_eq!(time.now(), start());
    }

    #[test]
    fn a_fixed_clock_moves_only_by_advances_until_it_is_served() {
        let time = SandboxTime::new(ClockBase::fixed_at(start(), 1_000.0));
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!((time.now(), time.offset()), (start(), SignedDuration::ZERO));
        time.advance(Duration::from_mins(1));
        time.use_real_time();
        std::thread::sleep(Duration::from_millis(5));
        // Five seconds or more, from which the next process that opens the folder continues.
        let offset = time.offset();
        assert!(offset >= SignedDuration::from_secs(65), "{offset}");
        assert!(time.now() >= start() + offset);
        let next = SandboxTime::new(ClockBase::fixed_at(start(), 1_000.0));
        next.sync_to(ClockBase::fixed_at(start(), 1_000.0), offset);
        assert_eq!(next.now(), start() + offset);
    }
}
