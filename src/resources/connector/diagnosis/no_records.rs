//! Reasons in the configuration why a running connector moves no records (docs/reference/connect.md#error-messages,
//! pattern 32).

use std::collections::BTreeMap;

/// Explains where records may have been lost without a failure and why there may be none, one sentence each.
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
            "`behavior.on.error` is `{how}`: records that the external system rejects are skipped."
        ));
    }
    // Sinks tolerate errors by default, sources do not (docs/reference/connect.md#common-configuration-keys).
    let tolerates = value("errors.tolerance").map_or(is_sink, |tolerance| tolerance == "all");
    if tolerates && is_sink {
        let queue = value("errors.deadletterqueue.topic.name").unwrap_or("dlq-${connector}");
        reasons.push(format!(
            "`errors.tolerance` is `all`: records that cannot be read go to the topic `{}`.",
            queue.replace("${connector}", id)
        ));
    } else if tolerates {
        reasons.push("`errors.tolerance` is `all`: records that cannot be written are dropped silently.".to_owned());
    }
    if let Some(regex) = value("topics.regex") {
        reasons.push(format!("`topics.regex` is `{regex}`: other topics are not read."));
    } else if let Some(topics) = value("topics") {
        reasons.push(format!(
            "It reads `{topics}`: there may have been no new records since it started."
        ));
    }
    for key in ["table.include.list", "table.whitelist", "table.inclusion.regex"] {
        if let Some(tables) = value(key) {
            reasons.push(format!("`{key}` is `{tables}`: other tables are not read."));
        }
    }
    reasons
}
