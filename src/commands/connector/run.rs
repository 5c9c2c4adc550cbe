//! Carrying out a plan of connectors: journal, progress, and what its end means.

use std::{cell::RefCell, collections::BTreeMap, path::Path, time::Duration};

use super::{Tenant, create, lifecycle};
use crate::{
    apply::{self, Event, Journal, Listener, Outcome, Run, connectors::ConnectorEngine},
    commands::Ctx,
    error::{Error, ErrorKind, ResultExt},
    plan::ConnectorPlan,
    resources::connector::{Connectors, Seen},
};

/// How many connectors are changed at a time: the service publishes no limit, and a department has few.
const WIDTH: usize = 4;

/// What came of a plan.
pub(in crate::commands) struct Ran {
    outcome: Outcome,
    seen: RefCell<BTreeMap<String, Seen>>,
}

/// Carries out `plan` for the command `what`.
pub(in crate::commands) async fn run(
    ctx: &Ctx,
    connectors: &Connectors,
    journal: &Path,
    what: &str,
    plan: &ConnectorPlan,
    timeout: Duration,
    settle: Duration,
) -> Result<Ran, Error> {
    if ctx.interrupt.is_wished() && !plan.is_empty() {
        return Err(Error::new(
            ErrorKind::Interrupted,
            "interrupted before anything was changed",
        ));
    }
    let journal = match Journal::shared(journal) {
        Ok(journal) => Some(journal),
        // A connector can be looked at, and its command repeated, without a journal.
        Err(error) => {
            ctx.ui.warn(&format!(
                "nothing is written down of this run: {:#}",
                Error::from(error)
            ));
            None
        }
    };
    let progress = ctx.ui.progress();
    let listener = Quiet(&*progress);
    let engine = ConnectorEngine::new(connectors, &listener, &ctx.interrupt, timeout, settle);
    let nonce = apply::run::nonce().context("no random numbers from the system")?;
    let run = Run {
        nonce: &nonce,
        command: what,
        clock: &connectors.clock,
        journal: journal.as_ref(),
        listener: &listener,
        interrupt: &ctx.interrupt,
        width: WIDTH,
    };
    let outcome = run.carry_out(&plan.changes, &engine).await?;
    Ok(Ran {
        outcome,
        seen: RefCell::new(engine.into_seen()),
    })
}

/// The failures of these commands are their errors, and are told once.
struct Quiet<'a>(&'a dyn Listener);

impl Listener for Quiet<'_> {
    fn on(&self, event: &Event) {
        if !matches!(event, Event::Failed { .. } | Event::Skipped { .. }) {
            self.0.on(event);
        }
    }
}

impl Ran {
    /// The connector as it was seen last, if the run looked at it.
    pub(super) fn seen(&self, name: &str) -> Option<Seen> {
        self.seen.borrow().get(name).cloned()
    }

    /// Whether the change at that place of the plan was made.
    pub(super) fn was_made(&self, place: usize) -> bool {
        self.outcome.ended.get(place) == Some(&apply::schedule::Ended::Done)
    }

    /// Whether anything was written.
    pub(super) fn wrote(&self, plan: &ConnectorPlan) -> bool {
        let changes = plan.changes.iter().enumerate();
        changes
            .filter(|(_, change)| change.action.is_some())
            .any(|(place, _)| self.was_made(place))
    }

    /// Why not everything was done, if it was not.
    pub(in crate::commands) fn error(self, tenant: Option<&Tenant>, plan: &ConnectorPlan) -> Option<Error> {
        if self.outcome.is_complete() {
            return None;
        }
        let wrote = self.wrote(plan);
        let several = plan.changes.iter().filter(|change| change.needs.is_empty()).count() > 1;
        let mut failures: Vec<Error> = self
            .outcome
            .failures
            .into_iter()
            .map(|failure| {
                let error = Error::from(failure.error);
                let error = match tenant {
                    Some(tenant) => create::explain(error, tenant),
                    None => error,
                };
                match several {
                    true => error.context(format!("failed to {}", failure.label)),
                    false => error,
                }
            })
            .collect();
        if failures.is_empty() {
            failures.push(
                Error::new(ErrorKind::Interrupted, "interrupted")
                    .with_hint("Run the same command again: it does the rest and nothing twice."),
            );
        }
        if several {
            return lifecycle::together(failures, wrote);
        }
        let error = failures.swap_remove(0);
        // Something was made; only the wait was interrupted.
        let partly = wrote && error.kind == ErrorKind::Interrupted;
        Some(if partly {
            error.with_kind(ErrorKind::Partial)
        } else {
            error
        })
    }
}
