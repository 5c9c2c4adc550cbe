//! `connector plugin new`.

use crate::common::{Cli, JsonAccess as _};

#[test]
fn a_generated_file_can_be_completed_linted_and_created() {
    let cli = Cli::onboarded("claims");
    let output = cli.run_as(
        "claims-deployer",
        "connector plugin new DatagenSource --output-file claims-orders.yaml",
    );
    insta::assert_snapshot!(output, @r"
    exit 0
    ----- stdout -----
    Created `claims-orders.yaml`.
    Fill in kafka.topic.
    Then lint it with `confluent ebs connector lint claims-orders.yaml --profile
    .state/confluent-ebs/sandbox/handover/claims-deployer.toml`.
    ");
    // The name comes from the file.
    let text = cli.read("claims-orders.yaml");
    assert!(text.contains("\nname: \"claims-orders\"\n"), "{text}");

    let output = cli
        .run_as("claims-deployer", "connector lint claims-orders.yaml")
        .expect_code(5);
    assert!(output.stdout.contains("error[placeholder]"), "{output}");
    cli.run_as("claims-deployer", "connector create --config-file claims-orders.yaml")
        .expect_code(5);

    cli.write("claims-orders.yaml", text.replace("<fill in>", "orders"));
    cli.run_as("claims-deployer", "connector lint claims-orders.yaml")
        .expect_success();
    let output = cli
        .run_as(
            "claims-deployer",
            "connector create --config-file claims-orders.yaml -o json",
        )
        .expect_success();
    assert_eq!(output.json()["status"], "RUNNING");
}

#[test]
fn an_existing_connector_file_is_not_overwritten() {
    let cli = Cli::new();
    cli.write("orders.yaml", "mine");
    let output = cli
        .run("connector plugin new DatagenSource --output-file orders.yaml")
        .expect_code(1);
    assert!(
        output.stderr_line().contains("already exists and is not overwritten"),
        "{output}"
    );
    assert_eq!(cli.read("orders.yaml"), "mine");
}

#[test]
fn generated_json_has_no_comments_and_suits_the_confluent_cli() {
    let cli = Cli::new();
    let output = cli
        .run("connector plugin new S3_SINK --format json --name lake")
        .expect_success();
    let file = output.json();
    assert_eq!(
        (&file["name"], &file["config"]["name"]),
        (&"lake".into(), &"lake".into())
    );
    let output = cli
        .run("connector plugin new PostgresSource --output-file db.json -o json")
        .expect_success();
    let made = output.json();
    assert_eq!(made["format"], "json");
    assert_eq!(made["variables"], serde_json::json!(["EBS_SECRET_CONNECTION_PASSWORD"]));
    assert!(made.items("/placeholders").contains(&"connection.host".into()));
    cli.run("connector plugin new PostgresSource --output-file other.json --format yaml")
        .expect_code(64);
}

#[test]
fn an_unknown_plugin_gets_a_suggestion() {
    let cli = Cli::new();
    for (written, advice) in [
        ("PostgresSuorce", "Did you mean `PostgresSource`?"),
        (
            "io.confluent.connect.s3.S3SinkConnector",
            "Its managed plugin is `S3_SINK`.",
        ),
        ("Postgres", "Plugins with this word: `PostgresCdcSource"),
        ("Neo4jSink", "`confluent ebs connector plugin list`"),
    ] {
        let output = cli.run(&format!("connector plugin new {written}")).expect_code(1);
        assert!(output.stderr_line().contains(advice), "{output}");
    }
}

#[test]
fn a_generated_file_uses_the_prefix_and_plugins_of_the_department() {
    let cli = Cli::onboarded("claims");
    let output = cli.run_as("claims-deployer", "connector plugin new S3_SINK");
    assert!(output.stdout.contains("\nname: \"claims-s3-sink\"\n"), "{output}");
    assert!(output.stdout.contains("\ntopics: \"claims-<fill in>\"\n"), "{output}");
    assert_eq!(output.stderr, "");
    let output = cli
        .run_as("claims-deployer", "connector plugin new HttpSink")
        .expect_success();
    assert!(
        output.stderr_line().contains("plugin `HttpSink` is not allowed"),
        "{output}"
    );
    let output = cli
        .run_as("claims-deployer", "connector plugin new S3_SINK --name motor-lake")
        .expect_code(64);
    assert!(
        output
            .stderr_line()
            .contains("names of your department begin with `claims-`"),
        "{output}"
    );
}
