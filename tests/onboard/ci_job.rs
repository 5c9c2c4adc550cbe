//! The main task: one command for all departments, an empty plan afterwards, and no secret outside of the profiles.

use std::fs;

use confluent_ebs::model::ApiKeyId;
use serde_json::Value;

use crate::common::{Cli, JsonAccess as _, assert_private, files_with_secrets, list_files};

#[test]
fn onboard_all_onboards_every_department_and_is_idempotent() {
    let cli = Cli::new();
    let planned = cli.run_without_writes("onboard --all --sandbox --dry-run --detailed-exitcode", 2);
    assert!(!cli.profiles_dir().join("claims-operator.toml").exists(), "{planned}");
    assert_eq!(list_files(&cli.state_dir().join("evidence")).len(), 0);

    let first = cli.run("onboard --all --sandbox --yes").expect_success();
    assert!(
        first.stdout.starts_with("Onboarded 24 departments to stage `prod`"),
        "{first}"
    );
    let before = cli.sandbox().journal().unwrap().len();
    let second = cli.run_without_writes("onboard --all --sandbox --yes", 0);
    assert!(second.stdout.contains("up to date"), "{second}");
    assert!(
        cli.sandbox().journal().unwrap().len() > before,
        "it observed the organization"
    );
    cli.run_without_writes("onboard --all --sandbox --dry-run --detailed-exitcode", 0);

    // Only profiles contain secrets.
    let handover = cli.profiles_dir();
    let secrets = Cli::profile_keys_in(&handover);
    // 21 departments with three personas that have a key, 3 with one.
    assert_eq!(secrets.len(), 21 * 3 + 3);
    for output in [&planned, &first, &second] {
        for key in secrets.values() {
            assert!(!output.stdout.contains(&key.secret) && !output.stderr.contains(&key.secret));
        }
    }
    let texts: Vec<String> = secrets.values().map(|key| key.secret.clone()).collect();
    for path in files_with_secrets(&cli.path(""), &texts) {
        assert!(
            path.starts_with(cli.profiles_dir()),
            "{} contains a secret",
            path.display()
        );
    }
    for path in list_files(&handover) {
        assert_eq!(path.extension().unwrap(), "toml", "{} remains", path.display());
        assert_private(&path);
    }

    // The evidence records each key, and each recorded key is in a profile.
    let journal: std::collections::BTreeSet<String> = cli
        .sandbox()
        .journal()
        .unwrap()
        .into_iter()
        .map(|entry| entry.request_id)
        .collect();
    let evidence = list_files(&cli.state_dir().join("evidence"));
    assert_eq!(evidence.len(), 24);
    let mut named = Vec::new();
    for path in evidence {
        let text: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for key in text.items("/keys") {
            assert_eq!(key["handed_over"], true);
            named.push(key.text("/id").parse::<ApiKeyId>().unwrap().to_string());
        }
        // Every write is recorded with its request id.
        for step in text.items("/done/done") {
            let label = step.text("/label");
            if label.starts_with("create ") {
                assert!(journal.contains(step.text("/request_id")), "{label}");
            }
        }
    }
    named.sort();
    let mut held: Vec<String> = secrets.values().map(|key| key.id.clone()).collect();
    held.sort();
    assert_eq!(named, held);
}

#[cfg(not(unix))]
fn only_for_the_user(_path: &std::path::Path) {}

#[test]
fn json_and_yaml_reports_are_equal_and_contain_no_secret() {
    let cli = Cli::new();
    let json = cli.run("onboard claims fraud --sandbox --yes -o json").expect_success();
    let value: Value = json.json();
    let codes: Vec<&str> = value
        .items("/departments")
        .iter()
        .map(|row| row["department"].as_str().or_else(|| row["code"].as_str()).unwrap())
        .collect();
    assert_eq!(codes, ["claims", "fraud"], "{value}");
    for key in Cli::profile_keys_in(&cli.profiles_dir()).values() {
        assert!(!json.stdout.contains(&key.secret));
    }
    let json = cli.run("onboard claims fraud --sandbox --yes -o json").expect_success();
    let yaml = cli.run("onboard claims fraud --sandbox --yes -o yaml").expect_success();
    let mut json: Value = serde_json::from_str(&json.stdout.replace("[HOME]", "HOME")).unwrap();
    // The redacted home would begin a YAML list.
    let mut yaml: Value = serde_saphyr::from_str(&yaml.stdout.replace("[HOME]", "HOME")).unwrap();
    for value in [&mut json, &mut yaml] {
        value["elapsed_ms"].take();
    }
    assert_eq!(json, yaml);
}

#[test]
fn secrets_are_printed_only_with_show_secrets() {
    let cli = Cli::new();
    let output = cli
        .run("onboard claims --sandbox --yes --show-secrets -o json")
        .expect_success();
    let keys = Cli::profile_keys_in(&cli.profiles_dir());
    assert_eq!(keys.len(), 3);
    for key in keys.values() {
        assert!(output.stdout.contains(&key.secret), "{output}");
        assert!(!output.stderr.contains(&key.secret), "{output}");
    }
    let human = cli.run("onboard fraud --sandbox --yes --show-secrets").expect_success();
    let key = cli.profile_key("fraud-operator");
    assert!(human.stdout.contains(&key.secret), "the path can be copied\n{human}");
}

#[test]
fn profiles_go_to_the_credentials_dir_and_keys_stay_recorded_without_them() {
    let cli = Cli::new();
    cli.run("onboard claims --sandbox --yes --credentials-dir out/keys")
        .expect_success();
    let folder = cli.path("out/keys");
    assert_eq!(Cli::profile_keys_in(&folder).len(), 3);
    assert!(!cli.profiles_dir().exists());
    // The profile works in its folder: the service knows the owner of its key.
    cli.run("onboard claims --profile out/keys/claims-operator.toml --dry-run")
        .expect_code(4);
    // The profiles are removed, as intended; journal and evidence record the keys.
    fs::remove_dir_all(folder).unwrap();
    cli.run_without_writes("onboard claims --sandbox --yes", 0);
    fs::remove_dir_all(cli.state_dir().join("evidence")).unwrap();
    cli.run_without_writes("onboard claims --sandbox --yes", 0);
}

#[test]
fn evidence_alone_records_keys_on_another_machine() {
    let cli = Cli::new();
    cli.run("onboard claims --sandbox --yes --evidence-dir evidence --credentials-dir out")
        .expect_success();
    fs::remove_dir_all(cli.state_dir().join("runs")).unwrap();
    fs::remove_dir_all(cli.path("out")).unwrap();
    cli.run_without_writes("onboard claims --sandbox --yes --evidence-dir evidence", 0);
    let output = cli.run_without_writes("onboard claims --sandbox --yes", 5);
    assert!(
        output
            .stderr
            .contains("neither the journal nor an evidence file contains it"),
        "{output}"
    );
}

#[test]
fn a_credentials_dir_tracked_by_git_is_refused() {
    let cli = Cli::new();
    cli.write(".git/HEAD", "ref: refs/heads/main\n");
    let output = cli.run_without_writes("onboard claims --sandbox --yes --credentials-dir keys", 5);
    assert!(output.stderr.contains("Git"), "{output}");
    assert!(!cli.path("keys").exists());
    cli.write(".gitignore", "/keys/\n");
}
