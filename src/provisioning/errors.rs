//! Errors of runs that are refused, incomplete, or did not deliver all profiles.

use std::collections::BTreeSet;

use super::PendingDelivery;
use crate::{
    apply::ProvisioningReport as Applied,
    error::{Error, ErrorKind},
    hint::Hint,
    plan::{self, Plan},
    text::count_noun,
};

/// Returns an error if the plan of `command` is refused.
///
/// # Errors
/// The plan is refused for a department.
pub(super) fn check_refusals(command: &str, plan: &Plan) -> Result<(), Error> {
    let Some(first) = plan.refusals.first() else {
        return Ok(());
    };
    let messages: Vec<String> = plan
        .refusals
        .iter()
        .map(|refusal| format!("{} ({}): {}", refusal.department, refusal.rule, refusal.message))
        .collect();
    let mut error = Error::refused(format!("refused; nothing was changed: {}", messages.join("; ")));
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
            "Run the command for the other departments by name: `confluent ebs {command} {} …`.",
            others.join(" ")
        );
        error = error.with_hint(hint);
    }
    Err(error)
}

/// Returns the error of an incomplete run.
pub(super) fn incomplete_run_error(report: &Applied) -> Option<Error> {
    if report.is_complete() {
        return None;
    }
    let remaining = report.failures.len() + report.skipped + report.not_started;
    let message = match report.failures.first() {
        Some(first) => format!(
            "{} not applied: {}: {}",
            count_noun(remaining, "change"),
            first.label,
            first.reason
        ),
        None => format!("interrupted; {} not applied", count_noun(remaining, "change")),
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
    Some(error.with_hint(Hint::rerun()))
}

/// Returns the error of a run that could not deliver all pending profiles of earlier runs.
pub(super) fn undelivered_error(pending: &[PendingDelivery]) -> Option<Error> {
    let failed = || pending.iter().filter(|pending| pending.reason.is_some());
    let first = failed().next()?;
    let message = format!(
        "{} not delivered: {}",
        count_noun(failed().count(), "profile"),
        first.reason.as_deref().unwrap_or_default()
    );
    let error = first
        .hints
        .iter()
        .cloned()
        .fold(Error::new(ErrorKind::Partial, message), Error::with_hint);
    Some(error.with_hint(Hint::rerun()))
}
