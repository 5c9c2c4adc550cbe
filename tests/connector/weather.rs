//! Commands in bad weather: storms of 429, lost answers, a service that takes its time.

use crate::{common::World, deployer, json, onboarded, operator, said};

/// What departments type, in an order in which each works.
const COMMANDS: [(&str, &str); 17] = [
    ("deployer", "connector validate --config-file orders.json"),
    ("deployer", "connector create --config-file orders.json"),
    ("operator", "connector list"),
    ("operator", "connector describe claims-orders"),
    ("operator", "connector wait claims-orders"),
    ("operator", "connector plugin list"),
    ("operator", "connector plugin describe DatagenSource"),
    ("deployer", "connector update claims-orders --config tasks.max=2"),
    ("operator", "connector pause claims-orders"),
    ("operator", "connector wait claims-orders --paused"),
    ("operator", "connector resume claims-orders"),
    ("operator", "connector restart claims-orders"),
    ("operator", "connector offset describe claims-orders"),
    ("deployer", "connector offset delete claims-orders --force"),
    ("operator", "connector offset status describe claims-orders"),
    ("operator", "quota describe"),
    ("deployer", "connector delete claims-orders --force"),
];

/// Runs commands with `fault` waiting for each; the fault must have struck.
fn all_with(world: &World, fault: &str, wanted: impl Fn(&str) -> bool) {
    for (persona, args) in COMMANDS.into_iter().filter(|(_, args)| wanted(args)) {
        let added = world.ebs(&format!("sandbox fault add {fault} --path /connect/**"));
        assert_eq!(added.code, Some(0), "{added}");
        let seen = match persona {
            "deployer" => deployer(world, args),
            _ => operator(world, args),
        };
        assert_eq!(seen.code, Some(0), "{args}: {seen}");
        assert_eq!(
            world.ebs("sandbox fault list").stdout,
            "None found.\n",
            "{args}: it did not strike"
        );
    }
    assert_eq!(operator(world, "connector list").stdout, "None found.\n");
}

#[test]
fn every_command_waits_a_storm_out() {
    let world = onboarded();
    all_with(&world, "too-many-requests --retry-after 3 --times 3", |_| true);
}

#[test]
fn every_command_survives_a_read_that_fails_and_one_that_is_lost() {
    let world = onboarded();
    for kind in ["server-error", "lost-before", "lost-after", "slow --delay 20s"] {
        // Plugins are asked with a PUT.
        let reads = |args: &str| !args.contains("validate") && !args.contains("plugin describe");
        all_with(&world, &format!("{kind} --method GET"), reads);
    }
}

#[test]
fn a_storm_that_does_not_end_is_told_and_nothing_is_written() {
    let world = onboarded();
    let storm = "sandbox fault add too-many-requests --retry-after 60 --forever --path /connect/**";
    assert_eq!(world.ebs(storm).code, Some(0));
    for seen in [
        operator(&world, "connector list"),
        deployer(&world, "connector create --config-file orders.json"),
    ] {
        assert_eq!(seen.code, Some(1), "{seen}");
        assert!(said(&seen).contains("429"), "{seen}");
    }
    assert_eq!(world.ebs("sandbox fault clear").stdout, "Cleared 1 fault.\n");
    assert_eq!(operator(&world, "connector list").stdout, "None found.\n");
}

// Nothing is made twice, whatever happens to the answer; and what was made is found again.
#[test]
fn a_create_whose_answer_is_lost_goes_on_to_the_wait() {
    let world = onboarded();
    let lost = "sandbox fault add lost-after --method POST --path /connect/**";
    assert_eq!(world.ebs(lost).code, Some(0));
    let seen = deployer(&world, "connector create --config-file orders.json -o json");
    assert_eq!(seen.code, Some(0), "{seen}");
    assert_eq!(json(&seen)["status"], "RUNNING");
    let list = json(&operator(&world, "connector list -o json"));
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");

    // A restart is never sent twice: it is not known whether it worked, and that is said.
    let lost = "sandbox fault add lost-after --method POST --path /connect/**/restart";
    assert_eq!(world.ebs(lost).code, Some(0));
    let seen = operator(&world, "connector restart claims-orders");
    assert_eq!(seen.code, Some(1), "{seen}");
    assert!(
        said(&seen).contains("it is not known whether it worked to restart connector"),
        "{seen}"
    );
}

#[test]
fn a_connector_that_flaps_is_told_as_it_is() {
    let world = onboarded();
    let created = deployer(&world, "connector create --config-file orders.json");
    assert_eq!(created.code, Some(0), "{created}");
    assert_eq!(
        world.ebs("sandbox fault connector claims-orders flapping").code,
        Some(0)
    );
    let mut states = Vec::new();
    for _ in 0..8 {
        let described = json(&operator(&world, "connector describe claims-orders -o json"));
        let (state, cause) = (
            described["connector"]["status"].clone(),
            described.get("cause").is_some(),
        );
        assert_eq!(state == "FAILED", cause, "{described}");
        states.push(state.as_str().unwrap().to_owned());
        assert_eq!(world.ebs("sandbox clock advance 20s").code, Some(0));
    }
    assert!(
        states.contains(&"RUNNING".to_owned()) && states.contains(&"FAILED".to_owned()),
        "{states:?}"
    );
    let waited = operator(&world, "connector wait claims-orders");
    assert_eq!(waited.code, Some(0), "the service repairs it by itself: {waited}");
}
