//! Connectors of departments with the binary: profiles of an onboarding, on the sandbox.

#[path = "../common/mod.rs"]
mod common;

mod assumptions;
mod changes;
mod explain;
mod library;
mod sandbox_fault_list;
mod output_contract;
mod secrets;
mod faults;

use common::{CliFixture, CliOutput};

/// Default folder of profiles.
const PROFILES_DIR: &str = ".state/confluent-ebs/sandbox/handover";

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
fn fixture_with_claims() -> CliFixture {
    fixture_with_claims_at_timing("instant")
}

/// The same, in a sandbox with these delays.
fn fixture_with_claims_at_timing(timing: &str) -> CliFixture {
    let cli = CliFixture::new();
    let result = cli.run(&format!("sandbox reset --yes --timing {timing}"));
    assert_eq!(result.code, Some(0), "{result}");
    let result = cli.run("onboard claims --sandbox --yes");
    assert_eq!(result.code, Some(0), "{result}");
    // Role bindings take time to propagate to Connect (docs/reference/rbac.md#propagation-delays).
    assert_eq!(cli.run("sandbox clock advance 10m").code, Some(0));
    cli.write("orders.json", ORDERS_FILE);
    cli
}

fn run_as_persona(cli: &CliFixture, persona: &str, args: &str) -> CliOutput {
    cli.run(&format!("{args} --profile {PROFILES_DIR}/claims-{persona}.toml"))
}

fn run_as_deployer(cli: &CliFixture, args: &str) -> CliOutput {
    run_as_persona(cli, "deployer", args)
}

fn run_as_operator(cli: &CliFixture, args: &str) -> CliOutput {
    run_as_persona(cli, "operator", args)
}

