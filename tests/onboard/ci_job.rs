//! The main task: one command for all departments, an empty plan afterwards, and no secret outside of the profiles.

use std::{collections::BTreeMap, fs};

use confluent_ebs::model::ApiKeyId;
use serde_json::Value;

use crate::{
    onboarding_fixture::list_files,
    sandbox_cli_fixture::{ApiKeyPair, SandboxCliFixture},
};

/// Every file of a home that contains one of `secrets`.
fn files_with_secrets(fixture: &SandboxCliFixture, secrets: &BTreeMap<String, ApiKeyPair>) -> Vec<String> {
    let root = fixture.cli.path("");
    list_files(&root)
        .into_iter()
        .filter(|path| {
            let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
            secrets.values().any(|key| text.contains(&key.secret))
        })
        .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        .collect()
}

#[test]
fn onboard_all_onboards_every_department_and_is_idempotent() {
    let fixture = SandboxCliFixture::new();
    let planned = fixture.run_without_writes("onboard --all --sandbox --dry-run --detailed-exitcode", 2);
    assert!(
        !fixture
            .state_dir()
            .join("handover")
            .join("claims-operator.toml")
            .exists(),
        "{planned}"
    );
    assert_eq!(list_files(&fixture.state_dir().join("evidence")).len(), 0);

    let first = fixture.run_expecting("onboard --all --sandbox --yes", 0);
    assert!(
        first.stdout.starts_with("Onboarded 24 departments to stage `prod`"),
        "{first}"
    );
    let before = fixture.sandbox().journal().unwrap().len();
    let second = fixture.run_without_writes("onboard --all --sandbox --yes", 0);
    assert!(second.stdout.contains("up to date"), "{second}");
    assert!(
        fixture.sandbox().journal().unwrap().len() > before,
        "it observed the organization"
    );
    fixture.run_without_writes("onboard --all --sandbox --dry-run --detailed-exitcode", 0);

    // Only profiles contain secrets.
    let handover = fixture.state_dir().join("handover");
    let secrets = SandboxCliFixture::profile_keys_in(&handover);
    // 21 departments with three personas that have a key, 3 with one.
    assert_eq!(secrets.len(), 21 * 3 + 3);
    for output in [&planned, &first, &second] {
        for key in secrets.values() {
            assert!(!output.stdout.contains(&key.secret) && !output.stderr.contains(&key.secret));
        }
    }
    for holder in files_with_secrets(&fixture, &secrets) {
        let profile = holder.starts_with(".state/confluent-ebs/sandbox/handover/");
        assert!(profile, "{holder} holds a secret");
    }
    for path in list_files(&handover) {
        assert_eq!(path.extension().unwrap(), "toml", "{} remains", path.display());
        assert_private(&path);
    }

    // The evidence records each key, and each recorded key is in a profile.
    let journal: std::collections::BTreeSet<String> = fixture
        .sandbox()
        .journal()
        .unwrap()
        .into_iter()
        .map(|entry| entry.request_id)
        .collect();
    let evidence = list_files(&fixture.state_dir().join("evidence"));
    assert_eq!(evidence.len(), 24);
    let mut named = Vec::new();
    for path in evidence {
        let text: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for key in text["keys"].as_array().unwrap() {
            assert_eq!(key["handed_over"], true);
            named.push(key["id"].as_str().unwrap().parse::<ApiKeyId>().unwrap().to_string());
        }
        // Every write is recorded with its request id.
        for step in text["done"]["done"].as_array().unwrap() {
            let label = step["label"].as_str().unwrap();
            if label.starts_with("create ") {
                assert!(journal.contains(step["request_id"].as_str().unwrap()), "{label}");
            }
        }
    }
    named.sort();
    let mut held: Vec<String> = secrets.values().map(|key| key.id.clone()).collect();
    held.sort();
    assert_eq!(named, held);
}

#[cfg(unix)]
fn assert_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        fs::metadata(path).unwrap().permissions().mode() & 0o777,
        0o600,
        "{}",
        path.display()
    );
}

#[cfg(not(unix))]
fn only_for_the_user(_path: &std::path::Path) {}

#[test]
fn json_and_yaml_reports_are_equal_and_contain_no_secret() {
    let fixture = SandboxCliFixture::new();
    let json = fixture.run_expecting("onboard claims fraud --sandbox --yes -o json", 0);
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    let codes: Vec<&str> = value["departments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["department"].as_str().or_else(|| row["code"].as_str()).unwrap())
        .collect();
    assert_eq!(codes, ["claims", "fraud"], "{value}");
    for key in SandboxCliFixture::profile_keys_in(&fixture.state_dir().join("handover")).values() {
        assert!(!json.stdout.contains(&key.secret));
    }
    let json = fixture.run_expecting("onboard claims fraud --sandbox --yes -o json", 0);
    let yaml = fixture.run_expecting("onboard claims fraud --sandbox --yes -o yaml", 0);
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
    let fixture = SandboxCliFixture::new();
    let output = fixture.run_expecting("onboard claims --sandbox --yes --show-secrets -o json", 0);
    let keys = SandboxCliFixture::profile_keys_in(&fixture.state_dir().join("handover"));
    assert_eq!(keys.len(), 3);
    for key in keys.values() {
        assert!(output.stdout.contains(&key.secret), "{output}");
        assert!(!output.stderr.contains(&key.secret), "{output}");
    }
    let human = fixture.run_expecting("onboard fraud --sandbox --yes --show-secrets", 0);
    let key = fixture.profile_key("fraud-operator");
    assert!(human.stdout.contains(&key.secret), "the path can be copied\n{human}");
}

#[test]
fn profiles_go_to_the_credentials_dir_and_keys_stay_recorded_without_them() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("onboard claims --sandbox --yes --credentials-dir out/keys", 0);
    let folder = fixture.cli.path("out/keys");
    assert_eq!(SandboxCliFixture::profile_keys_in(&folder).len(), 3);
    assert!(!fixture.state_dir().join("handover").exists());
    // The profile works in its folder: the service knows the owner of its key.
    fixture.run_expecting("onboard claims --profile out/keys/claims-operator.toml --dry-run", 4);
    // The profiles are removed, as intended; journal and evidence record the keys.
    fs::remove_dir_all(folder).unwrap();
    fixture.run_without_writes("onboard claims --sandbox --yes", 0);
    fs::remove_dir_all(fixture.state_dir().join("evidence")).unwrap();
    fixture.run_without_writes("onboard claims --sandbox --yes", 0);
}

#[test]
fn evidence_alone_records_keys_on_another_machine() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting(
        "onboard claims --sandbox --yes --evidence-dir evidence --credentials-dir out",
        0,
    );
    fs::remove_dir_all(fixture.state_dir().join("runs")).unwrap();
    fs::remove_dir_all(fixture.cli.path("out")).unwrap();
    fixture.run_without_writes("onboard claims --sandbox --yes --evidence-dir evidence", 0);
    let output = fixture.run_without_writes("onboard claims --sandbox --yes", 5);
    assert!(
        output
            .stderr
            .contains("neither the journal nor an evidence file contains it"),
        "{output}"
    );
}

#[test]
fn a_credentials_dir_tracked_by_git_is_refused() {
    let fixture = SandboxCliFixture::new();
    fixture.cli.write(".git/HEAD", "ref: refs/heads/main\n");
    let output = fixture.run_without_writes("onboard claims --sandbox --yes --credentials-dir keys", 5);
    assert!(output.stderr.contains("Git"), "{output}");
    assert!(!fixture.cli.path("keys").exists());
    fixture.cli.write(".gitignore", "/keys/\n");
}
