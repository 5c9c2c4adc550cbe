//! Existing connectors: updated, rejected asynchronously, backed up, deleted and recreated.

use serde_json::{Value, json as value};

use crate::{
    ORDERS_FILE, PROFILES_DIR, common::CliFixture, fixture_with_claims, fixture_with_claims_at_timing,
    normalized_stderr, parse_json, run_as_deployer, run_as_operator, run_as_persona,
};

const LEDGER_FILE: &str = r#"{"name": "claims-ledger", "config": {
    "connector.class": "PostgresSource", "connection.host": "db.example.com", "connection.port": "5432",
    "connection.user": "reader", "connection.password": "${env:EBS_SECRET_LEDGER}", "db.name": "ledger",
    "ssl.mode": "prefer", "table.whitelist": "entries", "topic.prefix": "claims-", "mode": "bulk",
    "db.timezone": "UTC", "output.data.format": "JSON"}}"#;

/// The deployer, with the ledger's password in the environment.
fn run_with_password(cli: &CliFixture, password: &str, args: &str) -> crate::common::CliOutput {
    let profile = format!("{PROFILES_DIR}/claims-deployer.toml");
    let mut command = cli.command();
    command
        .args(args.split_whitespace())
        .args(["--profile", &profile])
        .env("EBS_SECRET_LEDGER", password)
        .env("EBS_SECRET_CONNECTION_PASSWORD", password);
    cli.run_command(&mut command)
}

/// The most recent backup: its file, relative to the home, and its content.
fn latest_backup(cli: &CliFixture, name: &str) -> (String, Value) {
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

#[test]
fn create_with_or_update_updates_an_existing_connector() {
    let cli = fixture_with_claims();
    let command = "connector create --config-file orders.json --or-update -o json";
    let first = parse_json(&run_as_deployer(&cli, command));
    assert_eq!((&first["existed"], &first["updated"]), (&value!(false), &value!(false)));
    cli.write("orders.json", ORDERS_FILE.replace("\"ORDERS\"", "\"USERS\""));
    let dry = parse_json(&run_as_deployer(&cli, &format!("{command} --dry-run")));
    assert_eq!((&dry["existed"], &dry["updated"]), (&value!(true), &value!(true)));
    let second = parse_json(&run_as_deployer(&cli, command));
    assert_eq!((&second["id"], &second["updated"]), (&first["id"], &value!(true)));
    assert_eq!(second["status"], "RUNNING");
    assert_eq!(
        second["configs"],
        value!([{ "config": "quickstart", "old": "ORDERS", "new": "USERS" }])
    );
    let (path, former) = latest_backup(&cli, "claims-orders");
    assert_eq!(second["backup"]["path"], format!("[HOME]/{path}"));
    assert_eq!(former["config"]["quickstart"], "ORDERS");
    let third = parse_json(&run_as_deployer(&cli, command));
    assert_eq!((&third["existed"], &third["updated"]), (&value!(true), &value!(false)));
}

#[test]
fn commands_for_one_connector_reject_patterns() {
    let cli = fixture_with_claims();
    for name in ["claims-alpha", "claims-beta"] {
        cli.write("one.json", ORDERS_FILE.replace("claims-orders", name));
        let created = run_as_deployer(&cli, "connector create --config-file one.json");
        assert_eq!(created.code, Some(0), "{created}");
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
            let output = run_as_deployer(&cli, &command.replace("PATTERN", pattern));
            assert_eq!(output.code, Some(64), "{command}: {output}");
            let message = format!("Error: `{pattern}` is a pattern, but this command acts on one connector");
            assert!(output.stderr.contains(&message), "{command}: {output}");
        }
    }
    let described = parse_json(&run_as_deployer(&cli, "connector describe claims-alpha -o json"));
    assert!(described["configs"].to_string().contains("ORDERS"), "{described}");
}

