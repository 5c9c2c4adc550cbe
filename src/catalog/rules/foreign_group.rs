//! `foreign-group`: a consumer group outside the department.

use super::Rule;
use crate::{
    catalog::lint::{Report, Subject, quoted},
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "foreign-group",
    severity: Severity::Error,
    summary: "a consumer group outside the department's prefix",
    explanation: "A sink reads as `connect-lcc-…`, which the service chooses. A group of another name that belongs to another \
                  department would take records away from it and move its offsets.",
    on_self_managed: false,
    check,
};

const KEYS: [&str; 2] = ["consumer.override.group.id", "group.id"];

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(tenant) = subject.context.tenant else { return };
    for entry in KEYS.into_iter().filter_map(|key| subject.file.entry(key)) {
        if !tenant.prefix.owns(&entry.value) {
            let message = format!(
                "consumer group {} does not begin with `{}`",
                quoted(&entry.value),
                tenant.prefix
            );
            report.error(
                &entry.value_span,
                message,
                "Remove it: the service gives every sink a group of its own.",
            );
        }
    }
}
