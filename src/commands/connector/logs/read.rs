//! Reading a stretch of time once.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::{
    Logs, Output,
    file::LogFile,
    is_troubled,
    show::{Found, Lines, Told},
};
use crate::{
    api::logs::LogEntry,
    catalog::{
        catalog,
        secret::{Secrecy, secrecy},
    },
    client::{self, ClientError, ConnectorLogs, Scrubber},
    commands::{
        Ctx, Report,
        connector::{lifecycle::together, show::why},
        session::{DepartmentSession, connector_crn},
    },
    error::{Error, ErrorKind},
    model::Address,
    render::{Block, Format},
    resources::{
        connector::Seen,
        logs::{
            cache::{Cache, joined},
            fold::Folds,
            follow::{LogError, Question, Subject, read as read_window},
            spool::Spool,
            tail::Window,
        },
    },
};

/// How many connectors are read at a time: each has a limit of its own.
const WIDTH: usize = 8;
/// A wait that is worth a word.
pub(super) const WORTH_SAYING: Duration = Duration::from_secs(3);

/// Reads and shows.
pub(super) async fn read(
    ctx: &Ctx,
    session: &DepartmentSession,
    asked: &Logs,
    seen: &[Seen],
    window: Window,
) -> Result<Report<Output>, Error> {
    let logs = session.observers.logs()?;
    let address = session.observers.address(&session.connectors.client).await?;
    let question = asked.question();
    let streams = asked.output_file.is_some() || ctx.ui.format() == Format::Ndjson;
    if streams && asked.most().is_none() {
        return stream_all(ctx, session, asked, seen, window, &logs, &address).await;
    }
    let one = |seen: &Seen| {
        let (logs, question, address, seen) = (logs.clone(), question.clone(), address.clone(), seen.clone());
        async move {
            let read = Reader::new(ctx, session, &logs, &address, &seen, question)?;
            Ok::<_, Error>(match read.lines(asked, window).await {
                Ok((lines, more)) => (found(&seen, lines, more), None),
                Err(error) => (unread(&seen), Some(explained(session, &seen, error))),
            })
        }
    };
    let read = stream::iter(seen).map(one).buffered(WIDTH).collect::<Vec<_>>();
    let read = tokio::select! {
        read = read => read,
        () = ctx.interrupt.wished() => return Err(Error::new(ErrorKind::Interrupted, "interrupted while log lines were read")),
    };
    let (mut all, mut failures) = (Vec::new(), Vec::new());
    for one in read {
        let (found, failure) = one?;
        all.push(found);
        failures.extend(failure);
    }
    if ctx.ui.format() != Format::Human || asked.output_file.is_some() {
        say(ctx, &all);
    }
    let output = match &asked.output_file {
        Some(path) => {
            let mut file = LogFile::open(path)?;
            for found in &all {
                file.append(&found.name, &found.lines)?;
            }
            Output::Appended(file.appended())
        }
        None => Output::Lines(Lines::new(all, asked.expand)),
    };
    let some = failures.len() < seen.len();
    let report = Report::new(output);
    Ok(match together(failures, some) {
        Some(error) => report.with_error(error),
        None => report,
    })
}

/// How those are that have no lines to say it, on standard error: what is for machines holds lines alone.
pub(super) fn say(ctx: &Ctx, all: &[Found]) {
    let blocks: Vec<Block> = all.iter().filter_map(Found::status).collect();
    if !blocks.is_empty() {
        ctx.ui.say(&blocks);
    }
}

fn found(seen: &Seen, lines: Vec<LogEntry>, more: bool) -> Found {
    let troubled = lines.is_empty() && is_troubled(seen);
    Found {
        name: seen.name.clone(),
        id: seen.id().to_owned(),
        more,
        unread: false,
        state: troubled.then(|| (seen.state().to_owned(), why(seen))),
        lines,
    }
}

/// Where lines cannot be read, the status is all that there is.
pub(super) fn unread(seen: &Seen) -> Found {
    Found {
        unread: true,
        state: Some((seen.state().to_owned(), why(seen))),
        ..found(seen, Vec::new(), false)
    }
}

