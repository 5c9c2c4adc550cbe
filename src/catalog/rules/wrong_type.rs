//! `wrong-type`: a value that is not of its key's type.

use super::{Rule, is_template};
use crate::{
    catalog::{
        facts::{KeyFact, ValueType},
        file::ValueKind,
        lint::{Report, Subject, quoted},
        secret::is_mask,
    },
    diag::Severity,
};

pub(super) const RULE: Rule = Rule {
    id: "wrong-type",
    severity: Severity::Error,
    summary: "a value that is not of its key's type",
    explanation: "Everything is text on the wire, but the service reads numbers and truth values out of it.",
    on_self_managed: false,
    check,
};

fn check(subject: &Subject<'_>, report: &mut Report<'_>) {
    for entry in subject.entries() {
        let Some(fact) = subject.fact(&entry.key) else { continue };
        // Other rules speak about masks, about what is no text, and about the number of tasks.
        let judged_elsewhere = is_mask(&entry.value) || fact.name == "tasks.max";
        let no_text = matches!(entry.kind, ValueKind::Null | ValueKind::Array | ValueKind::Object);
        if judged_elsewhere || no_text || is_template(&entry.value) || fits(fact, &entry.value) {
            continue;
        }
        let message = format!(
            "`{}` is {}, not {}",
            entry.key,
            quoted(&entry.value),
            fact.value_type.noun()
        );
        let fix = match fact.default {
            Some(default) => format!("Write {}; the default is {}.", fact.value_type.noun(), quoted(default)),
            None => format!("Write {}.", fact.value_type.noun()),
        };
        report.error(&entry.value_span, message, fix);
    }
}

fn fits(fact: &KeyFact, value: &str) -> bool {
    let trimmed = value.trim();
    // An empty optional value is as good as none.
    if trimmed.is_empty() && !fact.required {
        return true;
    }
    match fact.value_type {
        ValueType::String | ValueType::Password | ValueType::List => true,
        // Kafka's `ConfigDef.parseType` takes either case.
        ValueType::Boolean => ["true", "false"].iter().any(|word| trimmed.eq_ignore_ascii_case(word)),
        ValueType::Int => trimmed.parse::<i32>().is_ok(),
        ValueType::Long => trimmed.parse::<i64>().is_ok(),
        ValueType::Short => trimmed.parse::<i16>().is_ok(),
        ValueType::Double => trimmed.parse::<f64>().is_ok(),
    }
}
