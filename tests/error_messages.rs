//! Error messages of connectors, collected from public pages, with the owner and the family that a person gave them before
//! the rules were tried.
//!
//! `fixtures/error_messages.tsv`: plugin, owners, families, source, message (at most 300 characters; hosts, names and ids
//! replaced). Several owners or families are separated by commas: each of them is right.

use std::collections::BTreeSet;

use confluent_ebs::resources::connector::diagnosis::diagnose_message;

const MESSAGES: &str = include_str!("fixtures/error_messages.tsv");

/// Messages that the rules still judge wrongly, and why.
const STILL_WRONG: &[(&str, &str)] = &[
    (
        "The index 'claims' for service 'claims' was not found. (404)",
        "does not name the product",
    ),
    (
        "IllegalArgumentException: Number of groups must be positive.",
        "no word about its subject",
    ),
    (
        "{\"error_code\":500,\"message\":\"Request timed out. The worker is currently ensuring membership in the cluster\"}",
        "a timeout of the worker reads like one of the network",
    ),
    (
        "Scheduler for MirrorSourceConnector caught exception in scheduled task: syncing topic ACLs",
        "no word about the refusal",
    ),
    (
        "HTTP 401: Basic auth with password is not allowed on this instance",
        "does not say who answered",
    ),
    (
        "{\"status\":\"error\",\"code\":403,\"errors\":[\"Forbidden\"]}",
        "does not say who answered",
    ),
    ("{\"errors\":[\"Invalid API key\"]}", "does not say who answered"),
    (
        "IllegalStateException: Policy failed for response code: 403",
        "does not say who answered",
    ),
];

#[test]
fn collected_messages_get_their_owner_and_family() {
    let (mut wrong, mut right_after_all, mut plugins) = (Vec::new(), Vec::new(), BTreeSet::new());
    for line in MESSAGES.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [plugin, owners, families, source, message] = columns[..] else {
            panic!("not five columns: {line}");
        };
        assert!(
            source.starts_with("https://") && message.chars().count() <= 300,
            "{line}"
        );
        plugins.insert(plugin);
        let found = diagnose_message(message);
        let is_right = owners.split(',').any(|owner| owner == found.owner.as_str())
            && families.split(',').any(|family| family == found.rule.family.as_str());
        match (is_right, STILL_WRONG.iter().any(|(known, _)| *known == message)) {
            (false, false) => wrong.push(format!(
                "{owners} {families}, got {} {} {}: {message}",
                found.owner,
                found.rule.family.as_str(),
                found.rule.id
            )),
            (true, true) => right_after_all.push(message),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{} messages:\n{}", wrong.len(), wrong.join("\n"));
    assert!(
        right_after_all.is_empty(),
        "delete from STILL_WRONG: {right_after_all:#?}"
    );
    assert!(MESSAGES.lines().count() >= 300 && plugins.len() >= 40);
}
