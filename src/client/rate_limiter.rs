//! Client-side rate limiter shared by all processes of a user. The service limits requests per time window, too, but
//! does not report how many remain (docs/reference/logs.md#limits-and-errors).
//!
//! A small file holds the times of past and reserved requests. A process reserves the next free slot under a file lock
//! and waits for it after releasing the lock, so that processes take turns in the order of their reservations.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{clock::Clock, private};

/// Margin added to the window, because requests sent a minute apart can arrive closer together.
const MARGIN: Duration = Duration::from_secs(1);
/// Maximum distance of a valid reservation. A time further away was written with a wrong clock.
const MAX_AHEAD: Duration = Duration::from_mins(30);
/// Name of the file.
const LIMITS_FILE: &str = "limits.json";

/// Rate limiter for one key: at most `limit` requests within any `window`.
#[derive(Debug)]
pub struct SharedRateLimiter {
    /// Folder of the shared file; without it, only this process is limited.
    folder: Option<PathBuf>,
    key: String,
    limit: usize,
    window: Duration,
    clock: Clock,
    /// Reservations of this process, used if the file is unavailable.
    local_slots: Mutex<Vec<i64>>,
}

/// Reserved times per key, in milliseconds since 1970.
type ReservedSlots = BTreeMap<String, Vec<i64>>;

impl SharedRateLimiter {
    /// Creates a limiter of `limit` requests for `key` within `window`, shared through a file in `folder`.
    #[must_use]
    pub fn new(folder: Option<&Path>, key: impl Into<String>, limit: u32, window: Duration, clock: Clock) -> Self {
        Self {
            folder: folder.map(Path::to_owned),
            key: key.into(),
            limit: usize::try_from(limit).unwrap_or(usize::MAX).max(1),
            window: window + MARGIN,
            clock,
            local_slots: Mutex::default(),
        }
    }

    /// Waits until a request may be sent. The reservation counts even if the request is not sent.
    pub async fn acquire(&self) {
        let mut now = self.clock.now();
        let mut moment = self.reserve(None, now);
        loop {
            let wait = duration_until(now, moment);
            if wait.is_zero() {
                return;
            }
            self.clock.sleep(wait).await;
            now = self.clock.now();
            if self.clock.elapsed_since(to_timestamp(moment)) <= MARGIN {
                return;
            }
            // Woke up late, for example after the computer slept. Other processes did, too: reserve again instead of
            // sending at once.
            moment = self.reserve(Some(moment), now);
        }
    }

    /// Returns how long the next request would have to wait, without reserving a slot.
    #[must_use]
    pub fn wait_time(&self) -> Duration {
        let now = self.clock.now();
        let mut moments = match &self.folder {
            Some(folder) => std::fs::read(folder.join(LIMITS_FILE))
                .map(|text| parse_slots(&text).remove(&self.key).unwrap_or_default()),
            None => Ok(Vec::new()),
        }
        .unwrap_or_default();
        if moments.is_empty() {
            moments.clone_from(&self.lock_local_slots());
        }
        let moment = reserve_next(&mut moments, self.limit, self.window, now);
        duration_until(now, moment)
    }

    fn lock_local_slots(&self) -> std::sync::MutexGuard<'_, Vec<i64>> {
        self.local_slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reserves the next free slot, replacing an expired reservation.
    fn reserve(&self, replaced: Option<i64>, now: Timestamp) -> i64 {
        let shared = self
            .folder
            .as_deref()
            .map(|folder| self.reserve_in(folder, replaced, now));
        match shared {
            Some(Ok(moment)) => moment,
            other => {
                if let Some(Err(error)) = other {
                    tracing::info!(error = %error, "rate limit file unavailable: limiting only this process");
                }
                let mut own = self.lock_local_slots();
                refund(&mut own, replaced);
                reserve_next(&mut own, self.limit, self.window, now)
            }
        }
    }

    fn reserve_in(&self, folder: &Path, replaced: Option<i64>, now: Timestamp) -> io::Result<i64> {
        let mut file = open_limits_file(folder)?;
        // The lock is held while a few hundred bytes are read and written, and released when the file is closed.
        file.lock()?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)?;
        let mut all = parse_slots(&text);
        let moments = all.entry(self.key.clone()).or_default();
        refund(moments, replaced);
        let moment = reserve_next(moments, self.limit, self.window, now);
        let now = now.as_millisecond();
        // Drop keys without recent requests.
        let longest = i64::try_from(Duration::from_hours(1).as_millis()).unwrap_or(i64::MAX);
        all.retain(|_, moments| moments.iter().any(|moment| (now - moment).abs() < longest));
        let text = serde_json::to_vec(&all)?;
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&text)?;
        Ok(moment)
    }
}

/// Parses the file. A truncated file, left by a killed process, counts as empty.
fn parse_slots(text: &[u8]) -> ReservedSlots {
    serde_json::from_slice(text).unwrap_or_default()
}

fn open_limits_file(folder: &Path) -> io::Result<File> {
    private::create_dir(folder)?;
    let mut options = private::file_options();
    options.read(true).write(true).create(true).truncate(false);
    private::open(&folder.join(LIMITS_FILE), &options)
}

