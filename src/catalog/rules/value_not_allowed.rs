//! `value-not-allowed`: a value that is not among those there are.

use super::{Rule, is_template};
use crate::{
    catalog::{
        facts::{KeyFact, ValueType},
        lint::{Report, Subject, listed, quoted},
    },
    diag::Severity,
    hint,
};

pub(super) const RULE: Rule = Rule {
    id: "value-not-allowed",
    severity: Severity::Error,
    summary: "a value outside the allowed ones",
    explanation: "The service answers `Value … doesn't belong to the property's … enum`. Case matters, and differs between \
                  versions of one connector: `fail` in HttpSink is `FAIL` in HttpSinkV2 (dossier `connect.md` §5, §10).",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for entry in subject.entries() {
        let Some(fact) = subject.fact(&entry.key) else { continue };
        // A truth value is a matter of type, and a secret is not shown.
        let judged = !fact.allowed.is_empty() && !matches!(fact.value_type, ValueType::Boolean | ValueType::Password);
        if !judged || is_template(&entry.value) || entry.value.is_empty() {
            continue;
        }
        let items: Vec<&str> = match fact.value_type {
            ValueType::List => entry
                .value
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .collect(),
            _ => vec![&entry.value],
        };
        if let Some(item) = items.into_iter().find(|item| !is_allowed(fact, item)) {
            let message = format!("`{}` cannot be {}", entry.key, quoted(item));
            report.error(&entry.value_span, message, advice(fact, item));
        }
    }
}

/// The default is allowed even where the list leaves it out.
fn is_allowed(fact: &KeyFact, value: &str) -> bool {
    fact.allowed.contains(&value) || fact.default == Some(value)
}

fn advice(fact: &KeyFact, value: &str) -> String {
    const MANY: usize = 12;
    let allowed = || fact.allowed.iter().copied();
    if let Some(same) = allowed().find(|one| one.eq_ignore_ascii_case(value)) {
        return format!("Case matters: write `{same}`.");
    }
    let near = hint::nearest(value, allowed())
        .map(|near| format!("Did you mean `{near}`? "))
        .unwrap_or_default();
    match fact.allowed.len().saturating_sub(MANY) {
        0 => format!("{near}It can be {}.", listed(allowed())),
        more => format!(
            "{near}It can be {}, or one of {more} others.",
            listed(allowed().take(MANY))
        ),
    }
}
