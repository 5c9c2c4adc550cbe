//! Displayable facts about a connector: cause of a failure and redacted values.

use crate::{
    catalog::{
        catalog,
        rules::credential_in_value::contains_credential,
        secret::{Secrecy, is_secret_name, secrecy},
    },
    redact::TextRedactor,
    resources::connector::{
        FailureCause, LiveConnector,
        diagnosis::{ConnectorHealth, health},
        find_cause, is_mask,
    },
};

/// Mask of Confluent Cloud for a secret.
const MASK: &str = "****************";

/// Returns the trace of a failed connector.
pub fn error_trace(observed: &LiveConnector) -> Option<String> {
    let trace = &observed.expanded.status.connector.trace;
    (!trace.is_empty()).then(|| redact_message(observed, trace))
}

/// Returns a message of a connector without credentials: the plugin can repeat them.
pub fn redact_message(observed: &LiveConnector, message: &str) -> String {
    TextRedactor::for_plugin(observed.class()).redact(message).into_owned()
}

/// Redacts a configuration value of a connector. Confluent Cloud masks its own secret keys only; a key can also be
/// secret by our plugin catalog or by its name, and any value can contain a credential
/// (docs/reference/connect.md#secrets-and-masks and docs/reference/connect.md#plugin-definitions).
pub fn redact_value(class: &str, key: &str, value: &str) -> String {
    let facts = catalog();
    let plugin = facts.plugin(class);
    let by_type = match plugin.and_then(|plugin| plugin.key(key)) {
        Some(_) => matches!(secrecy(facts, plugin, key), Secrecy::Secret),
        None => is_secret_name(key),
    };
    if (by_type || contains_credential(value)) && !is_mask(value) {
        MASK.to_owned()
    } else {
        value.to_owned()
    }
}

/// Returns the cause of an unhealthy connector.
pub fn visible_cause(observed: &LiveConnector) -> Option<FailureCause> {
    let status = &observed.expanded.status;
    let cause = (health(status) == ConnectorHealth::Unhealthy).then(|| find_cause(status));
    cause.filter(|cause| *cause != FailureCause::default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::connector::diagnosis::FaultOwner;

    // The state of a connector can lag behind the states of its tasks.
    #[test]
    fn a_failed_task_is_the_cause_although_the_connector_runs() {
        let cause = |connector: &str, task: &str| {
            let status = json!({
                "connector": { "state": connector },
                "tasks": [{ "id": 0, "state": "RUNNING" }, { "id": 1, "state": task, "msg": "it did not work" }],
            });
            visible_cause(&LiveConnector {
                name: "claims-a".to_owned(),
                expanded: serde_json::from_value(json!({ "status": status })).unwrap(),
            })
        };
        for state in ["RUNNING", "DEGRADED", "FAILED", "RESTARTING"] {
            let cause = cause(state, "SYSTEM_ERROR").unwrap();
            assert_eq!(
                (cause.summary().as_str(), cause.owner),
                ("it did not work", Some(FaultOwner::Platform)),
                "{state}"
            );
        }
        assert_eq!(cause("RUNNING", "RUNNING"), None);
    }

    #[test]
    fn a_possible_secret_is_redacted_even_if_the_service_did_not_mask_it() {
        let shown = |class: &str, key: &str, text: &str| redact_value(class, key, text);
        for (class, key, text) in [
            // Secret by type, by name if the type is unknown, and by content.
            ("SplunkSink", "splunk.hec.token", "canary"),
            ("Neo4jSink", "neo4j.authentication.basic.password", "canary"),
            ("HttpSink", "http.api.url", "https://reader:canary@example.com"),
            ("HttpSink", "headers", "Authorization: Bearer canary"),
        ] {
            assert_eq!(shown(class, key, text), MASK, "{key}");
        }
        // The type takes precedence over the name.
        let url = "https://example.com/token";
        assert_eq!(shown("HttpSink", "oauth2.token.url", url), url);
        assert_eq!(shown("S3_SINK", "aws.secret.access.key", "****"), "****");
        assert_eq!(shown("S3_SINK", "topics", "claims-orders"), "claims-orders");
    }
}
