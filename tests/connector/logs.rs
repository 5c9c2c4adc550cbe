//! `connector logs`, as a department reads what its connectors wrote.

use super::{deployer, json, onboarded, operator, said};

const ORDERS: &str = r#"{"name": "claims-orders", "connector.class": "DatagenSource",
    "kafka.topic": "claims-orders", "quickstart": "ORDERS", "output.data.format": "JSON"}"#;

#[test]
fn lines_are_read_by_name_newest_last() {
    let world = onboarded();
    world.write("orders.json", ORDERS);
    let seen = deployer(&world, "connector create --config-file orders.json");
    assert_eq!(seen.code, Some(0), "{seen}");
    let lines = json(&operator(&world, "connector logs claims-orders --since 2h -o json"));
    let lines = lines.as_array().unwrap();
    assert!(lines.len() > 1, "{lines:?}");
    assert!(
        lines.is_sorted_by_key(|line| line["timestamp"].as_str().unwrap()),
        "{lines:?}"
    );
    let last = json(&operator(
        &world,
        "connector logs claims-orders --since 2h --limit 1 -o json",
    ));
    assert_eq!(last.as_array().unwrap()[..], lines[lines.len() - 1..], "{lines:?}");
    let seen = operator(&world, "connector logs claims-orders --since 2h --level ERROR -o json");
    assert_eq!(json(&seen), serde_json::json!([]), "{seen}");
}

#[test]
fn what_cannot_be_read_is_refused_in_words() {
    let world = onboarded();
    let seen = operator(&world, "connector logs fraud-orders");
    assert_eq!(seen.code, Some(5), "{seen}");
    assert!(said(&seen).contains("belongs to somebody else"), "{seen}");
    let seen = operator(&world, "connector logs claims-orders --level LOUD");
    assert_eq!(seen.code, Some(64), "{seen}");
}

#[test]
fn a_department_without_connectors_is_told_so() {
    let world = onboarded();
    let seen = operator(&world, "connector logs --all");
    assert_eq!((seen.code, seen.stdout.as_str()), (Some(0), "None found.\n"), "{seen}");
}
