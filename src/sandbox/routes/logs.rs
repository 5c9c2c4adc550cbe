//! Log search (docs/reference/logs.md#search-request, docs/reference/logs.md#log-lines-and-pages,
//! docs/reference/logs.md#limits-and-errors and docs/reference/logs.md#who-may-read-logs). The permission to view logs
//! applies to the NAME of a connector.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use regex_automata::meta;

use super::connect::with_current_history;
use crate::{
    access::Operation,
    api::{
        encode_segment,
        logs::{HISTORY, LogEntry, LogMeta, LogPage, LogSearchRequest, PAGE_SIZE, REQUESTS_PER_MINUTE},
    },
    model::{Crn, ResourceKind},
    sandbox::{
        connector::log_sim::{LogGenerator, SimulatedLogLine},
        reply::{ErrorReply, Reply},
        request::ApiRequest,
        state::ClusterRecord,
        tx::Tx,
    },
};

/// Default page size (docs/reference/logs.md#search-request).
const DEFAULT_SIZE: u32 = 100;
/// Maximum size of the automaton of a regular expression, in bytes.
const MAX_PATTERN_SIZE: usize = 1 << 20;

pub(crate) fn search(tx: &mut Tx<'_>, request: &ApiRequest) -> Result<Reply, ErrorReply> {
    let wanted: LogSearchRequest = request.parse_json()?;
    // Text of the service, as far as observed (docs/reference/logs.md#limits-and-errors). An invalid CRN gets the same
    // response.
    let forbidden = || ErrorReply::forbidden("forbidden");
    let crn: Crn = wanted.crn.parse().map_err(|_| forbidden())?;
    if crn.kind() != ResourceKind::Connector || !tx.is_allowed(Operation::ViewLogs, &crn) {
        return Err(forbidden());
    }
    let page = LogPageToken::parse(request)?;
    let (from, to) = search_window(tx.now, &wanted)?;
    tx.consume_rate(&format!("logs {crn}"), REQUESTS_PER_MINUTE, Duration::from_mins(1))?;
    let lines = matching_lines(tx, &crn, &wanted, from, to);
    Ok(Reply::ok(page.to_log_page(tx, request, &wanted, lines)))
}

/// Returns the time range of a search. It must be within the retention period and not empty
/// (docs/reference/logs.md#search-request).
fn search_window(now: Timestamp, wanted: &LogSearchRequest) -> Result<(Timestamp, Timestamp), ErrorReply> {
    let oldest = now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN);
    let from = wanted.start_time.unwrap_or(oldest);
    let to = wanted.end_time.unwrap_or(now);
    // Clients send whole seconds.
    let slack = Duration::from_secs(1);
    if from < oldest.saturating_sub(slack).unwrap_or(oldest) {
        return Err(ErrorReply::invalid("start_time cannot be older than 72 hours"));
    }
    match from < to {
        true => Ok((from, to)),
        false => Err(ErrorReply::invalid("end_time must be greater than start_time")),
    }
}

/// Returns the cluster in the CRN of a connector.
fn cluster_of<'a>(tx: &Tx<'a>, crn: &Crn) -> Option<&'a ClusterRecord> {
    let id = crn.value_of(ResourceKind::Cluster)?.parse().ok()?;
    let cluster = tx.state.clusters.get(&id)?;
    (crn.value_of(ResourceKind::Environment) == Some(cluster.environment.as_str())).then_some(cluster)
}

/// Returns the matching lines in order. A connector that does not exist has none (assumed,
/// docs/reference/logs.md#limits-and-errors).
fn matching_lines(
    tx: &mut Tx<'_>,
    crn: &Crn,
    wanted: &LogSearchRequest,
    from: Timestamp,
    to: Timestamp,
) -> Vec<KeyedLogEntry> {
    let Some(cluster) = cluster_of(tx, crn) else {
        return Vec::new();
    };
    let Some(connector) = tx.state.connector(&cluster.id, crn.name()) else {
        return Vec::new();
    };
    // A recreated connector has the same name but another id (docs/reference/logs.md#search-request).
    if wanted.search.id.as_ref().is_some_and(|id| *id != connector.id) {
        return Vec::new();
    }
    let (connector, times) = with_current_history(tx, cluster, connector);
    let generator = LogGenerator {
        ids: tx.ids(),
        timing: tx.state.settings.timing,
        id: &connector.id,
        name: &connector.name,
    };
    let intervals = connector.history.intervals(&times, from, tx.now);
    let levels = &wanted.search.level;
    let text = wanted.search.search_text.as_deref().filter(|text| !text.is_empty());
    let text = text.map(TextMatcher::compile);
    let lines = generator.lines(&intervals, from, to, tx.now).into_iter();
    lines
        .filter(|line| levels.is_empty() || levels.iter().any(|level| level == line.level))
        .filter(|line| text.as_ref().is_none_or(|text| text.matches(line)))
        .map(|line| KeyedLogEntry {
            key: (line.at.as_millisecond(), line.number),
            entry: generator.into_entry(line),
        })
        .collect()
}

