//! `connector explain`, as a department sees its failures.

use confluent_ebs::sandbox::ConnectorFault as Fault;
use serde_json::Value;

use crate::{
    PROFILES,
    common::{Seen, World},
    json, onboarded,
    output::{prepare, run_with},
    said,
};

/// Each failure that the simulated service can produce, the plugin that it befalls, the rule that explains it, and whose it
/// is: by the pattern of dossier `connect.md` §10 that stands at the failure.
const EXPECTED: &[(Fault, &str, &str, &str)] = &[
    // 1.
    (Fault::KafkaKeyInvalid, CDC, "kafka-key-invalid", "department"),
    // 5.
    (Fault::DlqNotCreatable, SINK, "dead-letters-denied", "ebs"),
    // 6.
    (Fault::InvalidUpdate, SINK, "invalid-configuration", "department"),
    // 8 and 9: five fields, one root.
    (Fault::WrongPassword, CDC, "wrong-password", "department"),
    (Fault::WrongPassword, JDBC, "wrong-password", "department"),
    // 10.
    (Fault::UnknownHost, CDC, "unknown-host", "network"),
    (Fault::UnknownHost, JDBC, "unknown-host", "network"),
    (Fault::ConnectionRefused, JDBC, "connection-refused", "network"),
    // 11.
    (Fault::TlsName, CDC, "tls-name", "department"),
    (Fault::TlsUntrusted, JDBC, "tls-untrusted", "department"),
    // 12 to 15.
    (Fault::DecodingPlugin, CDC, "decoding-plugin", "department"),
    (Fault::SlotInUse, CDC, "slot-in-use", "department"),
    (Fault::LogPurged, CDC, "log-purged", "department"),
    (Fault::RedoTopic, CDC, "redo-topic", "department"),
    // 16, 17.
    (Fault::WrongFormat, SINK, "wrong-format", "department"),
    (Fault::SchemaMissing, SINK, "schema-missing", "department"),
    (Fault::SchemaDenied, SINK, "schema-denied", "ebs"),
    (Fault::SchemaDenied, CDC, "schema-denied", "ebs"),
    // 18; the runtime account's grants are EBS's, the name of a topic is the department's.
    (Fault::TopicDenied, SINK, "topic-denied", "ebs"),
    (Fault::GroupDenied, SINK, "group-denied", "ebs"),
    (Fault::MissingTopic, SINK, "topic-missing", "department"),
    // 19 to 23.
    (Fault::RecordTooLarge, CDC, "record-too-large", "department"),
    (Fault::TableMissing, SINK, "table-missing", "department"),
    (Fault::StorageDenied, SINK, "storage-denied", "department"),
    (Fault::SnowflakeJwt, SINK, "snowflake-key", "department"),
    (Fault::SlowTarget, SINK, "slow-target", "department"),
    // 24: the last cause of the trace, which is one of 10.
    (Fault::TaskFailed, SINK, "timed-out", "network"),
    // 25: who else but Confluent.
    (Fault::PlatformError, SINK, "platform-error", "confluent"),
    // 31.
    (Fault::OffsetType, CDC, "offset-type", "department"),
    // §3.2.
    (Fault::Flapping, JDBC, "connection-lost", "network"),
    (Fault::StuckProvisioning, SINK, "provisioning", "confluent"),
];

const CDC: &str = "dataplatform-cdc";
const SINK: &str = "dataplatform-lake";
const JDBC: &str = "dataplatform-ledger";

