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

#[test]
fn the_naming_convention_of_the_platform_applies_to_new_connectors() {
    let cli = Cli::with_platform([("claims", "name = \"Claims\"\nprefix = \"claims-\"\n")]);
    cli.run("onboard claims --sandbox --yes").expect_success();
    let file = |name: &str| {
        let config = r#""connector.class": "DatagenSource", "kafka.topic": "claims-orders", "quickstart": "ORDERS""#;
        cli.write(
            format!("{name}.json"),
            format!(r#"{{"name": "{name}", "config": {{{config}}}}}"#),
        );
    };
    file("claims-orders");
    file("claims-orders-source");
    cli.run_as("claims-deployer", "connector create --config-file claims-orders.json")
        .expect_success();
    // The convention comes later, and reaches the department with its next profile.
    let convention = "\n[naming]\nconnector = \"*-{source,sink}\"\n";
    cli.write("ebs.toml", format!("{}{convention}", cli.read("ebs.toml")));
    let platform = "--sandbox --department claims";
    let lint = cli.run_as("claims-deployer", "connector lint claims-orders.json");
    assert!(
        !lint.stdout.contains("connector-naming"),
        "the profile is older: {lint}"
    );
    let shown = cli.run(&format!(
        "connector create --config-file claims-orders.json --or-update {platform}"
    ));
    shown.expect_success();
    cli.run(&format!("connector delete claims-orders --force {platform}"))
        .expect_success();
    let refused = cli
        .run(&format!("connector create --config-file claims-orders.json {platform}"))
        .expect_code(5);
    assert!(
        unwrapped(&refused.stderr).contains("`claims-` and `*-{source,sink}`"),
        "{refused}"
    );
    cli.run(&format!(
        "connector create --config-file claims-orders-source.json {platform}"
    ))
    .expect_success();
}

#[test]
fn a_profile_carries_the_naming_convention() {
    let cli = Cli::with_platform([("claims", "name = \"Claims\"\nprefix = \"claims-\"\n")]);
    let convention = "\n[naming]\nconnector = \"*-{source,sink}\"\n";
    cli.write("ebs.toml", format!("{}{convention}", cli.read("ebs.toml")));
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli.write("orders.json", crate::ORDERS_FILE);
    let lint = cli
        .run_as("claims-deployer", "connector lint orders.json")
        .expect_success();
    assert!(lint.stdout.contains("warning[connector-naming]"), "{lint}");
    cli.run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_code(5);
}

#[test]
fn config_show_names_the_source_of_each_setting_and_no_secret() {
    let cli = cli_with_claims();
    let profile = format!("{}/claims-operator.toml", crate::common::PROFILES_DIR);
    let secret = cli.read(&profile);
    let secret = secret.lines().find_map(|line| line.strip_prefix("secret = ")).unwrap();
    let shown = cli
        .run(&format!(
            "config show --origin --profile {profile} --cluster lkc-other1"
        ))
        .expect_success();
    let text = unwrapped(&shown.stdout);
    assert!(text.contains("cluster lkc-other1 (--cluster)"), "{shown}");
    assert!(text.contains("stage prod (profile "), "{shown}");
    assert!(text.contains("api_secret ****************"), "{shown}");
    assert!(!shown.stdout.contains(secret.trim_matches('"')), "{shown}");
    let one = cli.run_as("claims-operator", "config show department").expect_success();
    assert_eq!(one.stdout, "claims\n");
    let rows = cli.run_as("claims-operator", "config show department -o json").json();
    assert_eq!(
        (&rows[0]["name"], &rows[0]["value"]),
        (&"department".into(), &"claims".into())
    );
    let unknown = cli.run_as("claims-operator", "config show clustr").expect_code(64);
    assert!(unknown.stderr.contains("Did you mean `cluster`?"), "{unknown}");
    cli.run("config show department").expect_code(1);
    // A key of the environment is a setting, too.
    let pipeline = cli.run_with_env(
        "config show --origin",
        &[
            ("CONFLUENT_CLOUD_API_KEY", "ABCDEFGHIJKLMNOP"),
            ("CONFLUENT_CLOUD_API_SECRET", "canary-1234"),
        ],
    );
    assert!(
        pipeline.stdout.contains("ABCDEFGHIJKLMNOP  (environment variable"),
        "{pipeline}"
    );
    assert!(!pipeline.stdout.contains("canary-1234"), "{pipeline}");
}

#[test]
fn every_command_that_lists_connectors_observes_their_states() {
    let cli = cli_with_orders();
    let advance = |minutes: u32| {
        cli.run(&format!("sandbox clock advance {minutes}m")).expect_success();
    };
    let expect_observed_for = |age: &str| {
        let status = cli.run_as("claims-operator", "status");
        assert!(status.stdout.contains(&format!("| {age} ")), "{age}: {status}");
    };
    cli.run_as("claims-operator", "connector list").expect_success();
    advance(20);
    expect_observed_for("20m+");
    // A change ends the period, and `explain` is an observation, too.
    let elsewhere = "--sandbox --department claims";
    cli.run(&format!("connector pause claims-orders {elsewhere}"))
        .expect_success();
    advance(5);
    cli.run_as("claims-operator", "connector explain claims-orders")
        .expect_success();
    advance(3);
    expect_observed_for("3m+");
    cli.run(&format!("connector resume claims-orders {elsewhere}"))
        .expect_success();
    advance(5);
    // Nothing has observed it running since.
    expect_observed_for("new");
    advance(7);
    expect_observed_for("7m+");
}

#[test]
fn log_lines_are_lines_at_any_width() {
    let cli = cli_with_orders();
    let output = cli
        .run_as("claims-operator", "connector logs claims-orders --since 1h")
        .expect_success();
    let lines: Vec<&str> = output.stdout.lines().skip(2).collect();
    assert!(!lines.is_empty(), "{output}");
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert!(words[0].parse::<jiff::Timestamp>().is_ok(), "{line}");
        assert!(["INFO", "WARN", "ERROR"].contains(&words[1]), "{line}");
        assert!(words[2] == "-" || words[2].starts_with("task-"), "{line}");
        assert!(words.len() > 3 && !line.contains(" | "), "{line}");
    }
    assert!(
        output.stdout.lines().any(|line| line.chars().count() > 80),
        "never wrapped: {output}"
    );
}
