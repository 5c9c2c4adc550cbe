//! `connector explain` with the profile of a department.

use confluent_ebs::sandbox::ConnectorFault as Fault;
use serde_json::Value;

use crate::{
    cli_with_claims,
    common::{Cli, JsonAccess as _, PROFILES_DIR},
    output_contract::{run_with, write_connector_files},
};

/// Each failure that the sandbox can produce, its plugin, the rule that explains it, and its owner; the comment is the
/// pattern of docs/reference/connect.md#error-messages.
const EXPECTED: &[(Fault, &str, &str, &str)] = &[
    // 1.
    (Fault::KafkaKeyInvalid, CDC, "kafka-key-invalid", "platform"),
    // 5.
    (Fault::DlqNotCreatable, SINK, "dead-letters-denied", "platform"),
    // 6.
    (Fault::InvalidUpdate, SINK, "invalid-configuration", "department"),
    // 8 and 9: five fields, one cause.
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
    (Fault::RedoTopic, ORACLE, "redo-topic", "department"),
    // 16, 17.
    (Fault::WrongFormat, SINK, "wrong-format", "department"),
    (Fault::SchemaMissing, SINK, "schema-missing", "department"),
    (Fault::SchemaDenied, SINK, "schema-denied", "platform"),
    (Fault::SchemaDenied, CDC, "schema-denied", "platform"),
    // 18; grants of the runtime account are the platform team's, the name of a topic is the department's.
    (Fault::TopicDenied, SINK, "topic-denied", "platform"),
    (Fault::GroupDenied, SINK, "group-denied", "platform"),
    (Fault::MissingTopic, SINK, "topic-missing", "department"),
    // 19 to 23.
    (Fault::RecordTooLarge, CDC, "record-too-large", "department"),
    (Fault::TableMissing, TABLE, "table-missing", "department"),
    (Fault::StorageDenied, SINK, "storage-denied", "department"),
    (Fault::SnowflakeJwt, SNOWFLAKE, "snowflake-key", "department"),
    (Fault::SlowTarget, SINK, "slow-target", "department"),
    // 24: the last cause of the trace, which is one of pattern 10.
    (Fault::TaskFailed, SINK, "timed-out", "network"),
    // 25: only Confluent.
    (Fault::PlatformError, SINK, "platform-error", "confluent"),
    // 31.
    (Fault::OffsetType, CDC, "offset-type", "department"),
    // Source: docs/reference/connect.md#timing-of-states
    (Fault::Flapping, JDBC, "connection-lost", "network"),
    // The connector was created more than a quarter of an hour ago.
    (Fault::StuckProvisioning, SINK, "provisioning-stuck", "confluent"),
];

const CDC: &str = "dataplatform-cdc";
const SINK: &str = "dataplatform-lake";
const JDBC: &str = "dataplatform-ledger";
const TABLE: &str = "dataplatform-table";
const SNOWFLAKE: &str = "dataplatform-snow";
const ORACLE: &str = "dataplatform-oracle";

/// A department that may use every plugin, with one connector of each kind.
fn cli_with_running_connectors() -> Cli {
    let cli = Cli::new();
    for args in [
        "sandbox reset --yes",
        "onboard data-platform --sandbox --yes",
        "sandbox clock advance 10m",
    ] {
        cli.run(args).expect_success();
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
        create_connector(&cli, name, config);
    }
    cli
}

