//! `connector offset`.

use crate::common::{Cli, JsonAccess as _, PROFILES_DIR};

/// An organization in which "claims" runs a source and a sink that reads its topic.
fn cli_with_source_and_sink() -> Cli {
    let cli = Cli::onboarded("claims");
    cli.write(
        "claims-orders.json",
        r#"{"name": "claims-orders", "connector.class": "DatagenSource", "kafka.topic": "claims-orders",
            "quickstart": "ORDERS"}"#,
    );
    cli.write(
        "claims-lake.json",
        r#"{"name": "claims-lake", "connector.class": "S3_SINK", "topics": "claims-orders",
            "input.data.format": "JSON", "output.data.format": "JSON", "s3.bucket.name": "claims-lake",
            "time.interval": "HOURLY", "authentication.method": "IAM Roles", "provider.integration.id": "cspi-1"}"#,
    );
    for file in ["claims-orders.json", "claims-lake.json"] {
        cli.run_as("claims-deployer", &format!("connector create --config-file {file}"))
            .expect_success();
    }
    cli
}

#[test]
fn offsets_are_described_changed_and_restored() {
    let cli = cli_with_source_and_sink();
    let described = cli
        .run_as("claims-operator", "connector offset describe claims-lake -o json")
        .json();
    assert!(described["metadata"]["observed_at"].is_string(), "{described}");
    let partition = serde_json::json!({"kafka_partition": 0, "kafka_topic": "claims-orders"});
    assert_eq!(described["offsets"][0]["partition"], partition);

    // The output of `describe` is the input of `update`.
    let mut wanted = described.clone();
    wanted["offsets"][0]["offset"]["kafka_offset"] = 4_000_000_000_i64.into();
    cli.write("offsets.json", wanted.to_string());
    let dry = cli
        .run_as(
            "claims-deployer",
            "connector offset update claims-lake --config-file offsets.json --dry-run -o json",
        )
        .json();
    assert_eq!(dry["offsets"][0]["then"]["kafka_offset"], 4_000_000_000_i64, "{dry}");
    let output = cli
        .run_as(
            "claims-deployer",
            "connector offset update claims-lake --config-file offsets.json --yes -o json",
        )
        .expect_success();
    let moved = output.json();
    // The fields of the Confluent CLI (docs/reference/cli.md#connector-commands).
    for field in [
        "id",
        "request_type",
        "requested_at",
        "phase",
        "message",
        "applied_at",
        "requested_offsets",
        "previous_offsets",
    ] {
        assert!(moved.get(field).is_some(), "{field}: {moved}");
    }
    assert_eq!(
        (&moved["phase"], &moved["request_type"]),
        (&"APPLIED".into(), &"PATCH".into())
    );
    assert_eq!(
        moved["requested_offsets"][0]["offset"]["kafka_offset"],
        4_000_000_000_i64
    );
    assert_eq!(moved["previous_offsets"][0]["partition"], partition);
    // The previous offsets are stored in a format that `update` accepts.
    let saved: serde_json::Value =
        serde_json::from_str(&cli.read(moved.text("/backup").replace("[HOME]/", ""))).unwrap();
    assert_eq!(saved["offsets"][0]["partition"], partition);
    let now = cli
        .run_as("claims-operator", "connector offset describe claims-lake -o json")
        .json();
    assert!(
        now["offsets"][0]["offset"]["kafka_offset"].as_i64().unwrap() >= 4_000_000_000,
        "{now}"
    );

    let back = format!(
        "connector offset update claims-lake --config-file {} --yes --no-backup -o json",
        moved.text("/backup").replace("[HOME]/", "")
    );
    let back = cli.run_as("claims-deployer", &back).json();
    assert_eq!(back["requested_offsets"], saved["offsets"]);

    let status = cli
        .run_as(
            "claims-operator",
            "connector offset status describe claims-lake -o json",
        )
        .json();
    assert_eq!(status["phase"], "APPLIED");
    let output = cli
        .run_as("claims-operator", "connector offset status describe claims-orders")
        .expect_code(1);
    assert!(
        output.stderr_line().contains("no offset request for connector"),
        "{output}"
    );
}

#[test]
fn deleting_offsets_restarts_a_connector_from_the_beginning() {
    let cli = cli_with_source_and_sink();
    let args = format!("connector offset delete claims-lake --profile {PROFILES_DIR}/claims-deployer.toml");
    let declined = cli.run_with_input(&args, "n\n").expect_success();
    assert!(
        declined
            .stderr_line()
            .contains("read its topics again from the earliest record"),
        "{declined}"
    );
    cli.run_as("claims-operator", "connector offset status describe claims-lake")
        .expect_code(1);
    let output = cli
        .run_as("claims-operator", "connector offset delete claims-lake --force")
        .expect_code(4);
    assert!(
        output.stderr_line().contains("could not change offsets of connector"),
        "{output}"
    );
    assert!(output.stderr_line().contains("--profile claims-deployer"), "{output}");
    let output = cli
        .run_as("claims-deployer", "connector offset delete claims-lake --force -o json")
        .expect_success();
    assert_eq!(output.json()["request_type"], "DELETE");
}

#[test]
fn harmful_offset_changes_are_refused_before_any_request() {
    let cli = cli_with_source_and_sink();
    let update = |text: &str, name: &str| {
        cli.write("offsets.json", text);
        let output = cli
            .run_as(
                "claims-deployer",
                &format!("connector offset update {name} --config-file offsets.json --yes"),
            )
            .expect_code(1);
        output.stderr_line()
    };
    let partition = r#"{"kafka_topic": "claims-orders", "kafka_partition": 0}"#;
    let text = format!(r#"[{{"partition": {partition}, "offset": {{"kafka_offset": "12"}}}}]"#);
    assert!(update(&text, "claims-lake").contains("write a number without quotes"));
    assert!(update("[]", "claims-lake").contains("is empty"));
    assert!(update("{\"offset\": 1}", "claims-lake").contains("no list of partitions and offsets"));
    assert!(update("[", "claims-lake").contains("cannot read `"));
    let text = text.replace("\"12\"", "12");
    cli.run("sandbox fault connector claims-orders stuck-provisioning")
        .expect_success();
    let said = update(&text, "claims-orders");
    assert!(said.contains("it is PROVISIONING, it has not started yet"), "{said}");
    assert!(said.contains("confluent ebs connector wait claims-orders"), "{said}");
    // None of these requests was sent.
    cli.run_as("claims-operator", "connector offset status describe claims-lake")
        .expect_code(1);
    cli.run_as(
        "claims-deployer",
        "connector offset describe claims-lake --staleness-threshold 4",
    )
    .expect_code(64);
}
