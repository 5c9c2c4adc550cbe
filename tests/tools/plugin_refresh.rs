//! `connector plugin refresh`, and the linter with refreshed facts.

use crate::common::{Cli, JsonAccess as _};

/// A plugin that the built-in facts lack, a value that they lack, and a key that they do not know as a secret.
const REFRESHED: &str = r#"{
  "origin": { "date": "2026-11-30", "cloud": "AWS", "region": "eu-central-1" },
  "plugins": {
    "NewSink": {
      "type": "sink",
      "implementation": "com.example.NewSink",
      "keys": {
        "connector.class": { "type": "STRING", "importance": "high" },
        "name": { "type": "STRING", "importance": "high" },
        "topics": { "type": "LIST", "importance": "high" },
        "new.host": { "type": "STRING", "required": true, "importance": "high" },
        "new.pin": { "type": "PASSWORD", "importance": "high" }
      }
    },
    "S3_SINK": {
      "type": "sink",
      "keys": {
        "input.data.format": { "type": "STRING", "allowed": ["CBOR"], "importance": "high" },
        "s3.bucket.name": { "type": "STRING", "importance": "high" },
        "aws.secret.access.key": { "type": "STRING", "importance": "high" }
      }
    }
  }
}"#;

#[test]
fn a_refresh_writes_what_the_built_in_facts_lack() {
    let cli = Cli::onboarded("claims");
    // The sandbox offers exactly the plugins of the built-in facts.
    let output = cli
        .run_as("claims-deployer", "connector plugin refresh --out facts.json -o json")
        .expect_success();
    let report = output.json();
    assert_eq!(report["added_plugins"], serde_json::json!([]), "{report:#}");
    assert_eq!(report["added_secrets"], serde_json::json!([]), "{report:#}");
    assert_eq!((&report["added_keys"], &report["added_values"]), (&0.into(), &0.into()));
    assert_eq!(report["plugins"], 104);
    let file: serde_json::Value = serde_json::from_str(&cli.read("facts.json")).unwrap();
    assert_eq!(file["origin"]["date"], report["date"]);
}

#[test]
fn refreshed_facts_add_to_the_rules_and_never_relax_them() {
    let cli = Cli::new();
    cli.write(
        "claims-new.json",
        r#"{"name": "claims-new", "config": {"connector.class": "NewSink", "name": "claims-new", "topics": "t",
            "new.pin": "1234"}}"#,
    );
    cli.write(
        "claims-lake.json",
        r#"{"name": "claims-lake", "config": {"connector.class": "S3_SINK", "name": "claims-lake", "topics": "t",
            "input.data.format": "CBOR", "time.interval": "HOURLY", "aws.secret.access.key": "Sommer2024!"}}"#,
    );
    let rules = || {
        let report = cli
            .run("connector lint claims-new.json claims-lake.json -o json")
            .json();
        let mut rules: Vec<String> = report
            .items("/findings")
            .iter()
            .map(|found| found.text("/rule").to_owned())
            .collect();
        rules.sort();
        (rules, report["facts"].clone())
    };
    let (before, facts) = rules();
    assert_eq!(
        before,
        ["literal-secret", "missing-key", "unknown-plugin", "value-not-allowed"]
    );
    assert_eq!(facts["snapshot"], "June 2026");
    cli.write("ebs.toml", "");
    cli.write("catalogue.json", REFRESHED);
    let (after, facts) = rules();
    // The new plugin needs `new.host` and its PIN is a secret; the bucket is still missing, the key still a secret.
    assert_eq!(
        after,
        ["literal-secret", "literal-secret", "missing-key", "missing-key"]
    );
    assert_eq!(facts["refreshed"]["date"], "2026-11-30");
    let shown = cli.run("connector lint claims-new.json");
    assert!(
        shown
            .stderr
            .contains("facts of June 2026, refreshed on 2026-11-30 (AWS, eu-central-1)"),
        "{shown}"
    );
    assert!(!shown.stdout.contains("1234"), "{shown}");

    cli.write("catalogue.json", "{}");
    let broken = cli.run("connector lint claims-new.json").expect_code(1);
    assert!(broken.stderr.contains("connector plugin refresh"), "{broken}");
}
