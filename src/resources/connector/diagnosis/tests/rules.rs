//! Tests of each rule.

use std::collections::BTreeSet;

use super::{super::*, messages::matching_rule_of};

#[test]
fn every_rule_is_complete_and_matches_its_example() {
    let mut ids = BTreeSet::new();
    for rule in rules() {
        let id = rule.id;
        assert!(ids.insert(id), "duplicate id {id}");
        assert!(id.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{id}");
        for sentence in [rule.cause, rule.fix] {
            assert!(
                sentence.ends_with('.') && sentence.starts_with(char::is_uppercase),
                "{id}: {sentence}"
            );
        }
        for step in rule.next_steps {
            // A colon and the command follow the text.
            assert_eq!(step.text.ends_with('.'), step.command.is_none(), "{id}: {}", step.text);
        }
        assert!(!rule.example.is_empty() && !rule.source.is_empty(), "{id}");
        match rule.patterns {
            [] => assert!(
                [&NO_RECORDS, &PROVISIONING, &PROVISIONING_STUCK, &UNKNOWN]
                    .iter()
                    .any(|known| known.id == id),
                "{id}"
            ),
            _ => assert_eq!(matching_rule_of(rule.example), id, "{}", rule.example),
        }
    }
    assert!(ids.len() >= 32, "{}", ids.len());
}