/// All lines, connector by connector, which need not fit into memory.
async fn stream_all(
    ctx: &Ctx,
    session: &DepartmentSession,
    asked: &Logs,
    seen: &[Seen],
    window: Window,
    logs: &client::Logs,
    address: &Address,
) -> Result<Report<Output>, Error> {
    let mut file = asked.output_file.as_deref().map(LogFile::open).transpose()?;
    let mut failures = Vec::new();
    let mut folds = Folds::default();
    for connector in seen {
        let reader = Reader::new(ctx, session, logs, address, connector, asked.question())?;
        let read = tokio::select! {
            read = reader.window(window, None) => read,
            () = ctx.interrupt.wished() => {
                failures.push(Error::new(ErrorKind::Interrupted, "interrupted while log lines were read"));
                break;
            }
        };
        let mut spool = match read {
            Ok((spool, _)) => spool,
            Err(error) => {
                say(ctx, &[unread(connector)]);
                failures.push(explained(session, connector, error));
                continue;
            }
        };
        if spool.is_empty() {
            say(ctx, &[found(connector, Vec::new(), false)]);
        }
        while let Some(lines) = spool.pop()? {
            match &mut file {
                Some(file) => file.append(&connector.name, &lines)?,
                None => {
                    for line in &lines {
                        ctx.ui.item(&Told::of(&connector.name, line, true, &mut folds, true))?;
                    }
                }
            }
        }
    }
    let report = match file {
        Some(file) => Report::new(Output::Appended(file.appended())),
        None => Report::nothing(),
    };
    let some = failures.len() < seen.len();
    Ok(match together(failures, some) {
        Some(error) => report.with_error(error),
        None => report,
    })
}

/// Reads the lines of one connector.
pub(super) struct Reader<'a> {
    ctx: &'a Ctx,
    session: &'a DepartmentSession,
    logs: ConnectorLogs,
    subject: Subject,
    question: Question,
    scrubber: Scrubber,
    name: String,
}

impl<'a> Reader<'a> {
    pub(super) fn new(
        ctx: &'a Ctx,
        session: &'a DepartmentSession,
        logs: &client::Logs,
        address: &Address,
        seen: &Seen,
        question: Question,
    ) -> Result<Self, Error> {
        let subject = subject(address, seen)?;
        Ok(Self {
            ctx,
            session,
            logs: logs.of(subject.key()),
            subject,
            question,
            scrubber: scrubber(seen.class()),
            name: seen.name.clone(),
        })
    }

    /// How long the first request would have to wait for its turn.
    pub(super) fn wait(&self) -> Duration {
        self.logs.wait()
    }

    pub(super) async fn window(&self, window: Window, limit: Option<usize>) -> Result<(Spool, bool), LogError> {
        let (ui, logs, name) = (self.ctx.ui.clone(), &self.logs, &self.name);
        let tell = |lines: usize| {
            let wait = logs.wait();
            if wait >= WORTH_SAYING {
                let so_far = if lines == 0 {
                    String::new()
                } else {
                    format!(" ({lines} lines so far)")
                };
                ui.note(&format!(
                    "Connector \"{name}\" stands 5 requests per minute: the next one is in {} s{so_far}.",
                    wait.as_secs()
                ));
            }
        };
        tell(0);
        let mut scrubber = self.scrubber.clone();
        read_window(
            &self.logs,
            &self.subject,
            &self.question,
            window,
            limit,
            &mut scrubber,
            &tell,
        )
        .await
    }

    /// The newest lines of a window, the oldest of them first, and whether there are more.
    async fn lines(&self, asked: &Logs, window: Window) -> Result<(Vec<LogEntry>, bool), LogError> {
        let limit = asked.most();
        let cache = self.cache(asked);
        let levels = &self.question.levels;
        let kept = cache.as_ref().and_then(|cache| cache.from(window.from, levels));
        let (begin, kept) = kept.unwrap_or((window.from, Vec::new()));
        let kept: Vec<LogEntry> = kept
            .into_iter()
            .filter(|line| line.at().is_some_and(|at| at <= window.to) && self.question.is_of_task(line))
            .collect();
        if begin >= window.to {
            return Ok(newest(kept, limit, false));
        }
        let rest = Window {
            from: begin.max(window.from),
            to: window.to,
        };
        let rest = self.within_reach(rest);
        let (mut spool, more) = self.window(rest, limit).await?;
        let mut lines = Vec::new();
        while let Some(page) = spool.pop()? {
            lines.extend(page);
        }
        if let Some(cache) = &cache {
            // Where older lines were left out, the second of the oldest is not complete.
            let from = lines.first().and_then(LogEntry::at).filter(|_| more);
            let from = from.map(|at| at.saturating_add(Duration::from_secs(1)).unwrap_or(at));
            let complete = Window {
                from: from.unwrap_or(rest.from),
                to: rest.to,
            };
            let now = self.session.observers.clock().now();
            if let Err(error) = cache.keep(complete, levels, &lines, now) {
                self.ctx.ui.warn(&format!("the lines are not kept: {error}"));
            }
        }
        // With older lines missing in between, what is kept of the time before does not belong to the newest.
        Ok(match more {
            true => newest(lines, limit, true),
            false => newest(joined(kept, lines), limit, false),
        })
    }

