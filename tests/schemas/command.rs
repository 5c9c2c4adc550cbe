//! `schema`, and the first lines of new files.

use std::path::Path;

use serde_json::Value;

use crate::{
    common::{Cli, EBS_TOML, list_files},
    schema_errors,
};

/// The schema that the first line of `file` names, which must exist.
fn named_schema(cli: &Cli, file: &str) -> Value {
    let text = cli.read(file);
    let line = text.lines().next().unwrap();
    let path = line
        .strip_prefix("#:schema ")
        .or(line.strip_prefix("# yaml-language-server: $schema="))
        .unwrap_or_else(|| panic!("{file}: {line}"));
    let folder = Path::new(file).parent().unwrap();
    serde_json::from_str(&cli.read(folder.join(path))).unwrap()
}

#[test]
fn new_files_of_a_new_platform_name_schemas_that_exist() {
    let cli = Cli::with_sandbox("");
    cli.run("init --sandbox").expect_success();
    assert_eq!(named_schema(&cli, "ebs.toml")["title"], "ebs.toml");
    cli.run("department new claims").expect_success();
    assert_eq!(
        named_schema(&cli, "departments/claims.toml")["title"],
        "departments/CODE.toml"
    );
    let output = cli.run("department validate").expect_success();
    assert!(output.stdout_line().contains("no errors, no warnings"), "{output}");
    for file in ["connectors/claims/prod/claims-lake.yaml", "claims-lake.yaml"] {
        let path = cli.write(file, "");
        std::fs::remove_file(path).unwrap();
        cli.run(&format!("connector plugin new S3_SINK --output-file {file}"))
            .expect_success();
        let schema = named_schema(&cli, file);
        assert_eq!(schema["$id"], "urn:confluent-ebs:schema:connector:S3_SINK");
        // Only what must be filled in is an error.
        let completed: Value = serde_saphyr::from_str(&cli.read(file).replace("<fill in>", "1")).unwrap();
        assert_eq!(schema_errors(&schema, &completed), [""; 0]);
    }
    // JSON has no comments.
    cli.run("connector plugin new S3_SINK --output-file claims-lake.json")
        .expect_success();
    assert!(cli.read("claims-lake.json").starts_with('{'));
}

#[test]
fn without_schemas_a_new_file_names_none() {
    let cli = Cli::with_platform([("fraud", "name = \"Fraud\"\nprefix = \"fraud-\"\n")]);
    cli.run("department new claims").expect_success();
    assert!(cli.read("departments/claims.toml").starts_with("# Department claims."));
    cli.run("connector plugin new S3_SINK --output-file claims-lake.yaml")
        .expect_success();
    assert!(
        cli.read("claims-lake.yaml")
            .starts_with("# A connector of plugin S3_SINK")
    );
    assert!(!cli.path(".schemas").exists());
    // The schemas of another repository are not those of this one.
    cli.run("schema --out-dir .schemas").expect_success();
    std::fs::create_dir_all(cli.path("other/.git")).unwrap();
    cli.run("connector plugin new S3_SINK --output-file other/claims-lake.yaml")
        .expect_success();
    assert!(
        cli.read("other/claims-lake.yaml")
            .starts_with("# A connector of plugin S3_SINK")
    );
}

#[test]
fn a_schema_is_printed_or_written_and_other_files_are_kept() {
    let cli = Cli::new();
    cli.write("ebs.toml", EBS_TOML);
    let printed = cli.run("schema department").expect_success();
    let schema: Value = printed.json();
    assert_eq!(schema["$id"], "urn:confluent-ebs:schema:department");
    assert_eq!(cli.run("schema department -o json").expect_success().json(), schema);
    for _ in 0..2 {
        cli.run("schema department --out department.json").expect_success();
    }
    assert_eq!(cli.read("department.json"), printed.stdout);
    let refused = cli.run("schema department --out ebs.toml").expect_code(1);
    assert!(
        refused.stderr_line().contains("is no schema of this program"),
        "{refused}"
    );
    assert_eq!(cli.read("ebs.toml"), EBS_TOML);
    cli.run("schema --out-dir a/.schemas").expect_success();
    let mut written = list_files(&cli.path("a/.schemas"));
    written.sort();
    assert_eq!(written.len(), 6, "{written:?}");
}

#[test]
fn misuse_names_the_next_step() {
    let cli = Cli::new();
    let refused = cli.run("schema connector --plugin S3_SNK").expect_code(1);
    assert!(refused.stderr_line().contains("Did you mean `S3_SINK`?"), "{refused}");
    let refused = cli.run("schema department --plugin S3_SINK").expect_code(64);
    assert!(refused.stderr_line().contains("only for connectors"), "{refused}");
    for args in [
        "schema",
        "schema connector --partial",
        "schema department --out-dir x",
        "schema polices",
    ] {
        cli.run(args).expect_code(64);
    }
}
