//! Connectors of departments with the binary: profiles of an onboarding, on the sandbox.

#[path = "../common/mod.rs"]
mod common;

mod assumptions;
mod changes;
mod daily_use;
mod explain;
mod first_hour;
mod library;
mod sandbox_fault_list;
mod output_contract;
mod secret_hunt;
mod secret_updates;
mod secrets;
mod slow;

use common::{Cli, JsonAccess as _, PROFILES_DIR};

const ORDERS_FILE: &str = r#"{
  "name": "claims-orders",
  "config": {
    "connector.class": "DatagenSource",
    "kafka.topic": "claims-orders",
    "quickstart": "ORDERS",
    "output.data.format": "JSON"
  }
}
"#;

/// An organization with the department "claims", template hybrid.
fn cli_with_claims() -> Cli {
    cli_with_claims_at_timing("instant")
}

/// The same, in a sandbox with these delays.
fn cli_with_claims_at_timing(timing: &str) -> Cli {
    let cli = Cli::with_sandbox(&format!("--timing {timing}"));
    cli.run("onboard claims --sandbox --yes").expect_success();
    // Role bindings take time to propagate to Connect (docs/reference/rbac.md#propagation-delays).
    cli.run("sandbox clock advance 10m").expect_success();
    cli.write("orders.json", ORDERS_FILE);
    cli
}

#[test]
fn a_connector_is_created_listed_and_deleted() {
    let cli = cli_with_claims();
    let created = cli
        .run_as("claims-deployer", "connector create --config-file orders.json -o json")
        .expect_success()
        .json();
    let id = created.text("/id").to_owned();
    assert!(id.starts_with("lcc-"), "{created}");
    assert_eq!(
        (&created["status"], &created["existed"]),
        (&"RUNNING".into(), &false.into())
    );
    let filled: Vec<&str> = created
        .items("/defaults")
        .iter()
        .map(|line| line.text("/config"))
        .collect();
    assert_eq!(filled, ["kafka.auth.mode", "kafka.service.account.id", "tasks.max"]);

    // A repeated create continues with the wait, and creates nothing.
    let again = cli
        .run_as("claims-deployer", "connector create --config-file orders.json -o json")
        .json();
    assert_eq!((&again["id"], &again["existed"]), (&id.as_str().into(), &true.into()));

    let list = cli.run_as("claims-operator", "connector list -o json").json();
    assert_eq!(list.items("").len(), 1);
    assert_eq!(
        (&list[0]["id"], &list[0]["name"]),
        (&id.as_str().into(), &"claims-orders".into())
    );
    let table = cli.run_as("claims-operator", "connector list");
    assert!(table.stdout.contains("|     Name      | Status  |  Type"), "{table}");
    assert!(
        table.stderr.contains("uses 1 of 12 connectors and 1 of 20 tasks"),
        "{table}"
    );

    for name in [id.as_str(), "claims-orders"] {
        let described = cli
            .run_as("claims-operator", &format!("connector describe {name} -o json"))
            .json();
        assert_eq!(described["connector"]["id"], id.as_str());
        assert_eq!(described["tasks"][0]["state"], "RUNNING");
    }

    let declined = cli
        .run_with_input(
            &format!("connector delete claims-orders --profile {PROFILES_DIR}/claims-deployer.toml"),
            "n\n",
        )
        .expect_success();
    assert_eq!(
        declined.stdout,
        "Are you sure you want to delete connector \"claims-orders\"? (y/n): \n"
    );
    let consequence = format!(
        "claims-orders ({id}, DatagenSource) is RUNNING. If recreated without offsets, it reads its source from the \
         beginning."
    );
    let words: Vec<&str> = declined.stderr.split_whitespace().collect();
    assert!(words.join(" ").contains(&consequence), "{declined}");
    let deleted = cli.run_as("claims-deployer", &format!("connector delete {id} --force"));
    assert_eq!(
        (deleted.code, deleted.stdout),
        (Some(0), format!("Deleted connector \"{id}\".\n"))
    );
    assert_eq!(cli.run_as("claims-operator", "connector list").stdout, "None found.\n");
}

