//! Keys of departments after their onboarding: listed, rotated with an overlap, revoked, replaced when they leak.

use serde_json::{Value, json};

use crate::home::{Home, Key};

const ENVIRONMENTS: &str = "/org/v2/environments";

fn onboarded() -> Home {
    let home = Home::new();
    home.must("onboard claims fraud --sandbox --yes", 0);
    home
}

fn json_of(home: &Home, args: &str) -> Value {
    let seen = home.must(args, 0);
    serde_json::from_str(&seen.stdout).unwrap_or_else(|error| panic!("{error}\n{seen}"))
}

fn works(home: &Home, key: &Key) -> bool {
    match home.send(key, "GET", ENVIRONMENTS, None).0 {
        200 => true,
        401 => false,
        status => panic!("{status}"),
    }
}

/// The ids of the keys of a persona.
fn ids(home: &Home, persona: &str) -> Vec<String> {
    let list = json_of(home, "keys list claims --sandbox -o json");
    let rows = list.as_array().unwrap().iter();
    rows.filter(|row| row["persona"] == persona)
        .map(|row| row["api_key"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_rotation_takes_two_calls_and_never_leaves_a_persona_without_a_working_key() {
    let home = onboarded();
    let old = home.key("claims-operator");
    let others = home.key("fraud-operator");
    let rotated = json_of(&home, "keys rotate claims --persona operator --sandbox --yes -o json");
    assert_eq!(rotated["handed"].as_array().unwrap().len(), 1);
    let path = rotated["handed"][0]["path"].as_str().unwrap();
    // The profile that is there is never overwritten.
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
    let new = home.key(&name);
    assert!(works(&home, &old) && works(&home, &new) && old.id != new.id);
    // The file says how it is used, and takes the place of the old one by that.
    let handed = home.folder().join("handover").join(format!("{name}.toml"));
    let text = std::fs::read_to_string(&handed).unwrap();
    assert!(text.contains(&format!("profile import ./{name}.toml")), "{text}");
    let import = format!("profile import {}", handed.display());
    let kept = home.must(&import, 0);
    assert!(kept.stdout.contains("Imported profile \"claims-operator\"."), "{kept}");
    let again = home.must(&import, 1);
    assert!(again.stderr.contains("`--force`"), "{again}");
    home.must(&format!("{import} --force"), 0);

    // Within the overlap the next call changes nothing and says when to come back.
    let seen = home.must_not_write("keys rotate claims --persona operator --sandbox --yes", 0);
    let said = seen.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(&format!("the old API key {} still works", old.id)),
        "{seen}"
    );
    let dry = home.must(
        "keys rotate claims --persona operator --overlap 0s --dry-run --detailed-exitcode --sandbox",
        2,
    );
    assert!(dry.stdout.contains(&old.id), "{dry}");

    home.must("sandbox clock advance 25h", 0);
    let seen = home.must("keys rotate claims --persona operator --sandbox --yes", 0);
    assert!(seen.stdout.starts_with("1 API key removed."), "{seen}");
    assert!(!works(&home, &old) && works(&home, &new) && works(&home, &others));
    assert_eq!(ids(&home, "operator"), [new.id]);
    // An onboarding finds everything as it is wanted.
    let seen = home.must_not_write("onboard --all --dry-run --sandbox", 0);
    assert!(!seen.stdout.contains("claims-operator"), "{seen}");
}

#[test]
fn young_keys_are_left_alone_when_asked() {
    let home = onboarded();
    // Departments that were never onboarded have no keys, and hold up nobody.
    home.must_not_write("keys rotate --all --older-than 90d --sandbox --yes", 0);
    home.must("sandbox clock advance 2200h", 0);
    let rotated = json_of(
        &home,
        "keys rotate claims --older-than 90d --overlap 0s --sandbox --yes -o json",
    );
    assert_eq!(rotated["handed"].as_array().unwrap().len(), 3);
    for persona in ["operator", "deployer", "viewer"] {
        assert_eq!(ids(&home, persona).len(), 1, "{persona}");
    }
}

#[test]
fn the_list_says_who_vouches_for_what() {
    let home = onboarded();
    let account = home.account("ebs-prod-claims-viewer");
    let body =
        json!({ "spec": { "owner": { "id": account }, "resource": { "id": "cloud" }, "description": "by hand" } });
    let made = home.done(&home.admin(), "POST", "/iam/v2/api-keys", Some(body));
    let list = json_of(&home, "keys list claims --sandbox -o json");
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
            ("deployer", "held"),
            ("operator", "held"),
            ("viewer", "held"),
            ("viewer", "unvouched")
        ]
        .map(|(persona, state)| (persona.to_owned(), state.to_owned()))
    );
    for row in rows {
        assert_eq!(row["proved_at"].is_string(), row["state"] == "held", "{row}");
        assert_eq!(row["age_days"], 0, "{row}");
    }
    // Nothing is handed over for an account on which somebody unknown holds a key.
    let seen = home.must_not_write("keys rotate claims --persona viewer --sandbox --yes", 5);
    assert!(seen.stderr.contains("key-unvouched"), "{seen}");
    // It can be taken away without harm to the persona's own.
    let id = made["id"].as_str().unwrap();
    home.must(&format!("keys revoke {id} --sandbox --yes"), 0);
    assert_eq!(ids(&home, "viewer").len(), 1);
}

