//! Looking at connectors: the status, the service's advice, and a glance at the log lines where those say too little.

use std::time::Duration;

use futures_util::{StreamExt as _, stream};

use super::{
    explanation::{Explanation, LogNote},
    typed::Typing,
};
use crate::{
    api::{connect::Recommendations, logs::LogEntry},
    commands::{
        Ctx,
        connector::logs::Glances,
        session::{self, DepartmentSession},
    },
    error::{Error, ErrorKind},
    manifest::Workspace,
    resources::{
        connector::{
            Seen,
            diagnosis::{Diagnosis, Found, Health, NO_RECORDS, diagnose, health, in_text, quiet},
        },
        logs::fold::root_cause,
    },
};

/// How many connectors are looked at at a time.
const WIDTH: usize = 8;
/// How far back log lines are read of one that failed.
const DAY: Duration = Duration::from_hours(24);
/// How far back of one that runs: what fails again and again does so about every five minutes (dossier `logs.md` §2.4).
const RECENT: Duration = Duration::from_mins(10);

/// What is known of a connector.
pub(super) struct Known {
    pub(super) seen: Seen,
    pub(super) health: Health,
    pub(super) diagnosis: Diagnosis,
    pub(super) advice: Option<Recommendations>,
    pub(super) log: Option<LogNote>,
    pub(super) log_error: Option<String>,
    /// Where records can be that do not arrive.
    pub(super) notes: Vec<String>,
}

/// Looks at `all`; `no_records` says that those that run move nothing.
pub(super) async fn look(ctx: &Ctx, session: &DepartmentSession, all: Vec<Seen>, no_records: bool) -> Vec<Explanation> {
    let known: Vec<Known> = all.into_iter().map(|seen| Known::of(seen, no_records)).collect();
    let only = known.len() == 1;
    let glances = match known.iter().any(|known| known.window(only).is_some()) {
        true => Some(Glances::open(session).await),
        false => None,
    };
    let glances = glances.as_ref();
    let one = |mut known: Known| async move {
        known.advise(ctx, session).await;
        if let (Some(window), Some(glances)) = (known.window(only), glances) {
            let read = match glances {
                Ok(glances) => glances.errors(ctx, session, &known.seen, window).await,
                Err(error) => Err(Error::failed(error.to_string())),
            };
            match read {
                Ok((lines, more)) => known.read(&lines, more),
                // Nobody asked for the lines of one that is well.
                Err(_) if known.health == Health::Healthy && known.diagnosis.causes.is_empty() => {}
                Err(error) => known.log_error = Some(why_unread(&error)),
            }
        }
        known
    };
    let looked: Vec<Known> = stream::iter(known).map(one).buffered(WIDTH).collect().await;
    let typing = typing(ctx, session);
    let now = session.observers.clock().now();
    let explain = |known| Explanation::of(known, &typing, now);
    looked.into_iter().map(explain).collect()
}

/// What the caller can type.
fn typing(ctx: &Ctx, session: &DepartmentSession) -> Typing {
    let typing = Typing::of(&ctx.globals, session.tenant.as_ref());
    let Some(tenant) = &session.tenant else {
        // That the files can be read the session has found out.
        let workspace = session::workspace(ctx.globals.is_sandbox()).map(|loaded| loaded.workspace);
        let owners = workspace.iter().flat_map(Workspace::departments);
        let owners = owners.map(|department| (department.prefix.clone(), department.code.clone()));
        return typing.without_profile().for_owners(owners.collect());
    };
    match tenant.issued {
        Some(_) => typing,
        None => typing.without_profile(),
    }
}

impl Known {
    fn of(seen: Seen, no_records: bool) -> Self {
        let status = &seen.now.status;
        let mut known = Self {
            health: health(status),
            diagnosis: diagnose(status),
            seen,
            advice: None,
            log: None,
            log_error: None,
            notes: Vec::new(),
        };
        let seen = &known.seen;
        if no_records && seen.state() == "RUNNING" && known.diagnosis.causes.is_empty() {
            known.diagnosis.causes.push(Found::by_state(&NO_RECORDS));
            known.notes = quiet(seen.id(), seen.direction() == "sink", &seen.now.info.config);
        }
        known
    }

    /// How far back log lines are worth a request: where the status says too little, and of a connector that was asked for
    /// alone. One whose configuration was refused before a task started has none (dossier `logs.md` §2.4).
    fn window(&self, only: bool) -> Option<Duration> {
        match self.health {
            Health::Unhealthy => self.diagnosis.is_vague().then_some(DAY),
            _ if self.seen.state() == "RUNNING" => only.then_some(RECENT),
            _ => None,
        }
    }

    /// The service's advice, and with it since when. Only what failed with a trace has any, and the address is in no document
    /// (dossier `connect.md` §2.10): it may vanish, and nothing but the advice is lost then.
    async fn advise(&mut self, ctx: &Ctx, session: &DepartmentSession) {
        let offered = self.seen.now.status.error_recommendation_enabled;
        let failed = matches!(self.seen.state(), "FAILED" | "DEGRADED");
        if !offered.unwrap_or(failed) || self.health != Health::Unhealthy {
            return;
        }
        match session.connectors.advice(&self.seen.name).await {
            Ok(advice) => self.advice = advice,
            Err(error) => ctx.ui.warn(&format!("the service's own advice is missing: {error}")),
        }
    }

    /// Learns from error lines, the newest last.
    fn read(&mut self, lines: &[LogEntry], more: bool) {
        let Some(last) = lines.last() else { return };
        let same: Vec<&LogEntry> = lines.iter().filter(|line| telling(line) == telling(last)).collect();
        let found = in_text(&format!("{}\n{}", last.message, last.trace()));
        let error = found.as_ref().and_then(|found| found.errors.first().cloned());
        self.log = Some(LogNote {
            error: error.unwrap_or_else(|| telling(last).to_owned()),
            times: same.len(),
            first: same.first().and_then(|line| line.at()),
            last: last.at(),
            more,
        });
        // It runs, for now.
        if self.health == Health::Healthy {
            self.health = Health::Unsettled;
        }
        if let Some(found) = found {
            self.diagnosis.causes = vec![found];
        }
    }
}

/// Why log lines could not be read, in few words.
fn why_unread(error: &Error) -> String {
    if error.kind == ErrorKind::Denied {
        // Dossier `logs.md` §2.6.
        return "that takes ConnectManager or ResourceOwner on the connector".to_owned();
    }
    let problem = error.problem();
    problem.causes.into_iter().next().unwrap_or(problem.message)
}

/// The line of a log entry that matters.
fn telling(line: &LogEntry) -> &str {
    match root_cause(line.trace()) {
        "" => line.message.lines().next().unwrap_or_default(),
        root => root,
    }
}
