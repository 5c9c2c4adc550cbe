//! `placeholder`: what `connector plugin new` left to be filled in.

use super::Rule;
use crate::{
    catalog::{
        file::Entry,
        lint::{Report, Subject, quoted},
        starter::FILL_IN,
    },
    diag::Severity,
};

pub(in crate::catalog) const ID: &str = "placeholder";

pub(super) const RULE: Rule = Rule {
    id: ID,
    severity: Severity::Error,
    summary: "a value that is still to be filled in",
    explanation: "`connector plugin new` writes `<fill in>` where it cannot know the value. Nothing else is said about such a \
                  value.",
    on_self_managed: false,
    check,
};

/// Whether the value is still to be filled in.
pub(in crate::catalog) fn is_placeholder(entry: &Entry) -> bool {
    entry.value.contains(FILL_IN)
}

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for entry in subject.entries().iter().filter(|entry| is_placeholder(entry)) {
        let message = format!("`{}` is still to be filled in", entry.key);
        let fix = match subject.fact(&entry.key) {
            Some(fact) if !fact.allowed.is_empty() => {
                let one = fact.allowed.first().copied().unwrap_or_default();
                format!(
                    "Replace `{FILL_IN}` by one of the allowed values, such as {}.",
                    quoted(one)
                )
            }
            Some(fact) => format!("Replace `{FILL_IN}` by {}.", fact.value_type.noun()),
            None => format!("Replace `{FILL_IN}`."),
        };
        report.error(&entry.value_span, message, fix);
    }
}
