//! How a run that could not be begun, or not be finished, ends.

use std::collections::BTreeSet;

use super::PendingDelivery;
use crate::{
    apply::ProvisioningReport as Applied,
    error::{Error, ErrorKind},
    plan::{self, Plan},
    text::count_noun,
};

/// What stands in the way of `command`, if anything does.
pub fn check_refusals(command: &str, plan: &Plan) -> Result<(), Error> {
    let Some(first) = plan.refusals.first() else {
        return Ok(());
    };
    let messages: Vec<String> = plan
        .refusals
        .iter()
        .map(|refusal| format!("{} ({}): {}", refusal.department, refusal.rule, refusal.message))
        .collect();
    let mut error = Error::refused(format!("nothing was changed: {}", messages.join("; ")));
    let hints: BTreeSet<&String> = plan.refusals.iter().flat_map(|refusal| &refusal.hints).collect();
    let ordered = first
        .hints
        .iter()
        .chain(hints.into_iter().filter(|hint| !first.hints.contains(hint)));
    for hint in ordered {
        error = error.with_hint(hint.clone());
    }
    let others: Vec<&str> = plan
        .departments
        .iter()
        .filter(|department| department.status != plan::DepartmentStatus::Refused)
        .map(|department| department.code.as_str())
        .take(3)
        .collect();
    if !others.is_empty() {
        let hint = format!(
            "The others can go ahead by name: `confluent ebs {command} {} …`.",
            others.join(" ")
        );
        error = error.with_hint(hint);
    }
    Err(error)
}

/// What a run that did not do everything ends with.
pub fn incomplete_run_error(report: &Applied) -> Option<Error> {
    if report.is_complete() {
        return None;
    }
    let left = report.failures.len() + report.skipped + report.not_started;
    let message = match report.failures.first() {
        Some(first) => format!(
            "{} not made: {}: {}",
            count_noun(left, "change"),
            first.label,
            first.reason
        ),
        None => format!("interrupted with {} left", count_noun(left, "change")),
    };
    let kind = match (report.done.is_empty(), report.failures.is_empty()) {
        (true, true) => ErrorKind::Interrupted,
        (true, false) => ErrorKind::Failed,
        (false, _) => ErrorKind::Partial,
    };
    let mut error = Error::new(kind, message);
    if let Some(first) = report.failures.first() {
        error.hints.extend(first.hints.iter().cloned());
    }
    Some(error.with_hint("Run the same command again: it does the rest and nothing twice."))
}

/// What ends a run whose command did not take everything that earlier runs had left.
pub fn undelivered_error(pending: &[PendingDelivery]) -> Option<Error> {
    let failed = || pending.iter().filter(|pending| pending.reason.is_some());
    let first = failed().next()?;
    let message = format!(
        "{} not handed over: {}",
        count_noun(failed().count(), "profile"),
        first.reason.as_deref().unwrap_or_default()
    );
    let error = first
        .hints
        .iter()
        .cloned()
        .fold(Error::new(ErrorKind::Partial, message), Error::with_hint);
    Some(error.with_hint("Run the same command again: it does the rest and nothing twice."))
}
