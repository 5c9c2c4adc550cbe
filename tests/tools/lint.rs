//! `connector lint` as a process: many files, invalid input, and machine-readable output. `tests/lint.rs` tests each
//! rule.

use serde_json::{Value, json};

use crate::common::{Cli, JsonAccess as _, assert_valid_sarif};

const VALID_FILE: &str =
    r#"{"name": "claims-a", "connector.class": "DatagenSource", "kafka.topic": "claims-x", "quickstart": "USERS"}"#;

fn valid_file_named(name: &str) -> String {
    VALID_FILE.replace("claims-a", name)
}

#[test]
fn files_and_folders_are_linted_together_in_order() {
    let cli = Cli::new();
    cli.write("connectors/claims-a.json", valid_file_named("claims-a"));
    cli.write(
        "connectors/deep/claims-b.yaml",
        "name: claims-b\nconnector.class: DatagenSource\nkafka.topic: t\nquickstart: NO\n",
    );
    cli.write("connectors/.hidden.json", "{");
    cli.write("connectors/.git/config.json", "{");
    cli.write("connectors/README.md", "not a connector");
    cli.write(
        "claims-c.json",
        valid_file_named("claims-c").replace("kafka.topic", "kafka.topik"),
    );
    let output = cli.run("connector lint claims-c.json connectors");
    insta::assert_snapshot!(output, @r#"
    exit 5
    ----- stdout -----
    error[missing-key]: `kafka.topic` is missing: DatagenSource requires it
     --> claims-c.json:1:1
      |
    1 | {"name": "claims-c", "connector.class": "DatagenSource", "kafka.topik": "...
      | ^
      |
      = help: Add `kafka.topic` (text).

    error[unknown-key]: DatagenSource has no key `kafka.topik`
     --> claims-c.json:1:58
      |
    1 | {"name": "claims-c", "connector.class": "DatagenSource", "kafka.topik": "...
      |                                                          ^^^^^^^^^^^^^
      |
      = help: Did you mean `kafka.topic`?

    warning[value-not-allowed]: value `NO` of `quickstart` is not in the catalog of
                                June 2026
     --> connectors/deep/claims-b.yaml:4:13
      |
    4 | quickstart: NO
      |             ^^
      |
      = help: Known values: `CLICKSTREAM_CODES`, `CLICKSTREAM`,
              `CLICKSTREAM_USERS`, `ORDERS`, `RATINGS`, `USERS`, `USERS_ARRAY`,
              `PAGEVIEWS`, `STOCK_TRADES`, `INVENTORY`, `PRODUCT` and
              `PURCHASES`, and 26 more. `confluent ebs connector validate` asks
              the service, which may have added it since.

    Found 2 errors and 1 warning.

    Checked 3 files.
    ----- stderr -----
    Checked with facts of June 2026 about plugins.
    Error: 2 findings are errors
    "#);
    let output = cli.run("connector lint connectors/claims-a.json");
    insta::assert_snapshot!(output, @r"
    exit 0
    ----- stdout -----
    Checked 1 file: no findings.
    ----- stderr -----
    Checked with facts of June 2026 about plugins.
    ");
    cli.write("empty/README.md", "");
    for (args, words) in [
        ("connector lint empty", "no connector file in `empty`"),
        ("connector lint missing.json", "cannot read 1 file"),
    ] {
        let output = cli.run(args).expect_code(1);
        assert!(output.stderr_line().contains(words), "{output}");
    }
}

// Invalid input. The message is clear and the exit code right: 0 without errors, 5 with errors, 1 if a file cannot be
// read.
#[test]
fn malformed_input_is_reported_without_a_panic() {
    let cli = Cli::new();
    let marked = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let numbers = r#"{"name": "claims-a", "connector.class": "S3_SINK", "topics": "t", "s3.bucket.name": "b", "time.interval": "HOURLY",
        "flush.size": 1000, "csfle.enabled": true}"#;
    let cases: [(&str, Vec<u8>, i32, &str); 14] = [
        ("json", marked(VALID_FILE), 0, "no findings"),
        (
            "yaml",
            marked("name: claims-a\nconnector.class: DatagenSource\nkafka.topic: t\nquickstart: USERS\n"),
            0,
            "no findings",
        ),
        ("json", numbers.into(), 0, "`flush.size` is a number, not a string"),
        ("json", numbers.into(), 0, "`csfle.enabled` is a boolean, not a string"),
        (
            "json",
            VALID_FILE.replace("quickstart", "kafka.topic").into(),
            5,
            "`kafka.topic` occurs twice",
        ),
        (
            "json",
            VALID_FILE.replace("\"USERS\"", "null").into(),
            5,
            "`quickstart` is `null`, not a string",
        ),
        ("json", VALID_FILE.replace('}', "").into(), 1, "error[syntax]: not JSON"),
        ("json", "[1, 2]".into(), 1, "a connector file must be one JSON object"),
        ("json", "".into(), 1, "is empty"),
        (
            "json",
            b"{\"name\": \"\xff\"}".to_vec(),
            1,
            "is not UTF-8 text: byte 10 is invalid",
        ),
        ("json", vec![b'a'; 5 * 1024 * 1024], 1, "is larger than 2 MiB"),
        ("yaml", "a: [".into(), 1, "error[syntax]: not YAML"),
        ("yaml", "a: 1\n---\nb: 2\n".into(), 1, "not YAML"),
        ("yaml", vec![b'a'; 5 * 1024 * 1024], 1, "is larger than 2 MiB"),
    ];
    for (ending, text, code, words) in cases {
        let file = format!("claims-a.{ending}");
        cli.write(&file, text);
        let output = cli.run(&format!("connector lint {file}"));
        assert_eq!(output.code, Some(code), "{words}: {output}");
        let text = output.stdout_line();
        assert!(text.contains(words), "{words}: {output}");
        assert!(!output.stderr.contains("panicked"), "{output}");
    }
    cli.run_with_input("connector lint -", VALID_FILE).expect_success();
    let output = cli.run_with_input("connector lint -", "").expect_code(1);
    assert!(output.stdout.contains("standard input is empty"), "{output}");
}

#[test]
fn json_output_has_every_finding_with_its_location() {
    let cli = Cli::onboarded("claims");
    let text = VALID_FILE.replace("claims-x", "motor-x");
    let column = text.find("\"motor-x\"").unwrap() + 1;
    cli.write("claims-a.json", text);
    let output = cli
        .run_as("claims-deployer", "connector lint claims-a.json -o json")
        .expect_code(5);
    let answer = output.json();
    assert_eq!(
        answer,
        json!({
            "files": 1, "facts": { "snapshot": "June 2026", "refreshed": null }, "errors": 1, "warnings": 0,
            "findings": [{
                "rule": "foreign-topic", "severity": "error",
                "message": "topic `motor-x` of `kafka.topic` does not start with `claims-`",
                "file": "claims-a.json", "line": 1, "column": column,
                "fix": "Use topics that start with `claims-`.", "owner": "department",
            }],
            "excepted": [],
        })
    );
}

#[test]
fn sarif_output_matches_its_schema() {
    let cli = Cli::new();
    cli.write(
        "my connectors/claims-a.json",
        valid_file_named("claims-b").replace("kafka.topic", "kafka.topik"),
    );
    cli.write("my connectors/broken.json", "{");
    cli.write("my connectors/large.yaml", vec![b'a'; 3 * 1024 * 1024]);
    let mut command = cli.command();
    let output = cli
        .run_command(command.args(["connector", "lint", "my connectors", "-o", "sarif"]))
        .expect_code(1);
    let log = output.json();
    assert_valid_sarif(&log);
    let run = &log["runs"][0];
    let rules: Vec<&Value> = run.items("/tool/driver/rules").iter().map(|rule| &rule["id"]).collect();
    let results = run.items("/results");
    let named: Vec<&str> = results.iter().map(|result| result.text("/ruleId")).collect();
    assert_eq!(
        named,
        ["syntax", "missing-key", "file-name", "unknown-key", "unreadable-file"]
    );
    assert!(results.iter().all(|result| rules.contains(&&result["ruleId"])));
    assert_eq!(
        results[2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "my%20connectors/claims-a.json"
    );
}
