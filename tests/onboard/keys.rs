//! Keys of onboarded departments: listed, rotated with an overlap, revoked, replaced after a leak.

use serde_json::{Value, json};

use crate::common::{Cli, JsonAccess as _};

fn cli_with_claims_and_fraud() -> Cli {
    Cli::onboarded("claims fraud")
}

/// Ids of the keys of a persona.
fn persona_key_ids(cli: &Cli, persona: &str) -> Vec<String> {
    let list = cli.run("keys list claims --sandbox -o json").expect_success().json();
    let rows = list.items("").iter();
    rows.filter(|row| row["persona"] == persona)
        .map(|row| row.text("/api_key").to_owned())
        .collect()
}

#[test]
fn a_rotation_takes_two_runs_and_always_leaves_a_working_key() {
    let cli = cli_with_claims_and_fraud();
    let old = cli.profile_key("claims-operator");
    let others = cli.profile_key("fraud-operator");
    let rotated = cli
        .run("keys rotate claims --persona operator --sandbox --yes -o json")
        .expect_success()
        .json();
    assert_eq!(rotated.items("/profiles").len(), 1);
    let path = rotated.text("/profiles/0/path");
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
    let new = cli.profile_key(&name);
    assert!(cli.key_works(&old) && cli.key_works(&new) && old.id != new.id);
    // The file says how to use it, by replacing the old one.
    let handed = cli.profiles_dir().join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&handed).unwrap();
    assert!(text.contains(&format!("profile import ./{name}.toml")), "{text}");
    let import = format!("profile import {}", handed.display());
    let kept = cli.run(&import).expect_success();
    assert!(kept.stdout.contains("Imported profile `claims-operator`."), "{kept}");
    let again = cli.run(&import).expect_code(1);
    assert!(again.stderr.contains("`--force`"), "{again}");
    cli.run(&format!("{import} --force")).expect_success();

    // Within the overlap, another run changes nothing and says when to repeat it.
    let output = cli.run_without_writes("keys rotate claims --persona operator --sandbox --yes", 0);
    let said = output.stdout_line();
    assert!(
        said.contains(&format!("the old API key {} still works", old.id)),
        "{output}"
    );
    let dry = cli
        .run("keys rotate claims --persona operator --overlap 0s --dry-run --detailed-exitcode --sandbox")
        .expect_code(2);
    assert!(dry.stdout.contains(&old.id), "{dry}");

    cli.run("sandbox clock advance 25h").expect_success();
    let output = cli
        .run("keys rotate claims --persona operator --sandbox --yes")
        .expect_success();
    assert!(
        output.stdout.starts_with("Stage `prod`: 1 API key deleted."),
        "{output}"
    );
    assert!(!cli.key_works(&old) && cli.key_works(&new) && cli.key_works(&others));
    assert_eq!(persona_key_ids(&cli, "operator"), [new.id]);
    // For an onboarding, everything is up to date.
    let output = cli.run_without_writes("onboard --all --dry-run --sandbox", 0);
    assert!(!output.stdout.contains("claims-operator"), "{output}");
}

#[test]
fn rotate_older_than_keeps_younger_keys() {
    let cli = cli_with_claims_and_fraud();
    // Departments that were never onboarded have no keys, and do not block the others.
    cli.run_without_writes("keys rotate --all --older-than 90d --sandbox --yes", 0);
    cli.run("sandbox clock advance 2200h").expect_success();
    let rotated = cli
        .run("keys rotate claims --older-than 90d --overlap 0s --sandbox --yes -o json")
        .expect_success()
        .json();
    assert_eq!(rotated.items("/profiles").len(), 3);
    for persona in ["operator", "deployer", "viewer"] {
        assert_eq!(persona_key_ids(&cli, persona).len(), 1, "{persona}");
    }
}

