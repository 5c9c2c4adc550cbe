//! Departments and their connectors, from outside: the binary with the profiles that an onboarding handed over, on the
//! embedded Confluent Cloud.

#[path = "../common/mod.rs"]
mod common;

mod assumptions;
mod changes;
mod explain;
mod faults;
mod output;
mod secrets;
mod weather;

use common::{Seen, World};

/// Where the sandbox puts profiles.
const PROFILES: &str = ".state/confluent-ebs/sandbox/handover";

const ORDERS: &str = r#"{
  "name": "claims-orders",
  "config": {
    "connector.class": "DatagenSource",
    "kafka.topic": "claims-orders",
    "quickstart": "ORDERS",
    "output.data.format": "JSON"
  }
}
"#;

/// An organization with the department "claims", hybrid template.
fn onboarded() -> World {
    onboarded_at("instant")
}

/// The same, in a sandbox with these delays.
fn onboarded_at(timing: &str) -> World {
    let world = World::new();
    let seen = world.ebs(&format!("sandbox reset --yes --timing {timing}"));
    assert_eq!(seen.code, Some(0), "{seen}");
    let seen = world.ebs("onboard claims --sandbox --yes");
    assert_eq!(seen.code, Some(0), "{seen}");
    // Role bindings reach Connect a while after they are made (dossier `rbac.md` §4.6).
    assert_eq!(world.ebs("sandbox clock advance 10m").code, Some(0));
    world.write("orders.json", ORDERS);
    world
}

fn as_persona(world: &World, persona: &str, args: &str) -> Seen {
    world.ebs(&format!("{args} --profile {PROFILES}/claims-{persona}.toml"))
}

fn deployer(world: &World, args: &str) -> Seen {
    as_persona(world, "deployer", args)
}

fn operator(world: &World, args: &str) -> Seen {
    as_persona(world, "operator", args)
}

