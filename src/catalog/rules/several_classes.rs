//! `several-classes`: one file, more than one connector.

use super::Rule;
use crate::{
    catalog::lint::{Report, Subject, listed},
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "several-classes",
    severity: Severity::Error,
    summary: "more than one `connector.class`",
    explanation: "A file is one connector. Two classes are two connectors in one file, or a copy that was changed halfway.",
    on_self_managed: true,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut classes = subject.entries().iter().filter(|entry| entry.key == "connector.class");
    let Some(first) = classes.next() else { return };
    for entry in classes {
        let message = if entry.value == first.value {
            "`connector.class` stands here twice".to_owned()
        } else {
            format!("`connector.class` is {}", listed([first.value.as_str(), &entry.value]))
        };
        report.error(
            &entry.key_span,
            message,
            "One file is one connector: keep one class, or make two files.",
        );
    }
    if let [_, _, ..] = first.value.split(',').collect::<Vec<_>>()[..] {
        let fix = "One file is one connector: name one class.";
        report.error(&first.value_span, "`connector.class` is a list", fix);
    }
}
