//! A connector that runs and moves nothing: what its configuration says about it
//! (docs/reference/connect.md#error-messages, pattern 32).

use std::collections::BTreeMap;

/// Where records can have gone without a failure, and why none may come, one sentence each.
#[must_use]
pub fn explain_no_records(id: &str, is_sink: bool, config: &BTreeMap<String, String>) -> Vec<String> {
    let value = |key: &str| {
        config
            .get(key)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    };
    let mut reasons = Vec::new();
    if let Some(how) = value("behavior.on.error").filter(|how| !how.eq_ignore_ascii_case("fail")) {
        reasons.push(format!(
            "behavior.on.error is \"{how}\": what the other system refuses is passed over, and the connector goes on."
        ));
    }
    // Sinks tolerate errors unless told otherwise, sources do not
    // (docs/reference/connect.md#common-configuration-keys).
    let tolerates = value("errors.tolerance").map_or(is_sink, |tolerance| tolerance == "all");
    if tolerates && is_sink {
        let queue = value("errors.deadletterqueue.topic.name").unwrap_or("dlq-${connector}");
        reasons.push(format!(
            "errors.tolerance is \"all\": records that cannot be read go to the topic {}.",
            queue.replace("${connector}", id)
        ));
    } else if tolerates {
        reasons.push("errors.tolerance is \"all\": records that cannot be written are lost without a word.".to_owned());
    }
    if let Some(regex) = value("topics.regex") {
        reasons.push(format!(
            "topics.regex is \"{regex}\": a topic that it does not match is not read."
        ));
    } else if let Some(topics) = value("topics") {
        reasons.push(format!("It reads {topics}: no record may have come since it began."));
    }
    for key in ["table.include.list", "table.whitelist", "table.inclusion.regex"] {
        if let Some(tables) = value(key) {
            reasons.push(format!("{key} is \"{tables}\": other tables are not read."));
        }
    }
    reasons
}
