//! Tests that following returns every line exactly once under any sequence of events.

use jiff::SignedDuration;
use proptest::{collection::vec, prelude::*};

use super::*;

fn at(milliseconds: i64) -> Timestamp {
    // A start time with fractional seconds.
    Timestamp::from_millisecond(1_800_000_000_500 + milliseconds).unwrap()
}

fn line(milliseconds: i64, message: &str) -> LogEntry {
    LogEntry {
        timestamp: format!("{:.3}", at(milliseconds)),
        level: "INFO".into(),
        task_id: "task-0".into(),
        message: message.to_owned(),
        ..LogEntry::default()
    }
}

/// A line that is logged at one time and becomes visible later.
#[derive(Clone, Debug)]
struct WrittenLine {
    at: i64,
    found: i64,
    line: LogEntry,
}

/// Returns the lines visible at `now` in the window, newest first.
fn answer(written: &[WrittenLine], window: Window, now: i64) -> Vec<LogEntry> {
    let mut lines: Vec<&WrittenLine> = written
        .iter()
        .filter(|line| line.found <= now && window.contains(at(line.at)))
        .collect();
    lines.sort_by_key(|line| std::cmp::Reverse(line.at));
    lines.into_iter().map(|line| line.line.clone()).collect()
}

#[test]
fn a_line_read_again_is_not_new_but_a_second_identical_line_is() {
    let mut tail = FollowCursor::new(at(0), OVERLAP);
    let window = tail.window(at(10_000));
    let mut reading = WindowPass::new(window);
    let twice = line(1_000, "slow");
    assert!(
        tail.is_new(&mut reading, &twice) && tail.is_new(&mut reading, &twice),
        "it was said twice"
    );
    tail.finish_window(&reading);
    let window = tail.window(at(20_000));
    let mut reading = WindowPass::new(window);
    assert!(!tail.is_new(&mut reading, &twice) && !tail.is_new(&mut reading, &twice));
    assert!(
        tail.is_new(&mut reading, &twice),
        "a third identical line that arrived late"
    );
}

#[test]
fn a_window_that_was_not_read_completely_is_read_again() {
    let mut tail = FollowCursor::new(at(0), OVERLAP);
    let window = tail.window(at(10_000));
    let again = tail.window(at(15_000));
    assert_eq!(again.from, window.from);
    tail.finish_window(&WindowPass::new(again));
    // One minute back, but not before the start.
    assert_eq!(tail.window(at(20_000)).from, window.from);
    let later = tail.window(at(300_000));
    tail.finish_window(&WindowPass::new(later));
    assert_eq!(tail.window(at(320_000)).from, truncate_to_second(at(301_000 - 60_500)));
}

#[test]
fn lines_without_a_timestamp_are_returned_once() {
    let mut tail = FollowCursor::new(at(0), OVERLAP);
    let odd = LogEntry {
        message: "odd".into(),
        ..LogEntry::default()
    };
    let window = tail.window(at(10_000));
    let mut reading = WindowPass::new(window);
    assert!(tail.is_new(&mut reading, &odd));
    tail.finish_window(&reading);
    let window = tail.window(at(20_000));
    assert!(!tail.is_new(&mut WindowPass::new(window), &odd));
}

#[test]
fn remembered_lines_do_not_grow_over_time() {
    let mut tail = FollowCursor::new(at(0), OVERLAP);
    let mut most = 0;
    for poll in 1..2_000_i64 {
        let now = poll * 20_000;
        let window = tail.window(at(now));
        let mut reading = WindowPass::new(window);
        // One line per second for eleven hours.
        for second in (now / 1_000 - 90).max(0)..=now / 1_000 {
            tail.is_new(&mut reading, &line(second * 1_000, "x"));
        }
        tail.finish_window(&reading);
        most = most.max(tail.remembered_lines());
    }
    assert!(most <= 100, "{most}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Lines that become visible up to one minute late, polls that fail or repeat, and identical lines after restarts.
    #[test]
    fn following_returns_every_line_exactly_once(
        lines in vec((0_i64..600_000, 0_i64..58_000, 0_u8..3), 0..80),
        polls in vec((0_i64..70_000, any::<bool>()), 1..30),
    ) {
        let written: Vec<WrittenLine> = lines
            .iter()
            .map(|(moment, late, message)| {
                // Rounded, so that identical lines at the same time occur.
                let moment = moment / 500 * 500;
                WrittenLine { at: moment, found: moment + late, line: line(moment, &format!("m{message}")) }
            })
            .collect();
        let mut tail = FollowCursor::new(at(0), OVERLAP);
        let (mut now, mut returned) = (0, Vec::new());
        let mut poll = |tail: &mut FollowCursor, now: i64, fails: bool| {
            let window = tail.window(at(now));
            let answer = answer(&written, window, now);
            if fails {
                // The read fails after half of the pages, so none of them is used.
                return;
            }
            let mut reading = WindowPass::new(window);
            for line in answer.iter().rev() {
                if tail.is_new(&mut reading, line) {
                    returned.push(line.clone());
                }
            }
            tail.finish_window(&reading);
        };
        for (gap, fails) in polls {
            now += gap;
            poll(&mut tail, now, fails);
        }
        // Finally all lines are visible.
        poll(&mut tail, now.max(700_000), false);
        let mut expected: Vec<LogEntry> = written.iter().map(|line| line.line.clone()).collect();
        let key = |line: &LogEntry| (line.timestamp.clone(), line.message.clone());
        expected.sort_by_key(key);
        returned.sort_by_key(key);
        prop_assert_eq!(returned, expected);
    }

    /// Windows consist of whole seconds, are ordered and have no gaps.
    #[test]
    fn windows_leave_no_gap(gaps in vec(0_i64..500_000, 1..40), overlap in 0_u64..120) {
        let mut tail = FollowCursor::new(at(0), Duration::from_secs(overlap));
        let (mut now, mut covered) = (0, truncate_to_second(at(0)));
        for gap in gaps {
            now += gap;
            let window = tail.window(at(now));
            prop_assert!(window.from <= covered);
            prop_assert!(window.to >= at(now) && window.to.duration_since(at(now)) <= SignedDuration::from_secs(1));
            covered = window.to;
            tail.finish_window(&WindowPass::new(window));
        }
    }
}
