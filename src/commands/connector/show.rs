//! What several commands show of a connector.

use serde::Serialize;

use crate::{
    catalog::{
        catalog,
        rules::credential_in_value::contains_credential,
        secret::{Secrecy, secrecy},
    },
    hint::connector_arg,
    redact::is_secret_name,
    render::{Block, ChangeMark, DiffEntry, Style, TextLine},
    resources::connector::{self, FailureCause, FieldDiff, LiveConnector, is_mask},
};

/// What the service shows instead of a secret.
const MASK: &str = "****************";

/// The trace of a connector that has one.
pub(super) fn error_trace(observed: &LiveConnector) -> Option<String> {
    let trace = &observed.expanded.status.connector.trace;
    (!trace.is_empty()).then(|| trace.clone())
}

/// How many of its tasks run.
pub(super) fn running_tasks(observed: &LiveConnector) -> usize {
    let tasks = observed.expanded.status.tasks.iter();
    tasks.filter(|task| task.state == "RUNNING").count()
}

/// `1 of 2 run`; the second number is what may run.
pub(super) fn tasks_text(running: usize, most: Option<u32>) -> String {
    match most {
        Some(most) => format!("{running} of {most} run"),
        None => format!("{running} run"),
    }
}

/// A value of a connector of plugin `class` that may be shown. The service masks what it calls secret; by our facts and
/// by its name a key can be secret for us, too, and a credential can stand inside any value
/// (docs/reference/connect.md#secrets-and-masks and docs/reference/connect.md#plugin-definitions).
pub(super) fn redact_value(class: &str, key: &str, value: &str) -> String {
    let facts = catalog();
    let plugin = facts.plugin(class);
    let by_type = match plugin.and_then(|plugin| plugin.key(key)) {
        Some(_) => matches!(secrecy(facts, plugin, key), Secrecy::Secret),
        None => is_secret_name(key),
    };
    match (by_type || contains_credential(value)) && !is_mask(value) {
        true => MASK.to_owned(),
        false => value.to_owned(),
    }
}

/// Why a connector does not run, when it does not.
pub(super) fn visible_cause(observed: &LiveConnector) -> Option<FailureCause> {
    let cause = connector::find_cause(&observed.expanded.status);
    let troubled = matches!(observed.state(), "FAILED" | "DEGRADED") || !cause.validation_errors.is_empty();
    (troubled && cause != FailureCause::default()).then_some(cause)
}

/// The cause of a connector in sentences, and what helps.
pub(super) fn cause_lines(id: &str, name: &str, cause: &FailureCause) -> Block {
    let mut lines = Vec::new();
    for error in &cause.validation_errors {
        let line = match &error.configs[..] {
            [] => TextLine::from(error.message.as_str()),
            keys => TextLine::new()
                .with_styled_text(Style::Error, keys.join(", "))
                .with_text(format!(": {}", error.message)),
        };
        lines.push(line.with_hanging_indent(2));
    }
    for message in &cause.messages {
        // The trace of a refused configuration repeats what was said key by key, after a sentence that is about updates and
        // is said of new connectors, too.
        let said = !cause.validation_errors.is_empty();
        if said && message.contains("Errors:") {
            continue;
        }
        let text = message.lines().map(str::trim_end).filter(|line| !line.is_empty());
        lines.extend(text.map(|line| TextLine::from(line).with_hanging_indent(2)));
    }
    lines.extend(match (cause.rule, cause.owner) {
        (Some(rule), _) => Some(
            TextLine::from(format!(
                "This is for {} to fix. {}",
                rule.owner.display_name(),
                rule.fix
            ))
            .with_hanging_indent(2),
        ),
        (None, Some("department")) => Some(TextLine::from("This is the department's to fix.")),
        (None, Some(_)) => Some(TextLine::from(
            "This is not the department's to fix: tell the platform team.",
        )),
        (None, None) => None,
    });
    lines.push(
        TextLine::from("What to do, in order: ")
            .with_styled_text(
                Style::Hint,
                format!("confluent ebs connector explain {}", connector_arg(id, name)),
            )
            .with_hanging_indent(2),
    );
    Block::Lines(lines)
}

/// A change of a connector's configuration, key by key.
pub(super) fn config_diff(name: &str, mark: ChangeMark, fields: &[FieldDiff]) -> Block {
    let mut change = DiffEntry::new(mark, ["connector", name]);
    for field in fields {
        change = match field.secret {
            Some(secret) => change.field(field.config.clone(), "", format!("(secret: {})", secret.as_str())),
            None => change.field(
                field.config.clone(),
                field.old.clone().unwrap_or_default(),
                field.new.clone().unwrap_or_default(),
            ),
        };
    }
    Block::Diff(vec![change])
}

/// A key that was filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct AddedDefault {
    /// The key.
    pub(super) config: String,
    /// Its value; never a secret.
    pub(super) value: String,
    /// Why.
    pub(super) why: &'static str,
}

/// The keys that were filled in, as lines of a diff.
pub(super) fn added_defaults(added: &[AddedDefault]) -> Block {
    let changes = added.iter().map(|line| {
        DiffEntry::new(ChangeMark::Add, [format!("\"{}\": \"{}\"", line.config, line.value)]).with_reason(line.why)
    });
    Block::Diff(changes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_possible_secret_is_redacted_even_if_the_service_did_not_mask_it() {
        let shown = |class: &str, key: &str, text: &str| redact_value(class, key, text);
        for (class, key, text) in [
            // By type, although the name says nothing; by name, where the type is not known; by what it holds.
            ("SplunkSink", "splunk.hec.token", "canary"),
            ("Neo4jSink", "neo4j.authentication.basic.password", "canary"),
            ("HttpSink", "http.api.url", "https://reader:canary@example.com"),
            ("HttpSink", "headers", "Authorization: Bearer canary"),
        ] {
            assert_eq!(shown(class, key, text), MASK, "{key}");
        }
        // The type decides against the name.
        let url = "https://example.com/token";
        assert_eq!(shown("HttpSink", "oauth2.token.url", url), url);
        assert_eq!(shown("S3_SINK", "aws.secret.access.key", "****"), "****");
        assert_eq!(shown("S3_SINK", "topics", "claims-orders"), "claims-orders");
    }
}