fn to_timestamp(moment: i64) -> Timestamp {
    Timestamp::from_millisecond(moment).unwrap_or(Timestamp::MIN)
}

fn refund(moments: &mut Vec<i64>, moment: Option<i64>) {
    if let Some(at) = moment.and_then(|moment| moments.iter().position(|known| *known == moment)) {
        moments.swap_remove(at);
    }
}

fn duration_until(now: Timestamp, moment: i64) -> Duration {
    Duration::from_millis(u64::try_from(moment - now.as_millisecond()).unwrap_or(0))
}

/// Reserves the next free slot: now, or when the `limit`-th last reservation leaves the window.
fn reserve_next(moments: &mut Vec<i64>, limit: usize, window: Duration, now: Timestamp) -> i64 {
    let milliseconds = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    let (now, within, furthest) = (now.as_millisecond(), milliseconds(window), milliseconds(MAX_AHEAD));
    moments.retain(|moment| *moment > now - within && *moment < now + furthest);
    moments.sort_unstable();
    let free = match moments.len().checked_sub(limit) {
        Some(nth) => moments[nth].saturating_add(within),
        None => now,
    };
    let moment = free.max(now);
    moments.push(moment);
    moment
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::clock::VirtualTime;

    fn limiter(stepping: &VirtualTime, folder: Option<&Path>) -> SharedRateLimiter {
        let clock = Clock::new(stepping.clone());
        SharedRateLimiter::new(folder, "lcc-1", 5, Duration::from_mins(1), clock)
    }

    // Source: docs/reference/logs.md#limits-and-errors
    #[tokio::test]
    async fn five_calls_pass_at_once_and_the_sixth_waits_for_a_minute() {
        let stepping = VirtualTime::starting_at(Timestamp::UNIX_EPOCH);
        let allowance = limiter(&stepping, None);
        for _ in 0..5 {
            allowance.acquire().await;
        }
        assert_eq!(stepping.offset(), SignedDuration::ZERO);
        assert_eq!(allowance.wait_time(), Duration::from_secs(61));
        allowance.acquire().await;
        assert_eq!(stepping.offset(), SignedDuration::from_secs(61));
    }

    #[tokio::test]
    async fn two_processes_share_one_limit() {
        let folder = tempfile::tempdir().unwrap();
        let stepping = VirtualTime::starting_at(Timestamp::UNIX_EPOCH);
        let (one, other) = (
            limiter(&stepping, Some(folder.path())),
            limiter(&stepping, Some(folder.path())),
        );
        for _ in 0..3 {
            one.acquire().await;
            other.acquire().await;
        }
        assert_eq!(stepping.offset(), SignedDuration::from_secs(61));
        // Neither a truncated file nor a time written with a clock hours ahead delays a request.
        let clock = Clock::new(stepping.clone());
        let elsewhere = SharedRateLimiter::new(Some(folder.path()), "lcc-2", 1, Duration::from_mins(1), clock);
        let far = Timestamp::UNIX_EPOCH.as_millisecond() + 86_400_000;
        for text in ["{\"lcc-2\": [1", &format!("{{\"lcc-2\": [{far}]}}")] {
            std::fs::write(folder.path().join(LIMITS_FILE), text).unwrap();
            elsewhere.acquire().await;
            assert_eq!(stepping.offset(), SignedDuration::from_secs(61), "{text}");
        }
    }

    /// Waits that end together because the clock jumped do not send their requests together.
    #[tokio::test]
    async fn a_call_that_wakes_late_reserves_another_slot() {
        let stepping = VirtualTime::starting_at(Timestamp::UNIX_EPOCH);
        let allowance = limiter(&stepping, None);
        let mut sent: Vec<i64> = Vec::new();
        let pass = async || {
            allowance.acquire().await;
            stepping.offset().as_secs()
        };
        let all = futures_util::future::join_all((0..23).map(|_| pass())).await;
        sent.extend(all);
        sent.sort_unstable();
        assert!(sent.windows(6).all(|six| six[5] - six[0] >= 60), "{sent:?}");
    }

    #[cfg(unix)]
    #[test]
    fn the_limits_file_is_private_to_its_owner() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let stepping = VirtualTime::starting_at(Timestamp::UNIX_EPOCH);
        limiter(&stepping, Some(folder.path())).reserve(None, Timestamp::UNIX_EPOCH);
        let mode = std::fs::metadata(folder.path().join(LIMITS_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    proptest! {
        #[test]
        fn no_window_holds_more_calls_than_the_limit(
            gaps in proptest::collection::vec(0_i64..40_000, 1..60),
            most in 1_usize..7,
        ) {
            let within = Duration::from_mins(1);
            let (mut kept, mut all, mut now) = (Vec::new(), Vec::new(), 0);
            for gap in gaps {
                now += gap;
                let moment = reserve_next(&mut kept, most, within, Timestamp::from_millisecond(now).unwrap());
                prop_assert!(moment >= now);
                // Keep every wait below `MAX_AHEAD`, so that no reservation counts as invalid.
                now = now.max(moment - 20 * 60_000);
                all.push(moment);
            }
            all.sort_unstable();
            for window in all.windows(most + 1) {
                prop_assert!(window[most] - window[0] >= 60_000, "{window:?}");
            }
        }
    }
}