/// Standard error without line breaks.
fn normalized_stderr(result: &CliOutput) -> String {
    result.stderr.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parse_json(result: &CliOutput) -> serde_json::Value {
    serde_json::from_str(&result.stdout).unwrap_or_else(|error| panic!("{error}: {result}"))
}

#[test]
fn a_connector_is_created_listed_and_deleted() {
    let cli = fixture_with_claims();
    let created = run_as_deployer(&cli, "connector create --config-file orders.json -o json");
    assert_eq!(created.code, Some(0), "{created}");
    let created = parse_json(&created);
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

    // A repeated create continues with the wait, and creates nothing.
    let again = parse_json(&run_as_deployer(
        &cli,
        "connector create --config-file orders.json -o json",
    ));
    assert_eq!((&again["id"], &again["existed"]), (&id.as_str().into(), &true.into()));

    let list = parse_json(&run_as_operator(&cli, "connector list -o json"));
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(
        (&list[0]["id"], &list[0]["name"]),
        (&id.as_str().into(), &"claims-orders".into())
    );
    let table = run_as_operator(&cli, "connector list");
    assert!(
        table.stdout.contains("|     Name      | Status  |  Type  | Trace"),
        "{table}"
    );
    assert!(
        table.stderr.contains("uses 1 of 12 connectors and 1 of 20 tasks"),
        "{table}"
    );

    for name in [id.as_str(), "claims-orders"] {
        let described = parse_json(&run_as_operator(&cli, &format!("connector describe {name} -o json")));
        assert_eq!(described["connector"]["id"], id.as_str());
        assert_eq!(described["tasks"][0]["state"], "RUNNING");
    }

    let declined = cli.run_command(
        cli.command()
            .args([
                "connector",
                "delete",
                "claims-orders",
                "--profile",
                &format!("{PROFILES_DIR}/claims-deployer.toml"),
            ])
            .write_stdin("n\n"),
    );
    assert_eq!(declined.code, Some(0), "{declined}");
    assert_eq!(
        declined.stdout,
        format!("Are you sure you want to delete connector \"{id}\"? (y/n): \n")
    );
    let deleted = run_as_deployer(&cli, &format!("connector delete {id} --force"));
    assert_eq!(
        (deleted.code, deleted.stdout),
        (Some(0), format!("Deleted connector \"{id}\".\n"))
    );
    assert_eq!(run_as_operator(&cli, "connector list").stdout, "None found.\n");
}

#[test]
fn create_refuses_an_existing_different_connector_and_suggests_update() {
    let cli = fixture_with_claims();
    assert_eq!(
        run_as_deployer(&cli, "connector create --config-file orders.json --no-wait").code,
        Some(0)
    );
    cli.write("orders.json", ORDERS_FILE.replace("\"ORDERS\"", "\"USERS\""));
    let result = run_as_deployer(&cli, "connector create --config-file orders.json");
    assert_eq!(result.code, Some(5), "{result}");
    assert!(
        normalized_stderr(&result).contains("differs in `quickstart`"),
        "{result}"
    );
    assert!(
        normalized_stderr(&result).contains("connector update claims-orders"),
        "{result}"
    );
}

#[test]
fn create_as_operator_suggests_the_deployer_profile() {
    let cli = fixture_with_claims();
    let result = run_as_operator(&cli, "connector create --config-file orders.json");
    assert_eq!(result.code, Some(4), "{result}");
    assert!(
        normalized_stderr(&result).contains("--profile claims-deployer"),
        "{result}"
    );
}

#[test]
fn names_of_other_departments_are_refused_before_any_request() {
    let cli = fixture_with_claims();
    cli.write("motor.json", ORDERS_FILE.replace("claims-orders", "motor-orders"));
    let result = run_as_deployer(&cli, "connector create --config-file motor.json");
    assert_eq!(result.code, Some(5), "{result}");
    let result = run_as_deployer(&cli, "connector delete motor-orders --force");
    assert_eq!(result.code, Some(5), "{result}");
    assert!(normalized_stderr(&result).contains("begin with `claims-`"), "{result}");
    // An id has no prefix; unknown ids give the message of the Confluent CLI.
    let result = run_as_deployer(&cli, "connector delete lcc-456 lcc-789 lcc-101112 --force");
    assert_eq!(result.code, Some(1), "{result}");
    assert!(
        result
            .stderr
            .starts_with("Error: connectors \"lcc-456\", \"lcc-789\", and \"lcc-101112\" not found\n"),
        "{result}"
    );
    let result = run_as_deployer(&cli, "connector describe lcc-000000");
    assert!(
        result
            .stderr
            .starts_with("Error: unknown connector ID \"lcc-000000\"\n"),
        "{result}"
    );
}

#[test]
fn a_create_over_quota_is_refused_with_its_numbers() {
    let cli = fixture_with_claims();
    let many = ORDERS_FILE.replace("\"JSON\"", "\"JSON\",\n    \"tasks.max\": \"5\"");
    cli.write("many.json", many);
    let result = run_as_deployer(&cli, "connector create --config-file many.json");
    assert_eq!(result.code, Some(5), "{result}");
    let result = run_as_operator(&cli, "quota check --plugin DatagenSource --tasks 5");
    assert_eq!(result.code, Some(5), "{result}");
    assert!(
        normalized_stderr(&result).contains("tasks per connector: 5 requested, 4 allowed"),
        "{result}"
    );
    assert!(
        normalized_stderr(&result).contains("Set `tasks.max` to at most 4."),
        "{result}"
    );
    let result = run_as_operator(&cli, "quota check --plugin HttpSink");
    assert!(
        normalized_stderr(&result).contains("plugin `HttpSink` is not allowed"),
        "{result}"
    );
    let fits = parse_json(&run_as_operator(
        &cli,
        "quota check --plugin DatagenSource --tasks 4 -o json",
    ));
    assert_eq!(fits["allowed"], true);
    assert_eq!(run_as_operator(&cli, "quota describe").code, Some(0));
    let all = parse_json(&cli.run("quota list --sandbox -o json"));
    assert_eq!(all.as_array().unwrap().len(), 24);
}

#[test]
fn the_last_connector_within_quota_is_created_and_the_next_is_refused() {
    let cli = fixture_with_claims();
    for number in 1..=12 {
        cli.write(
            "next.json",
            ORDERS_FILE.replace("claims-orders", &format!("claims-orders-{number}")),
        );
        let result = run_as_deployer(&cli, "connector create --config-file next.json --no-wait");
        assert_eq!(result.code, Some(0), "{number}: {result}");
    }
    let result = run_as_deployer(&cli, "connector create --config-file orders.json --no-wait");
    assert_eq!(result.code, Some(5), "{result}");
    assert!(
        normalized_stderr(&result).contains("connectors: 1 requested, 12 of 12 used, 0 left"),
        "{result}"
    );
}

#[test]
fn a_referenced_secret_is_sent_but_never_printed() {
    const CANARY: &str = "canary-5f1c9e";
    let cli = fixture_with_claims();
    // The source creates the topic that the sink reads.
    assert_eq!(
        run_as_deployer(&cli, "connector create --config-file orders.json").code,
        Some(0)
    );
    let sink = r#"{"name": "claims-lake", "config": {
        "connector.class": "S3_SINK", "topics": "claims-orders", "input.data.format": "JSON",
        "output.data.format": "JSON", "s3.bucket.name": "claims-lake", "time.interval": "HOURLY", "flush.size": "1000",
        "authentication.method": "Access Keys", "aws.access.key.id": "${env:EBS_SECRET_AWS_ID}",
        "aws.secret.access.key": "${env:EBS_SECRET_AWS}"}}"#;
    cli.write("lake.json", sink);
    let profile = format!("{PROFILES_DIR}/claims-deployer.toml");
    for more in [
        &["--dry-run"][..],
        &["--dry-run", "-o", "json"],
        &["--unsafe-trace"],
        &[],
    ] {
        let result = cli.run_command(
            cli.command()
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
        assert_eq!(result.code, Some(0), "{more:?}: {result}");
        assert!(!result.to_string().contains(CANARY), "{more:?}: {result}");
    }
    // The dead letter queue of the sink is a topic of the department.
    let described = run_as_deployer(&cli, "connector describe claims-lake -o json");
    assert!(described.stdout.contains("claims-lake-dlq"), "{described}");

    cli.write(
        "lake.json",
        sink.replace("EBS_SECRET_AWS}", "CONFLUENT_CLOUD_API_SECRET}"),
    );
    let result = run_as_deployer(&cli, "connector create --config-file lake.json");
    assert_eq!(result.code, Some(5), "{result}");
    cli.write("lake.json", sink.replace("${env:EBS_SECRET_AWS}", "****************"));
    let result = run_as_deployer(&cli, "connector create --config-file lake.json");
    assert_eq!(result.code, Some(5), "{result}");
    cli.write(
        "lake.json",
        sink.replace("claims-lake\", \"time", "${env:EBS_SECRET_AWS}\", \"time"),
    );
    let result = run_as_deployer(&cli, "connector create --config-file lake.json");
    assert_eq!(result.code, Some(5), "{result}");
}

