//! What commands show of a connector: its cause of failure, its running tasks, and its values without secrets.

use crate::{
    catalog::{
        catalog,
        rules::credential_in_value::contains_credential,
        secret::{Secrecy, secrecy},
    },
    redact::is_secret_name,
    resources::connector::{self, FailureCause, LiveConnector, is_mask},
};

/// What the service shows instead of a secret.
const MASK: &str = "****************";

/// The trace of a connector that has one.
pub fn error_trace(observed: &LiveConnector) -> Option<String> {
    let trace = &observed.expanded.status.connector.trace;
    (!trace.is_empty()).then(|| trace.clone())
}

/// How many of its tasks run.
pub fn running_tasks(observed: &LiveConnector) -> usize {
    let tasks = observed.expanded.status.tasks.iter();
    tasks.filter(|task| task.state == "RUNNING").count()
}

/// A value of a connector of plugin `class` that may be shown. The service masks what it calls secret; by our facts and
/// by its name a key can be secret for us, too, and a credential can stand inside any value
/// (docs/reference/connect.md#secrets-and-masks and docs/reference/connect.md#plugin-definitions).
pub fn redact_value(class: &str, key: &str, value: &str) -> String {
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
pub fn visible_cause(observed: &LiveConnector) -> Option<FailureCause> {
    let cause = connector::find_cause(&observed.expanded.status);
    let troubled = matches!(observed.state(), "FAILED" | "DEGRADED") || !cause.validation_errors.is_empty();
    (troubled && cause != FailureCause::default()).then_some(cause)
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