/// Log entry with its sort key.
struct KeyedLogEntry {
    key: (i64, u32),
    entry: LogEntry,
}

/// Search text. The documents promise both plain text and regular expressions (docs/reference/logs.md#search-request),
/// so an invalid regular expression counts as plain text.
enum TextMatcher<'a> {
    Plain(&'a str),
    Pattern(Box<meta::Regex>),
}

impl<'a> TextMatcher<'a> {
    fn compile(text: &'a str) -> Self {
        let limits = meta::Config::new().nfa_size_limit(Some(MAX_PATTERN_SIZE));
        let pattern = meta::Regex::builder().configure(limits).build(text);
        pattern.map_or(Self::Plain(text), |pattern| Self::Pattern(Box::new(pattern)))
    }

    fn matches(&self, line: &SimulatedLogLine) -> bool {
        [Some(&line.message), line.trace.as_ref()]
            .into_iter()
            .flatten()
            .any(|text| match self {
                Self::Plain(plain) => text.contains(plain),
                Self::Pattern(pattern) => pattern.is_match(text.as_str()),
            })
    }
}

/// Page token: page size, and the last line of the previous page.
struct LogPageToken {
    size: u32,
    after: Option<(i64, u32)>,
}

impl LogPageToken {
    fn parse(request: &ApiRequest) -> Result<Self, ErrorReply> {
        if let Some(token) = request.query("page_token") {
            return parse_token(token).ok_or_else(|| ErrorReply::invalid("invalid page token"));
        }
        let size = match request.query("page_size") {
            None => Some(DEFAULT_SIZE),
            Some(written) => written.parse().ok().filter(|size| (1..=PAGE_SIZE).contains(size)),
        };
        let size =
            size.ok_or_else(|| ErrorReply::invalid(format!("page_size must be a number from 1 to {PAGE_SIZE}")))?;
        Ok(Self { size, after: None })
    }

    fn to_log_page(
        &self,
        tx: &Tx<'_>,
        request: &ApiRequest,
        wanted: &LogSearchRequest,
        mut lines: Vec<KeyedLogEntry>,
    ) -> LogPage {
        let ascending = wanted.sort == "asc";
        if !ascending {
            lines.reverse();
        }
        let later = |line: &KeyedLogEntry| match self.after {
            None => true,
            Some(after) if ascending => line.key > after,
            Some(after) => line.key < after,
        };
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let mut left = lines.into_iter().filter(later);
        let page: Vec<KeyedLogEntry> = left.by_ref().take(size).collect();
        let assumptions = tx.assumptions();
        let more = left.next().is_some() || assumptions.log_pages_end_empty;
        let last = page.last().map(|line| line.key).or(self.after);
        let token = last.filter(|_| more).map(|(at, number)| {
            let size = self.size;
            URL_SAFE_NO_PAD.encode(format!("{size} {at} {number}"))
        });
        let next = token.map(|token| match assumptions.log_next_is_token {
            true => token,
            false => format!("{}{}?page_token={}", request.base, request.path, encode_segment(&token)),
        });
        LogPage {
            data: page.into_iter().map(|line| line.entry).collect(),
            metadata: LogMeta { next },
            api_version: "v1".into(),
            kind: "LoggingSearchResponse".into(),
            crn: wanted.crn.clone(),
        }
    }
}

fn parse_token(token: &str) -> Option<LogPageToken> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut words = text.split(' ');
    let size = words.next()?.parse().ok()?;
    let after = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(LogPageToken {
        size,
        after: Some(after),
    })
}