#[test]
fn suggested_commands_select_the_same_organization_and_identity() {
    let cli = fixture_with_claims();
    let profile = format!("--profile {PROFILES_DIR}/claims-deployer.toml");
    for (command, suggested) in [
        ("connector describe claims-nothing", "connector list"),
        ("quota check --connector claims-nothing", "connector list"),
        ("connector plugin describe NoSuchPlugin", "connector plugin list"),
        ("quota audit", "quota describe"),
    ] {
        let output = run_as_deployer(&cli, command);
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
    let cli = fixture_with_claims();
    let command = "connector create --config-file orders.json";
    let paused = parse_json(&run_as_deployer(&cli, &format!("{command} --paused -o json")));
    assert_eq!(paused["status"], "PAUSED");
    // Repeated without the flag, nothing is sent.
    for again in [format!("{command} --paused"), command.to_owned()] {
        let output = run_as_deployer(&cli, &again);
        assert_eq!(output.code, Some(0), "{output}");
        assert!(output.stdout.contains("| Status | PAUSED"), "{output}");
    }
    let changed = run_as_deployer(&cli, "connector update claims-orders --config quickstart=USERS -o json");
    assert_eq!(parse_json(&changed)["changed"], true, "{changed}");
    let described = parse_json(&run_as_operator(&cli, "connector describe claims-orders -o json"));
    assert_eq!(described["connector"]["status"], "PAUSED");
    let both = run_as_deployer(&cli, &format!("{command} --paused --no-wait"));
    assert_eq!(both.code, Some(64), "{both}");
}

#[test]
fn an_update_that_fails_later_is_reported_with_a_rollback_command() {
    // With the delays of the service: a wrong password fails after 30 to 90 seconds
    // (docs/reference/connect.md#timing-of-states).
    let cli = fixture_with_claims_at_timing("real");
    cli.write("ledger.json", LEDGER_FILE);
    let created = run_with_password(&cli, "right", "connector create --config-file ledger.json");
    assert_eq!(created.code, Some(0), "{created}");
    let broken = run_with_password(
        &cli,
        "wrong-password",
        "connector update claims-ledger --config-file ledger.json",
    );
    assert_eq!(broken.code, Some(6), "{broken}");
    let told = normalized_stderr(&broken);
    assert!(
        told.contains("password authentication failed for user \"reader\""),
        "{broken}"
    );
    let (path, former) = latest_backup(&cli, "claims-ledger");
    assert!(
        broken.stderr.split_whitespace().collect::<String>().contains(&path),
        "{broken}"
    );
    assert!(told.contains("set EBS_SECRET_CONNECTION_PASSWORD"), "{broken}");
    assert_eq!(
        former["config"]["connection.password"],
        "${env:EBS_SECRET_CONNECTION_PASSWORD}"
    );
    // The printed command restores the connector.
    let back = run_with_password(
        &cli,
        "right",
        &format!("connector update claims-ledger --config-file {path}"),
    );
    assert_eq!(back.code, Some(0), "{back}");
}

#[test]
fn a_deleted_connector_can_be_recreated_at_its_offsets() {
    let cli = fixture_with_claims();
    let created = run_as_deployer(&cli, "connector create --config-file orders.json");
    assert_eq!(created.code, Some(0), "{created}");
    assert_eq!(cli.run("sandbox clock advance 10m").code, Some(0));
    let deleted = parse_json(&run_as_deployer(&cli, "connector delete claims-orders --force -o json"));
    let connector = &deleted["connectors"][0];
    assert_eq!(connector["if_recreated"], "reads its source from the beginning");
    let (path, file) = latest_backup(&cli, "claims-orders");
    assert_eq!(connector["backup"]["path"], format!("[HOME]/{path}"));
    let position = file["offsets"][0]["offset"].clone();
    assert!(position.is_object(), "{file}");

    let linted = cli.run(&format!("connector lint {path}"));
    assert_eq!(linted.code, Some(0), "{linted}");
    let again = run_as_deployer(
        &cli,
        &format!("connector create --config-file {path} --no-wait -o json"),
    );
    assert_eq!(again.code, Some(0), "{again}");
    let offsets = parse_json(&run_as_deployer(
        &cli,
        "connector offset describe claims-orders -o json",
    ));
    let number = |offset: &Value| offset["current.iteration"].as_i64().unwrap();
    assert!(
        number(&offsets["offsets"][0]["offset"]) >= number(&position),
        "{offsets} goes on from {position}"
    );
    // A recreated connector starts from the beginning, as announced.
    let deleted = run_as_deployer(&cli, "connector delete claims-orders --force --no-backup -o json");
    assert!(!deleted.stdout.contains("backup"), "{deleted}");
    run_as_deployer(&cli, "connector create --config-file orders.json --no-wait");
    let offsets = parse_json(&run_as_deployer(
        &cli,
        "connector offset describe claims-orders -o json",
    ));
    let begun = offsets["offsets"].as_array().unwrap().first().cloned();
    assert!(
        begun.is_none_or(|item| number(&item["offset"]) < number(&position)),
        "{offsets}"
    );
}

#[test]
fn delete_fails_when_the_backup_cannot_be_written() {
    let cli = fixture_with_claims();
    let created = run_as_deployer(&cli, "connector create --config-file orders.json");
    assert_eq!(created.code, Some(0), "{created}");
    cli.write("file", "in the way");
    let output = run_as_deployer(&cli, "connector delete claims-orders --force --backup-dir file");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(normalized_stderr(&output).contains("nothing was changed"), "{output}");
    assert!(normalized_stderr(&output).contains("--no-backup"), "{output}");
    let list = parse_json(&run_as_operator(&cli, "connector list -o json"));
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[test]
fn every_run_is_journaled_without_secrets() {
    const CANARY: &str = "canary-77aa01";
    let cli = fixture_with_claims();
    cli.write("ledger.json", LEDGER_FILE);
    let created = run_with_password(&cli, CANARY, "connector create --config-file ledger.json");
    assert_eq!(created.code, Some(0), "{created}");
    let deleted = run_as_persona(&cli, "deployer", "connector delete claims-ledger --force");
    assert_eq!(deleted.code, Some(0), "{deleted}");
    let journal = cli.read(".state/confluent-ebs/sandbox/runs/connectors/env-prod01-lkc-prod01.jsonl");
    for line in ["create connector claims-ledger", "delete connector claims-ledger"] {
        assert!(journal.contains(line), "{journal}");
    }
    assert!(!journal.contains(CANARY));
}