/// Standard error without its line breaks.
fn said(seen: &Seen) -> String {
    seen.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn json(seen: &Seen) -> serde_json::Value {
    serde_json::from_str(&seen.stdout).unwrap_or_else(|error| panic!("{error}: {seen}"))
}

#[test]
fn from_a_file_to_running_and_away_again() {
    let world = onboarded();
    let created = deployer(&world, "connector create --config-file orders.json -o json");
    assert_eq!(created.code, Some(0), "{created}");
    let created = json(&created);
    let id = created["id"].as_str().unwrap().to_owned();
    assert!(id.starts_with("lcc-"), "{created}");
    assert_eq!(
        (&created["status"], &created["existed"]),
        (&"RUNNING".into(), &false.into())
    );
    let filled: Vec<&str> = created["defaults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["config"].as_str().unwrap())
        .collect();
    assert_eq!(filled, ["kafka.auth.mode", "kafka.service.account.id", "tasks.max"]);

    // The same again goes on to the wait, and makes nothing.
    let again = json(&deployer(&world, "connector create --config-file orders.json -o json"));
    assert_eq!((&again["id"], &again["existed"]), (&id.as_str().into(), &true.into()));

    let list = json(&operator(&world, "connector list -o json"));
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(
        (&list[0]["id"], &list[0]["name"]),
        (&id.as_str().into(), &"claims-orders".into())
    );
    let table = operator(&world, "connector list");
    assert!(
        table.stdout.contains("|     Name      | Status  |  Type  | Trace"),
        "{table}"
    );
    assert!(
        table.stderr.contains("uses 1 of 12 connectors and 1 of 20 tasks"),
        "{table}"
    );

    for name in [id.as_str(), "claims-orders"] {
        let described = json(&operator(&world, &format!("connector describe {name} -o json")));
        assert_eq!(described["connector"]["id"], id.as_str());
        assert_eq!(described["tasks"][0]["state"], "RUNNING");
    }

    let declined = world.see(
        world
            .command()
            .args([
                "connector",
                "delete",
                "claims-orders",
                "--profile",
                &format!("{PROFILES}/claims-deployer.toml"),
            ])
            .write_stdin("n\n"),
    );
    assert_eq!(declined.code, Some(0), "{declined}");
    assert_eq!(
        declined.stdout,
        format!("Are you sure you want to delete connector \"{id}\"? (y/n): \n")
    );
    let deleted = deployer(&world, &format!("connector delete {id} --force"));
    assert_eq!(
        (deleted.code, deleted.stdout),
        (Some(0), format!("Deleted connector \"{id}\".\n"))
    );
    assert_eq!(operator(&world, "connector list").stdout, "None found.\n");
}

#[test]
fn what_exists_and_differs_is_refused_with_the_way_to_change_it() {
    let world = onboarded();
    assert_eq!(
        deployer(&world, "connector create --config-file orders.json --no-wait").code,
        Some(0)
    );
    world.write("orders.json", ORDERS.replace("\"ORDERS\"", "\"USERS\""));
    let seen = deployer(&world, "connector create --config-file orders.json");
    assert_eq!(seen.code, Some(5), "{seen}");
    assert!(said(&seen).contains("differs in \"quickstart\""), "{seen}");
    assert!(said(&seen).contains("connector update claims-orders"), "{seen}");
}

#[test]
fn whoever_may_not_create_learns_who_may() {
    let world = onboarded();
    let seen = operator(&world, "connector create --config-file orders.json");
    assert_eq!(seen.code, Some(4), "{seen}");
    assert!(said(&seen).contains("--profile claims-deployer"), "{seen}");
}

#[test]
fn names_of_others_are_refused_before_anything_is_asked() {
    let world = onboarded();
    world.write("motor.json", ORDERS.replace("claims-orders", "motor-orders"));
    let seen = deployer(&world, "connector create --config-file motor.json");
    assert_eq!(seen.code, Some(5), "{seen}");
    let seen = deployer(&world, "connector delete motor-orders --force");
    assert_eq!(seen.code, Some(5), "{seen}");
    assert!(said(&seen).contains("begin with \"claims-\""), "{seen}");
    // Ids do not tell; unknown ones get the stock CLI's words.
    let seen = deployer(&world, "connector delete lcc-456 lcc-789 lcc-101112 --force");
    assert_eq!(seen.code, Some(1), "{seen}");
    assert!(
        seen.stderr
            .starts_with("Error: connectors \"lcc-456\", \"lcc-789\", and \"lcc-101112\" not found\n"),
        "{seen}"
    );
    let seen = deployer(&world, "connector describe lcc-000000");
    assert!(
        seen.stderr.starts_with("Error: unknown connector ID \"lcc-000000\"\n"),
        "{seen}"
    );
}

#[test]
fn the_quota_refuses_with_its_numbers() {
    let world = onboarded();
    let many = ORDERS.replace("\"JSON\"", "\"JSON\",\n    \"tasks.max\": \"5\"");
    world.write("many.json", many);
    let seen = deployer(&world, "connector create --config-file many.json");
    assert_eq!(seen.code, Some(5), "{seen}");
    let seen = operator(&world, "quota check --plugin DatagenSource --tasks 5");
    assert_eq!(seen.code, Some(5), "{seen}");
    assert!(
        said(&seen).contains("tasks per connector: 5 requested, 4 allowed"),
        "{seen}"
    );
    assert!(said(&seen).contains("Set `tasks.max` to 4 or less."), "{seen}");
    let seen = operator(&world, "quota check --plugin HttpSink");
    assert!(said(&seen).contains("plugin `HttpSink` is not among those"), "{seen}");
    let fits = json(&operator(
        &world,
        "quota check --plugin DatagenSource --tasks 4 -o json",
    ));
    assert_eq!(fits["allowed"], true);
    assert_eq!(operator(&world, "quota describe").code, Some(0));
    let all = json(&world.ebs("quota list --sandbox -o json"));
    assert_eq!(all.as_array().unwrap().len(), 24);
}

#[test]
fn the_last_connector_fits_and_the_next_does_not() {
    let world = onboarded();
    for number in 1..=12 {
        world.write(
            "next.json",
            ORDERS.replace("claims-orders", &format!("claims-orders-{number}")),
        );
        let seen = deployer(&world, "connector create --config-file next.json --no-wait");
        assert_eq!(seen.code, Some(0), "{number}: {seen}");
    }
    let seen = deployer(&world, "connector create --config-file orders.json --no-wait");
    assert_eq!(seen.code, Some(5), "{seen}");
    assert!(
        said(&seen).contains("connectors: 1 requested, 12 of 12 used, 0 left"),
        "{seen}"
    );
}

#[test]
fn a_secret_comes_by_reference_and_is_shown_nowhere() {
    const CANARY: &str = "canary-5f1c9e";
    let world = onboarded();
    // The source makes the topic that the sink reads.
    assert_eq!(
        deployer(&world, "connector create --config-file orders.json").code,
        Some(0)
    );
    let sink = r#"{"name": "claims-lake", "config": {
        "connector.class": "S3_SINK", "topics": "claims-orders", "input.data.format": "JSON",
        "output.data.format": "JSON", "s3.bucket.name": "claims-lake", "time.interval": "HOURLY", "flush.size": "1000",
        "authentication.method": "Access Keys", "aws.access.key.id": "${env:EBS_SECRET_AWS_ID}",
        "aws.secret.access.key": "${env:EBS_SECRET_AWS}"}}"#;
    world.write("lake.json", sink);
    let profile = format!("{PROFILES}/claims-deployer.toml");
    for more in [
        &["--dry-run"][..],
        &["--dry-run", "-o", "json"],
        &["--unsafe-trace"],
        &[],
    ] {
        let seen = world.see(
            world
                .command()
                .args([
                    "connector",
                    "create",
                    "--config-file",
                    "lake.json",
                    "--profile",
                    &profile,
                ])
                .args(more)
                .env("EBS_SECRET_AWS", CANARY)
                .env("EBS_SECRET_AWS_ID", "AKIAEXAMPLE"),
        );
        assert_eq!(seen.code, Some(0), "{more:?}: {seen}");
        assert!(!seen.to_string().contains(CANARY), "{more:?}: {seen}");
    }
    // The sink's dead letters go to a topic of the department.
    let described = deployer(&world, "connector describe claims-lake -o json");
    assert!(described.stdout.contains("claims-lake-dlq"), "{described}");

    world.write(
        "lake.json",
        sink.replace("EBS_SECRET_AWS}", "CONFLUENT_CLOUD_API_SECRET}"),
    );
    let seen = deployer(&world, "connector create --config-file lake.json");
    assert_eq!(seen.code, Some(5), "{seen}");
    world.write("lake.json", sink.replace("${env:EBS_SECRET_AWS}", "****************"));
    let seen = deployer(&world, "connector create --config-file lake.json");
    assert_eq!(seen.code, Some(5), "{seen}");
    world.write(
        "lake.json",
        sink.replace("claims-lake\", \"time", "${env:EBS_SECRET_AWS}\", \"time"),
    );
    let seen = deployer(&world, "connector create --config-file lake.json");
    assert_eq!(seen.code, Some(5), "{seen}");
}

