//! `one-of`: keys of which exactly one must be there.

use super::Rule;
use crate::{
    catalog::{
        facts::Direction,
        lint::{Report, Subject},
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "one-of",
    severity: Severity::Error,
    summary: "two keys that exclude each other, or neither of them",
    explanation: "A sink reads `topics` or what matches `topics.regex`; a Datagen source makes what `quickstart` or \
                  `schema.string` says (dossier `connect.md` §4.1, §5).",
    on_self_managed: false,
    check,
};

const PAIRS: [[&str; 2]; 2] = [["topics", "topics.regex"], ["quickstart", "schema.string"]];

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(plugin) = subject.plugin else { return };
    for [a, b] in PAIRS {
        if !plugin.keys.contains_key(a) || !plugin.keys.contains_key(b) {
            continue;
        }
        let given = |key| subject.given(key).filter(|entry| !entry.value.is_empty());
        match (given(a), given(b)) {
            (Some(_), Some(second)) => {
                let message = format!("`{a}` and `{b}` exclude each other");
                report.error(&second.key_span, message, "Keep the one that is meant.");
            }
            (None, None) if !named_elsewhere(subject, plugin.direction) => {
                report.error(
                    &subject.file.head,
                    format!("neither `{a}` nor `{b}` is there"),
                    format!("Add one of `{a}` and `{b}`."),
                );
            }
            _ => {}
        }
    }
}

/// Some sinks name their topics per object or API.
fn named_elsewhere(subject: &Subject<'_>, direction: Direction) -> bool {
    direction == Direction::Sink && subject.entries().iter().any(|entry| entry.key.ends_with(".topics"))
}