#[test]
fn create_refuses_an_existing_different_connector_and_suggests_update() {
    let cli = cli_with_claims();
    cli.run_as(
        "claims-deployer",
        "connector create --config-file orders.json --no-wait",
    )
    .expect_success();
    cli.write("orders.json", ORDERS_FILE.replace("\"ORDERS\"", "\"USERS\""));
    let result = cli
        .run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_code(5);
    assert!(result.stderr_line().contains("differs in `quickstart`"), "{result}");
    assert!(
        result.stderr_line().contains("connector update claims-orders"),
        "{result}"
    );
}

#[test]
fn create_as_operator_suggests_the_deployer_profile() {
    let cli = cli_with_claims();
    let result = cli
        .run_as("claims-operator", "connector create --config-file orders.json")
        .expect_code(4);
    assert!(result.stderr_line().contains("--profile claims-deployer"), "{result}");
    // The refusal comes before a secret is read or asked for.
    cli.write(
        "claims-db.json",
        r#"{"name": "claims-db", "connector.class": "PostgresSource", "connection.host": "db.example.com",
            "connection.port": "5432", "connection.user": "reader", "connection.password": "${env:EBS_SECRET_UNSET}",
            "db.name": "claims", "topic.prefix": "claims-", "table.whitelist": "orders", "mode": "bulk",
            "db.timezone": "UTC", "output.data.format": "JSON"}"#,
    );
    let result = cli.run_as("claims-operator", "connector create --config-file claims-db.json");
    assert!(!result.stderr.contains("EBS_SECRET_UNSET"), "{result}");
    result.expect_code(4);
}

#[test]
fn names_of_other_departments_are_refused_before_any_request() {
    let cli = cli_with_claims();
    cli.write("motor.json", ORDERS_FILE.replace("claims-orders", "motor-orders"));
    cli.run_as("claims-deployer", "connector create --config-file motor.json")
        .expect_code(5);
    let result = cli
        .run_as("claims-deployer", "connector delete motor-orders --force")
        .expect_code(5);
    assert!(result.stderr_line().contains("begin with `claims-`"), "{result}");
    // An id has no prefix; unknown ids give the message of the Confluent CLI.
    let result = cli
        .run_as("claims-deployer", "connector delete lcc-456 lcc-789 lcc-101112 --force")
        .expect_code(1);
    assert!(
        result
            .stderr
            .starts_with("Error: connectors \"lcc-456\", \"lcc-789\", and \"lcc-101112\" not found\n"),
        "{result}"
    );
    let result = cli.run_as("claims-deployer", "connector describe lcc-000000");
    assert!(
        result
            .stderr
            .starts_with("Error: unknown connector ID \"lcc-000000\"\n"),
        "{result}"
    );
}

#[test]
fn a_create_over_quota_is_refused_with_its_numbers() {
    let cli = cli_with_claims();
    let many = ORDERS_FILE.replace("\"JSON\"", "\"JSON\",\n    \"tasks.max\": \"5\"");
    cli.write("many.json", many);
    cli.run_as("claims-deployer", "connector create --config-file many.json")
        .expect_code(5);
    let result = cli
        .run_as("claims-operator", "quota check --plugin DatagenSource --tasks 5")
        .expect_code(5);
    assert!(
        result
            .stderr_line()
            .contains("tasks per connector: 5 requested, 4 allowed"),
        "{result}"
    );
    assert!(
        result.stderr_line().contains("Set `tasks.max` to at most 4."),
        "{result}"
    );
    let result = cli.run_as("claims-operator", "quota check --plugin HttpSink");
    assert!(
        result.stderr_line().contains("plugin `HttpSink` is not allowed"),
        "{result}"
    );
    let fits = cli
        .run_as(
            "claims-operator",
            "quota check --plugin DatagenSource --tasks 4 -o json",
        )
        .json();
    assert_eq!(fits["allowed"], true);
    cli.run_as("claims-operator", "quota describe").expect_success();
    let all = cli.run("quota list --sandbox -o json").json();
    assert_eq!(all.items("").len(), 24);
}

