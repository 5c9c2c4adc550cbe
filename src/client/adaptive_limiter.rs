//! Limit on concurrent requests that adapts to 429 responses, with a pause shared by all requests.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

/// Concurrency limiter of one client. Every request acquires a permit from it.
#[derive(Debug)]
pub(super) struct AdaptiveLimiter {
    /// Configured maximum (`--concurrency`).
    limit: usize,
    state: Mutex<LimiterState>,
    slot_freed: Notify,
}

#[derive(Debug)]
struct LimiterState {
    /// Current maximum: `limit`, or less after a 429.
    allowed: usize,
    running: usize,
    /// Successful responses since `allowed` last changed.
    successes: usize,
    /// Number of halvings. A burst of 429s to requests of the same epoch halves the limit only once.
    epoch: u64,
    paused_until: Option<Timestamp>,
}

impl AdaptiveLimiter {
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.max(1);
        Self {
            limit,
            state: Mutex::new(LimiterState {
                allowed: limit,
                running: 0,
                successes: 0,
                epoch: 0,
                paused_until: None,
            }),
            slot_freed: Notify::new(),
        }
    }

    /// Returns a new limiter with the same configured limit and no throttling state.
    pub(super) fn with_same_limit(&self) -> Self {
        Self::new(self.limit)
    }

    fn lock_state(&self) -> MutexGuard<'_, LimiterState> {
        // Every critical section leaves the numbers consistent, so a poisoned lock is safe to use.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns how many requests may currently be in flight.
    pub(super) fn allowed(&self) -> usize {
        self.lock_state().allowed
    }

    /// Returns the end of the current pause, if it lies in the future.
    pub(super) fn paused_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.lock_state().paused_until.filter(|until| *until > now)
    }

    /// Waits for a free slot. Dropping the permit releases the slot.
    pub(super) async fn acquire(&self) -> ConcurrencyPermit<'_> {
        loop {
            let turn = self.slot_freed.notified();
            if let Some(permit) = self.try_acquire() {
                return permit;
            }
            turn.await;
        }
    }

    fn try_acquire(&self) -> Option<ConcurrencyPermit<'_>> {
        let mut state = self.lock_state();
        if state.running >= state.allowed {
            return None;
        }
        state.running += 1;
        // If two slots become free before a task waits, `Notify` stores only one notification: pass it on.
        if state.running < state.allowed {
            self.slot_freed.notify_one();
        }
        Some(ConcurrencyPermit {
            limiter: self,
            epoch: state.epoch,
        })
    }
}

/// Slot for one request in flight, released when it is dropped.
#[derive(Debug)]
pub(super) struct ConcurrencyPermit<'a> {
    limiter: &'a AdaptiveLimiter,
    epoch: u64,
}

impl ConcurrencyPermit<'_> {
    /// Records a successful response. After `allowed` successes in a row the limit grows by one: it halves at once and
    /// recovers slowly.
    pub(super) fn on_success(self) {
        let mut state = self.limiter.lock_state();
        if state.allowed < self.limiter.limit {
            state.successes += 1;
            if state.successes >= state.allowed {
                state.successes = 0;
                state.allowed += 1;
            }
        }
    }

    /// Records a 429: pauses all requests until `until` and halves the limit.
    pub(super) fn on_throttled(self, until: Timestamp) {
        let mut state = self.limiter.lock_state();
        state.paused_until = Some(state.paused_until.map_or(until, |set| set.max(until)));
        state.successes = 0;
        if self.epoch == state.epoch {
            state.epoch += 1;
            state.allowed = (state.allowed / 2).max(1);
        }
    }
}

impl Drop for ConcurrencyPermit<'_> {
    fn drop(&mut self) {
        let mut state = self.limiter.lock_state();
        state.running -= 1;
        if state.running < state.allowed {
            self.limiter.slot_freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_throttled_burst_halves_the_limit_once_and_successes_restore_it_one_by_one() {
        let governor = AdaptiveLimiter::new(8);
        let enter = || governor.acquire().now_or_never();
        let burst: Vec<_> = (0..8).map(|_| enter().unwrap()).collect();
        assert!(enter().is_none());
        let until = Timestamp::from_second(60).unwrap();
        for permit in burst {
            permit.on_throttled(until);
        }
        assert_eq!(governor.allowed(), 4);
        assert_eq!(governor.paused_until(Timestamp::UNIX_EPOCH), Some(until));
        assert_eq!(governor.paused_until(until), None);
        // A second burst, at the halved limit, halves it again.
        enter().unwrap().on_throttled(Timestamp::UNIX_EPOCH);
        assert_eq!(governor.allowed(), 2);
        assert_eq!(
            governor.paused_until(Timestamp::UNIX_EPOCH),
            Some(until),
            "a shorter pause does not shorten a longer one"
        );
        for _ in 0..2 {
            enter().unwrap().on_success();
        }
        assert_eq!(governor.allowed(), 3);
        for _ in 0..200 {
            enter().unwrap().on_success();
        }
        assert_eq!(governor.allowed(), 8);
    }

    #[tokio::test]
    async fn a_released_permit_wakes_the_next_waiter() {
        let governor = AdaptiveLimiter::new(1);
        let first = governor.acquire().await;
        let (second, ()) = tokio::join!(governor.acquire(), async { drop(first) });
        drop(second);
        // A cancelled waiter does not lose the slot.
        let held = governor.acquire().await;
        assert!(governor.acquire().now_or_never().is_none());
        drop(held);
        assert!(governor.acquire().now_or_never().is_some());
    }
}