#[test]
fn the_platform_team_acts_for_a_department() {
    let world = onboarded();
    assert_eq!(
        deployer(&world, "connector create --config-file orders.json --no-wait").code,
        Some(0)
    );
    let seen = world.ebs("connector list --wide --sandbox --department claims");
    assert_eq!(seen.code, Some(0), "{seen}");
    assert!(
        said(&seen).contains("Department \"claims\" uses 1 of 12 connectors"),
        "{seen}"
    );
    let seen = world.ebs("connector create --config-file orders.json --sandbox");
    assert_eq!(seen.code, Some(64), "{seen}");
    let seen = world.ebs("connector wait claims-orders --sandbox-as claims/operator");
    assert_eq!(seen.code, Some(0), "{seen}");
    assert!(seen.stdout.ends_with("is RUNNING.\n"), "{seen}");
}

#[test]
fn a_connector_is_paused_resumed_and_restarted_by_name_pattern_or_all() {
    let world = onboarded();
    for number in 1..=3 {
        world.write(
            "next.json",
            ORDERS.replace("claims-orders", &format!("claims-orders-{number}")),
        );
        assert_eq!(
            deployer(&world, "connector create --config-file next.json").code,
            Some(0)
        );
    }
    let paused = operator(&world, "connector pause claims-orders-1");
    assert_eq!(paused.code, Some(0), "{paused}");
    assert!(paused.stdout.starts_with("Paused connector \"lcc-"), "{paused}");
    let seen = operator(&world, "connector wait claims-orders-1 --paused");
    assert_eq!(seen.code, Some(0), "{seen}");
    let refused = operator(&world, "connector restart claims-orders-1");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(said(&refused).contains("is paused: resume it instead"), "{refused}");
    assert_eq!(operator(&world, "connector resume claims-orders-*").code, Some(0));
    assert_eq!(operator(&world, "connector wait claims-orders-1").code, Some(0));
    let all = json(&operator(&world, "connector restart --all -o json"));
    assert_eq!(all["connectors"].as_array().unwrap().len(), 3);
    assert_eq!(all["connectors"][0]["how"], "restart");
}

