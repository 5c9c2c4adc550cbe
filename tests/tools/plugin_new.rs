//! `connector plugin new`.

use crate::{
    common::CliFixture,
    department_fixture::{fixture_with_claims, normalized_stderr, parse_json, run_as_deployer},
};

#[test]
fn a_generated_file_can_be_completed_linted_and_created() {
    let cli = fixture_with_claims();
    let output = run_as_deployer(
        &cli,
        "connector plugin new DatagenSource --output-file claims-orders.yaml",
    );
    insta::assert_snapshot!(output, @r"
    exit 0
    ----- stdout -----
    Created `claims-orders.yaml`.
    Fill in kafka.topic.
    Then lint it with `confluent ebs connector lint claims-orders.yaml`.
    ");
    // The name comes from the file.
    let text = cli.read("claims-orders.yaml");
    assert!(text.contains("\nname: \"claims-orders\"\n"), "{text}");

    let output = run_as_deployer(&cli, "connector lint claims-orders.yaml");
    assert_eq!(output.code, Some(5), "{output}");
    assert!(output.stdout.contains("error[placeholder]"), "{output}");
    let output = run_as_deployer(&cli, "connector create --config-file claims-orders.yaml");
    assert_eq!(output.code, Some(5), "nothing is created from a placeholder: {output}");

    cli.write("claims-orders.yaml", text.replace("<fill in>", "orders"));
    assert_eq!(run_as_deployer(&cli, "connector lint claims-orders.yaml").code, Some(0));
    let output = run_as_deployer(&cli, "connector create --config-file claims-orders.yaml -o json");
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(parse_json(&output)["status"], "RUNNING");
}

#[test]
fn an_existing_connector_file_is_not_overwritten() {
    let cli = CliFixture::new();
    cli.write("orders.yaml", "mine");
    let output = cli.run("connector plugin new DatagenSource --output-file orders.yaml");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(
        normalized_stderr(&output).contains("already exists and is not overwritten"),
        "{output}"
    );
    assert_eq!(cli.read("orders.yaml"), "mine");
}

#[test]
fn generated_json_has_no_comments_and_suits_the_confluent_cli() {
    let cli = CliFixture::new();
    let output = cli.run("connector plugin new S3_SINK --format json --name lake");
    assert_eq!(output.code, Some(0), "{output}");
    let file = parse_json(&output);
    assert_eq!(
        (&file["name"], &file["config"]["name"]),
        (&"lake".into(), &"lake".into())
    );
    let output = cli.run("connector plugin new PostgresSource --output-file db.json -o json");
    assert_eq!(output.code, Some(0), "{output}");
    let made = parse_json(&output);
    assert_eq!(made["format"], "json");
    assert_eq!(made["variables"], serde_json::json!(["EBS_SECRET_CONNECTION_PASSWORD"]));
    assert!(
        made["placeholders"]
            .as_array()
            .unwrap()
            .contains(&"connection.host".into())
    );
    let output = cli.run("connector plugin new PostgresSource --output-file other.json --format yaml");
    assert_eq!(output.code, Some(64), "{output}");
}

#[test]
fn an_unknown_plugin_gets_a_suggestion() {
    let cli = CliFixture::new();
    for (written, advice) in [
        ("PostgresSuorce", "Did you mean `PostgresSource`?"),
        (
            "io.confluent.connect.s3.S3SinkConnector",
            "Its managed plugin is `S3_SINK`.",
        ),
        ("Neo4jSink", "`confluent ebs connector plugin list`"),
    ] {
        let output = cli.run(&format!("connector plugin new {written}"));
        assert_eq!(output.code, Some(1), "{output}");
        assert!(normalized_stderr(&output).contains(advice), "{output}");
    }
}

#[test]
fn a_generated_file_uses_the_prefix_and_plugins_of_the_department() {
    let cli = fixture_with_claims();
    let output = run_as_deployer(&cli, "connector plugin new S3_SINK");
    assert!(output.stdout.contains("\nname: \"claims-s3-sink\"\n"), "{output}");
    assert!(output.stdout.contains("\ntopics: \"claims-<fill in>\"\n"), "{output}");
    assert_eq!(output.stderr, "");
    let output = run_as_deployer(&cli, "connector plugin new HttpSink");
    assert_eq!(output.code, Some(0), "{output}");
    assert!(
        normalized_stderr(&output).contains("plugin `HttpSink` is not allowed"),
        "{output}"
    );
    let output = run_as_deployer(&cli, "connector plugin new S3_SINK --name motor-lake");
    assert_eq!(output.code, Some(64), "{output}");
    assert!(
        normalized_stderr(&output).contains("names of your department begin with `claims-`"),
        "{output}"
    );
}
