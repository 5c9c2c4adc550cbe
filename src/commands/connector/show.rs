//! What several commands show of a connector.

use serde::Serialize;

use crate::{
    catalog::{
        catalog,
        rules::credential_in_value::holds_credential,
        secret::{Secrecy, secrecy},
    },
    client::redact::is_secret_name,
    hint::typed,
    render::{Block, Change, Line, Mark, Style},
    resources::connector::{Cause, FieldDiff, Seen, cause, is_mask},
};

/// What the service shows instead of a secret.
const MASK: &str = "****************";

/// The trace of a connector that has one.
pub(super) fn trace(seen: &Seen) -> Option<String> {
    let trace = &seen.now.status.connector.trace;
    (!trace.is_empty()).then(|| trace.clone())
}

/// How many of its tasks run.
pub(super) fn running(seen: &Seen) -> usize {
    let tasks = seen.now.status.tasks.iter();
    tasks.filter(|task| task.state == "RUNNING").count()
}

/// `1 of 2 run`; the second number is what may run.
pub(super) fn tasks(running: usize, most: Option<u32>) -> String {
    match most {
        Some(most) => format!("{running} of {most} run"),
        None => format!("{running} run"),
    }
}

/// A value of a connector of plugin `class` that may be shown. The service masks what it calls secret; by our facts and by
/// its name a key can be secret for us, too, and a credential can stand inside any value (dossier `connect.md` §4.3, §5).
pub(super) fn value(class: &str, key: &str, value: &str) -> String {
    let facts = catalog();
    let plugin = facts.plugin(class);
    let by_type = match plugin.and_then(|plugin| plugin.key(key)) {
        Some(_) => matches!(secrecy(facts, plugin, key), Secrecy::Secret),
        None => is_secret_name(key),
    };
    match (by_type || holds_credential(value)) && !is_mask(value) {
        true => MASK.to_owned(),
        false => value.to_owned(),
    }
}

/// Why a connector does not run, when it does not.
pub(super) fn why(seen: &Seen) -> Option<Cause> {
    let cause = cause(&seen.now.status);
    let troubled = matches!(seen.state(), "FAILED" | "DEGRADED") || !cause.validation_errors.is_empty();
    (troubled && cause != Cause::default()).then_some(cause)
}

/// The cause of a connector in sentences, and what helps.
pub(super) fn cause_lines(id: &str, name: &str, cause: &Cause) -> Block {
    let mut lines = Vec::new();
    for error in &cause.validation_errors {
        let line = match &error.configs[..] {
            [] => Line::from(error.message.as_str()),
            keys => Line::new()
                .styled(Style::Error, keys.join(", "))
                .then(format!(": {}", error.message)),
        };
        lines.push(line.hang(2));
    }
    for message in &cause.messages {
        // The trace of a refused configuration repeats what was said key by key, after a sentence that is about updates and
        // is said of new connectors, too.
        let said = !cause.validation_errors.is_empty();
        if said && message.contains("Errors:") {
            continue;
        }
        let text = message.lines().map(str::trim_end).filter(|line| !line.is_empty());
        lines.extend(text.map(|line| Line::from(line).hang(2)));
    }
    lines.extend(match (cause.rule, cause.owner) {
        (Some(rule), _) => Some(Line::from(format!("This is for {} to fix. {}", rule.owner.who(), rule.fix)).hang(2)),
        (None, Some("department")) => Some(Line::from("This is the department's to fix.")),
        (None, Some(_)) => Some(Line::from(
            "This is not the department's to fix: tell the platform team.",
        )),
        (None, None) => None,
    });
    lines.push(
        Line::from("What to do, in order: ")
            .styled(
                Style::Hint,
                format!("confluent ebs connector explain {}", typed(id, name)),
            )
            .hang(2),
    );
    Block::Lines(lines)
}

/// A change of a connector's configuration, key by key.
pub(super) fn diff(name: &str, mark: Mark, fields: &[FieldDiff]) -> Block {
    let mut change = Change::new(mark, ["connector", name]);
    for field in fields {
        change = match field.secret {
            Some(secret) => change.field(field.config.clone(), "", format!("(secret: {})", secret.word())),
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
pub(super) struct Added {
    /// The key.
    pub(super) config: String,
    /// Its value; never a secret.
    pub(super) value: String,
    /// Why.
    pub(super) why: &'static str,
}

/// The keys that were filled in, as lines of a diff.
pub(super) fn added(added: &[Added]) -> Block {
    let changes = added
        .iter()
        .map(|line| Change::new(Mark::Add, [format!("\"{}\": \"{}\"", line.config, line.value)]).why(line.why));
    Block::Diff(changes.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_masked_although_the_service_did_not() {
        let shown = |class: &str, key: &str, text: &str| value(class, key, text);
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