#[test]
fn the_platform_team_can_act_for_a_department() {
    let cli = fixture_with_claims();
    assert_eq!(
        run_as_deployer(&cli, "connector create --config-file orders.json --no-wait").code,
        Some(0)
    );
    let result = cli.run("connector list --wide --sandbox --department claims");
    assert_eq!(result.code, Some(0), "{result}");
    assert!(
        normalized_stderr(&result).contains("Department `claims` uses 1 of 12 connectors"),
        "{result}"
    );
    let result = cli.run("connector create --config-file orders.json --sandbox");
    assert_eq!(result.code, Some(64), "{result}");
    let result = cli.run("connector wait claims-orders --sandbox-as claims/operator");
    assert_eq!(result.code, Some(0), "{result}");
    assert!(result.stdout.ends_with("is RUNNING.\n"), "{result}");
}

#[test]
fn connectors_are_paused_resumed_and_restarted_by_name_pattern_or_all() {
    let cli = fixture_with_claims();
    for number in 1..=3 {
        cli.write(
            "next.json",
            ORDERS_FILE.replace("claims-orders", &format!("claims-orders-{number}")),
        );
        assert_eq!(
            run_as_deployer(&cli, "connector create --config-file next.json").code,
            Some(0)
        );
    }
    let paused = run_as_operator(&cli, "connector pause claims-orders-1");
    assert_eq!(paused.code, Some(0), "{paused}");
    assert!(paused.stdout.starts_with("Paused connector \"lcc-"), "{paused}");
    let result = run_as_operator(&cli, "connector wait claims-orders-1 --paused");
    assert_eq!(result.code, Some(0), "{result}");
    let refused = run_as_operator(&cli, "connector restart claims-orders-1");
    assert_eq!(refused.code, Some(1), "{refused}");
    assert!(
        normalized_stderr(&refused).contains("it is paused; resume it instead"),
        "{refused}"
    );
    assert_eq!(run_as_operator(&cli, "connector resume claims-orders-*").code, Some(0));
    assert_eq!(run_as_operator(&cli, "connector wait claims-orders-1").code, Some(0));
    let all = parse_json(&run_as_operator(&cli, "connector restart --all -o json"));
    assert_eq!(all["connectors"].as_array().unwrap().len(), 3);
    assert_eq!(all["connectors"][0]["restarted_by"], "restart");
}

