//! The sandbox's own time: outside time, perhaps faster, and ahead by everything that was waited or advanced.

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

use crate::clock::{Stepping, Time};

/// The moment from which sandbox time runs, and how fast. It is stored, so that several processes agree.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Anchor {
    /// The moment outside.
    pub(crate) system: Timestamp,
    /// The same moment in the sandbox, without offset.
    pub(crate) sandbox: Timestamp,
    /// Seconds in the sandbox for one outside.
    pub(crate) scale: f64,
}

impl Anchor {
    pub(crate) fn at(moment: Timestamp, scale: f64) -> Self {
        Self {
            system: moment,
            sandbox: moment,
            scale,
        }
    }

    /// What time it is in the sandbox, without offset, when it is `system` outside.
    fn read(&self, system: Timestamp) -> Timestamp {
        let passed = system.duration_since(self.system).as_secs_f64() * self.scale;
        SignedDuration::try_from_secs_f64(passed)
            .ok()
            .and_then(|passed| self.sandbox.checked_add(passed).ok())
            .unwrap_or(self.sandbox)
    }
}

/// The clock of a sandbox. In-process it steps while somebody waits on it; served, waiting takes real time.
#[derive(Clone, Debug)]
pub(crate) struct SandboxTime {
    stepping: Stepping,
    anchor: Arc<RwLock<Anchor>>,
    /// A fixed "outside", for tests.
    standing: Option<Timestamp>,
    served: Arc<AtomicBool>,
}

impl SandboxTime {
    pub(crate) fn new(anchor: Anchor, standing: Option<Timestamp>) -> Self {
        Self {
            stepping: Stepping::ahead_of_system(SignedDuration::ZERO),
            anchor: Arc::new(RwLock::new(anchor)),
            standing,
            served: Arc::default(),
        }
    }

    fn anchor(&self) -> Anchor {
        *self.anchor.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// From now on waiting takes real time.
    pub(crate) fn serve(&self) {
        self.served.store(true, Ordering::SeqCst);
    }

    /// Takes over what another process, or an earlier run, knows.
    pub(crate) fn follow(&self, anchor: Anchor, offset: SignedDuration) {
        *self.anchor.write().unwrap_or_else(std::sync::PoisonError::into_inner) = anchor;
        self.stepping.advance_to(offset);
    }

    pub(crate) fn offset(&self) -> SignedDuration {
        self.stepping.offset()
    }

    pub(crate) fn advance(&self, duration: Duration) {
        self.stepping.advance(duration);
    }

    /// The anchor from which time goes on at another speed, without a jump.
    pub(crate) fn rescaled(&self, scale: f64) -> Anchor {
        let system = self.system();
        Anchor {
            system,
            sandbox: self.anchor().read(system),
            scale,
        }
    }

    fn system(&self) -> Timestamp {
        self.standing.unwrap_or_else(Timestamp::now)
    }
}

impl Time for SandboxTime {
    fn now(&self) -> Timestamp {
        let time = self.anchor().read(self.system());
        time.saturating_add(self.stepping.offset()).unwrap_or(Timestamp::MAX)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if self.served.load(Ordering::SeqCst) {
            Box::pin(tokio::time::sleep(duration.div_f64(self.anchor().scale)))
        } else {
            self.stepping.sleep(duration)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_speed_does_not_make_time_jump() {
        let start: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let later = start + SignedDuration::from_secs(60);
        let time = SandboxTime::new(Anchor::at(start, 2.0), Some(later));
        assert_eq!(time.now(), start + SignedDuration::from_secs(120));
        time.follow(time.rescaled(10.0), SignedDuration::ZERO);
        assert_eq!(time.now(), start + SignedDuration::from_secs(120));
        time.advance(Duration::from_secs(5));
        assert_eq!(time.now(), start + SignedDuration::from_secs(125));
    }
}
