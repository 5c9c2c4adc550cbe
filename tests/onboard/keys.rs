//! Keys of onboarded departments: listed, rotated with an overlap, revoked, replaced after a leak.

use serde_json::{Value, json};

use crate::sandbox_cli_fixture::{ApiKeyPair, SandboxCliFixture};

const ENVIRONMENTS_PATH: &str = "/org/v2/environments";

fn fixture_with_claims_and_fraud() -> SandboxCliFixture {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("onboard claims fraud --sandbox --yes", 0);
    fixture
}

fn run_json(fixture: &SandboxCliFixture, args: &str) -> Value {
    let output = fixture.run_expecting(args, 0);
    serde_json::from_str(&output.stdout).unwrap_or_else(|error| panic!("{error}\n{output}"))
}

fn key_works(fixture: &SandboxCliFixture, key: &ApiKeyPair) -> bool {
    match fixture.send(key, "GET", ENVIRONMENTS_PATH, None).0 {
        200 => true,
        401 => false,
        status => panic!("{status}"),
    }
}

/// Ids of the keys of a persona.
fn persona_key_ids(fixture: &SandboxCliFixture, persona: &str) -> Vec<String> {
    let list = run_json(fixture, "keys list claims --sandbox -o json");
    let rows = list.as_array().unwrap().iter();
    rows.filter(|row| row["persona"] == persona)
        .map(|row| row["api_key"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_rotation_takes_two_runs_and_always_leaves_a_working_key() {
    let fixture = fixture_with_claims_and_fraud();
    let old = fixture.profile_key("claims-operator");
    let others = fixture.profile_key("fraud-operator");
    let rotated = run_json(
        &fixture,
        "keys rotate claims --persona operator --sandbox --yes -o json",
    );
    assert_eq!(rotated["profiles"].as_array().unwrap().len(), 1);
    let path = rotated["profiles"][0]["path"].as_str().unwrap();
    // An existing profile is never overwritten.
    let name = path
        .rsplit('/')
        .next()
        .unwrap()
        .strip_suffix(".toml")
        .unwrap()
        .to_owned();
    assert!(
        name.starts_with("claims-operator.") && name.len() > "claims-operator.".len(),
        "{path}"
    );
    let new = fixture.profile_key(&name);
    assert!(key_works(&fixture, &old) && key_works(&fixture, &new) && old.id != new.id);
    // The file says how to use it, by replacing the old one.
    let handed = fixture.state_dir().join("handover").join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&handed).unwrap();
    assert!(text.contains(&format!("profile import ./{name}.toml")), "{text}");
    let import = format!("profile import {}", handed.display());
    let kept = fixture.run_expecting(&import, 0);
    assert!(kept.stdout.contains("Imported profile `claims-operator`."), "{kept}");
    let again = fixture.run_expecting(&import, 1);
    assert!(again.stderr.contains("`--force`"), "{again}");
    fixture.run_expecting(&format!("{import} --force"), 0);

    // Within the overlap, another run changes nothing and says when to repeat it.
    let output = fixture.run_without_writes("keys rotate claims --persona operator --sandbox --yes", 0);
    let said = output.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(&format!("the old API key {} still works", old.id)),
        "{output}"
    );
    let dry = fixture.run_expecting(
        "keys rotate claims --persona operator --overlap 0s --dry-run --detailed-exitcode --sandbox",
        2,
    );
    assert!(dry.stdout.contains(&old.id), "{dry}");

    fixture.run_expecting("sandbox clock advance 25h", 0);
    let output = fixture.run_expecting("keys rotate claims --persona operator --sandbox --yes", 0);
    assert!(output.stdout.starts_with("1 API key deleted."), "{output}");
    assert!(!key_works(&fixture, &old) && key_works(&fixture, &new) && key_works(&fixture, &others));
    assert_eq!(persona_key_ids(&fixture, "operator"), [new.id]);
    // For an onboarding, everything is up to date.
    let output = fixture.run_without_writes("onboard --all --dry-run --sandbox", 0);
    assert!(!output.stdout.contains("claims-operator"), "{output}");
}

#[test]
fn rotate_older_than_keeps_younger_keys() {
    let fixture = fixture_with_claims_and_fraud();
    // Departments that were never onboarded have no keys, and do not block the others.
    fixture.run_without_writes("keys rotate --all --older-than 90d --sandbox --yes", 0);
    fixture.run_expecting("sandbox clock advance 2200h", 0);
    let rotated = run_json(
        &fixture,
        "keys rotate claims --older-than 90d --overlap 0s --sandbox --yes -o json",
    );
    assert_eq!(rotated["profiles"].as_array().unwrap().len(), 3);
    for persona in ["operator", "deployer", "viewer"] {
        assert_eq!(persona_key_ids(&fixture, persona).len(), 1, "{persona}");
    }
}

#[test]
fn keys_list_shows_whether_each_key_is_recorded() {
    let fixture = fixture_with_claims_and_fraud();
    let account = fixture.account_id("ebs-prod-claims-viewer");
    let body =
        json!({ "spec": { "owner": { "id": account }, "resource": { "id": "cloud" }, "description": "by hand" } });
    let made = fixture.send_ok(&fixture.admin_key(), "POST", "/iam/v2/api-keys", Some(body));
    let list = run_json(&fixture, "keys list claims --sandbox -o json");
    let rows = list.as_array().unwrap();
    let state = |row: &Value| (row["persona"].clone(), row["state"].clone());
    let mut states: Vec<(String, String)> = rows
        .iter()
        .map(state)
        .map(|(persona, state)| (persona.as_str().unwrap().into(), state.as_str().unwrap().into()))
        .collect();
    states.sort();
    assert_eq!(
        states,
        [
            ("deployer", "delivered"),
            ("operator", "delivered"),
            ("viewer", "delivered"),
            ("viewer", "unrecorded")
        ]
        .map(|(persona, state)| (persona.to_owned(), state.to_owned()))
    );
    for row in rows {
        assert_eq!(row["probed_at"].is_string(), row["state"] == "delivered", "{row}");
        assert_eq!(row["age_days"], 0, "{row}");
    }
    // Nothing is delivered for an account with an unrecorded key.
    let output = fixture.run_without_writes("keys rotate claims --persona viewer --sandbox --yes", 5);
    assert!(output.stderr.contains("key-unrecorded"), "{output}");
    // It can be deleted without effect on the persona's own key.
    let id = made["id"].as_str().unwrap();
    fixture.run_expecting(&format!("keys revoke {id} --sandbox --yes"), 0);
    assert_eq!(persona_key_ids(&fixture, "viewer").len(), 1);
}

#[test]
fn the_only_key_of_a_persona_is_revoked_only_with_now() {
    let fixture = fixture_with_claims_and_fraud();
    let old = fixture.profile_key("claims-deployer");
    let output = fixture.run_without_writes(&format!("keys revoke {} --sandbox --yes", old.id), 5);
    let said = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("deployer of department `claims` has no other key for the same resource"),
        "{output}"
    );
    assert!(said.contains("--now"), "{output}");
    let output = fixture.run_expecting(&format!("keys revoke {} --now --sandbox --yes -o json", old.id), 0);
    let answer: Value = serde_json::from_str(&output.stdout).unwrap();
    assert!(!key_works(&fixture, &old));
    let path = answer["profiles"][0]["path"].as_str().unwrap();
    let new = fixture.profile_key(path.rsplit('/').next().unwrap().strip_suffix(".toml").unwrap());
    assert!(key_works(&fixture, &new));
    // Deleted before the new one is created.
    let writes = fixture.writes();
    let place = |method: &str, end: &str| {
        let mut last = writes
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.method == method && entry.path.ends_with(end));
        last.next_back().unwrap().0
    };
    assert!(place("DELETE", &old.id) < place("POST", "/iam/v2/api-keys"));
    assert_eq!(persona_key_ids(&fixture, "deployer"), std::slice::from_ref(&new.id));
    fixture.run_expecting(&format!("keys revoke {} --now --no-replace --sandbox --yes", new.id), 0);
    assert!(persona_key_ids(&fixture, "deployer").is_empty());
}