#[test]
fn a_change_is_shown_key_by_key_and_nothing_is_changed_twice() {
    let world = onboarded();
    assert_eq!(
        deployer(&world, "connector create --config-file orders.json").code,
        Some(0)
    );
    let dry = json(&deployer(
        &world,
        "connector update claims-orders --config tasks.max=2 --dry-run -o json",
    ));
    assert_eq!(dry["changes"].as_array().unwrap().len(), 1, "{dry}");
    assert_eq!(
        (&dry["changes"][0]["old"], &dry["changes"][0]["new"]),
        (&"1".into(), &"2".into())
    );
    let seen = deployer(&world, "connector update claims-orders --config tasks.max=2");
    assert_eq!(seen.code, Some(0), "{seen}");
    assert!(seen.stdout.starts_with("Updated connector \"lcc-"), "{seen}");
    let seen = deployer(&world, "connector update claims-orders --config tasks.max=2");
    assert!(seen.stdout.ends_with("is as it is wanted.\n"), "{seen}");
    let seen = deployer(&world, "connector update claims-orders --config tasks.max=5");
    assert_eq!(seen.code, Some(5), "{seen}");
    assert!(
        said(&seen).contains("tasks per connector: 5 requested, 4 allowed"),
        "{seen}"
    );
    let seen = operator(&world, "connector update claims-orders --config tasks.max=1");
    assert_eq!(seen.code, Some(4), "{seen}");
    let seen = deployer(&world, "connector update claims-orders");
    assert_eq!(seen.code, Some(64), "{seen}");
    // The file leaves the tasks to the default: they stay what they are.
    let seen = deployer(&world, "connector update claims-orders --config-file orders.json");
    assert!(seen.stdout.ends_with("is as it is wanted.\n"), "{seen}");
    // An update never makes a connector.
    world.write("orders.json", ORDERS.replace("claims-orders", "claims-new"));
    let seen = deployer(&world, "connector update claims-new --config-file orders.json");
    assert_eq!(seen.code, Some(1), "{seen}");
    assert!(seen.stderr.contains("\"claims-new\" not found"), "{seen}");
}