#[test]
fn keys_list_shows_whether_each_key_is_recorded() {
    let cli = cli_with_claims_and_fraud();
    let account = cli.account_id("ebs-prod-claims-viewer");
    let body =
        json!({ "spec": { "owner": { "id": account }, "resource": { "id": "cloud" }, "description": "by hand" } });
    let made = cli.send_ok(&cli.admin_key(), "POST", "/iam/v2/api-keys", Some(body));
    let list = cli.run("keys list claims --sandbox -o json").expect_success().json();
    let rows = list.items("");
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
    let output = cli.run_without_writes("keys rotate claims --persona viewer --sandbox --yes", 5);
    assert!(output.stderr.contains("key-unrecorded"), "{output}");
    // It can be deleted without effect on the persona's own key.
    let id = made.text("/id");
    cli.run(&format!("keys revoke {id} --sandbox --yes")).expect_success();
    assert_eq!(persona_key_ids(&cli, "viewer").len(), 1);
}

#[test]
fn the_only_key_of_a_persona_is_revoked_only_with_now() {
    let cli = cli_with_claims_and_fraud();
    let old = cli.profile_key("claims-deployer");
    let output = cli.run_without_writes(&format!("keys revoke {} --sandbox --yes", old.id), 5);
    let said = output.stderr_line();
    assert!(
        said.contains("is the only key that deployer of department `claims` has for its resource"),
        "{output}"
    );
    assert!(said.contains("--now"), "{output}");
    let output = cli
        .run(&format!("keys revoke {} --now --sandbox --yes -o json", old.id))
        .expect_success();
    let answer: Value = output.json();
    assert!(!cli.key_works(&old));
    let path = answer.text("/profiles/0/path");
    let new = cli.profile_key(path.rsplit('/').next().unwrap().strip_suffix(".toml").unwrap());
    assert!(cli.key_works(&new));
    // Deleted before the new one is created.
    let writes = cli.writes();
    let place = |method: &str, end: &str| {
        let mut last = writes
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.method == method && entry.path.ends_with(end));
        last.next_back().unwrap().0
    };
    assert!(place("DELETE", &old.id) < place("POST", "/iam/v2/api-keys"));
    assert_eq!(persona_key_ids(&cli, "deployer"), std::slice::from_ref(&new.id));
    cli.run(&format!("keys revoke {} --now --no-replace --sandbox --yes", new.id))
        .expect_success();
    assert!(persona_key_ids(&cli, "deployer").is_empty());
}

#[test]
fn unmanaged_keys_are_not_revoked() {
    let cli = cli_with_claims_and_fraud();
    let admin = cli.admin_key();
    let output = cli.run_without_writes(&format!("keys revoke {} --sandbox-as admin --yes", admin.id), 1);
    assert!(output.stderr.contains("Error"), "{output}");
    let provisioner = cli.provisioner_key();
    let output = cli.run_without_writes(&format!("keys revoke {} --sandbox --now --yes", provisioner.id), 5);
    assert!(output.stderr.contains("confluent api-key delete"), "{output}");
    let output = cli.run_without_writes("keys revoke AAAABBBBCCCCDDDD --sandbox --yes", 1);
    assert!(
        output.stderr.contains("API key `AAAABBBBCCCCDDDD` not found"),
        "{output}"
    );
    let output = cli.run_without_writes("keys rotate claims --persona operater --sandbox --yes", 64);
    assert!(output.stderr.contains("Did you mean `operator`?"), "{output}");
    let output = cli.run_without_writes("keys rotate claims --persona billing --sandbox --yes", 64);
    assert!(
        output
            .stderr
            .contains("Personas with API keys: `deployer`, `operator`, and `viewer`."),
        "{output}"
    );
    cli.run_without_writes("keys rotate treasury --sandbox --yes", 5);
}

#[test]
fn no_keys_output_contains_a_secret() {
    let cli = cli_with_claims_and_fraud();
    let old = cli.profile_key("claims-operator");
    let mut said = String::new();
    for args in [
        "keys list --sandbox",
        "keys list --sandbox -o json",
        "keys rotate claims --sandbox --yes -o json",
        "keys rotate claims --sandbox --yes --overlap 0s -vvv",
        "keys list --sandbox -o yaml",
    ] {
        said.push_str(&cli.run(args).expect_success().to_string());
    }
    let keys = Cli::profile_keys_in(&cli.profiles_dir());
    assert!(keys.len() > 6);
    for (name, key) in keys {
        assert!(!said.contains(&key.secret), "the secret of {name} was printed");
    }
    assert!(!cli.key_works(&old));
}