#[test]
fn unmanaged_keys_are_not_revoked() {
    let fixture = fixture_with_claims_and_fraud();
    let admin = fixture.admin_key();
    let output = fixture.run_without_writes(&format!("keys revoke {} --sandbox-as admin --yes", admin.id), 1);
    assert!(output.stderr.contains("Error"), "{output}");
    let provisioner = fixture.provisioner_key();
    let output = fixture.run_without_writes(&format!("keys revoke {} --sandbox --now --yes", provisioner.id), 5);
    assert!(output.stderr.contains("confluent api-key delete"), "{output}");
    let output = fixture.run_without_writes("keys revoke AAAABBBBCCCCDDDD --sandbox --yes", 1);
    assert!(
        output.stderr.contains("API key `AAAABBBBCCCCDDDD` not found"),
        "{output}"
    );
    let output = fixture.run_without_writes("keys rotate claims --persona operater --sandbox --yes", 64);
    assert!(output.stderr.contains("Did you mean `operator`?"), "{output}");
    let output = fixture.run_without_writes("keys rotate claims --persona billing --sandbox --yes", 64);
    assert!(
        output
            .stderr
            .contains("Personas with API keys: `deployer`, `operator`, and `viewer`."),
        "{output}"
    );
    fixture.run_without_writes("keys rotate treasury --sandbox --yes", 5);
}

#[test]
fn no_keys_output_contains_a_secret() {
    let fixture = fixture_with_claims_and_fraud();
    let old = fixture.profile_key("claims-operator");
    let mut said = String::new();
    for args in [
        "keys list --sandbox",
        "keys list --sandbox -o json",
        "keys rotate claims --sandbox --yes -o json",
        "keys rotate claims --sandbox --yes --overlap 0s -vvv",
        "keys list --sandbox -o yaml",
    ] {
        said.push_str(&fixture.run_expecting(args, 0).to_string());
    }
    let keys = SandboxCliFixture::profile_keys_in(&fixture.state_dir().join("handover"));
    assert!(keys.len() > 6);
    for (name, key) in keys {
        assert!(!said.contains(&key.secret), "the secret of {name} was printed");
    }
    assert!(!key_works(&fixture, &old));
}
