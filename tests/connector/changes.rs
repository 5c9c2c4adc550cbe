//! Existing connectors: updated, rejected asynchronously, backed up, deleted and recreated.

use serde_json::{Value, json as value};

use crate::{
    ORDERS_FILE, cli_with_claims, cli_with_claims_at_timing,
    common::{Cli, CliOutput, JsonAccess as _, PROFILES_DIR},
};

const LEDGER_FILE: &str = r#"{"name": "claims-ledger", "config": {
    "connector.class": "PostgresSource", "connection.host": "db.example.com", "connection.port": "5432",
    "connection.user": "reader", "connection.password": "${env:EBS_SECRET_LEDGER}", "db.name": "ledger",
    "ssl.mode": "prefer", "table.whitelist": "entries", "topic.prefix": "claims-", "mode": "bulk",
    "db.timezone": "UTC", "output.data.format": "JSON"}}"#;

/// The deployer, with the ledger's password in the environment.
fn run_with_password(cli: &Cli, password: &str, args: &str) -> CliOutput {
    let args = format!("{args} --profile {PROFILES_DIR}/claims-deployer.toml");
    let variables = [
        ("EBS_SECRET_LEDGER", password),
        ("EBS_SECRET_CONNECTION_PASSWORD", password),
    ];
    cli.run_with_env(&args, &variables)
}