/// A department that may use every plugin, with one connector of each kind.
fn running() -> World {
    let world = World::new();
    for args in [
        "sandbox reset --yes",
        "onboard data-platform --sandbox --yes",
        "sandbox clock advance 10m",
    ] {
        let seen = world.ebs(args);
        assert_eq!(seen.code, Some(0), "{seen}");
    }
    for (name, config) in [
        (
            "dataplatform-orders",
            r#""connector.class": "DatagenSource", "kafka.topic": "dataplatform-orders", "quickstart": "ORDERS",
               "output.data.format": "JSON""#,
        ),
        (
            CDC,
            r#""connector.class": "PostgresCdcSourceV2", "database.hostname": "pg.example.com", "database.port": "5432",
               "database.user": "cdc", "database.password": "${env:EBS_SECRET_P}", "database.dbname": "hr",
               "topic.prefix": "dataplatform-", "table.include.list": "public.staff", "slot.name": "dataplatform_cdc",
               "output.data.format": "JSON""#,
        ),
        (
            SINK,
            r#""connector.class": "S3_SINK", "topics": "dataplatform-orders", "input.data.format": "JSON",
               "output.data.format": "JSON", "s3.bucket.name": "lake", "time.interval": "HOURLY", "flush.size": "1000",
               "authentication.method": "IAM Roles", "provider.integration.id": "cspi-1", "tasks.max": "2""#,
        ),
        (
            JDBC,
            r#""connector.class": "PostgresSource", "connection.host": "db.example.com", "connection.port": "5432",
               "connection.user": "reader", "connection.password": "${env:EBS_SECRET_P}", "db.name": "ledger",
               "ssl.mode": "prefer", "table.whitelist": "entries", "topic.prefix": "dataplatform-", "mode": "bulk",
               "db.timezone": "UTC", "output.data.format": "JSON""#,
        ),
    ] {
        let file = format!("{name}.json");
        world.write(&file, format!(r#"{{"name": "{name}", {config}}}"#));
        let profile = format!("{PROFILES}/data-platform-deployer.toml");
        let mut command = world.command();
        command
            .args(["connector", "create", "--config-file", &file, "--profile", &profile])
            .env("EBS_SECRET_P", "correct horse battery");
        let seen = world.see(&mut command);
        assert_eq!(seen.code, Some(0), "{seen}");
    }
    world
}

fn as_persona(world: &World, persona: &str, args: &str) -> Seen {
    world.ebs(&format!("{args} --profile {PROFILES}/data-platform-{persona}.toml"))
}

fn operator(world: &World, args: &str) -> Seen {
    as_persona(world, "operator", args)
}

/// Standard output without its line breaks.
fn said_out(seen: &Seen) -> String {
    seen.stdout.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn explained(world: &World, what: &str) -> (Option<i32>, Value) {
    let seen = operator(world, &format!("connector explain {what} -o json"));
    (seen.code, json(&seen))
}

#[test]
fn every_failure_of_the_service_is_explained() {
    let world = running();
    for kind in Fault::ALL {
        assert!(EXPECTED.iter().any(|row| row.0 == *kind), "{kind} is not in the table");
    }
    let mut wrong = Vec::new();
    for (kind, name, rule, owner) in EXPECTED {
        assert_eq!(
            world.ebs(&format!("sandbox fault connector {name} {kind}")).code,
            Some(0)
        );
        // Long enough for it to show, and for a flapping one to lie down.
        assert_eq!(world.ebs("sandbox clock advance 50s").code, Some(0));
        let (code, answer) = explained(&world, name);
        let cause = &answer[0]["causes"][0];
        let unhealthy = if *kind == Fault::StuckProvisioning {
            Some(0)
        } else {
            Some(6)
        };
        let as_expected = (cause["rule"] == *rule)
            && (cause["owner"] == *owner)
            && answer[0]["causes"].as_array().is_some_and(|causes| causes.len() == 1)
            && code == unhealthy;
        if !as_expected {
            wrong.push(format!("{kind} on {name}, exit code {code:?}: {answer:#}"));
        }
        assert_eq!(world.ebs(&format!("sandbox fault clear {name}")).code, Some(0));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn one_screen_says_what_it_is_and_what_to_type() {
    let world = running();
    world.ebs("sandbox fault connector dataplatform-cdc wrong-password");
    world.ebs("sandbox clock advance 3m");
    let seen = operator(&world, "connector explain dataplatform-cdc");
    assert_eq!(seen.code, Some(6), "{seen}");
    let text = said_out(&seen);
    for words in [
        "PostgresCdcSourceV2) is FAILED since 20",
        "Cause The other system does not accept the user or the password.",
        "Says FATAL: password authentication failed for user \"cdc\"",
        "Keys database.hostname, database.port, database.user, database.password, database.dbname",
        "Still No earlier configuration is in force: nothing runs.",
        "Owner the department",
        "Do 1. Set user and password right",
        // The operator may not change it in every template; the command is the deployer's, with the flags that were typed.
        "2. Send the corrected file, as the deployer: confluent ebs connector update dataplatform-cdc --config-file FILE \
         --profile .state/confluent-ebs/sandbox/handover/data-platform-deployer.toml",
        "More docs/causes.md#wrong-password",
    ] {
        assert!(text.contains(words), "{words:?} is missing\n{seen}");
    }
    // One root, said once.
    assert_eq!(text.matches("password authentication failed").count(), 1, "{seen}");
    assert!(seen.stdout.lines().count() <= 24, "more than a screen\n{seen}");
    // What it says can be typed.
    let (_, answer) = explained(&world, "dataplatform-cdc");
    let steps = answer[0]["causes"][0]["steps"].as_array().unwrap();
    let command = steps.iter().find_map(|step| step["command"].as_str()).unwrap();
    let words = command
        .strip_prefix("confluent ebs ")
        .unwrap()
        .replace("FILE", "dataplatform-cdc.json");
    let mut typed = world.command();
    typed
        .args(words.split_whitespace())
        .env("EBS_SECRET_P", "another horse");
    assert_ne!(world.see(&mut typed).code, Some(64));
}

// What a command needs that was not said stands in it, or the command is left out.
#[test]
fn the_platform_team_gets_commands_that_are_not_refused() {
    let world = running();
    world.ebs("sandbox fault connector dataplatform-cdc wrong-password");
    world.ebs("sandbox fault connector dataplatform-lake slow-target");
    world.ebs("sandbox clock advance 3m");
    let seen = world.ebs("connector explain dataplatform-cdc dataplatform-lake --sandbox -o json");
    assert_eq!(seen.code, Some(6), "{seen}");
    let answer = json(&seen);
    let commands = answer
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|one| one["causes"].as_array().unwrap());
    let commands = commands.flat_map(|cause| cause["steps"].as_array().unwrap());
    let commands: Vec<&str> = commands.filter_map(|step| step["command"].as_str()).collect();
    assert_eq!(
        commands,
        [
            "confluent ebs connector update dataplatform-cdc --config-file FILE --sandbox --department data-platform",
            "confluent ebs quota describe --sandbox --department data-platform",
            "confluent ebs connector update dataplatform-lake --config-file FILE --sandbox --department data-platform",
        ]
    );
    assert_eq!(
        world.ebs(commands[1].strip_prefix("confluent ebs ").unwrap()).code,
        Some(0)
    );
    let words = commands[0].strip_prefix("confluent ebs ").unwrap();
    let mut typed = world.command();
    typed
        .args(words.replace("FILE", "dataplatform-cdc.json").split_whitespace())
        .env("EBS_SECRET_P", "another horse");
    let seen = world.see(&mut typed);
    assert_ne!(seen.code, Some(64), "{seen}");
    assert!(!said(&seen).contains("it is not said for which department"), "{seen}");
    // A profile can be shown only where one is in use.
    let message = |flags: &[&str]| {
        let mut command = world.command();
        command
            .args(["connector", "explain", "--message", "account not found"])
            .args(flags);
        world.see(&mut command)
    };
    assert!(!message(&[]).stdout.contains("profile show"));
    let profile = format!("{PROFILES}/data-platform-operator.toml");
    assert!(said_out(&message(&["--profile", &profile])).contains("profile show --profile"));
}

#[test]
fn a_refused_change_says_that_the_former_configuration_runs_on() {
    let world = running();
    // A telltale: the service takes it, and refuses it later (dossier `connect.md` §2.4).
    let seen = as_persona(
        &world,
        "deployer",
        "connector update dataplatform-lake --config s3.bucket.name=invalid-update --keep-secrets --timeout 1m",
    );
    assert_eq!(seen.code, Some(6), "{seen}");
    let (code, answer) = explained(&world, "dataplatform-lake");
    assert_eq!(
        (code, &answer[0]["previous_runs"]),
        (Some(6), &true.into()),
        "{answer:#}"
    );
    assert_eq!(answer[0]["causes"][0]["configs"][0], "flush.size", "{answer:#}");
    let seen = operator(&world, "connector explain dataplatform-lake");
    assert!(
        seen.stdout
            .contains("Still   The previous configuration is in force, and its tasks run."),
        "{seen}"
    );
}

#[test]
fn all_of_a_department_takes_a_line_for_what_is_well() {
    let world = running();
    world.ebs("sandbox fault connector dataplatform-lake task-failed");
    world.ebs("sandbox clock advance 3m");
    let seen = operator(&world, "connector explain --all");
    assert_eq!(seen.code, Some(6), "{seen}");
    assert!(seen.stdout.starts_with("dataplatform-lake ("), "{seen}");
    assert!(seen.stdout.contains("Tasks   Task 0 failed, the others run."), "{seen}");
    for name in ["dataplatform-cdc", "dataplatform-ledger", "dataplatform-orders"] {
        let line = seen.stdout.lines().find(|line| line.starts_with(name));
        assert!(line.is_some_and(|line| line.contains("is RUNNING")), "{name}\n{seen}");
    }
    world.ebs("sandbox fault clear");
    world.ebs("sandbox clock advance 3m");
    let seen = operator(&world, "connector explain --all");
    assert_eq!(seen.code, Some(0), "{seen}");
    assert_eq!(
        seen.stdout.replace("\n  ", " "),
        "4 connectors are RUNNING: dataplatform-cdc, dataplatform-lake, dataplatform-ledger, and dataplatform-orders.\n"
    );
    let seen = operator(&world, "connector explain dataplatform-l*");
    assert_eq!(seen.stdout.lines().count(), 2, "{seen}");
    // Others are not looked at.
    assert_eq!(operator(&world, "connector explain fraud-orders").code, Some(5));
    assert_eq!(operator(&world, "connector explain").code, Some(64));
}

#[test]
fn log_lines_say_more_where_the_status_says_nothing() {
    let world = running();
    world.ebs("sandbox fault connector dataplatform-lake platform-error");
    world.ebs("sandbox clock advance 20m");
    let (_, answer) = explained(&world, "dataplatform-lake");
    let log = &answer[0]["log"];
    assert!(
        log["error"].as_str().unwrap().contains("the worker was lost"),
        "{answer:#}"
    );
    assert!(log["times"].as_u64() > Some(1), "{answer:#}");
    // A viewer may not read them (dossier `logs.md` §2.6), which is said and is no failure of its own.
    let seen = as_persona(&world, "viewer", "connector explain dataplatform-lake");
    assert_eq!(seen.code, Some(6), "{seen}");
    assert!(
        said_out(&seen).contains("Log lines may say more, and could not be read: that takes ConnectManager"),
        "{seen}"
    );
    // Nobody waits for a turn: a connector stands five requests per minute.
    let explained: Vec<_> = (0..6)
        .map(|_| explained(&world, "dataplatform-lake").1[0].clone())
        .collect();
    let last = explained.last().unwrap();
    assert!(
        last["log_error"].as_str().unwrap().contains("5 requests per minute"),
        "{last:#}"
    );
    assert!(last["causes"][0]["rule"] == "platform-error", "{last:#}");
}

#[test]
fn what_fails_now_and_then_is_not_called_well() {
    let world = running();
    world.ebs("sandbox fault connector dataplatform-ledger flapping");
    // It runs for 45 seconds and fails for 30.
    world.ebs("sandbox clock advance 5m");
    let (code, answer) = explained(&world, "dataplatform-ledger");
    let one = &answer[0];
    assert_eq!(
        (code, &one["status"], &one["health"]),
        (Some(0), &"RUNNING".into(), &"unsettled".into())
    );
    assert_eq!(one["causes"][0]["rule"], "connection-lost", "{one:#}");
    assert!(one["log"]["times"].as_u64() > Some(1), "{one:#}");
}

#[test]
fn a_connector_that_moves_nothing_is_told_where_records_may_be() {
    let world = running();
    let (code, answer) = explained(&world, "dataplatform-lake --no-records");
    let one = &answer[0];
    assert_eq!(
        (code, &one["causes"][0]["rule"]),
        (Some(0), &"no-records".into()),
        "{one:#}"
    );
    let notes = one["notes"].as_array().unwrap();
    assert!(
        notes
            .iter()
            .any(|note| note.as_str().unwrap().contains("topic dataplatform-lake-dlq.")),
        "{one:#}"
    );
    let (_, answer) = explained(&world, "dataplatform-lake");
    assert_eq!(answer[0]["causes"], serde_json::json!([]), "{answer:#}");
}

// Patterns 1, 27 and 30 of the dossier come as answers to somebody's request, not from a connector.
#[test]
fn a_message_from_anywhere_is_explained_without_a_profile() {
    let world = World::new();
    for (message, rule) in [
        ("topics: Provided Kafka ApiKey is invalid", "kafka-key-invalid"),
        ("Forbidden Access", "forbidden"),
        ("the number of tasks is currently limited to 250", "quota"),
        ("what nobody has ever heard of", "unknown"),
    ] {
        let mut command = world.command();
        command.args(["connector", "explain", "--message", message, "-o", "json"]);
        let seen = world.see(&mut command);
        assert_eq!((seen.code, &json(&seen)["rule"]), (Some(0), &rule.into()), "{seen}");
    }
    let mut command = world.command();
    command.args(["connector", "explain", "--message", "Unknown magic byte!"]);
    let seen = world.see(&mut command);
    assert!(
        seen.stdout
            .contains("Do      1. Set input.data.format to what the topic really holds."),
        "{seen}"
    );
    assert!(
        said_out(&seen).contains("connector update NAME --config-file FILE"),
        "{seen}"
    );
}

#[test]
fn other_commands_lead_to_the_explanation() {
    let world = onboarded();
    prepare(&world);
    assert_eq!(world.ebs("onboard claims --sandbox --yes").code, Some(0));
    assert_eq!(world.ebs("sandbox clock advance 10m").code, Some(0));
    let seen = run_with(
        &world,
        "connector create --config-file claims-ledger.json PROFILE",
        "",
        "wrong-password",
    );
    assert_eq!(seen.code, Some(6), "{seen}");
    assert!(said(&seen).contains("connector explain claims-ledger"), "{seen}");
    let seen = crate::operator(&world, "connector describe claims-ledger");
    assert!(seen.stdout.contains("connector explain claims-ledger"), "{seen}");
}
