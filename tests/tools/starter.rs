//! `connector plugin new`.

use crate::{
    common::World,
    home::{deployer, json, onboarded, said},
};

#[test]
fn a_starter_is_filled_in_checked_and_created() {
    let world = onboarded();
    let seen = deployer(
        &world,
        "connector plugin new DatagenSource --output-file claims-orders.yaml",
    );
    insta::assert_snapshot!(seen, @r"
    exit 0
    ----- stdout -----
    Created claims-orders.yaml.
    Fill in kafka.topic.
    Then check it with `confluent ebs connector lint claims-orders.yaml`.
    ");
    // The name comes from the file.
    let text = world.read("claims-orders.yaml");
    assert!(text.contains("\nname: \"claims-orders\"\n"), "{text}");

    let seen = deployer(&world, "connector lint claims-orders.yaml");
    assert_eq!(seen.code, Some(5), "{seen}");
    assert!(seen.stdout.contains("error[placeholder]"), "{seen}");
    let seen = deployer(&world, "connector create --config-file claims-orders.yaml");
    assert_eq!(seen.code, Some(5), "nothing is created from a placeholder: {seen}");

    world.write("claims-orders.yaml", text.replace("<fill in>", "orders"));
    assert_eq!(deployer(&world, "connector lint claims-orders.yaml").code, Some(0));
    let seen = deployer(&world, "connector create --config-file claims-orders.yaml -o json");
    assert_eq!(seen.code, Some(0), "{seen}");
    assert_eq!(json(&seen)["status"], "RUNNING");
}

#[test]
fn an_existing_file_is_never_touched() {
    let world = World::new();
    world.write("orders.yaml", "mine");
    let seen = world.ebs("connector plugin new DatagenSource --output-file orders.yaml");
    assert_eq!(seen.code, Some(1), "{seen}");
    assert!(
        said(&seen).contains("exists already and is never overwritten"),
        "{seen}"
    );
    assert_eq!(world.read("orders.yaml"), "mine");
}

#[test]
fn json_is_for_the_stock_cli_and_has_no_comments() {
    let world = World::new();
    let seen = world.ebs("connector plugin new S3_SINK --format json --name lake");
    assert_eq!(seen.code, Some(0), "{seen}");
    let file = json(&seen);
    assert_eq!(
        (&file["name"], &file["config"]["name"]),
        (&"lake".into(), &"lake".into())
    );
    let seen = world.ebs("connector plugin new PostgresSource --output-file db.json -o json");
    assert_eq!(seen.code, Some(0), "{seen}");
    let made = json(&seen);
    assert_eq!(made["format"], "json");
    assert_eq!(made["variables"], serde_json::json!(["EBS_SECRET_CONNECTION_PASSWORD"]));
    assert!(
        made["placeholders"]
            .as_array()
            .unwrap()
            .contains(&"connection.host".into())
    );
    let seen = world.ebs("connector plugin new PostgresSource --output-file other.json --format yaml");
    assert_eq!(seen.code, Some(64), "{seen}");
}

#[test]
fn a_plugin_that_is_not_known_here_ends_in_advice() {
    let world = World::new();
    for (written, advice) in [
        ("PostgresSuorce", "Did you mean \"PostgresSource\"?"),
        (
            "io.confluent.connect.s3.S3SinkConnector",
            "Its managed plugin is \"S3_SINK\".",
        ),
        ("Neo4jSink", "`confluent ebs connector plugin list`"),
    ] {
        let seen = world.ebs(&format!("connector plugin new {written}"));
        assert_eq!(seen.code, Some(1), "{seen}");
        assert!(said(&seen).contains(advice), "{seen}");
    }
}

#[test]
fn a_department_begins_with_its_own_names_and_plugins() {
    let world = onboarded();
    let seen = deployer(&world, "connector plugin new S3_SINK");
    assert!(seen.stdout.contains("\nname: \"claims-s3-sink\"\n"), "{seen}");
    assert!(seen.stdout.contains("\ntopics: \"claims-<fill in>\"\n"), "{seen}");
    assert_eq!(seen.stderr, "");
    let seen = deployer(&world, "connector plugin new HttpSink");
    assert_eq!(seen.code, Some(0), "{seen}");
    assert!(said(&seen).contains("plugin \"HttpSink\" is not among those"), "{seen}");
    let seen = deployer(&world, "connector plugin new S3_SINK --name motor-lake");
    assert_eq!(seen.code, Some(64), "{seen}");
    assert!(
        said(&seen).contains("names of the department begin with \"claims-\""),
        "{seen}"
    );
}
