//! Rule `dead-letter-loop`: the connector reads its own dead letter topic.

use regex_automata::meta::Regex;

use crate::{
    catalog::{
        rule::{LintInput, LintRule, RuleFindings, quote},
        topics::report_topic,
    },
    diag::Severity,
};

pub(super) const RULE: LintRule = LintRule {
    id: "dead-letter-loop",
    severity: Severity::Error,
    summary: "the dead letter topic is one of the topics that the connector reads",
    explanation: "The connector would read every failed record again, and fail again. The service rejects it \
                  (docs.confluent.io/cloud/current/connectors/limits.html).",
    applies_to_self_managed: false,
    check,
};

const DEAD_LETTERS: &str = "errors.deadletterqueue.topic.name";

fn check(input: &LintInput<'_>, findings: &mut RuleFindings<'_>) {
    let given = input.entry_for(DEAD_LETTERS);
    let named = given.filter(|dead| !dead.value.trim().is_empty());
    let read = input.value_for("topics").unwrap_or_default();
    if let Some(dead) = named
        && read.split(',').any(|topic| topic.trim() == dead.value.trim())
    {
        let message = format!("the dead letter topic {} is also one of `topics`", quote(&dead.value));
        findings.error(&dead.value_span, message, "Use a separate topic for dead letters.");
    }
    let Some(pattern) = input
        .entry_for("topics.regex")
        .filter(|pattern| !pattern.value.is_empty())
    else {
        return;
    };
    let (topic, range, who) = match (given, default_dead_letter_topic(input)) {
        (Some(_), _) => match named {
            Some(dead) => (dead.value.clone(), &dead.value_span, ""),
            None => return,
        },
        (None, Some((topic, who))) => (topic, &pattern.value_span, who),
        (None, None) => return,
    };
    // The service replaces the template by an id.
    if matches(&pattern.value, &topic.trim().replace("${connector}", "lcc-abc123")) {
        let message = format!(
            "`topics.regex` also matches the dead letter topic {}{who}",
            quote(&topic)
        );
        findings.error(
            range,
            message,
            "Narrow the pattern so that it does not match the dead letter topic.",
        );
    }
}

/// Returns the default dead letter topic, and which component sets it.
fn default_dead_letter_topic(input: &LintInput<'_>) -> Option<(String, &'static str)> {
    let fact = input.plugin?.keys.get(DEAD_LETTERS)?;
    match (input.options.department, input.file.connector_name()) {
        (Some(department), Some(name)) => {
            let topic = report_topic(Some(department.prefix), &name.value, "dlq");
            Some((topic, ", which `create` sets"))
        }
        _ => Some((fact.default?.to_owned(), ", the default of the service")),
    }
}

/// Returns whether a pattern matches a whole name, as in Kafka. A pattern that is valid only in Java does not match.
fn matches(pattern: &str, name: &str) -> bool {
    Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|regex| regex.is_match(name))
}
