//! `foreign-dead-letters`: failed records and reports that go to topics outside the department.

use super::Rule;
use crate::{
    catalog::{
        lint::{Report, Subject, quoted},
        topic_keys::{TopicUse, topic_use},
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "foreign-dead-letters",
    severity: Severity::Error,
    summary: "a dead letter, error or success topic outside the department's prefix",
    explanation: "Failed records are the department's data. The names that the service gives by itself (`dlq-lcc-…`, \
                  `error-lcc-…`, `success-lcc-…`) are shared by everybody, and who may read one may read all (dossier \
                  `rbac.md` T7).",
    on_self_managed: false,
    check,
};

/// What the service's own names begin with.
const SHARED: [&str; 3] = ["dlq-", "error-", "success-"];

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(tenant) = subject.context.tenant else { return };
    let class = subject.file.class().unwrap_or_default();
    for entry in subject.entries() {
        let dead = topic_use(class, &entry.key) == Some(TopicUse::DeadLetters);
        if !dead || entry.value.is_empty() || tenant.prefix.owns(&entry.value) {
            continue;
        }
        let fix = format!("Use a topic that begins with `{}`.", tenant.prefix);
        let shared = |begin: &&str| {
            entry
                .value
                .strip_prefix(*begin)
                .is_some_and(|rest| rest.starts_with("${connector}"))
        };
        if SHARED.iter().any(shared) {
            let message = format!(
                "{} lies among the dead letters of all departments",
                quoted(&entry.value)
            );
            report.warning(&entry.value_span, message, fix);
        } else {
            let message = format!("{} does not begin with `{}`", quoted(&entry.value), tenant.prefix);
            report.error(&entry.value_span, message, fix);
        }
    }
}
