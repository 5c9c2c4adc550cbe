//! `connector offset`.

use crate::{
    common::World,
    home::{deployer, json, onboarded, operator, said},
};

/// An organization in which "claims" runs a source and a sink that reads its topic.
fn with_connectors() -> World {
    let world = onboarded();
    world.write(
        "claims-orders.json",
        r#"{"name": "claims-orders", "connector.class": "DatagenSource", "kafka.topic": "claims-orders",
            "quickstart": "ORDERS"}"#,
    );
    world.write(
        "claims-lake.json",
        r#"{"name": "claims-lake", "connector.class": "S3_SINK", "topics": "claims-orders",
            "input.data.format": "JSON", "output.data.format": "JSON", "s3.bucket.name": "claims-lake",
            "time.interval": "HOURLY", "authentication.method": "IAM Roles", "provider.integration.id": "cspi-1"}"#,
    );
    for file in ["claims-orders.json", "claims-lake.json"] {
        let seen = deployer(&world, &format!("connector create --config-file {file}"));
        assert_eq!(seen.code, Some(0), "{seen}");
    }
    world
}

#[test]
fn offsets_are_described_moved_and_put_back() {
    let world = with_connectors();
    let described = json(&operator(&world, "connector offset describe claims-lake -o json"));
    assert!(described["metadata"]["observed_at"].is_string(), "{described}");
    let partition = serde_json::json!({"kafka_partition": 0, "kafka_topic": "claims-orders"});
    assert_eq!(described["offsets"][0]["partition"], partition);

    // The output of `describe` is the input of `update`.
    let mut wanted = described.clone();
    wanted["offsets"][0]["offset"]["kafka_offset"] = 4_000_000_000_i64.into();
    world.write("offsets.json", wanted.to_string());
    let dry = json(&deployer(
        &world,
        "connector offset update claims-lake --config-file offsets.json --dry-run -o json",
    ));
    assert_eq!(dry["offsets"][0]["then"]["kafka_offset"], 4_000_000_000_i64, "{dry}");
    let seen = deployer(
        &world,
        "connector offset update claims-lake --config-file offsets.json --yes -o json",
    );
    assert_eq!(seen.code, Some(0), "{seen}");
    let moved = json(&seen);
    // The stock CLI's fields (dossier `connect.md` §8.2).
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
    // What it was is kept in a form that `update` takes.
    let saved: serde_json::Value =
        serde_json::from_str(&world.read(moved["saved"].as_str().unwrap().replace("[HOME]/", ""))).unwrap();
    assert_eq!(saved["offsets"][0]["partition"], partition);
    let now = json(&operator(&world, "connector offset describe claims-lake -o json"));
    assert!(
        now["offsets"][0]["offset"]["kafka_offset"].as_i64().unwrap() >= 4_000_000_000,
        "{now}"
    );

    let back = format!(
        "connector offset update claims-lake --config-file {} --yes --no-save -o json",
        moved["saved"].as_str().unwrap().replace("[HOME]/", "")
    );
    let back = json(&deployer(&world, &back));
    assert_eq!(back["requested_offsets"], saved["offsets"]);

    let status = json(&operator(
        &world,
        "connector offset status describe claims-lake -o json",
    ));
    assert_eq!(status["phase"], "APPLIED");
    let seen = operator(&world, "connector offset status describe claims-orders");
    assert_eq!(seen.code, Some(1), "{seen}");
    assert!(said(&seen).contains("were never changed"), "{seen}");
}

#[test]
fn a_connector_begins_again_when_its_offsets_are_deleted() {
    let world = with_connectors();
    let args = format!(
        "connector offset delete claims-lake --profile {}/claims-deployer.toml",
        crate::home::PROFILES
    );
    let declined = world.ebs_with_input(&args, "n\n");
    assert_eq!(declined.code, Some(0), "{declined}");
    assert!(
        said(&declined).contains("read its topics again from the earliest record"),
        "{declined}"
    );
    let seen = operator(&world, "connector offset status describe claims-lake");
    assert_eq!(seen.code, Some(1), "nothing was asked for: {seen}");
    let seen = operator(&world, "connector offset delete claims-lake --force");
    assert_eq!(seen.code, Some(4), "{seen}");
    assert!(said(&seen).contains("could not change offsets of connector"), "{seen}");
    assert!(said(&seen).contains("--profile claims-deployer"), "{seen}");
    let seen = deployer(&world, "connector offset delete claims-lake --force -o json");
    assert_eq!(seen.code, Some(0), "{seen}");
    assert_eq!(json(&seen)["request_type"], "DELETE");
}

#[test]
fn what_would_harm_a_connector_is_refused_before_anything_is_sent() {
    let world = with_connectors();
    let update = |text: &str, name: &str| {
        world.write("offsets.json", text);
        let seen = deployer(
            &world,
            &format!("connector offset update {name} --config-file offsets.json --yes"),
        );
        assert_eq!(seen.code, Some(1), "{seen}");
        said(&seen)
    };
    let partition = r#"{"kafka_topic": "claims-orders", "kafka_partition": 0}"#;
    let text = format!(r#"[{{"partition": {partition}, "offset": {{"kafka_offset": "12"}}}}]"#);
    assert!(update(&text, "claims-lake").contains("must be a number, without quotes"));
    assert!(update("[]", "claims-lake").contains("is empty"));
    assert!(update("{\"offset\": 1}", "claims-lake").contains("holds no list of partitions and offsets"));
    assert!(update("[", "claims-lake").contains("unable to read offsets file"));
    let text = text.replace("\"12\"", "12");
    let fault = world.ebs("sandbox fault connector claims-orders stuck-provisioning");
    assert_eq!(fault.code, Some(0), "{fault}");
    let said = update(&text, "claims-orders");
    assert!(said.contains("it is PROVISIONING, it has not started yet"), "{said}");
    assert!(said.contains("confluent ebs connector wait claims-orders"), "{said}");
    // Nothing of all this was sent.
    let seen = operator(&world, "connector offset status describe claims-lake");
    assert_eq!(seen.code, Some(1), "{seen}");
    let seen = deployer(&world, "connector offset describe claims-lake --staleness-threshold 4");
    assert_eq!(seen.code, Some(64), "{seen}");
}
