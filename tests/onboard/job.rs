//! The main job: every department in one command, nothing left to do afterwards, and no secret anywhere but in the
//! profiles.

use std::{collections::BTreeMap, fs};

use confluent_ebs::model::ApiKeyId;
use serde_json::Value;

use crate::{
    home::{Home, Key},
    rig::files_below,
};

/// Every file of a home that holds one of `secrets`.
fn holders(home: &Home, secrets: &BTreeMap<String, Key>) -> Vec<String> {
    let root = home.world.path("");
    files_below(&root)
        .into_iter()
        .filter(|path| {
            let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
            secrets.values().any(|key| text.contains(&key.secret))
        })
        .map(|path| path.strip_prefix(&root).unwrap().display().to_string())
        .collect()
}

#[test]
fn all_departments_in_one_command_and_then_nothing_is_left_to_do() {
    let home = Home::new();
    let planned = home.must_not_write("onboard --all --sandbox --dry-run --detailed-exitcode", 2);
    assert!(
        !home.folder().join("handover").join("claims-operator.toml").exists(),
        "{planned}"
    );
    assert_eq!(files_below(&home.folder().join("evidence")).len(), 0);

    let first = home.must("onboard --all --sandbox --yes", 0);
    assert!(
        first.stdout.starts_with("24 departments onboarded to stage prod"),
        "{first}"
    );
    let before = home.sandbox().journal().unwrap().len();
    let second = home.must_not_write("onboard --all --sandbox --yes", 0);
    assert!(second.stdout.contains("nothing to do"), "{second}");
    assert!(home.sandbox().journal().unwrap().len() > before, "it looked");
    home.must_not_write("onboard --all --sandbox --dry-run --detailed-exitcode", 0);

    // No secret leaves the profiles.
    let handover = home.folder().join("handover");
    let secrets = Home::keys_in(&handover);
    // 21 departments with three personas that hold a key, 3 with one.
    assert_eq!(secrets.len(), 21 * 3 + 3);
    for seen in [&planned, &first, &second] {
        for key in secrets.values() {
            assert!(!seen.stdout.contains(&key.secret) && !seen.stderr.contains(&key.secret));
        }
    }
    for holder in holders(&home, &secrets) {
        let profile = holder.starts_with(".state/confluent-ebs/sandbox/handover/");
        assert!(profile, "{holder} holds a secret");
    }
    for path in files_below(&handover) {
        assert_eq!(path.extension().unwrap(), "toml", "{} is left over", path.display());
        only_for_the_user(&path);
    }

    // The evidence names each key, and a key is one that a profile holds.
    let journal: std::collections::BTreeSet<String> = home
        .sandbox()
        .journal()
        .unwrap()
        .into_iter()
        .map(|entry| entry.request_id)
        .collect();
    let evidence = files_below(&home.folder().join("evidence"));
    assert_eq!(evidence.len(), 24);
    let mut named = Vec::new();
    for path in evidence {
        let text: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for key in text["keys"].as_array().unwrap() {
            assert_eq!(key["handed_over"], true);
            named.push(key["id"].as_str().unwrap().parse::<ApiKeyId>().unwrap().to_string());
        }
        // Every write is named with the request that did it.
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
fn only_for_the_user(path: &std::path::Path) {
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
fn json_and_yaml_say_the_same_and_hold_no_secret() {
    let home = Home::new();
    let json = home.must("onboard claims fraud --sandbox --yes -o json", 0);
    let value: Value = serde_json::from_str(&json.stdout).unwrap();
    let codes: Vec<&str> = value["departments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["department"].as_str().or_else(|| row["code"].as_str()).unwrap())
        .collect();
    assert_eq!(codes, ["claims", "fraud"], "{value}");
    for key in Home::keys_in(&home.folder().join("handover")).values() {
        assert!(!json.stdout.contains(&key.secret));
    }
    let json = home.must("onboard claims fraud --sandbox --yes -o json", 0);
    let yaml = home.must("onboard claims fraud --sandbox --yes -o yaml", 0);
    let mut json: Value = serde_json::from_str(&json.stdout.replace("[HOME]", "HOME")).unwrap();
    // The redacted home would begin a YAML list.
    let mut yaml: Value = serde_saphyr::from_str(&yaml.stdout.replace("[HOME]", "HOME")).unwrap();
    for value in [&mut json, &mut yaml] {
        value["elapsed_ms"].take();
    }
    assert_eq!(json, yaml);
}

#[test]
fn secrets_are_printed_only_when_asked_for() {
    let home = Home::new();
    let seen = home.must("onboard claims --sandbox --yes --show-secrets -o json", 0);
    let keys = Home::keys_in(&home.folder().join("handover"));
    assert_eq!(keys.len(), 3);
    for key in keys.values() {
        assert!(seen.stdout.contains(&key.secret), "{seen}");
        assert!(!seen.stderr.contains(&key.secret), "{seen}");
    }
    let human = home.must("onboard fraud --sandbox --yes --show-secrets", 0);
    let key = home.key("fraud-operator");
    assert!(human.stdout.contains(&key.secret), "one can copy it\n{human}");
}

#[test]
fn profiles_go_where_they_are_wanted_and_are_known_again_without_them() {
    let home = Home::new();
    home.must("onboard claims --sandbox --yes --credentials-dir out/keys", 0);
    let folder = home.world.path("out/keys");
    assert_eq!(Home::keys_in(&folder).len(), 3);
    assert!(!home.folder().join("handover").exists());
    // The profile works where it lies: the service knows whose key it is.
    home.must("onboard claims --profile out/keys/claims-operator.toml --dry-run", 4);
    // They are taken away, as they should be; journal and evidence vouch for the keys.
    fs::remove_dir_all(folder).unwrap();
    home.must_not_write("onboard claims --sandbox --yes", 0);
    fs::remove_dir_all(home.folder().join("evidence")).unwrap();
    home.must_not_write("onboard claims --sandbox --yes", 0);
}

#[test]
fn evidence_alone_vouches_for_keys_on_another_machine() {
    let home = Home::new();
    home.must(
        "onboard claims --sandbox --yes --evidence-dir evidence --credentials-dir out",
        0,
    );
    fs::remove_dir_all(home.folder().join("runs")).unwrap();
    fs::remove_dir_all(home.world.path("out")).unwrap();
    home.must_not_write("onboard claims --sandbox --yes --evidence-dir evidence", 0);
    let seen = home.must_not_write("onboard claims --sandbox --yes", 5);
    assert!(
        seen.stderr.contains("neither the journal nor an evidence file vouches"),
        "{seen}"
    );
}

#[test]
fn a_folder_that_git_keeps_gets_no_secret() {
    let home = Home::new();
    home.world.write(".git/HEAD", "ref: refs/heads/main\n");
    let seen = home.must_not_write("onboard claims --sandbox --yes --credentials-dir keys", 5);
    assert!(seen.stderr.contains("Git"), "{seen}");
    assert!(!home.world.path("keys").exists());
    home.world.write(".gitignore", "/keys/\n");
}