#[test]
fn the_only_key_is_not_revoked_unless_it_leaked() {
    let home = onboarded();
    let old = home.key("claims-deployer");
    let seen = home.must_not_write(&format!("keys revoke {} --sandbox --yes", old.id), 5);
    let said = seen.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("deployer of department claims would be left without a working key"),
        "{seen}"
    );
    assert!(said.contains("--now"), "{seen}");
    let seen = home.must(&format!("keys revoke {} --now --sandbox --yes -o json", old.id), 0);
    let answer: Value = serde_json::from_str(&seen.stdout).unwrap();
    assert!(!works(&home, &old));
    let path = answer["handed"][0]["path"].as_str().unwrap();
    let new = home.key(path.rsplit('/').next().unwrap().strip_suffix(".toml").unwrap());
    assert!(works(&home, &new));
    // Dead before the new one is made.
    let writes = home.writes();
    let place = |method: &str, end: &str| {
        let mut last = writes
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.method == method && entry.path.ends_with(end));
        last.next_back().unwrap().0
    };
    assert!(place("DELETE", &old.id) < place("POST", "/iam/v2/api-keys"));
    assert_eq!(ids(&home, "deployer"), std::slice::from_ref(&new.id));
    home.must(&format!("keys revoke {} --now --no-replace --sandbox --yes", new.id), 0);
    assert!(ids(&home, "deployer").is_empty());
}

#[test]
fn keys_that_are_not_ours_are_left_alone() {
    let home = onboarded();
    let admin = home.admin();
    let seen = home.must_not_write(&format!("keys revoke {} --sandbox-as admin --yes", admin.id), 1);
    assert!(seen.stderr.contains("Error"), "{seen}");
    let provisioner = home.provisioner();
    let seen = home.must_not_write(&format!("keys revoke {} --sandbox --now --yes", provisioner.id), 5);
    assert!(seen.stderr.contains("confluent api-key delete"), "{seen}");
    let seen = home.must_not_write("keys revoke AAAABBBBCCCCDDDD --sandbox --yes", 1);
    assert!(seen.stderr.contains("API key \"AAAABBBBCCCCDDDD\" not found"), "{seen}");
    let seen = home.must_not_write("keys rotate claims --persona operater --sandbox --yes", 64);
    assert!(seen.stderr.contains("Did you mean `operator`?"), "{seen}");
    home.must_not_write("keys rotate treasury --sandbox --yes", 5);
}

#[test]
fn no_answer_about_keys_holds_a_secret() {
    let home = onboarded();
    let old = home.key("claims-operator");
    let mut said = String::new();
    for args in [
        "keys list --sandbox",
        "keys list --sandbox -o json",
        "keys rotate claims --sandbox --yes -o json",
        "keys rotate claims --sandbox --yes --overlap 0s -vvv",
        "keys list --sandbox -o yaml",
    ] {
        said.push_str(&home.must(args, 0).to_string());
    }
    let keys = Home::keys_in(&home.folder().join("handover"));
    assert!(keys.len() > 6);
    for (name, key) in keys {
        assert!(!said.contains(&key.secret), "the secret of {name} was said");
    }
    assert!(!works(&home, &old));
}