#[test]
fn a_wrong_password_ends_in_a_cause_and_an_owner() {
    let world = onboarded();
    world.write(
        "claims-db.json",
        r#"{"name": "claims-db", "connector.class": "PostgresSource", "connection.host": "db.example.com",
            "connection.port": "5432", "connection.user": "reader", "connection.password": "${env:EBS_SECRET_DB}",
            "db.name": "claims", "topic.prefix": "claims-", "table.whitelist": "orders", "mode": "bulk",
            "db.timezone": "UTC", "output.data.format": "JSON"}"#,
    );
    let profile = format!("{PROFILES}/claims-deployer.toml");
    let create = |secret: &str, more: &[&str]| {
        world.see(
            world
                .command()
                .args([
                    "connector",
                    "create",
                    "--config-file",
                    "claims-db.json",
                    "--profile",
                    &profile,
                ])
                .args(more)
                .env("EBS_SECRET_DB", secret),
        )
    };
    let seen = create("wrong-password", &[]);
    assert_eq!(seen.code, Some(6), "{seen}");
    assert!(said(&seen).contains("password authentication failed"), "{seen}");
    assert!(
        said(&seen).contains("connector update claims-db --config-file FILE"),
        "{seen}"
    );
    assert!(!seen.to_string().contains("\tat "), "{seen}");
    let described = json(&operator(&world, "connector describe claims-db -o json"));
    assert_eq!(described["cause"]["owner"], "department", "{described}");
    // The secret is set again: whether it is another one cannot be seen.
    let seen = world.see(
        world
            .command()
            .args([
                "connector",
                "update",
                "claims-db",
                "--config-file",
                "claims-db.json",
                "--profile",
                &profile,
            ])
            .env("EBS_SECRET_DB", "the right one"),
    );
    assert_eq!(seen.code, Some(0), "{seen}");
    assert!(said(&seen).contains("(secret: unknown)"), "{seen}");
}

#[test]
fn plugins_tell_their_keys_and_the_service_checks_values() {
    let world = onboarded();
    let plugins = json(&operator(&world, "connector plugin list -o json"));
    assert!(plugins.as_array().unwrap().iter().all(|row| row["allowed"] == true));
    let keys = json(&operator(&world, "connector plugin describe DatagenSource -o json"));
    let keys = keys.as_array().unwrap();
    assert!(
        keys.iter()
            .all(|row| row["config"].is_string() && row["is_secret"].is_boolean())
    );
    assert!(!keys.is_empty());
    let seen = deployer(&world, "connector validate --config-file orders.json");
    assert_eq!(seen.code, Some(0), "{seen}");
    let seen = operator(&world, "connector plugin describe NoSuchPlugin");
    assert_eq!(seen.code, Some(1), "{seen}");
}

#[test]
fn offsets_are_read_and_reset() {
    let world = onboarded();
    assert_eq!(
        deployer(&world, "connector create --config-file orders.json").code,
        Some(0)
    );
    let seen = operator(&world, "connector offset describe claims-orders -o json");
    assert_eq!(seen.code, Some(0), "{seen}");
    let seen = deployer(&world, "connector offset delete claims-orders --force -o json");
    assert_eq!(seen.code, Some(0), "{seen}");
    let status = json(&operator(
        &world,
        "connector offset status describe claims-orders -o json",
    ));
    assert_eq!(
        (&status["request_type"], &status["phase"]),
        (&"DELETE".into(), &"APPLIED".into())
    );
}

#[test]
fn a_profile_is_kept_shown_without_its_secret_and_used() {
    let world = onboarded();
    let file = format!("{PROFILES}/claims-operator.toml");
    let secret = world
        .read(&file)
        .split("secret = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(world.ebs("profile list").stdout, "None found.\n");
    assert_eq!(
        world.ebs(&format!("profile import {file}")).stdout,
        "Imported profile \"claims-operator\".\n"
    );
    assert_eq!(world.ebs(&format!("profile import {file}")).code, Some(1));
    let shown = world.ebs("profile show claims-operator");
    assert!(
        shown.stdout.contains("sandbox:") && !shown.to_string().contains(&secret),
        "{shown}"
    );
    assert_eq!(world.ebs("profile use claims-operater").code, Some(1));
    assert_eq!(
        world.ebs("profile use claims-operator").stdout,
        "Using profile \"claims-operator\".\n"
    );
    let list = json(&world.ebs("profile list -o json"));
    assert_eq!(
        (&list[0]["is_current"], &list[0]["persona"]),
        (&true.into(), &"operator".into())
    );
    assert_eq!(world.ebs("connector list").stdout, "None found.\n");
}