/// The most recent backup: its file, relative to the home, and its content.
fn latest_backup(cli: &Cli, name: &str) -> (String, Value) {
    const BACKUPS_DIR: &str = ".state/confluent-ebs/sandbox/backups/lkc-prod01";
    let folder = cli.path(BACKUPS_DIR);
    let mut moments: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    moments.sort();
    let found = moments.iter().rev().map(|moment| moment.join(format!("{name}.json")));
    let path = found.into_iter().find(|path| path.exists()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let relative = path.strip_prefix(cli.path("")).unwrap();
    (relative.display().to_string(), serde_json::from_str(&text).unwrap())
}

/// A file as below `connectors/`: its name is that of the file.
fn file_without_name(cli: &Cli, name: &str, state: &str) {
    let config = "config:\n  connector.class: DatagenSource\n  kafka.topic: claims-orders\n  quickstart: ORDERS\n  \
                  output.data.format: JSON\n";
    cli.write(format!("{name}.yaml"), format!("{state}{config}"));
}

#[test]
fn a_file_of_a_repository_is_created_with_its_name_and_its_state() {
    let cli = cli_with_claims();
    for (name, setting, status) in [
        ("claims-runs", "", "RUNNING"),
        ("claims-started", "state: running\n", "RUNNING"),
        ("claims-paused", "state: paused\n", "PAUSED"),
    ] {
        file_without_name(&cli, name, setting);
        cli.run(&format!("connector lint {name}.yaml")).expect_success();
        let create = format!("connector create --config-file {name}.yaml -o json");
        let created = cli.run_as("claims-deployer", &create).expect_success().json();
        assert_eq!((created.text("/name"), created.text("/status")), (name, status));
    }
    let output = cli
        .run_as(
            "claims-deployer",
            "connector create --config-file claims-paused.yaml --no-wait",
        )
        .expect_code(64);
    assert!(output.stderr.contains("state: paused"), "{output}");
    let output = cli
        .run_as(
            "claims-deployer",
            "connector update claims-paused --config-file claims-paused.yaml",
        )
        .expect_success();
    assert!(output.stderr.contains("`state: paused` is ignored"), "{output}");
    cli.write("claims-gone.yaml", "state: absent\n");
    let output = cli
        .run_as("claims-deployer", "connector create --config-file claims-gone.yaml")
        .expect_code(5);
    assert!(output.stderr_line().contains("describes no connector"), "{output}");
}

#[test]
fn create_with_or_update_updates_an_existing_connector() {
    let cli = cli_with_claims();
    let command = "connector create --config-file orders.json --or-update -o json";
    let first = cli.run_as("claims-deployer", command).json();
    assert_eq!((&first["existed"], &first["updated"]), (&value!(false), &value!(false)));
    cli.write("orders.json", ORDERS_FILE.replace("\"ORDERS\"", "\"USERS\""));
    let dry = cli.run_as("claims-deployer", &format!("{command} --dry-run")).json();
    assert_eq!((&dry["existed"], &dry["updated"]), (&value!(true), &value!(true)));
    let second = cli.run_as("claims-deployer", command).json();
    assert_eq!((&second["id"], &second["updated"]), (&first["id"], &value!(true)));
    assert_eq!(second["status"], "RUNNING");
    assert_eq!(
        second["configs"],
        value!([{ "config": "quickstart", "old": "ORDERS", "new": "USERS" }])
    );
    let (path, former) = latest_backup(&cli, "claims-orders");
    assert_eq!(second["backup"]["path"], format!("[HOME]/{path}"));
    assert_eq!(former["config"]["quickstart"], "ORDERS");
    let third = cli.run_as("claims-deployer", command).json();
    assert_eq!((&third["existed"], &third["updated"]), (&value!(true), &value!(false)));
}

#[test]
fn commands_for_one_connector_reject_patterns() {
    let cli = cli_with_claims();
    for name in ["claims-alpha", "claims-beta"] {
        cli.write("one.json", ORDERS_FILE.replace("claims-orders", name));
        cli.run_as("claims-deployer", "connector create --config-file one.json")
            .expect_success();
    }
    // A pattern that matches two connectors, and one that matches one: neither selects a connector.
    for pattern in ["claims-*", "claims-alph?"] {
        for command in [
            "connector update PATTERN --config quickstart=USERS",
            "connector describe PATTERN",
            "connector wait PATTERN",
            "connector offset describe PATTERN",
            "connector offset delete PATTERN --force",
            "quota check --connector PATTERN",
        ] {
            let output = cli
                .run_as("claims-deployer", &command.replace("PATTERN", pattern))
                .expect_code(64);
            let message = format!("Error: `{pattern}` is a pattern, but this command acts on one connector");
            assert!(output.stderr.contains(&message), "{command}: {output}");
        }
    }
    let described = cli
        .run_as("claims-deployer", "connector describe claims-alpha -o json")
        .json();
    assert!(described["configs"].to_string().contains("ORDERS"), "{described}");
}

#[test]
fn suggested_commands_select_the_same_organization_and_identity() {
    let cli = cli_with_claims();
    let profile = format!("--profile {PROFILES_DIR}/claims-deployer.toml");
    for (command, suggested) in [
        ("connector describe claims-nothing", "connector list"),
        ("quota check --connector claims-nothing", "connector list"),
        ("connector plugin describe NoSuchPlugin", "connector plugin list"),
        ("quota audit", "quota describe"),
    ] {
        let output = cli.run_as("claims-deployer", command);
        // Lines wrap at the width of the terminal.
        let words: Vec<&str> = output.stderr.split_whitespace().collect();
        let suggested = format!("`confluent ebs {suggested} {profile}`");
        assert!(words.join(" ").contains(&suggested), "{command}: {output}");
    }
    let unknown = cli.run("department describe nothing-similar --sandbox");
    assert!(
        unknown.stderr.contains("`confluent ebs department list --sandbox`"),
        "{unknown}"
    );
}

#[test]
fn a_connector_created_paused_stays_paused() {
    let cli = cli_with_claims();
    let command = "connector create --config-file orders.json";
    let paused = cli
        .run_as("claims-deployer", &format!("{command} --paused -o json"))
        .json();
    assert_eq!(paused["status"], "PAUSED");
    // Repeated without the flag, nothing is sent.
    for again in [format!("{command} --paused"), command.to_owned()] {
        let output = cli.run_as("claims-deployer", &again).expect_success();
        assert!(output.stdout.contains("| Status | PAUSED"), "{output}");
    }
    let changed = cli.run_as(
        "claims-deployer",
        "connector update claims-orders --config quickstart=USERS -o json",
    );
    assert_eq!(changed.json()["changed"], true, "{changed}");
    let described = cli
        .run_as("claims-operator", "connector describe claims-orders -o json")
        .json();
    assert_eq!(described["connector"]["status"], "PAUSED");
    cli.run_as("claims-deployer", &format!("{command} --paused --no-wait"))
        .expect_code(64);
}

#[test]
fn an_update_that_fails_later_is_reported_with_a_rollback_command() {
    // With the delays of the service: a wrong password fails after 30 to 90 seconds
    // (docs/reference/connect.md#timing-of-states).
    let cli = cli_with_claims_at_timing("real");
    cli.write("ledger.json", LEDGER_FILE);
    run_with_password(&cli, "right", "connector create --config-file ledger.json").expect_success();
    let broken = run_with_password(
        &cli,
        "wrong-password",
        "connector update claims-ledger --config-file ledger.json",
    )
    .expect_code(6);
    let error = broken.stderr_line();
    assert!(
        error.contains("password authentication failed for user \"reader\""),
        "{broken}"
    );
    let (path, former) = latest_backup(&cli, "claims-ledger");
    assert!(
        broken.stderr.split_whitespace().collect::<String>().contains(&path),
        "{broken}"
    );
    assert!(error.contains("set EBS_SECRET_CONNECTION_PASSWORD"), "{broken}");
    assert_eq!(
        former["config"]["connection.password"],
        "${env:EBS_SECRET_CONNECTION_PASSWORD}"
    );
    // The printed command restores the connector.
    run_with_password(
        &cli,
        "right",
        &format!("connector update claims-ledger --config-file {path}"),
    )
    .expect_success();
}

#[test]
fn a_deleted_connector_can_be_recreated_at_its_offsets() {
    let cli = cli_with_claims();
    cli.run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_success();
    cli.run("sandbox clock advance 10m").expect_success();
    let deleted = cli
        .run_as("claims-deployer", "connector delete claims-orders --force -o json")
        .json();
    let connector = &deleted["connectors"][0];
    assert_eq!(connector["if_recreated"], "reads its source from the beginning");
    let (path, file) = latest_backup(&cli, "claims-orders");
    assert_eq!(connector["backup"]["path"], format!("[HOME]/{path}"));
    let position = file["offsets"][0]["offset"].clone();
    assert!(position.is_object(), "{file}");

    cli.run(&format!("connector lint {path}")).expect_success();
    cli.run_as(
        "claims-deployer",
        &format!("connector create --config-file {path} --no-wait -o json"),
    )
    .expect_success();
    let offsets = cli
        .run_as("claims-deployer", "connector offset describe claims-orders -o json")
        .json();
    let number = |offset: &Value| offset["current.iteration"].as_i64().unwrap();
    assert!(
        number(&offsets["offsets"][0]["offset"]) >= number(&position),
        "{offsets} goes on from {position}"
    );
    // A recreated connector starts from the beginning, as announced.
    let deleted = cli.run_as(
        "claims-deployer",
        "connector delete claims-orders --force --no-backup -o json",
    );
    assert!(!deleted.stdout.contains("backup"), "{deleted}");
    cli.run_as(
        "claims-deployer",
        "connector create --config-file orders.json --no-wait",
    );
    let offsets = cli
        .run_as("claims-deployer", "connector offset describe claims-orders -o json")
        .json();
    let begun = offsets.items("/offsets").first().cloned();
    assert!(
        begun.is_none_or(|item| number(&item["offset"]) < number(&position)),
        "{offsets}"
    );
}

#[test]
fn delete_fails_when_the_backup_cannot_be_written() {
    let cli = cli_with_claims();
    cli.run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_success();
    cli.write("file", "in the way");
    let output = cli
        .run_as(
            "claims-deployer",
            "connector delete claims-orders --force --backup-dir file",
        )
        .expect_code(1);
    assert!(output.stderr_line().contains("nothing was changed"), "{output}");
    assert!(output.stderr_line().contains("--no-backup"), "{output}");
    let list = cli.run_as("claims-operator", "connector list -o json").json();
    assert_eq!(list.items("").len(), 1);
}

#[test]
fn every_run_is_journaled_without_secrets() {
    const CANARY: &str = "canary-77aa01";
    let cli = cli_with_claims();
    cli.write("ledger.json", LEDGER_FILE);
    run_with_password(&cli, CANARY, "connector create --config-file ledger.json").expect_success();
    cli.run_as(
        &format!("claims-{}", "deployer"),
        "connector delete claims-ledger --force",
    )
    .expect_success();
    let journal = cli.read(".state/confluent-ebs/sandbox/runs/connectors/env-prod01-lkc-prod01.jsonl");
    for line in ["create connector claims-ledger", "delete connector claims-ledger"] {
        assert!(journal.contains(line), "{journal}");
    }
    assert!(!journal.contains(CANARY));
}
