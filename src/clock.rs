//! Time is passed in: one [`Clock`] that tells it and waits on it, so that tests and the sandbox never sleep for real.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

/// A source of time that can also be waited on.
pub trait TimeSource: Send + Sync + std::fmt::Debug {
    /// What time it is.
    fn now(&self) -> Timestamp;
    /// Resolves once `duration` has passed on this clock.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
}

/// A shared clock. Cheap to clone; all clones tell the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<dyn TimeSource>);

impl Clock {
    /// The system's clock: waiting takes real time.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(SystemTimeSource))
    }

    /// A clock of another kind.
    pub fn new(time: impl TimeSource + 'static) -> Self {
        Self(Arc::new(time))
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// Waits for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }

    /// How long ago `earlier` was; zero for the future.
    #[must_use]
    pub fn elapsed_since(&self, earlier: Timestamp) -> Duration {
        Duration::try_from(self.now().duration_since(earlier)).unwrap_or(Duration::ZERO)
    }
}

#[derive(Debug)]
struct SystemTimeSource;

impl TimeSource for SystemTimeSource {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

/// A clock that jumps instead of waiting: `sleep` moves it to the end of the wait and returns.
///
/// Waits that overlap do not add up, because each moves the clock *to* its own end. Without a base it runs on from the
/// system's time, shifted by all jumps so far.
#[derive(Clone, Debug)]
pub struct VirtualTime {
    base: Option<Timestamp>,
    /// Milliseconds by which this clock is ahead of its base.
    offset: Arc<AtomicI64>,
}

impl VirtualTime {
    /// A clock that stands still at `base` until somebody waits.
    #[must_use]
    pub fn starting_at(base: Timestamp) -> Self {
        Self {
            base: Some(base),
            offset: Arc::default(),
        }
    }

    /// The system's time, ahead by `offset`.
    #[must_use]
    pub fn ahead_of_system(offset: SignedDuration) -> Self {
        let clock = Self {
            base: None,
            offset: Arc::default(),
        };
        clock
            .offset
            .store(i64::try_from(offset.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
        clock
    }

    /// By how much this clock is ahead of its base.
    #[must_use]
    pub fn offset(&self) -> SignedDuration {
        SignedDuration::from_millis(self.offset.load(Ordering::SeqCst))
    }

    /// Moves the clock forward.
    pub fn advance(&self, duration: Duration) {
        self.offset
            .fetch_add(i64::try_from(duration.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }

    /// Moves the clock so that it is ahead of its base by at least `offset`; never backwards.
    pub fn advance_to(&self, offset: SignedDuration) {
        self.offset
            .fetch_max(i64::try_from(offset.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }
}

impl TimeSource for VirtualTime {
    fn now(&self) -> Timestamp {
        let base = self.base.unwrap_or_else(Timestamp::now);
        base.saturating_add(self.offset()).unwrap_or(Timestamp::MAX)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        let wait = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let end = clock.offset().saturating_add(wait);
        Box::pin(async move {
            // Let everything that can go on at the present moment do so before time moves.
            tokio::task::yield_now().await;
            clock.advance_to(end);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn concurrent_sleeps_advance_virtual_time_once() {
        let stepping = VirtualTime::starting_at(Timestamp::UNIX_EPOCH);
        let clock = Clock::new(stepping.clone());
        let wait = || clock.sleep(Duration::from_secs(90));
        futures_util::future::join3(wait(), wait(), wait()).await;
        assert_eq!(stepping.offset(), SignedDuration::from_secs(90));
        clock.sleep(Duration::from_secs(1)).await;
        assert_eq!(clock.elapsed_since(Timestamp::UNIX_EPOCH), Duration::from_secs(91));
    }
}
