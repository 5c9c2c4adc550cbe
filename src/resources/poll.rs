//! Loops around requests: polling with increasing pauses, and creation that looks for the object after a conflict or a
//! lost response. Cancellation ends every pause.

use std::{future::Future, ops::ControlFlow, time::Duration};

use tokio_util::sync::CancellationToken;

use crate::{client::ClientError, clock::Clock};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Maximum number of create requests for one object.
const CREATE_ATTEMPTS: u32 = 4;

/// Sleeps for `wait` unless cancelled; returns whether it slept to the end.
pub async fn sleep_or_cancel(clock: &Clock, interrupt: &CancellationToken, wait: Duration) -> bool {
    tokio::select! {
        () = clock.sleep(wait) => !interrupt.is_cancelled(),
        () = interrupt.cancelled() => false,
    }
}

/// End of a poll without the expected result.
#[derive(Debug)]
pub struct PollEnd<P> {
    /// Result of the last attempt.
    pub last: P,
    /// Whether the poll was cancelled; otherwise the time was used up.
    pub cancelled: bool,
}

/// Repeats `attempt` until it breaks with a result, for at most `budget`. The pause doubles after each attempt, up to
/// 15 s.
///
/// # Errors
/// When the next pause would exceed `budget`, or on cancellation.
pub async fn poll<T, P, F>(
    clock: &Clock,
    interrupt: &CancellationToken,
    budget: Duration,
    mut attempt: impl FnMut() -> F,
) -> Result<T, PollEnd<P>>
where
    F: Future<Output = ControlFlow<T, P>>,
{
    let started = clock.now();
    let mut pause = FIRST_PAUSE;
    loop {
        let last = match attempt().await {
            ControlFlow::Break(result) => return Ok(result),
            ControlFlow::Continue(last) => last,
        };
        if clock.elapsed_since(started) + pause > budget {
            return Err(PollEnd { last, cancelled: false });
        }
        if !sleep_or_cancel(clock, interrupt, pause).await {
            return Err(PollEnd { last, cancelled: true });
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Returns whether an object may exist although its creation failed: after a conflict or a lost response.
pub(super) fn may_exist(error: &ClientError) -> bool {
    error.is_conflict() || error.is_outcome_unknown()
}

/// Sends `create`. After an error for which `may_exist` holds, returns the object that `find` returns, or tries again
/// after a pause, because a list may be stale.
///
/// # Errors
/// The error of the last `create`, after all attempts or on cancellation, or the error of `find`.
pub(super) async fn create_or_find<T, X, E, C, F>(
    clock: &Clock,
    interrupt: &CancellationToken,
    may_exist: fn(&X) -> bool,
    mut create: impl FnMut() -> C,
    mut find: impl FnMut() -> F,
) -> Result<T, E>
where
    C: Future<Output = Result<T, X>>,
    F: Future<Output = Result<Option<T>, E>>,
    E: From<X>,
{
    let mut attempt = 1;
    loop {
        let error = match create().await {
            Err(error) if may_exist(&error) => error,
            result => return Ok(result?),
        };
        if let Some(existing) = find().await? {
            return Ok(existing);
        }
        let pause = Duration::from_secs(2) * attempt;
        if attempt == CREATE_ATTEMPTS || !sleep_or_cancel(clock, interrupt, pause).await {
            return Err(error.into());
        }
        attempt += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use jiff::Timestamp;

    use super::*;
    use crate::clock::VirtualTime;

    fn virtual_clock() -> Clock {
        Clock::new(VirtualTime::starting_at(Timestamp::UNIX_EPOCH))
    }

    #[tokio::test]
    async fn a_poll_pauses_for_1_2_4_8_and_then_15_seconds_until_its_time_is_used_up() {
        let clock = virtual_clock();
        let mut times = Vec::new();
        let attempt = || {
            times.push(clock.now().as_second());
            std::future::ready(ControlFlow::<(), _>::Continue(times.len()))
        };
        let end = poll(&clock, &CancellationToken::new(), Duration::from_secs(44), attempt).await;
        let end = end.unwrap_err();
        assert_eq!((end.last, end.cancelled), (6, false));
        assert_eq!(times, [0, 1, 3, 7, 15, 30]);
    }

    /// Creates an object four times in vain; the third `find` returns it if `appears`. Returns the result and the times of
    /// the requests.
    async fn create_in_vain(interrupt: &CancellationToken, appears: bool) -> (Result<&'static str, String>, Vec<i64>) {
        let clock = virtual_clock();
        let times = RefCell::new(Vec::new());
        let finds = Cell::new(0);
        let create = async || {
            times.borrow_mut().push(clock.now().as_second());
            Err("409".to_owned())
        };
        let find = async || {
            finds.set(finds.get() + 1);
            Ok((appears && finds.get() == 3).then_some("found"))
        };
        let is_conflict = |error: &String| error == "409";
        let result = create_or_find(&clock, interrupt, is_conflict, create, find).await;
        (result, times.into_inner())
    }

    #[tokio::test]
    async fn an_object_that_another_request_created_is_found_or_the_creation_fails_after_four_attempts() {
        let interrupt = CancellationToken::new();
        let (result, times) = create_in_vain(&interrupt, true).await;
        assert_eq!((result.as_deref(), times), (Ok("found"), vec![0, 2, 6]));
        let (result, times) = create_in_vain(&interrupt, false).await;
        assert_eq!((result.unwrap_err().as_str(), times), ("409", vec![0, 2, 6, 12]));
        // A cancelled run looks for the object once and starts no further attempt.
        interrupt.cancel();
        let (result, times) = create_in_vain(&interrupt, true).await;
        assert_eq!((result.unwrap_err().as_str(), times), ("409", vec![0]));
    }

    #[tokio::test]
    async fn cancellation_ends_a_poll_with_its_last_result() {
        let interrupt = CancellationToken::new();
        let count = Cell::new(0);
        let attempt = || {
            count.set(count.get() + 1);
            if count.get() == 2 {
                interrupt.cancel();
            }
            std::future::ready(ControlFlow::<(), _>::Continue(count.get()))
        };
        let end = poll(&virtual_clock(), &interrupt, Duration::MAX, attempt).await;
        let end = end.unwrap_err();
        assert_eq!((end.last, end.cancelled), (2, true));
    }
}