#[test]
fn update_shows_a_diff_per_key_and_is_idempotent() {
    let cli = fixture_with_claims();
    assert_eq!(
        run_as_deployer(&cli, "connector create --config-file orders.json").code,
        Some(0)
    );
    let dry = parse_json(&run_as_deployer(
        &cli,
        "connector update claims-orders --config tasks.max=2 --dry-run -o json",
    ));
    assert_eq!(dry["changes"].as_array().unwrap().len(), 1, "{dry}");
    assert_eq!(
        (&dry["changes"][0]["old"], &dry["changes"][0]["new"]),
        (&"1".into(), &"2".into())
    );
    let result = run_as_deployer(&cli, "connector update claims-orders --config tasks.max=2");
    assert_eq!(result.code, Some(0), "{result}");
    assert!(result.stdout.starts_with("Updated connector \"lcc-"), "{result}");
    let result = run_as_deployer(&cli, "connector update claims-orders --config tasks.max=2");
    assert!(result.stdout.ends_with("is up to date.\n"), "{result}");
    let result = run_as_deployer(&cli, "connector update claims-orders --config tasks.max=5");
    assert_eq!(result.code, Some(5), "{result}");
    assert!(
        normalized_stderr(&result).contains("tasks per connector: 5 requested, 4 allowed"),
        "{result}"
    );
    let result = run_as_operator(&cli, "connector update claims-orders --config tasks.max=1");
    assert_eq!(result.code, Some(4), "{result}");
    let result = run_as_deployer(&cli, "connector update claims-orders");
    assert_eq!(result.code, Some(64), "{result}");
    // The file has no tasks; their number is unchanged.
    let result = run_as_deployer(&cli, "connector update claims-orders --config-file orders.json");
    assert!(result.stdout.ends_with("is up to date.\n"), "{result}");
    // An update never creates a connector.
    cli.write("orders.json", ORDERS_FILE.replace("claims-orders", "claims-new"));
    let result = run_as_deployer(&cli, "connector update claims-new --config-file orders.json");
    assert_eq!(result.code, Some(1), "{result}");
    assert!(result.stderr.contains("\"claims-new\" not found"), "{result}");
}