    /// What is asked for may be on this computer alone; the service is asked for what it still has.
    fn within_reach(&self, window: Window) -> Window {
        let now = self.session.observers.clock().now();
        let oldest = now.saturating_sub(super::REACH).unwrap_or(window.from);
        Window {
            from: window.from.max(oldest).min(window.to),
            ..window
        }
    }

    /// Only whole answers can be kept: those to no text and no task.
    fn cache(&self, asked: &Logs) -> Option<Cache> {
        let whole = self.question.text.is_none() && self.question.task.is_none();
        (asked.cache && whole).then(|| {
            let folder = self.session.observers.folder().join("lines");
            Cache::of(&folder, &self.session.observers.hosts().logs, self.subject.key())
        })
    }
}

fn newest(mut lines: Vec<LogEntry>, limit: Option<usize>, more: bool) -> (Vec<LogEntry>, bool) {
    let surplus = limit.map_or(0, |limit| lines.len().saturating_sub(limit));
    lines.drain(..surplus);
    (lines, more || surplus > 0)
}

/// Whose lines are asked for.
pub(super) fn subject(address: &Address, seen: &Seen) -> Result<Subject, Error> {
    Ok(Subject {
        crn: connector_crn(address, &seen.name)?,
        id: Some(seen.now.id.id.clone()).filter(|id| !id.is_empty()),
    })
}

/// Knows the secret keys of a plugin besides those that are secret by their names.
pub(in crate::commands::connector) fn scrubber(class: &str) -> Scrubber {
    let facts = catalog();
    let plugin = facts.plugin(class);
    let keys = plugin.into_iter().flat_map(|plugin| plugin.keys.keys());
    let secret = keys.filter(|key| matches!(secrecy(facts, plugin, key), Secrecy::Secret));
    Scrubber::new(secret.cloned())
}

/// Why lines cannot be read, and who can do something about it.
pub(super) fn explained(session: &DepartmentSession, seen: &Seen, error: LogError) -> Error {
    let what = format!("the log lines of connector \"{}\" cannot be read", seen.name);
    let LogError::Client(error) = error else {
        return Error::from(error).context(what);
    };
    let (forbidden, moved) = (error.is_forbidden(), has_moved(&error));
    let mut edge = Error::from(error).context(what);
    if forbidden {
        // Dossier `logs.md` §2.6; the general advice about 403 says less.
        edge.hints.clear();
        edge = edge.with_hint(
            "Logs are for whoever holds ConnectManager or ResourceOwner on the connector, and for the administrators of its \
             cluster; roles that only read do not show them.",
        );
        edge = match session
            .tenant
            .as_ref()
            .filter(|tenant| tenant.persona.as_deref() == Some("viewer"))
        {
            Some(tenant) => edge.with_hint(format!(
                "Use the operator's profile, such as `--profile {}-operator`.",
                tenant.code
            )),
            None => edge,
        };
    } else if moved {
        let hosts = session.observers.hosts();
        edge = edge.with_hint(format!(
            "Logs come from {} with tokens from {}: no document of Confluent's describes either, and they may have moved. \
             `CONFLUENT_EBS_LOGS_ENDPOINT` and `CONFLUENT_EBS_TOKEN_ENDPOINT` name others.",
            hosts.logs, hosts.token
        ));
    }
    edge
}

/// Whether the address itself may be the trouble: not there, not understood, not reached.
fn has_moved(error: &ClientError) -> bool {
    match error {
        ClientError::NoAnswer { .. } | ClientError::Unreadable { .. } | ClientError::Pages { .. } => true,
        other => other.status().is_some_and(|status| {
            matches!(status.as_u16(), 301 | 302 | 307 | 308 | 404 | 405 | 410) || status.is_server_error()
        }),
    }
}