#[test]
fn the_last_connector_within_quota_is_created_and_the_next_is_refused() {
    let cli = cli_with_claims();
    for number in 1..=12 {
        cli.write(
            "next.json",
            ORDERS_FILE.replace("claims-orders", &format!("claims-orders-{number}")),
        );
        cli.run_as("claims-deployer", "connector create --config-file next.json --no-wait")
            .expect_success();
    }
    let result = cli
        .run_as(
            "claims-deployer",
            "connector create --config-file orders.json --no-wait",
        )
        .expect_code(5);
    assert!(
        result
            .stderr_line()
            .contains("connectors: 1 requested, 12 of 12 used, 0 left"),
        "{result}"
    );
}

#[test]
fn a_referenced_secret_is_sent_but_never_printed() {
    const CANARY: &str = "canary-5f1c9e";
    let cli = cli_with_claims();
    // The source creates the topic that the sink reads.
    cli.run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_success();
    let sink = r#"{"name": "claims-lake", "config": {
        "connector.class": "S3_SINK", "topics": "claims-orders", "input.data.format": "JSON",
        "output.data.format": "JSON", "s3.bucket.name": "claims-lake", "time.interval": "HOURLY", "flush.size": "1000",
        "authentication.method": "Access Keys", "aws.access.key.id": "${env:EBS_SECRET_AWS_ID}",
        "aws.secret.access.key": "${env:EBS_SECRET_AWS}"}}"#;
    cli.write("lake.json", sink);
    let variables = [("EBS_SECRET_AWS", CANARY), ("EBS_SECRET_AWS_ID", "AKIAEXAMPLE")];
    for more in ["--dry-run", "--dry-run -o json", "--unsafe-trace", ""] {
        let create =
            format!("connector create --config-file lake.json --profile {PROFILES_DIR}/claims-deployer.toml {more}");
        let result = cli.run_with_env(&create, &variables).expect_success();
        assert!(!result.to_string().contains(CANARY), "{more:?}: {result}");
    }
    // The dead letter queue of the sink is a topic of the department.
    let described = cli.run_as("claims-deployer", "connector describe claims-lake -o json");
    assert!(described.stdout.contains("claims-dlq-lake"), "{described}");

    cli.write(
        "lake.json",
        sink.replace("EBS_SECRET_AWS}", "CONFLUENT_CLOUD_API_SECRET}"),
    );
    cli.run_as("claims-deployer", "connector create --config-file lake.json")
        .expect_code(5);
    cli.write("lake.json", sink.replace("${env:EBS_SECRET_AWS}", "****************"));
    cli.run_as("claims-deployer", "connector create --config-file lake.json")
        .expect_code(5);
    cli.write(
        "lake.json",
        sink.replace("claims-lake\", \"time", "${env:EBS_SECRET_AWS}\", \"time"),
    );
    cli.run_as("claims-deployer", "connector create --config-file lake.json")
        .expect_code(5);
}

#[test]
fn the_platform_team_can_act_for_a_department() {
    let cli = cli_with_claims();
    cli.run_as(
        "claims-deployer",
        "connector create --config-file orders.json --no-wait",
    )
    .expect_success();
    let result = cli
        .run("connector list --wide --sandbox --department claims")
        .expect_success();
    assert!(
        result
            .stderr_line()
            .contains("Department `claims` uses 1 of 12 connectors"),
        "{result}"
    );
    cli.run("connector create --config-file orders.json --sandbox")
        .expect_code(64);
    let result = cli
        .run("connector wait claims-orders --sandbox-as claims/operator")
        .expect_success();
    assert!(result.stdout.ends_with("is RUNNING.\n"), "{result}");
}

