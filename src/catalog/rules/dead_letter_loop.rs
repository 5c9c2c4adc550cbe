//! `dead-letter-loop`: a dead letter topic among the topics that are read.

use super::Rule;
use crate::{
    catalog::lint::{Report, Subject, quoted},
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "dead-letter-loop",
    severity: Severity::Error,
    summary: "the dead letter topic is one of the topics that the connector reads",
    explanation: "Every record that fails would be read again, and fail again. The service refuses it \
                  (docs.confluent.io/cloud/current/connectors/limits.html).",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(dead) = subject.given("errors.deadletterqueue.topic.name") else {
        return;
    };
    let read = subject.given_value("topics").unwrap_or_default();
    if !dead.value.is_empty() && read.split(',').any(|topic| topic.trim() == dead.value.trim()) {
        let message = format!("the dead letter topic {} is also one of `topics`", quoted(&dead.value));
        report.error(&dead.value_span, message, "Send dead letters to a topic of their own.");
    }
}
