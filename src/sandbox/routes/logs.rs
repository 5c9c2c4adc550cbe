//! The search of log lines (dossier `logs.md` §2.2 to §2.6). The right to view logs is looked at per connector NAME.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use regex_automata::meta;

use super::connect::chronicled;
use crate::{
    access::Operation,
    api::{
        encode_segment,
        logs::{HISTORY, LogEntry, LogMeta, LogPage, PAGE_SIZE, REQUESTS_PER_MINUTE, SearchRequest},
    },
    model::{Crn, ResourceKind},
    sandbox::{
        connector::lines::{Teller, Told},
        reply::{Refusal, Reply},
        request::Request,
        state::Cluster,
        tx::Tx,
    },
};

/// The size of a page that names none (dossier `logs.md` §2.2).
const DEFAULT_SIZE: u32 = 100;
/// No text that anybody searches for makes a larger automaton.
const LARGEST_PATTERN: usize = 1 << 20;

pub(crate) fn search(tx: &mut Tx<'_>, request: &Request) -> Result<Reply, Refusal> {
    let wanted: SearchRequest = request.json()?;
    // The words of the service, as far as anybody has seen any (§2.5). A CRN that means nothing is no different.
    let forbidden = || Refusal::forbidden("forbidden");
    let crn: Crn = wanted.crn.parse().map_err(|_| forbidden())?;
    if crn.kind() != ResourceKind::Connector || !tx.may(Operation::ViewLogs, &crn) {
        return Err(forbidden());
    }
    let page = Page::read(request)?;
    let (from, to) = window(tx.now, &wanted)?;
    tx.spend(&format!("logs {crn}"), REQUESTS_PER_MINUTE, Duration::from_mins(1))?;
    let told = told(tx, &crn, &wanted, from, to);
    Ok(Reply::ok(page.of(tx, request, &wanted, told)))
}

/// The time that is searched: not older than lines are kept, and not empty (§2.3).
fn window(now: Timestamp, wanted: &SearchRequest) -> Result<(Timestamp, Timestamp), Refusal> {
    let oldest = now.saturating_sub(HISTORY).unwrap_or(Timestamp::MIN);
    let from = wanted.start_time.unwrap_or(oldest);
    let to = wanted.end_time.unwrap_or(now);
    // Clients send whole seconds.
    let slack = Duration::from_secs(1);
    if from < oldest.saturating_sub(slack).unwrap_or(oldest) {
        return Err(Refusal::invalid("start_time cannot be older than 72 hours"));
    }
    match from < to {
        true => Ok((from, to)),
        false => Err(Refusal::invalid("end_time must be greater than start_time")),
    }
}

/// The cluster that a connector's CRN names.
fn cluster<'a>(tx: &Tx<'a>, crn: &Crn) -> Option<&'a Cluster> {
    let id = crn.value_of(ResourceKind::Cluster)?.parse().ok()?;
    let cluster = tx.state.clusters.get(&id)?;
    (crn.value_of(ResourceKind::Environment) == Some(cluster.environment.as_str())).then_some(cluster)
}

/// The lines that are wanted, in order. None of a connector that does not exist: nobody knows better (§2.5).
fn told(tx: &mut Tx<'_>, crn: &Crn, wanted: &SearchRequest, from: Timestamp, to: Timestamp) -> Vec<LogLine> {
    let Some(cluster) = cluster(tx, crn) else {
        return Vec::new();
    };
    let Some(connector) = tx.state.connector(&cluster.id, crn.name()) else {
        return Vec::new();
    };
    // One that was made anew has the name of the old one, and not its id (§2.3).
    if wanted.search.id.as_ref().is_some_and(|id| *id != connector.id) {
        return Vec::new();
    }
    let (connector, times) = chronicled(tx, cluster, connector);
    let teller = Teller {
        ids: tx.ids(),
        timing: tx.state.settings.timing,
        id: &connector.id,
        name: &connector.name,
    };
    let spans = connector.chronicle.spans(&times, from, tx.now);
    let levels = &wanted.search.level;
    let text = wanted.search.search_text.as_deref().filter(|text| !text.is_empty());
    let text = text.map(Text::of);
    let lines = teller.lines(&spans, from, to, tx.now).into_iter();
    lines
        .filter(|line| levels.is_empty() || levels.iter().any(|level| level == line.level))
        .filter(|line| text.as_ref().is_none_or(|text| text.is_in(line)))
        .map(|line| LogLine {
            key: (line.at.as_millisecond(), line.number),
            entry: teller.entry(line),
        })
        .collect()
}

/// A line as it is sent, and its place.
struct LogLine {
    key: (i64, u32),
    entry: LogEntry,
}

/// What is searched for: plain text and regular expressions are both promised (§2.3), and what is no regular expression is
/// plain text.
enum Text<'a> {
    Plain(&'a str),
    Pattern(Box<meta::Regex>),
}

impl<'a> Text<'a> {
    fn of(text: &'a str) -> Self {
        let limits = meta::Config::new().nfa_size_limit(Some(LARGEST_PATTERN));
        let pattern = meta::Regex::builder().configure(limits).build(text);
        pattern.map_or(Self::Plain(text), |pattern| Self::Pattern(Box::new(pattern)))
    }

    fn is_in(&self, line: &Told) -> bool {
        [Some(&line.message), line.trace.as_ref()]
            .into_iter()
            .flatten()
            .any(|text| match self {
                Self::Plain(plain) => text.contains(plain),
                Self::Pattern(pattern) => pattern.is_match(text.as_str()),
            })
    }
}

/// Which page: so many lines, after the last one of the page before.
struct Page {
    size: u32,
    after: Option<(i64, u32)>,
}

impl Page {
    fn read(request: &Request) -> Result<Self, Refusal> {
        if let Some(token) = request.query("page_token") {
            return read_token(token).ok_or_else(|| Refusal::invalid("the page token is not one of ours"));
        }
        let size = match request.query("page_size") {
            None => Some(DEFAULT_SIZE),
            Some(written) => written.parse().ok().filter(|size| (1..=PAGE_SIZE).contains(size)),
        };
        let size = size.ok_or_else(|| Refusal::invalid(format!("page_size must be a number from 1 to {PAGE_SIZE}")))?;
        Ok(Self { size, after: None })
    }

    fn of(&self, tx: &Tx<'_>, request: &Request, wanted: &SearchRequest, mut lines: Vec<LogLine>) -> LogPage {
        let ascending = wanted.sort == "asc";
        if !ascending {
            lines.reverse();
        }
        let later = |line: &LogLine| match self.after {
            None => true,
            Some(after) if ascending => line.key > after,
            Some(after) => line.key < after,
        };
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let mut left = lines.into_iter().filter(later);
        let page: Vec<LogLine> = left.by_ref().take(size).collect();
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

fn read_token(token: &str) -> Option<Page> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let mut words = text.split(' ');
    let size = words.next()?.parse().ok()?;
    let after = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Page {
        size,
        after: Some(after),
    })
}