#[test]
fn connectors_are_paused_resumed_and_restarted_by_name_pattern_or_all() {
    let cli = cli_with_claims();
    for number in 1..=3 {
        cli.write(
            "next.json",
            ORDERS_FILE.replace("claims-orders", &format!("claims-orders-{number}")),
        );
        cli.run_as("claims-deployer", "connector create --config-file next.json")
            .expect_success();
    }
    let paused = cli
        .run_as("claims-operator", "connector pause claims-orders-1")
        .expect_success();
    assert!(
        paused.stdout.starts_with("Paused connector \"claims-orders-1"),
        "{paused}"
    );
    cli.run_as("claims-operator", "connector wait claims-orders-1 --paused")
        .expect_success();
    let refused = cli
        .run_as("claims-operator", "connector restart claims-orders-1")
        .expect_code(1);
    assert!(
        refused.stderr_line().contains("it is paused; resume it instead"),
        "{refused}"
    );
    cli.run_as("claims-operator", "connector resume claims-orders-*")
        .expect_success();
    cli.run_as("claims-operator", "connector wait claims-orders-1")
        .expect_success();
    let all = cli.run_as("claims-operator", "connector restart --all -o json").json();
    assert_eq!(all.items("/connectors").len(), 3);
    assert_eq!(all["connectors"][0]["restarted_by"], "restart");
}

#[test]
fn update_shows_a_diff_per_key_and_is_idempotent() {
    let cli = cli_with_claims();
    cli.run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_success();
    let dry = cli
        .run_as(
            "claims-deployer",
            "connector update claims-orders --config tasks.max=2 --dry-run -o json",
        )
        .json();
    assert_eq!(dry.items("/changes").len(), 1, "{dry}");
    assert_eq!(
        (&dry["changes"][0]["old"], &dry["changes"][0]["new"]),
        (&"1".into(), &"2".into())
    );
    let result = cli
        .run_as("claims-deployer", "connector update claims-orders --config tasks.max=2")
        .expect_success();
    assert!(result.stdout.starts_with("Updated connector \"claims-"), "{result}");
    let result = cli.run_as("claims-deployer", "connector update claims-orders --config tasks.max=2");
    assert!(result.stdout.ends_with("is up to date.\n"), "{result}");
    let result = cli
        .run_as("claims-deployer", "connector update claims-orders --config tasks.max=5")
        .expect_code(5);
    assert!(
        result
            .stderr_line()
            .contains("`tasks.max` is 5; the quota allows 4 for one connector"),
        "{result}"
    );
    cli.run_as("claims-operator", "connector update claims-orders --config tasks.max=1")
        .expect_code(4);
    cli.run_as("claims-deployer", "connector update claims-orders")
        .expect_code(64);
    // The file has no tasks; their number is unchanged.
    let result = cli.run_as(
        "claims-deployer",
        "connector update claims-orders --config-file orders.json",
    );
    assert!(result.stdout.ends_with("is up to date.\n"), "{result}");
    // An update never creates a connector.
    cli.write("orders.json", ORDERS_FILE.replace("claims-orders", "claims-new"));
    let result = cli
        .run_as(
            "claims-deployer",
            "connector update claims-new --config-file orders.json",
        )
        .expect_code(1);
    assert!(result.stderr.contains("\"claims-new\" not found"), "{result}");
}

#[test]
fn a_wrong_password_is_reported_with_cause_and_owner() {
    let cli = cli_with_claims();
    cli.write(
        "claims-db.json",
        r#"{"name": "claims-db", "connector.class": "PostgresSource", "connection.host": "db.example.com",
            "connection.port": "5432", "connection.user": "reader", "connection.password": "${env:EBS_SECRET_DB}",
            "db.name": "claims", "topic.prefix": "claims-", "table.whitelist": "orders", "mode": "bulk",
            "db.timezone": "UTC", "output.data.format": "JSON"}"#,
    );
    let with_deployer = |command: &str| format!("{command} --profile {PROFILES_DIR}/claims-deployer.toml");
    let create = with_deployer("connector create --config-file claims-db.json");
    let result = cli
        .run_with_env(&create, &[("EBS_SECRET_DB", "wrong-password")])
        .expect_code(6);
    assert!(
        result.stdout_line().contains("password authentication failed"),
        "{result}"
    );
    assert!(
        result
            .stdout_line()
            .contains("connector update claims-db --config-file"),
        "{result}"
    );
    assert_eq!(
        result.to_string().matches("password authentication failed").count(),
        1,
        "{result}"
    );
    assert!(!result.to_string().contains("\tat "), "{result}");
    let described = cli
        .run_as("claims-operator", "connector describe claims-db -o json")
        .json();
    assert_eq!(described["cause"]["owner"], "department", "{described}");
    // The secret is sent again, because it cannot be compared.
    let update = with_deployer("connector update claims-db --config-file claims-db.json");
    let result = cli
        .run_with_env(&update, &[("EBS_SECRET_DB", "the right one")])
        .expect_success();
    assert!(
        result
            .stderr_line()
            .contains("(secret: sent, from ${env:EBS_SECRET_DB})"),
        "{result}"
    );
}

