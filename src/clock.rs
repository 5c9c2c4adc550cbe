//! Clock abstraction: all code reads the time and sleeps through a [`Clock`], so that tests and the sandbox never sleep
//! for real.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};

/// Source of time that can also sleep.
pub trait TimeSource: Send + Sync + std::fmt::Debug {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
    /// Resolves after `duration` on this clock.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;
    /// Returns whether `sleep` skips ahead instead of taking real time.
    fn is_virtual(&self) -> bool {
        false
    }
}

/// Shared clock. Cheap to clone; all clones share the same time.
#[derive(Clone, Debug)]
pub struct Clock(Arc<dyn TimeSource>);

impl Clock {
    /// Returns the system clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(SystemTimeSource))
    }

    /// Creates a clock from a time source.
    pub fn new(time: impl TimeSource + 'static) -> Self {
        Self(Arc::new(time))
    }

    /// Returns the current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.now()
    }

    /// Sleeps for `duration`.
    pub async fn sleep(&self, duration: Duration) {
        self.0.sleep(duration).await;
    }

    /// Returns whether `sleep` skips ahead instead of taking real time.
    #[must_use]
    pub fn is_virtual(&self) -> bool {
        self.0.is_virtual()
    }

    /// Returns the time since `earlier`; zero if it lies in the future.
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

/// Virtual time: `sleep` advances the clock to the end of the sleep and returns.
///
/// Concurrent sleeps do not add up, because each advances the clock *to* its own end. Without a base, the clock runs
/// with the system time plus an offset.
#[derive(Clone, Debug)]
pub struct VirtualTime {
    base: Option<Timestamp>,
    /// Offset from the base, in milliseconds.
    offset: Arc<AtomicI64>,
}

impl VirtualTime {
    /// Returns a clock that stands still at `base` between sleeps.
    #[must_use]
    pub fn starting_at(base: Timestamp) -> Self {
        Self {
            base: Some(base),
            offset: Arc::default(),
        }
    }

    /// Returns the system time plus `offset`.
    #[must_use]
    pub fn ahead_of_system(offset: SignedDuration) -> Self {
        let clock = Self {
            base: None,
            offset: Arc::default(),
        };
        clock.set_offset(offset);
        clock
    }

    /// Sets the offset from the base, also backwards.
    pub fn set_offset(&self, offset: SignedDuration) {
        self.offset
            .store(i64::try_from(offset.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }

    /// Returns the offset from the base.
    #[must_use]
    pub fn offset(&self) -> SignedDuration {
        SignedDuration::from_millis(self.offset.load(Ordering::SeqCst))
    }

    /// Advances the clock.
    pub fn advance(&self, duration: Duration) {
        self.offset
            .fetch_add(i64::try_from(duration.as_millis()).unwrap_or(0), Ordering::SeqCst);
    }

    /// Advances the offset to at least `offset`; never backwards.
    pub fn advance_to(&self, offset: SignedDuration) {
        // Round up to whole milliseconds: a task that waits for a fraction of one would otherwise never reach its end.
        let rounding = i128::from(offset.subsec_nanos() % 1_000_000 > 0);
        self.offset.fetch_max(
            i64::try_from(offset.as_millis() + rounding).unwrap_or(0),
            Ordering::SeqCst,
        );
    }
}

impl TimeSource for VirtualTime {
    fn now(&self) -> Timestamp {
        let base = self.base.unwrap_or_else(Timestamp::now);
        base.saturating_add(self.offset()).unwrap_or(Timestamp::MAX)
    }

    fn is_virtual(&self) -> bool {
        true
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        let wait = SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX);
        let end = clock.offset().saturating_add(wait);
        Box::pin(async move {
            // Let all tasks that are ready run before time advances.
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
        clock.sleep(Duration::from_micros(1)).await;
        assert_eq!(
            clock.elapsed_since(Timestamp::UNIX_EPOCH),
            Duration::from_millis(91_001)
        );
    }
}
