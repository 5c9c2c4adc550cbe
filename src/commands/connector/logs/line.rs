//! Log lines as plain text, printed as they arrive.

use serde::Serialize;

use super::rows::LogRow;
use crate::{
    api::logs::LogEntry,
    render::{Block, Viewable, escape, escape::escape_lines},
    resources::{
        connector::root_cause_line,
        logs::trace_dedup::{TraceDedup, TraceOccurrence},
    },
};

/// Number of lines shown of a stack trace without `--expand`.
const TRACE_LINES: usize = 30;

/// Log line that is printed as soon as it arrives.
#[derive(Debug, Serialize)]
pub(super) struct LogLineView {
    #[serde(flatten)]
    row: LogRow,
    #[serde(skip)]
    pub(super) text: String,
}

impl LogLineView {
    /// Formats a line. With `named`, it contains the name of the connector.
    pub(super) fn new(connector: &str, line: &LogEntry, named: bool, folds: &mut TraceDedup, expand: bool) -> Self {
        let mut text = plain_line(connector, line, named);
        let trace = match folds.record(line) {
            TraceOccurrence::None => String::new(),
            TraceOccurrence::Repeated { number, times } if !expand => format!(
                "    (stack trace {number} repeated, {times} times so far: {})\n",
                escape(root_cause_line(line.trace()))
            ),
            TraceOccurrence::First(_) | TraceOccurrence::Repeated { .. } => indent_trace(line.trace(), expand),
        };
        text.push_str(&trace);
        Self {
            row: LogRow::new(connector, line),
            text,
        }
    }
}

impl Viewable for LogLineView {
    fn view(&self) -> Vec<Block> {
        vec![Block::Verbatim(self.text.clone())]
    }
}

/// Returns a line such as `2026-08-20T08:44:23.761Z  ERROR  claims-orders  task-0  message`; never wrapped, for use
/// with `grep`. Without a task, there is a `-`.
fn plain_line(connector: &str, line: &LogEntry, named: bool) -> String {
    let mut words = vec![
        escape(&line.timestamp).into_owned(),
        format!("{:<5}", escape(&line.level)),
    ];
    if named {
        words.push(escape(connector).into_owned());
    }
    // A line of the connector itself: the columns stay in place for `awk`.
    words.push(match line.task_id.as_str() {
        "" => "-".to_owned(),
        task => escape(task).into_owned(),
    });
    let message = escape_lines(line.message.trim_end()).replace('\n', "\n    ");
    format!("{}  {message}\n", words.join("  "))
}

/// Returns an indented stack trace.
fn indent_trace(trace: &str, whole: bool) -> String {
    let trace = escape_lines(trace.trim_end()).into_owned();
    let all = trace.lines().count();
    let shown = if whole { all } else { TRACE_LINES };
    let rest = (all > shown).then(|| format!("    ({} more lines; --expand shows them)\n", all - shown));
    let lines = trace.lines().take(shown).map(|line| format!("    {line}\n"));
    lines.chain(rest).collect()
}
