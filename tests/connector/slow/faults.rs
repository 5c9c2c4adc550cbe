//! Commands with injected faults: repeated 429, lost responses, a slow service.

use crate::{
    cli_with_claims,
    common::{Cli, JsonAccess as _},
};

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
fn run_all_with_fault(cli: &Cli, fault: &str, wanted: impl Fn(&str) -> bool) {
    for (persona, args) in COMMANDS.into_iter().filter(|(_, args)| wanted(args)) {
        cli.run(&format!("sandbox fault add {fault} --path /connect/**"))
            .expect_success();
        match persona {
            "deployer" => cli.run_as("claims-deployer", args),
            _ => cli.run_as("claims-operator", args),
        }
        .expect_success();
        assert_eq!(
            cli.run("sandbox fault list").stdout,
            "None found.\n",
            "{args}: it did not strike"
        );
    }
    assert_eq!(cli.run_as("claims-operator", "connector list").stdout, "None found.\n");
}

#[test]
fn every_command_retries_429_responses() {
    let cli = cli_with_claims();
    run_all_with_fault(&cli, "too-many-requests --retry-after 3 --times 3", |_| true);
}

#[test]
fn every_command_survives_failed_lost_and_slow_reads() {
    let cli = cli_with_claims();
    for kind in ["server-error", "lost-before", "lost-after", "slow --delay 20s"] {
        // Plugins are validated with a PUT.
        let reads = |args: &str| !args.contains("validate") && !args.contains("plugin describe");
        run_all_with_fault(&cli, &format!("{kind} --method GET"), reads);
    }
}

#[test]
fn endless_429_responses_fail_the_command_without_writes() {
    let cli = cli_with_claims();
    let endless = "sandbox fault add too-many-requests --retry-after 60 --forever --path /connect/**";
    cli.run(endless).expect_success();
    for output in [
        cli.run_as("claims-operator", "connector list"),
        cli.run_as("claims-deployer", "connector create --config-file orders.json"),
    ] {
        assert_eq!(output.code, Some(1), "{output}");
        assert!(output.stderr_line().contains("429"), "{output}");
    }
    assert_eq!(cli.run("sandbox fault clear").stdout, "Cleared 1 fault.\n");
    assert_eq!(cli.run_as("claims-operator", "connector list").stdout, "None found.\n");
}

// Lost responses create no duplicates, and created objects are found again.
#[test]
fn create_continues_to_wait_after_a_lost_response() {
    let cli = cli_with_claims();
    let lost = "sandbox fault add lost-after --method POST --path /connect/**";
    cli.run(lost).expect_success();
    let output = cli
        .run_as("claims-deployer", "connector create --config-file orders.json -o json")
        .expect_success();
    assert_eq!(output.json()["status"], "RUNNING");
    let list = cli.run_as("claims-operator", "connector list -o json").json();
    assert_eq!(list.items("").len(), 1, "{list}");

    // A restart is never retried: its result is unknown, and the command says so.
    let lost = "sandbox fault add lost-after --method POST --path /connect/**/restart";
    cli.run(lost).expect_success();
    let output = cli
        .run_as("claims-operator", "connector restart claims-orders")
        .expect_code(1);
    assert!(
        output
            .stderr_line()
            .contains("unknown whether the request to restart connector"),
        "{output}"
    );
}

#[test]
fn a_flapping_connector_is_reported_in_its_current_state() {
    let cli = cli_with_claims();
    cli.run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_success();
    cli.run("sandbox fault connector claims-orders flapping")
        .expect_success();
    let mut states = Vec::new();
    for _ in 0..8 {
        let described = cli
            .run_as("claims-operator", "connector describe claims-orders -o json")
            .json();
        let (state, cause) = (
            described["connector"]["status"].clone(),
            described.get("cause").is_some(),
        );
        assert_eq!(state == "FAILED", cause, "{described}");
        states.push(state.as_str().unwrap().to_owned());
        cli.run("sandbox clock advance 20s").expect_success();
    }
    assert!(
        states.contains(&"RUNNING".to_owned()) && states.contains(&"FAILED".to_owned()),
        "{states:?}"
    );
    cli.run_as("claims-operator", "connector wait claims-orders")
        .expect_success();
}