#[test]
fn a_wrong_password_is_reported_with_cause_and_owner() {
    let cli = fixture_with_claims();
    cli.write(
        "claims-db.json",
        r#"{"name": "claims-db", "connector.class": "PostgresSource", "connection.host": "db.example.com",
            "connection.port": "5432", "connection.user": "reader", "connection.password": "${env:EBS_SECRET_DB}",
            "db.name": "claims", "topic.prefix": "claims-", "table.whitelist": "orders", "mode": "bulk",
            "db.timezone": "UTC", "output.data.format": "JSON"}"#,
    );
    let profile = format!("{PROFILES_DIR}/claims-deployer.toml");
    let create = |secret: &str, more: &[&str]| {
        cli.run_command(
            cli.command()
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
    let result = create("wrong-password", &[]);
    assert_eq!(result.code, Some(6), "{result}");
    assert!(
        normalized_stderr(&result).contains("password authentication failed"),
        "{result}"
    );
    assert!(
        normalized_stderr(&result).contains("connector update claims-db --config-file FILE"),
        "{result}"
    );
    assert!(!result.to_string().contains("\tat "), "{result}");
    let described = parse_json(&run_as_operator(&cli, "connector describe claims-db -o json"));
    assert_eq!(described["cause"]["owner"], "department", "{described}");
    // The secret is sent again, because it cannot be compared.
    let result = cli.run_command(
        cli.command()
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
    assert_eq!(result.code, Some(0), "{result}");
    assert!(normalized_stderr(&result).contains("(secret: unknown)"), "{result}");
}

#[test]
fn plugin_describe_lists_keys_and_validate_checks_values() {
    let cli = fixture_with_claims();
    let plugins = parse_json(&run_as_operator(&cli, "connector plugin list -o json"));
    assert!(plugins.as_array().unwrap().iter().all(|row| row["allowed"] == true));
    let keys = parse_json(&run_as_operator(
        &cli,
        "connector plugin describe DatagenSource -o json",
    ));
    let keys = keys.as_array().unwrap();
    assert!(
        keys.iter()
            .all(|row| row["config"].is_string() && row["is_secret"].is_boolean())
    );
    assert!(!keys.is_empty());
    let result = run_as_deployer(&cli, "connector validate --config-file orders.json");
    assert_eq!(result.code, Some(0), "{result}");
    let result = run_as_operator(&cli, "connector plugin describe NoSuchPlugin");
    assert_eq!(result.code, Some(1), "{result}");
}

#[test]
fn offsets_are_described_and_deleted() {
    let cli = fixture_with_claims();
    assert_eq!(
        run_as_deployer(&cli, "connector create --config-file orders.json").code,
        Some(0)
    );
    let result = run_as_operator(&cli, "connector offset describe claims-orders -o json");
    assert_eq!(result.code, Some(0), "{result}");
    let result = run_as_deployer(&cli, "connector offset delete claims-orders --force -o json");
    assert_eq!(result.code, Some(0), "{result}");
    let status = parse_json(&run_as_operator(
        &cli,
        "connector offset status describe claims-orders -o json",
    ));
    assert_eq!(
        (&status["request_type"], &status["phase"]),
        (&"DELETE".into(), &"APPLIED".into())
    );
}

#[test]
fn an_imported_profile_is_shown_without_its_secret_and_used() {
    let cli = fixture_with_claims();
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
    assert_eq!(
        cli.run(&format!("profile import {file}")).stdout,
        "Imported profile `claims-operator`.\n"
    );
    assert_eq!(cli.run(&format!("profile import {file}")).code, Some(1));
    let shown = cli.run("profile show claims-operator");
    assert!(
        shown.stdout.contains("sandbox:") && !shown.to_string().contains(&secret),
        "{shown}"
    );
    assert_eq!(cli.run("profile use claims-operater").code, Some(1));
    assert_eq!(
        cli.run("profile use claims-operator").stdout,
        "Using profile `claims-operator`.\n"
    );
    let list = parse_json(&cli.run("profile list -o json"));
    assert_eq!(
        (&list[0]["is_current"], &list[0]["persona"]),
        (&true.into(), &"operator".into())
    );
    assert_eq!(cli.run("connector list").stdout, "None found.\n");
}
