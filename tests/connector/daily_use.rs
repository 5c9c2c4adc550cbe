//! Waits, dry runs, topics and dead letters of existing connectors.

use serde_json::json as value;

use crate::{
    cli_with_claims,
    common::{Cli, JsonAccess as _},
};

const LAKE_FILE: &str = r#"{"name": "claims-lake", "config": {
    "connector.class": "S3_SINK", "topics": "claims-orders", "input.data.format": "JSON", "output.data.format": "JSON",
    "s3.bucket.name": "claims-lake", "time.interval": "HOURLY", "flush.size": "1000",
    "authentication.method": "IAM Roles", "provider.integration.id": "cspi-abc123"}}"#;

fn cli_with_orders() -> Cli {
    let cli = cli_with_claims();
    cli.run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_success();
    cli
}

fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_wait_says_what_it_waits_for_and_ends_if_the_connector_stays_paused() {
    let cli = cli_with_orders();
    cli.run_as("claims-operator", "connector pause claims-orders")
        .expect_success();
    let paused = cli
        .run_as("claims-operator", "connector wait claims-orders --paused")
        .expect_success();
    assert_eq!(paused.stdout, "Connector `claims-orders` is PAUSED.\n");
    let output = cli
        .run_as("claims-operator", "connector wait claims-orders --timeout 2h")
        .expect_code(1);
    assert!(
        output.stderr.contains("claims-orders: waiting for RUNNING, until "),
        "{output}"
    );
    let said = unwrapped(&output.stderr);
    assert!(said.contains("is paused, so it does not run"), "{output}");
    assert!(
        said.contains("`confluent ebs connector resume claims-orders"),
        "{output}"
    );
}

#[test]
fn pause_resume_and_restart_have_a_dry_run() {
    let cli = cli_with_orders();
    let before = cli.writes().len();
    for (command, shown) in [
        ("pause claims-*", "[DRY RUN] Paused connector \"claims-orders\".\n"),
        ("resume --all", "[DRY RUN] Resumed connector \"claims-orders\".\n"),
        (
            "restart claims-orders",
            "[DRY RUN] Restarted connector \"claims-orders\".\n",
        ),
    ] {
        let output = cli
            .run_as("claims-operator", &format!("connector {command} --dry-run"))
            .expect_success();
        assert_eq!(output.stdout, shown, "{command}");
    }
    assert_eq!(cli.writes().len(), before);
    cli.run_as("claims-operator", "connector pause claims-orders")
        .expect_success();
    cli.run_as("claims-operator", "connector wait claims-orders --paused")
        .expect_success();
    for flag in ["", "--dry-run"] {
        let refused = cli
            .run_as("claims-operator", &format!("connector restart claims-orders {flag}"))
            .expect_code(1);
        assert!(
            unwrapped(&refused.stderr).contains("Resume it with `confluent ebs connector resume claims-orders"),
            "{refused}"
        );
    }
}

#[test]
fn a_viewer_learns_which_profile_may_pause() {
    let cli = cli_with_orders();
    let denied = cli
        .run_as("claims-viewer", "connector pause claims-orders")
        .expect_code(4);
    assert!(denied.stderr_line().contains("--profile claims-operator"), "{denied}");
}

#[test]
fn topics_and_dead_letters_of_a_connector_are_shown() {
    let cli = cli_with_orders();
    cli.write("claims-lake.json", LAKE_FILE);
    let source = cli
        .run_as("claims-operator", "connector describe claims-orders -o json")
        .json();
    assert_eq!(
        source["connector"]["topics"]["writes"],
        value!(["claims-orders"]),
        "{source}"
    );
    let created = cli
        .run_as(
            "claims-deployer",
            "connector create --config-file claims-lake.json -o json",
        )
        .json();
    assert_eq!(
        (&created["topics"]["reads"], &created["topics"]["dead_letters"]),
        (&value!(["claims-orders"]), &value!(["claims-dlq-lake"])),
        "{created}"
    );

    let letters = cli
        .run_as("claims-operator", "connector dead-letters claims-lake -o json")
        .json();
    let topic = &letters["topics"][0];
    assert_eq!(topic["topic"], "claims-dlq-lake", "{letters}");
    let command = topic.text("/command");
    assert!(
        command.starts_with(
            "confluent kafka topic consume claims-dlq-lake --group claims-dlq-reader --from-beginning --full-header"
        ),
        "{command}"
    );
    // A department may not read metrics.
    assert!(
        letters["records"].is_null() && letters["records_unknown"].is_string(),
        "{letters}"
    );
    let platform = cli
        .run("connector dead-letters claims-lake --sandbox --department claims")
        .expect_success();
    assert!(
        platform.stdout.contains("__connect.errors.exception.message"),
        "{platform}"
    );
    let refused = cli
        .run_as("claims-operator", "connector dead-letters claims-orders")
        .expect_code(1);
    assert!(refused.stderr.contains("only sinks have dead letters"), "{refused}");
}