#[test]
fn plugin_describe_lists_keys_and_validate_checks_values() {
    let cli = cli_with_claims();
    let plugins = cli.run_as("claims-operator", "connector plugin list -o json").json();
    assert!(plugins.items("").iter().all(|row| row["allowed"] == true));
    let keys = cli
        .run_as("claims-operator", "connector plugin describe DatagenSource -o json")
        .json();
    let keys = keys.items("");
    assert!(
        keys.iter()
            .all(|row| row["config"].is_string() && row["is_secret"].is_boolean())
    );
    assert!(!keys.is_empty());
    cli.run_as("claims-deployer", "connector validate --config-file orders.json")
        .expect_success();
    cli.run_as("claims-operator", "connector plugin describe NoSuchPlugin")
        .expect_code(1);
}

#[test]
fn offsets_are_described_and_deleted() {
    let cli = cli_with_claims();
    cli.run_as("claims-deployer", "connector create --config-file orders.json")
        .expect_success();
    cli.run_as("claims-operator", "connector offset describe claims-orders -o json")
        .expect_success();
    cli.run_as(
        "claims-deployer",
        "connector offset delete claims-orders --force -o json",
    )
    .expect_success();
    let status = cli
        .run_as(
            "claims-operator",
            "connector offset status describe claims-orders -o json",
        )
        .json();
    assert_eq!(
        (&status["request_type"], &status["phase"]),
        (&"DELETE".into(), &"APPLIED".into())
    );
}

#[test]
fn an_imported_profile_is_shown_without_its_secret_and_used() {
    let cli = cli_with_claims();
    let file = format!("{PROFILES_DIR}/claims-operator.toml");
    let secret = cli
        .read(&file)
        .split("secret = \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap()
        .to_owned();
    assert_eq!(cli.run("profile list").stdout, "None found.\n");
    assert!(
        cli.run("department list").stderr.contains("`confluent ebs init`"),
        "without a profile, the caller may be the platform team"
    );
    let imported = cli.run(&format!("profile import {file}")).stdout_line();
    let next = "`confluent ebs profile use claims-operator`";
    assert!(
        imported.starts_with("Imported profile `claims-operator`. ") && imported.contains(next),
        "{imported}"
    );
    cli.run(&format!("profile import {file}")).expect_code(1);
    let advice = |variables: &[(&str, &str)]| {
        let refused = cli.run_with_env("department list", variables).expect_code(1);
        assert!(!refused.stderr.contains("init"), "{refused}");
        refused.stderr_line()
    };
    assert!(advice(&[]).contains("`confluent ebs profile use NAME`"));
    assert!(advice(&[("CONFLUENT_EBS_PROFILE", "claims-operator")]).contains("`confluent ebs connector`"));
    let shown = cli.run("profile show claims-operator");
    assert!(
        shown.stdout.contains("sandbox:") && !shown.to_string().contains(&secret),
        "{shown}"
    );
    cli.run("profile use claims-operater").expect_code(1);
    assert_eq!(
        cli.run("profile use claims-operator").stdout,
        "Using profile `claims-operator`.\n"
    );
    let list = cli.run("profile list -o json").json();
    assert_eq!(
        (&list[0]["is_current"], &list[0]["persona"]),
        (&true.into(), &"operator".into())
    );
    assert_eq!(cli.run("connector list").stdout, "None found.\n");
}
