//! Deduplication of stack traces: a connector that fails at every start logs its error every 5 min
//! (docs/reference/logs.md#log-lines-and-pages).

use std::{
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use crate::api::logs::LogEntry;

/// Maximum number of remembered traces; the least recently seen one is forgotten first.
const MAX_TRACES: usize = 500;

/// Occurrence of a stack trace in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceOccurrence {
    /// The line has no trace.
    None,
    /// First occurrence, with the number of the trace starting at 1.
    First(u32),
    /// Repeated occurrence.
    Repeated {
        /// Number of the trace.
        number: u32,
        /// Number of occurrences including this one.
        times: u32,
    },
}

/// Known stack traces.
#[derive(Clone, Debug, Default)]
pub struct TraceDedup {
    known: HashMap<u64, KnownTrace>,
    /// Traces by the time of their last occurrence.
    order: BTreeMap<u64, u64>,
    numbers: u32,
    clock: u64,
}

#[derive(Clone, Copy, Debug)]
struct KnownTrace {
    number: u32,
    times: u32,
    last_seen: u64,
}

impl TraceDedup {
    /// Records the trace of a line.
    pub fn record(&mut self, line: &LogEntry) -> TraceOccurrence {
        if line.trace().is_empty() {
            return TraceOccurrence::None;
        }
        let key = trace_key(line);
        self.clock += 1;
        if let Some(known) = self.known.get_mut(&key) {
            known.times += 1;
            self.order.remove(&std::mem::replace(&mut known.last_seen, self.clock));
            self.order.insert(self.clock, key);
            return TraceOccurrence::Repeated {
                number: known.number,
                times: known.times,
            };
        }
        self.numbers += 1;
        let known = KnownTrace {
            number: self.numbers,
            times: 1,
            last_seen: self.clock,
        };
        self.known.insert(key, known);
        self.order.insert(self.clock, key);
        if self.known.len() > MAX_TRACES
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.known.remove(&oldest);
        }
        TraceOccurrence::First(self.numbers)
    }
}

/// Hashes message and trace without the task-specific part: `{id=lcc-8kq2zm-0}`.
fn trace_key(line: &LogEntry) -> u64 {
    let mut hasher = DefaultHasher::new();
    line.id.hash(&mut hasher);
    for text in [line.message.as_str(), line.trace()] {
        hash_without_task(text, &mut hasher);
    }
    hasher.finish()
}

fn hash_without_task(text: &str, hasher: &mut DefaultHasher) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{id=") {
        let (id, after) = after.split_once('}').unwrap_or((after, ""));
        let connector = id.trim_end_matches(|letter: char| letter.is_ascii_digit());
        (before, connector).hash(hasher);
        rest = after;
    }
    rest.hash(hasher);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::logs::LogStackTrace;

    fn failed(task: u32, cause: &str) -> LogEntry {
        let head = format!("WorkerSinkTask{{id=lcc-8kq2zm-{task}}} Task threw an uncaught exception");
        LogEntry {
            id: "lcc-8kq2zm".into(),
            message: head.clone(),
            exception: Some(LogStackTrace {
                stacktrace: format!(
                    "ConnectException: {head}\n\tat a.b(C.java)\nCaused by: X: outer\nCaused by: {cause}"
                ),
            }),
            ..LogEntry::default()
        }
    }

    #[test]
    fn the_same_error_of_two_tasks_is_one_trace() {
        let mut folds = TraceDedup::default();
        assert_eq!(folds.record(&LogEntry::default()), TraceOccurrence::None);
        assert_eq!(folds.record(&failed(0, "no")), TraceOccurrence::First(1));
        assert_eq!(
            folds.record(&failed(1, "no")),
            TraceOccurrence::Repeated { number: 1, times: 2 }
        );
        assert_eq!(folds.record(&failed(1, "other")), TraceOccurrence::First(2));
        assert_eq!(
            folds.record(&failed(10, "no")),
            TraceOccurrence::Repeated { number: 1, times: 3 }
        );
        let elsewhere = LogEntry {
            id: "lcc-4vn7ra".into(),
            ..failed(0, "no")
        };
        assert_eq!(folds.record(&elsewhere), TraceOccurrence::First(3));
    }

    #[test]
    fn the_number_of_known_traces_is_bounded() {
        let mut folds = TraceDedup::default();
        for number in 0..3_000 {
            folds.record(&failed(0, &format!("cause {number}")));
            // A trace that recurs is not forgotten.
            folds.record(&failed(0, "always"));
        }
        assert_eq!((folds.known.len(), folds.order.len()), (MAX_TRACES, MAX_TRACES));
        assert!(matches!(
            folds.record(&failed(0, "always")),
            TraceOccurrence::Repeated { times: 3_001, .. }
        ));
        assert!(matches!(folds.record(&failed(0, "cause 1")), TraceOccurrence::First(_)));
    }
}
