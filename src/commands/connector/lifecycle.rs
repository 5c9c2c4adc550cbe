//! What pause, resume and restart have in common: several connectors, each reported.

use serde::Serialize;

use super::{DepartmentSession, names};
use crate::{
    api::connect::Lifecycle,
    commands::{Ctx, Report},
    error::{Error, ErrorKind},
    render::{Block, Viewable, words},
    resources::connector::{Restarted, Seen},
};

/// Which connectors.
#[derive(Debug, clap::Args)]
pub(super) struct Targets {
    /// IDs or names of connectors; a name may hold * and ?.
    #[arg(value_name = "id", required_unless_present = "all")]
    connectors: Vec<String>,
    /// All connectors of the department.
    #[arg(long, conflicts_with = "connectors")]
    all: bool,
}

/// Does it to all of them, and goes on after a failure: each is a connector of its own.
pub(super) fn run(ctx: &Ctx, targets: &Targets, what: Lifecycle) -> Result<Report<Outcome>, Error> {
    let session = DepartmentSession::open(ctx)?;
    if targets.all {
        // Without a department this would reach everybody's.
        session.tenant()?;
    }
    names::refuse_foreign(session.tenant.as_ref(), &targets.connectors)?;
    ctx.block_on(async {
        let list = session.connectors.look(&targets.connectors).await?;
        let seen = match targets.all {
            true => names::all(&session, &list),
            false => names::resolve(&session, &list, &targets.connectors)?,
        };
        let mut outcome = Outcome {
            what,
            connectors: Vec::new(),
        };
        let mut failures = Vec::new();
        for connector in &seen {
            if ctx.interrupt.is_wished() {
                failures.push(Error::new(ErrorKind::Interrupted, "interrupted"));
                break;
            }
            match one(&session, connector, what).await {
                Ok(how) => outcome.connectors.push(Done {
                    id: connector.id().to_owned(),
                    name: connector.name.clone(),
                    how,
                }),
                Err(error) => failures.push(error.context(format!("failed to {} \"{}\"", verb(what), connector.id()))),
            }
        }
        let some = !outcome.connectors.is_empty();
        let report = if some { Report::new(outcome) } else { Report::nothing() };
        Ok(match together(failures, some) {
            Some(error) => report.with_error(error),
            None => report,
        })
    })
}

async fn one(session: &DepartmentSession, seen: &Seen, what: Lifecycle) -> Result<Option<Restarted>, Error> {
    let connectors = &session.connectors;
    match what {
        Lifecycle::Pause => connectors.pause(seen).await?,
        Lifecycle::Resume => connectors.resume(seen).await?,
        Lifecycle::Restart => return Ok(Some(connectors.restart(seen).await?)),
    }
    Ok(None)
}

fn verb(what: Lifecycle) -> &'static str {
    match what {
        Lifecycle::Pause => "pause",
        Lifecycle::Resume => "resume",
        Lifecycle::Restart => "restart",
    }
}

/// Several failures as one, in the stock CLI's words (dossier `native-cli.md` §4.6).
pub(super) fn together(mut failures: Vec<Error>, some: bool) -> Option<Error> {
    let kind = match (failures.len(), some) {
        (0, _) => return None,
        (_, true) => ErrorKind::Partial,
        (_, false) => failures[0].kind,
    };
    if failures.len() == 1 {
        return failures.pop().map(|error| error.with_kind(kind));
    }
    let lines: Vec<String> = failures.iter().map(|error| format!("* {error}")).collect();
    let mut error = Error::new(kind, format!("{} errors occurred: {}", lines.len(), lines.join("; ")));
    for hint in failures.into_iter().flat_map(|failure| failure.hints) {
        if !error.hints.contains(&hint) {
            error.hints.push(hint);
        }
    }
    Some(error)
}

/// What was done.
#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    #[serde(rename = "action")]
    what: Lifecycle,
    connectors: Vec<Done>,
}

#[derive(Debug, Serialize)]
struct Done {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    how: Option<Restarted>,
}

impl Viewable for Outcome {
    fn view(&self) -> Vec<Block> {
        let verb = match self.what {
            Lifecycle::Pause => "Paused",
            Lifecycle::Resume => "Resumed",
            Lifecycle::Restart => "Restarted",
        };
        let ids: Vec<&str> = self.connectors.iter().map(|done| done.id.as_str()).collect();
        let mut blocks = vec![Block::line(sentence(verb, &ids))];
        let by_pause: Vec<&str> = self
            .connectors
            .iter()
            .filter(|done| done.how == Some(Restarted::PauseAndResume))
            .map(|done| done.id.as_str())
            .collect();
        if !by_pause.is_empty() {
            blocks.push(Block::line(format!(
                "The service restarts only what runs, so {} {} paused and resumed.",
                words::quoted(&by_pause),
                if by_pause.len() == 1 { "was" } else { "were" }
            )));
        }
        blocks
    }
}

/// `Paused connector "lcc-123".`, `Paused connectors "a", "b", and "c".`
pub(super) fn sentence(verb: &str, ids: &[&str]) -> String {
    let noun = if ids.len() == 1 { "connector" } else { "connectors" };
    format!("{verb} {noun} {}.", words::quoted(ids))
}
