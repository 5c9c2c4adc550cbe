//! Connectors that are there already: changed, refused late, saved, removed and made again.

use serde_json::{Value, json as value};

use crate::{ORDERS, PROFILES, as_persona, common::World, deployer, json, onboarded, onboarded_at, operator, said};

const LEDGER: &str = r#"{"name": "claims-ledger", "config": {
    "connector.class": "PostgresSource", "connection.host": "db.example.com", "connection.port": "5432",
    "connection.user": "reader", "connection.password": "${env:EBS_SECRET_LEDGER}", "db.name": "ledger",
    "ssl.mode": "prefer", "table.whitelist": "entries", "topic.prefix": "claims-", "mode": "bulk",
    "db.timezone": "UTC", "output.data.format": "JSON"}}"#;

/// The deployer, with the ledger's password in the environment.
fn with_password(world: &World, password: &str, args: &str) -> crate::common::Seen {
    let profile = format!("{PROFILES}/claims-deployer.toml");
    let mut command = world.command();
    command
        .args(args.split_whitespace())
        .args(["--profile", &profile])
        .env("EBS_SECRET_LEDGER", password)
        .env("EBS_SECRET_CONNECTION_PASSWORD", password);
    world.see(&mut command)
}

/// The connector as it was saved last: its file, relative to the home, and what it holds.
fn saved(world: &World, name: &str) -> (String, Value) {
    const SAVED: &str = ".state/confluent-ebs/sandbox/saved/lkc-prod01";
    let folder = world.path(SAVED);
    let mut moments: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    moments.sort();
    let found = moments.iter().rev().map(|moment| moment.join(format!("{name}.json")));
    let path = found.into_iter().find(|path| path.exists()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let relative = path.strip_prefix(world.path("")).unwrap();
    (relative.display().to_string(), serde_json::from_str(&text).unwrap())
}

#[test]
fn a_create_may_bring_what_exists_to_what_the_file_says() {
    let world = onboarded();
    let command = "connector create --config-file orders.json --or-update -o json";
    let first = json(&deployer(&world, command));
    assert_eq!((&first["existed"], &first["updated"]), (&value!(false), &value!(false)));
    world.write("orders.json", ORDERS.replace("\"ORDERS\"", "\"USERS\""));
    let dry = json(&deployer(&world, &format!("{command} --dry-run")));
    assert_eq!((&dry["existed"], &dry["updated"]), (&value!(true), &value!(true)));
    let second = json(&deployer(&world, command));
    assert_eq!((&second["id"], &second["updated"]), (&first["id"], &value!(true)));
    assert_eq!(second["status"], "RUNNING");
    assert_eq!(
        second["configs"],
        value!([{ "config": "quickstart", "old": "ORDERS", "new": "USERS" }])
    );
    let (path, former) = saved(&world, "claims-orders");
    assert_eq!(second["saved"]["path"], format!("[HOME]/{path}"));
    assert_eq!(former["config"]["quickstart"], "ORDERS");
    let third = json(&deployer(&world, command));
    assert_eq!((&third["existed"], &third["updated"]), (&value!(true), &value!(false)));
}

#[test]
fn a_connector_may_rest_from_its_beginning_and_stays_so() {
    let world = onboarded();
    let command = "connector create --config-file orders.json";
    let paused = json(&deployer(&world, &format!("{command} --paused -o json")));
    assert_eq!(paused["status"], "PAUSED");
    // Once more, and without the flag: nothing is sent, and it rests.
    for again in [format!("{command} --paused"), command.to_owned()] {
        let seen = deployer(&world, &again);
        assert_eq!(seen.code, Some(0), "{seen}");
        assert!(seen.stdout.contains("| Status | PAUSED"), "{seen}");
    }
    let changed = deployer(
        &world,
        "connector update claims-orders --config quickstart=USERS -o json",
    );
    assert_eq!(json(&changed)["changed"], true, "{changed}");
    let described = json(&operator(&world, "connector describe claims-orders -o json"));
    assert_eq!(described["connector"]["status"], "PAUSED");
    let both = deployer(&world, &format!("{command} --paused --no-wait"));
    assert_eq!(both.code, Some(64), "{both}");
}

#[test]
fn a_change_that_is_refused_late_is_told_with_the_way_back() {
    // As slow as the service: a wrong password shows 30 to 90 seconds later (dossier `connect.md` §3.2).
    let world = onboarded_at("real");
    world.write("ledger.json", LEDGER);
    let created = with_password(&world, "right", "connector create --config-file ledger.json");
    assert_eq!(created.code, Some(0), "{created}");
    let broken = with_password(
        &world,
        "wrong-password",
        "connector update claims-ledger --config-file ledger.json",
    );
    assert_eq!(broken.code, Some(6), "{broken}");
    let told = said(&broken);
    assert!(
        told.contains("password authentication failed for user \"reader\""),
        "{broken}"
    );
    let (path, former) = saved(&world, "claims-ledger");
    assert!(
        broken.stderr.split_whitespace().collect::<String>().contains(&path),
        "{broken}"
    );
    assert!(told.contains("set EBS_SECRET_CONNECTION_PASSWORD"), "{broken}");
    assert_eq!(
        former["config"]["connection.password"],
        "${env:EBS_SECRET_CONNECTION_PASSWORD}"
    );
    // The way back is the command that was told.
    let back = with_password(
        &world,
        "right",
        &format!("connector update claims-ledger --config-file {path}"),
    );
    assert_eq!(back.code, Some(0), "{back}");
}

#[test]
fn what_is_deleted_can_be_made_again_where_it_was() {
    let world = onboarded();
    let created = deployer(&world, "connector create --config-file orders.json");
    assert_eq!(created.code, Some(0), "{created}");
    assert_eq!(world.ebs("sandbox clock advance 10m").code, Some(0));
    let deleted = json(&deployer(&world, "connector delete claims-orders --force -o json"));
    let connector = &deleted["connectors"][0];
    assert_eq!(connector["replay"], "reads its source from the beginning");
    let (path, file) = saved(&world, "claims-orders");
    assert_eq!(connector["saved"]["path"], format!("[HOME]/{path}"));
    let position = file["offsets"][0]["offset"].clone();
    assert!(position.is_object(), "{file}");

    let linted = world.ebs(&format!("connector lint {path}"));
    assert_eq!(linted.code, Some(0), "{linted}");
    let again = deployer(
        &world,
        &format!("connector create --config-file {path} --no-wait -o json"),
    );
    assert_eq!(again.code, Some(0), "{again}");
    let offsets = json(&deployer(&world, "connector offset describe claims-orders -o json"));
    let number = |offset: &Value| offset["current.iteration"].as_i64().unwrap();
    assert!(
        number(&offsets["offsets"][0]["offset"]) >= number(&position),
        "{offsets} goes on from {position}"
    );
    // Made anew it begins at the beginning, as was said.
    let deleted = deployer(&world, "connector delete claims-orders --force --no-save -o json");
    assert!(!deleted.stdout.contains("saved"), "{deleted}");
    deployer(&world, "connector create --config-file orders.json --no-wait");
    let offsets = json(&deployer(&world, "connector offset describe claims-orders -o json"));
    let begun = offsets["offsets"].as_array().unwrap().first().cloned();
    assert!(
        begun.is_none_or(|item| number(&item["offset"]) < number(&position)),
        "{offsets}"
    );
}

#[test]
fn nothing_is_deleted_that_could_not_be_saved() {
    let world = onboarded();
    let created = deployer(&world, "connector create --config-file orders.json");
    assert_eq!(created.code, Some(0), "{created}");
    world.write("file", "in the way");
    let seen = deployer(&world, "connector delete claims-orders --force --save-dir file");
    assert_eq!(seen.code, Some(1), "{seen}");
    assert!(said(&seen).contains("nothing was changed"), "{seen}");
    assert!(said(&seen).contains("--no-save"), "{seen}");
    let list = json(&operator(&world, "connector list -o json"));
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[test]
fn every_run_is_written_down_without_a_secret() {
    const CANARY: &str = "canary-77aa01";
    let world = onboarded();
    world.write("ledger.json", LEDGER);
    let created = with_password(&world, CANARY, "connector create --config-file ledger.json");
    assert_eq!(created.code, Some(0), "{created}");
    let deleted = as_persona(&world, "deployer", "connector delete claims-ledger --force");
    assert_eq!(deleted.code, Some(0), "{deleted}");
    let journal = world.read(".state/confluent-ebs/sandbox/runs/connectors/env-prod01-lkc-prod01.jsonl");
    for line in ["create connector claims-ledger", "delete connector claims-ledger"] {
        assert!(journal.contains(line), "{journal}");
    }
    assert!(!journal.contains(CANARY));
}
