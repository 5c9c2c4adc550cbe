//! How many requests are under way at once, and the pause that all of them share when the service asks for one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::Notify;

/// One per client: every worker passes through it.
#[derive(Debug)]
pub(super) struct Governor {
    /// `--concurrency`.
    limit: usize,
    state: Mutex<State>,
    turn: Notify,
}

#[derive(Debug)]
struct State {
    /// How many may be under way at the moment: the limit, or less after a 429.
    allowed: usize,
    running: usize,
    /// Good answers since `allowed` last changed.
    good: usize,
    /// Counts the halvings, so that a burst of 429s to requests sent at the same rate halves once.
    epoch: u64,
    paused_until: Option<Timestamp>,
}

impl Governor {
    pub(super) fn new(limit: usize) -> Self {
        let limit = limit.max(1);
        Self {
            limit,
            state: Mutex::new(State {
                allowed: limit,
                running: 0,
                good: 0,
                epoch: 0,
                paused_until: None,
            }),
            turn: Notify::new(),
        }
    }

    /// Another one with the same limit, on which no 429 has left its mark.
    pub(super) fn fresh(&self) -> Self {
        Self::new(self.limit)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the numbers consistent, so a panic elsewhere does no harm here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many may be under way at the moment.
    pub(super) fn allowed(&self) -> usize {
        self.state().allowed
    }

    /// Until when nobody may send, if that is in the future.
    pub(super) fn pause(&self, now: Timestamp) -> Option<Timestamp> {
        self.state().paused_until.filter(|until| *until > now)
    }

    /// Waits for a place. It is given back when the permit is dropped, however that happens.
    pub(super) async fn enter(&self) -> Permit<'_> {
        loop {
            let turn = self.turn.notified();
            if let Some(permit) = self.try_enter() {
                return permit;
            }
            turn.await;
        }
    }

    fn try_enter(&self) -> Option<Permit<'_>> {
        let mut state = self.state();
        if state.running >= state.allowed {
            return None;
        }
        state.running += 1;
        // Two places that become free before anybody waits leave one notice only: pass it on.
        if state.running < state.allowed {
            self.turn.notify_one();
        }
        Some(Permit {
            governor: self,
            epoch: state.epoch,
        })
    }
}

/// A place among the requests under way.
#[derive(Debug)]
pub(super) struct Permit<'a> {
    governor: &'a Governor,
    epoch: u64,
}

impl Permit<'_> {
    /// The service answered as it should. After as many good answers as may be under way, one more may be: recovery is
    /// slow where the halving was sudden.
    pub(super) fn good(self) {
        let mut state = self.governor.state();
        if state.allowed < self.governor.limit {
            state.good += 1;
            if state.good >= state.allowed {
                state.good = 0;
                state.allowed += 1;
            }
        }
    }

    /// The service answered 429: nobody sends before `until`, and half as many at a time after that.
    pub(super) fn throttled(self, until: Timestamp) {
        let mut state = self.governor.state();
        state.paused_until = Some(state.paused_until.map_or(until, |set| set.max(until)));
        state.good = 0;
        if self.epoch == state.epoch {
            state.epoch += 1;
            state.allowed = (state.allowed / 2).max(1);
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.governor.state();
        state.running -= 1;
        if state.running < state.allowed {
            self.governor.turn.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_burst_halves_once_and_good_answers_restore_one_by_one() {
        let governor = Governor::new(8);
        let enter = || governor.enter().now_or_never();
        let burst: Vec<_> = (0..8).map(|_| enter().unwrap()).collect();
        assert!(enter().is_none());
        let until = Timestamp::from_second(60).unwrap();
        for permit in burst {
            permit.throttled(until);
        }
        assert_eq!(governor.allowed(), 4);
        assert_eq!(governor.pause(Timestamp::UNIX_EPOCH), Some(until));
        assert_eq!(governor.pause(until), None);
        // A second burst, at the halved rate, halves again.
        enter().unwrap().throttled(Timestamp::UNIX_EPOCH);
        assert_eq!(governor.allowed(), 2);
        assert_eq!(
            governor.pause(Timestamp::UNIX_EPOCH),
            Some(until),
            "a shorter pause does not cut a longer one"
        );
        for _ in 0..2 {
            enter().unwrap().good();
        }
        assert_eq!(governor.allowed(), 3);
        for _ in 0..200 {
            enter().unwrap().good();
        }
        assert_eq!(governor.allowed(), 8);
    }

    #[tokio::test]
    async fn a_place_that_is_given_up_is_taken_by_who_waits() {
        let governor = Governor::new(1);
        let first = governor.enter().await;
        let (second, ()) = tokio::join!(governor.enter(), async { drop(first) });
        drop(second);
        // Cancelled while waiting: the place is not lost.
        let held = governor.enter().await;
        assert!(governor.enter().now_or_never().is_none());
        drop(held);
        assert!(governor.enter().now_or_never().is_some());
    }
}