fn create_connector(cli: &Cli, name: &str, config: &str) {
    let file = format!("{name}.json");
    cli.write(&file, format!(r#"{{"name": "{name}", {config}}}"#));
    let create = format!("connector create --config-file {file} --profile {PROFILES_DIR}/data-platform-deployer.toml");
    cli.run_with_env(&create, &[("EBS_SECRET_P", "correct horse battery")])
        .expect_success();
}

/// Adds the plugins that only single failures need.
fn create_more_connectors(cli: &Cli) {
    for (name, config) in [
        (
            TABLE,
            r#""connector.class": "PostgresSink", "topics": "dataplatform-orders", "input.data.format": "JSON_SR",
               "connection.host": "db.example.com", "connection.port": "5432", "connection.user": "writer",
               "connection.password": "${env:EBS_SECRET_P}", "db.name": "ledger", "insert.mode": "INSERT""#,
        ),
        (
            SNOWFLAKE,
            r#""connector.class": "SnowflakeSink", "topics": "dataplatform-orders", "input.data.format": "JSON",
               "snowflake.url.name": "acme.example.com", "snowflake.user.name": "loader",
               "snowflake.private.key": "${env:EBS_SECRET_P}", "snowflake.database.name": "d",
               "snowflake.schema.name": "s""#,
        ),
        (
            ORACLE,
            r#""connector.class": "OracleCdcSource", "oracle.server": "ora.example.com", "oracle.port": "1521",
               "oracle.sid": "orcl", "oracle.username": "cdc", "oracle.password": "${env:EBS_SECRET_P}",
               "table.inclusion.regex": "ORCL[.]HR[.]STAFF", "output.data.key.format": "JSON",
               "output.data.value.format": "JSON", "redo.log.topic.name": "dataplatform-redo",
               "table.topic.name.template": "dataplatform-${tableName}""#,
        ),
    ] {
        create_connector(cli, name, config);
    }
}

fn explain_json(cli: &Cli, what: &str) -> (Option<i32>, Value) {
    let result = cli.run_as("data-platform-operator", &format!("connector explain {what} -o json"));
    (result.code, result.json())
}

#[test]
fn every_simulated_failure_is_explained_by_its_rule() {
    let cli = cli_with_running_connectors();
    create_more_connectors(&cli);
    for kind in Fault::ALL {
        assert!(EXPECTED.iter().any(|row| row.0 == *kind), "{kind} is not in the table");
    }
    let mut wrong = Vec::new();
    for (kind, name, rule, owner) in EXPECTED {
        cli.run(&format!("sandbox fault connector {name} {kind}"))
            .expect_success();
        // Long enough for the failure to appear, and for a flapping connector to be in its failed phase.
        cli.run("sandbox clock advance 50s").expect_success();
        let (code, answer) = explain_json(&cli, name);
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
        cli.run(&format!("sandbox fault clear {name}")).expect_success();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_configured_platform_team_is_named_as_the_owner() {
    let cli = cli_with_running_connectors();
    cli.run(&format!("sandbox fault connector {SINK} topic-denied"));
    cli.run("sandbox clock advance 3m");
    for (command, words) in [
        ("connector explain", "Owner EBS (ebs@example.com)"),
        ("connector describe", "Responsible: EBS (ebs@example.com)."),
    ] {
        let result = cli.run_as("data-platform-operator", &format!("{command} {SINK}"));
        assert!(result.stdout_line().contains(words), "{words}: {result}");
    }
    let (_, answer) = explain_json(&cli, SINK);
    assert_eq!(answer[0]["causes"][0]["owner"], "platform");
}

#[test]
fn explain_shows_the_cause_and_commands_that_parse() {
    let cli = cli_with_running_connectors();
    cli.run("sandbox fault connector dataplatform-cdc wrong-password");
    cli.run("sandbox clock advance 3m");
    let result = cli
        .run_as("data-platform-operator", "connector explain dataplatform-cdc")
        .expect_code(6);
    let text = result.stdout_line();
    for words in [
        "PostgresCdcSourceV2) is FAILED since 20",
        "Cause The external system rejects the user or the password.",
        "Message FATAL: password authentication failed for user \"cdc\"",
        "Keys database.hostname, database.port, database.user, database.password, database.dbname",
        "Current state No previous configuration is in force; no tasks run.",
        "Owner the department",
        "Next steps 1. Correct the user in the file and the password",
        // Not every template allows the operator to update it; the command is for the deployer, with the flags of this
        // run.
        "2. Apply the corrected file (as the deployer): confluent ebs connector update dataplatform-cdc --config-file FILE \
         --profile .state/confluent-ebs/sandbox/handover/data-platform-deployer.toml",
    ] {
        assert!(text.contains(words), "{words:?} is missing\n{result}");
    }
    // One cause, printed once.
    assert_eq!(text.matches("password authentication failed").count(), 1, "{result}");
    assert!(result.stdout.lines().count() <= 24, "longer than a screen\n{result}");
    // The printed commands can be executed.
    let (_, answer) = explain_json(&cli, "dataplatform-cdc");
    let steps = answer.items("/0/causes/0/steps");
    let command = steps.iter().find_map(|step| step["command"].as_str()).unwrap();
    let words = command
        .strip_prefix("confluent ebs ")
        .unwrap()
        .replace("FILE", "dataplatform-cdc.json");
    let result = cli.run_with_env(&words, &[("EBS_SECRET_P", "another horse")]);
    assert_ne!(result.code, Some(64), "{result}");
}

// A missing value of a command is printed as a placeholder, or the command is omitted.
#[test]
fn commands_suggested_to_the_platform_team_are_accepted() {
    let cli = cli_with_running_connectors();
    cli.run("sandbox fault connector dataplatform-cdc wrong-password");
    cli.run("sandbox fault connector dataplatform-lake slow-target");
    cli.run("sandbox clock advance 3m");
    let result = cli
        .run("connector explain dataplatform-cdc dataplatform-lake --sandbox -o json")
        .expect_code(6);
    let answer = result.json();
    let commands = answer.items("").iter().flat_map(|one| one.items("/causes"));
    let commands = commands.flat_map(|cause| cause.items("/steps"));
    let commands: Vec<&str> = commands.filter_map(|step| step["command"].as_str()).collect();
    assert_eq!(
        commands,
        [
            "confluent ebs connector update dataplatform-cdc --config-file FILE --sandbox --department data-platform",
            "confluent ebs quota describe --sandbox --department data-platform",
            "confluent ebs connector update dataplatform-lake --config-file FILE --sandbox --department data-platform",
        ]
    );
    cli.run(commands[1].strip_prefix("confluent ebs ").unwrap())
        .expect_success();
    let words = commands[0].strip_prefix("confluent ebs ").unwrap();
    let words = words.replace("FILE", "dataplatform-cdc.json");
    let result = cli.run_with_env(&words, &[("EBS_SECRET_P", "another horse")]);
    assert_ne!(result.code, Some(64), "{result}");
    assert!(!result.stderr_line().contains("no department specified"), "{result}");
    // A profile is printed only if one is in use.
    let message = |flags: &[&str]| {
        let mut command = cli.command();
        command
            .args(["connector", "explain", "--message", "account not found"])
            .args(flags);
        cli.run_command(&mut command)
    };
    assert!(!message(&[]).stdout.contains("profile show"));
    let profile = format!("{PROFILES_DIR}/data-platform-operator.toml");
    assert!(
        message(&["--profile", &profile])
            .stdout_line()
            .contains("profile show --profile")
    );
}

#[test]
fn a_rejected_update_says_that_the_previous_configuration_is_active() {
    let cli = cli_with_running_connectors();
    // A trigger value: the service accepts it and fails later (docs/reference/connect.md#update-a-connector).
    cli.run_as(
        &format!("data-platform-{}", "deployer"),
        "connector update dataplatform-lake --config s3.bucket.name=invalid-update --timeout 1m",
    )
    .expect_code(6);
    let (code, answer) = explain_json(&cli, "dataplatform-lake");
    assert_eq!(
        (code, &answer[0]["previous_runs"]),
        (Some(6), &true.into()),
        "{answer:#}"
    );
    assert_eq!(answer[0]["causes"][0]["configs"][0], "flush.size", "{answer:#}");
    let result = cli.run_as("data-platform-operator", "connector explain dataplatform-lake");
    assert!(
        result
            .stdout
            .contains("Current state   The previous configuration is in force and its tasks run."),
        "{result}"
    );
}

#[test]
fn explain_all_gives_healthy_connectors_one_line() {
    let cli = cli_with_running_connectors();
    cli.run("sandbox fault connector dataplatform-lake task-failed");
    cli.run("sandbox clock advance 3m");
    let result = cli
        .run_as("data-platform-operator", "connector explain --all")
        .expect_code(6);
    assert!(result.stdout.starts_with("dataplatform-lake ("), "{result}");
    assert!(
        result
            .stdout
            .contains("Tasks           Task 0 failed; the other tasks run."),
        "{result}"
    );
    for name in ["dataplatform-cdc", "dataplatform-ledger", "dataplatform-orders"] {
        let line = result.stdout.lines().find(|line| line.starts_with(name));
        assert!(line.is_some_and(|line| line.contains("is RUNNING")), "{name}\n{result}");
    }
    cli.run("sandbox fault clear");
    cli.run("sandbox clock advance 3m");
    let result = cli
        .run_as("data-platform-operator", "connector explain --all")
        .expect_success();
    assert_eq!(
        result.stdout.replace("\n  ", " "),
        "4 connectors are RUNNING: dataplatform-cdc, dataplatform-lake, dataplatform-ledger, and dataplatform-orders.\n"
    );
    let result = cli.run_as("data-platform-operator", "connector explain dataplatform-l*");
    assert_eq!(result.stdout.lines().count(), 2, "{result}");
    // Other connectors are not read.
    cli.run_as("data-platform-operator", "connector explain fraud-orders")
        .expect_code(5);
    cli.run_as("data-platform-operator", "connector explain")
        .expect_code(64);
}

#[test]
fn explain_uses_log_lines_when_the_status_has_no_cause() {
    let cli = cli_with_running_connectors();
    cli.run("sandbox fault connector dataplatform-lake platform-error");
    cli.run("sandbox clock advance 20m");
    let (_, answer) = explain_json(&cli, "dataplatform-lake");
    let log = &answer[0]["log"];
    assert!(log.text("/error").contains("the worker was lost"), "{answer:#}");
    assert!(log["times"].as_u64() > Some(1), "{answer:#}");
    // A viewer may not read logs (docs/reference/logs.md#who-may-read-logs); the command says so and succeeds.
    let result = cli
        .run_as(
            &format!("data-platform-{}", "viewer"),
            "connector explain dataplatform-lake",
        )
        .expect_code(6);
    assert!(
        result
            .stdout_line()
            .contains("The log may contain more details, but could not be read: it requires ConnectManager"),
        "{result}"
    );
    // No wait for the rate limit: a connector allows five requests per minute.
    let explained: Vec<_> = (0..6)
        .map(|_| explain_json(&cli, "dataplatform-lake").1[0].clone())
        .collect();
    let last = explained.last().unwrap();
    assert!(last.text("/log_error").contains("5 requests per minute"), "{last:#}");
    assert!(last["causes"][0]["rule"] == "platform-error", "{last:#}");
}

#[test]
fn a_flapping_connector_is_not_reported_healthy() {
    let cli = cli_with_running_connectors();
    cli.run("sandbox fault connector dataplatform-ledger flapping");
    // It runs for 45 seconds and fails for 30.
    cli.run("sandbox clock advance 5m");
    let (code, answer) = explain_json(&cli, "dataplatform-ledger");
    let one = &answer[0];
    assert_eq!(
        (code, &one["status"], &one["health"]),
        (Some(0), &"RUNNING".into(), &"unsettled".into())
    );
    assert_eq!(one["causes"][0]["rule"], "connection-lost", "{one:#}");
    assert!(one["log"]["times"].as_u64() > Some(1), "{one:#}");
}

#[test]
fn explain_no_records_lists_where_records_may_be() {
    let cli = cli_with_running_connectors();
    let (code, answer) = explain_json(&cli, "dataplatform-lake --no-records");
    let one = &answer[0];
    assert_eq!(
        (code, &one["causes"][0]["rule"]),
        (Some(0), &"no-records".into()),
        "{one:#}"
    );
    let notes = one.items("/notes");
    assert!(
        notes
            .iter()
            .any(|note| note.as_str().unwrap().contains("topic `dataplatform-dlq-lake`")),
        "{one:#}"
    );
    let (_, answer) = explain_json(&cli, "dataplatform-lake");
    assert_eq!(answer[0]["causes"], serde_json::json!([]), "{answer:#}");
}

// Patterns 1, 27 and 30 of docs/reference/connect.md#error-messages are responses to requests, not errors of a
// connector.
#[test]
fn explain_message_works_without_a_profile() {
    let cli = Cli::new();
    for (message, rule) in [
        ("topics: Provided Kafka ApiKey is invalid", "kafka-key-invalid"),
        ("Forbidden Access", "forbidden"),
        ("the number of tasks is currently limited to 250", "quota"),
        ("an error without a rule", "unknown"),
    ] {
        let mut command = cli.command();
        command.args(["connector", "explain", "--message", message, "-o", "json"]);
        let result = cli.run_command(&mut command);
        assert_eq!(
            (result.code, &result.json()["rule"]),
            (Some(0), &rule.into()),
            "{result}"
        );
    }
    let mut command = cli.command();
    command.args(["connector", "explain", "--message", "Unknown magic byte!"]);
    let result = cli.run_command(&mut command);
    assert!(
        result
            .stdout_line()
            .contains("Next steps 1. Set `input.data.format` to the actual format of the records."),
        "{result}"
    );
    assert!(
        result
            .stdout_line()
            .contains("connector update NAME --config-file FILE"),
        "{result}"
    );
}

#[test]
fn a_message_may_be_json_of_many_lines_on_standard_input() {
    let cli = Cli::new();
    let event = r#"{
  "data": { "summary": { "connectorErrorSummary": {
    "message": "Non tolerated exception in error handler",
    "rootCause": "Failed to access Avro data from topic claims.orders : Unauthorized; error code: 401" } } },
  "type": "io.confluent.logevents.connect.TaskFailed"
}"#;
    let result = cli
        .run_with_input("connector explain --message - -o json", event)
        .expect_success();
    let answer = result.json();
    assert_eq!(
        (&answer["rule"], &answer["owner"], &answer["family"]),
        (&"schema-denied".into(), &"platform".into(), &"schema".into()),
        "{answer:#}"
    );
    assert!(
        answer.text("/errors/0").ends_with("Unauthorized; error code: 401"),
        "{answer:#}"
    );
    cli.run_with_input("connector explain --message -", " ").expect_code(64);
    let unknown = cli
        .run_with_input("connector explain --message - -o json", "nobody has ever seen this")
        .json();
    assert_eq!(
        (&unknown["rule"], &unknown["owner"]),
        (&"unknown".into(), &"unknown".into()),
        "{unknown:#}"
    );
}

#[test]
fn create_explains_a_failure_and_describe_suggests_connector_explain() {
    let cli = cli_with_claims();
    write_connector_files(&cli);
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli.run("sandbox clock advance 10m").expect_success();
    let result = run_with(
        &cli,
        "connector create --config-file claims-ledger.json PROFILE",
        "",
        "wrong-password",
    )
    .expect_code(6);
    let explained = cli.run_as("claims-deployer", "connector explain claims-ledger");
    assert!(result.stdout.ends_with(&explained.stdout), "{result}\n{explained}");
    assert!(explained.stdout.contains("Next steps"), "{explained}");
    let result = cli.run_as("claims-operator", "connector describe claims-ledger");
    assert!(result.stdout.contains("connector explain claims-ledger"), "{result}");
}
