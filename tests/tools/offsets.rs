//! `connector offset`.

use crate::{
    common::CliFixture,
    department_fixture::{fixture_with_claims, normalized_stderr, parse_json, run_as_deployer, run_as_operator},
};

/// An organization in which "claims" runs a source and a sink that reads its topic.
fn fixture_with_source_and_sink() -> CliFixture {
    let cli = fixture_with_claims();
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
        let output = run_as_deployer(&cli, &format!("connector create --config-file {file}"));
        assert_eq!(output.code, Some(0), "{output}");
    }
    cli
}

#[test]
fn offsets_are_described_changed_and_restored() {
    let cli = fixture_with_source_and_sink();
    let described = parse_json(&run_as_operator(&cli, "connector offset describe claims-lake -o json"));
    assert!(described["metadata"]["observed_at"].is_string(), "{described}");
    let partition = serde_json::json!({"kafka_partition": 0, "kafka_topic": "claims-orders"});
    assert_eq!(described["offsets"][0]["partition"], partition);

    // The output of `describe` is the input of `update`.
    let mut wanted = described.clone();
    wanted["offsets"][0]["offset"]["kafka_offset"] = 4_000_000_000_i64.into();
    cli.write("offsets.json", wanted.to_string());
    let dry = parse_json(&run_as_deployer(
        &cli,
        "connector offset update claims-lake --config-file offsets.json --dry-run -o json",
    ));
    assert_eq!(dry["offsets"][0]["then"]["kafka_offset"], 4_000_000_000_i64, "{dry}");
    let output = run_as_deployer(
        &cli,
        "connector offset update claims-lake --config-file offsets.json --yes -o json",
    );
    assert_eq!(output.code, Some(0), "{output}");
    let moved = parse_json(&output);
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
        serde_json::from_str(&cli.read(moved["backup"].as_str().unwrap().replace("[HOME]/", ""))).unwrap();
    assert_eq!(saved["offsets"][0]["partition"], partition);
    let now = parse_json(&run_as_operator(&cli, "connector offset describe claims-lake -o json"));
    assert!(
        now["offsets"][0]["offset"]["kafka_offset"].as_i64().unwrap() >= 4_000_000_000,
        "{now}"
    );

    let back = format!(
        "connector offset update claims-lake --config-file {} --yes --no-backup -o json",
        moved["backup"].as_str().unwrap().replace("[HOME]/", "")
    );
    let back = parse_json(&run_as_deployer(&cli, &back));
    assert_eq!(back["requested_offsets"], saved["offsets"]);

    let status = parse_json(&run_as_operator(
        &cli,
        "connector offset status describe claims-lake -o json",
    ));
    assert_eq!(status["phase"], "APPLIED");
    let output = run_as_operator(&cli, "connector offset status describe claims-orders");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(
        normalized_stderr(&output).contains("no offset request for connector"),
        "{output}"
    );
}

#[test]
fn deleting_offsets_restarts_a_connector_from_the_beginning() {
    let cli = fixture_with_source_and_sink();
    let args = format!(
        "connector offset delete claims-lake --profile {}/claims-deployer.toml",
        crate::department_fixture::PROFILES_DIR
    );
    let declined = cli.run_with_input(&args, "n\n");
    assert_eq!(declined.code, Some(0), "{declined}");
    assert!(
        normalized_stderr(&declined).contains("read its topics again from the earliest record"),
        "{declined}"
    );
    let output = run_as_operator(&cli, "connector offset status describe claims-lake");
    assert_eq!(output.code, Some(1), "no prompt: {output}");
    let output = run_as_operator(&cli, "connector offset delete claims-lake --force");
    assert_eq!(output.code, Some(4), "{output}");
    assert!(
        normalized_stderr(&output).contains("could not change offsets of connector"),
        "{output}"
    );
    assert!(
        normalized_stderr(&output).contains("--profile claims-deployer"),
        "{output}"
    );
    let output = run_as_deployer(&cli, "connector offset delete claims-lake --force -o json");
    assert_eq!(output.code, Some(0), "{output}");
    assert_eq!(parse_json(&output)["request_type"], "DELETE");
}

#[test]
fn harmful_offset_changes_are_refused_before_any_request() {
    let cli = fixture_with_source_and_sink();
    let update = |text: &str, name: &str| {
        cli.write("offsets.json", text);
        let output = run_as_deployer(
            &cli,
            &format!("connector offset update {name} --config-file offsets.json --yes"),
        );
        assert_eq!(output.code, Some(1), "{output}");
        normalized_stderr(&output)
    };
    let partition = r#"{"kafka_topic": "claims-orders", "kafka_partition": 0}"#;
    let text = format!(r#"[{{"partition": {partition}, "offset": {{"kafka_offset": "12"}}}}]"#);
    assert!(update(&text, "claims-lake").contains("write a number without quotes"));
    assert!(update("[]", "claims-lake").contains("is empty"));
    assert!(update("{\"offset\": 1}", "claims-lake").contains("no list of partitions and offsets"));
    assert!(update("[", "claims-lake").contains("cannot read `"));
    let text = text.replace("\"12\"", "12");
    let fault = cli.run("sandbox fault connector claims-orders stuck-provisioning");
    assert_eq!(fault.code, Some(0), "{fault}");
    let said = update(&text, "claims-orders");
    assert!(said.contains("it is PROVISIONING, it has not started yet"), "{said}");
    assert!(said.contains("confluent ebs connector wait claims-orders"), "{said}");
    // None of these requests was sent.
    let output = run_as_operator(&cli, "connector offset status describe claims-lake");
    assert_eq!(output.code, Some(1), "{output}");
    let output = run_as_deployer(&cli, "connector offset describe claims-lake --staleness-threshold 4");
    assert_eq!(output.code, Some(64), "{output}");
}
