//! Commands with injected faults: repeated 429, lost responses, a slow service.

use crate::{common::CliFixture, fixture_with_claims, normalized_stderr, parse_json, run_as_deployer, run_as_operator};

/// Commands of departments, in an order in which each succeeds.
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

/// Runs each command with `fault`; the fault must have been applied.
fn run_all_with_fault(cli: &CliFixture, fault: &str, wanted: impl Fn(&str) -> bool) {
    for (persona, args) in COMMANDS.into_iter().filter(|(_, args)| wanted(args)) {
        let added = cli.run(&format!("sandbox fault add {fault} --path /connect/**"));
        assert_eq!(added.code, Some(0), "{added}");
        let output = match persona {
            "deployer" => run_as_deployer(cli, args),
            _ => run_as_operator(cli, args),
        };
        assert_eq!(output.code, Some(0), "{args}: {output}");
        assert_eq!(
            cli.run("sandbox fault list").stdout,
            "None found.\n",
            "{args}: it did not strike"
        );
    }
    assert_eq!(run_as_operator(cli, "connector list").stdout, "None found.\n");
}

#[test]
fn every_command_retries_429_responses() {
    let cli = fixture_with_claims();
    run_all_with_fault(&cli, "too-many-requests --retry-after 3 --times 3", |_| true);
}

#[test]
fn every_command_survives_failed_lost_and_slow_reads() {
    let cli = fixture_with_claims();
    for kind in ["server-error", "lost-before", "lost-after", "slow --delay 20s"] {
        // Plugins are validated with a PUT.
        let reads = |args: &str| !args.contains("validate") && !args.contains("plugin describe");
        run_all_with_fault(&cli, &format!("{kind} --method GET"), reads);
    }
}

#[test]
fn endless_429_responses_fail_the_command_without_writes() {
    let cli = fixture_with_claims();
    let storm = "sandbox fault add too-many-requests --retry-after 60 --forever --path /connect/**";
    assert_eq!(cli.run(storm).code, Some(0));
    for output in [
        run_as_operator(&cli, "connector list"),
        run_as_deployer(&cli, "connector create --config-file orders.json"),
    ] {
        assert_eq!(output.code, Some(1), "{output}");
        assert!(normalized_stderr(&output).contains("429"), "{output}");
    }
    assert_eq!(cli.run("sandbox fault clear").stdout, "Cleared 1 fault.\n");
    assert_eq!(run_as_operator(&cli, "connector list").stdout, "None found.\n");
}

// Lost responses create no duplicates, and created objects are found again.
#[test]
fn create_continues_to_wait_after_a_lost_response() {
    let cli = fixture_with_claims();
    let lost = "sandbox fault add lost-after --method POST --path /connect/**";
    assert_eq!(cli.run(lost).code, Some(0));
    let output = run_as_deployer(&cli, "connector create --config-file orders.json -o json");
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(parse_json(&output)["status"], "RUNNING");
    let list = parse_json(&run_as_operator(&cli, "connector list -o json"));
    assert_eq!(list.as_array().unwrap().len(), 1, "{list}");

    // A restart is never retried: its result is unknown, and the command says so.
    let lost = "sandbox fault add lost-after --method POST --path /connect/**/restart";
    assert_eq!(cli.run(lost).code, Some(0));
    let output = run_as_operator(&cli, "connector restart claims-orders");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(
        normalized_stderr(&output).contains("unknown whether the request to restart connector"),
        "{output}"
    );
}

#[test]
fn a_flapping_connector_is_reported_in_its_current_state() {
    let cli = fixture_with_claims();
    let created = run_as_deployer(&cli, "connector create --config-file orders.json");
    assert_eq!(created.code, Some(0), "{created}");
    assert_eq!(cli.run("sandbox fault connector claims-orders flapping").code, Some(0));
    let mut states = Vec::new();
    for _ in 0..8 {
        let described = parse_json(&run_as_operator(&cli, "connector describe claims-orders -o json"));
        let (state, cause) = (
            described["connector"]["status"].clone(),
            described.get("cause").is_some(),
        );
        assert_eq!(state == "FAILED", cause, "{described}");
        states.push(state.as_str().unwrap().to_owned());
        assert_eq!(cli.run("sandbox clock advance 20s").code, Some(0));
    }
    assert!(
        states.contains(&"RUNNING".to_owned()) && states.contains(&"FAILED".to_owned()),
        "{states:?}"
    );
    let waited = run_as_operator(&cli, "connector wait claims-orders");
    assert_eq!(waited.code, Some(0), "the service recovers it: {waited}");
}
