//! A department goes: nothing of it stays, nothing of others is touched, and its prefix is never given again.

use serde_json::{Value, json};

use crate::home::{CLUSTER, Home, Key};

/// Two departments with files of their own, onboarded; claims has a connector.
fn onboarded() -> Home {
    let home = Home::new();
    home.world.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    for code in ["claims", "fraud"] {
        let text = format!("# {code}\nname = \"{code}\"\nprefix = \"{code}-\"\n\n[quota]\nconnectors = 3\n");
        home.world.write(format!("departments/{code}.toml"), text);
    }
    home.must("onboard --all --sandbox --yes", 0);
    let orders = json!({ "name": "claims-orders", "config": {
        "connector.class": "DatagenSource", "kafka.topic": "claims-orders", "quickstart": "ORDERS",
        "output.data.format": "JSON" } });
    home.world.write("claims-orders.json", orders.to_string());
    let profile = ".state/confluent-ebs/sandbox/handover/claims-deployer.toml";
    home.must(
        &format!("connector create --config-file claims-orders.json --no-wait --profile {profile}"),
        0,
    );
    home
}

fn works(home: &Home, key: &Key) -> bool {
    home.send(key, "GET", "/org/v2/environments", None).0 == 200
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn nothing_of_it_stays_and_nothing_of_others_is_touched() {
    let home = onboarded();
    let keys: Vec<Key> = ["operator", "deployer", "viewer"]
        .map(|persona| home.key(&format!("claims-{persona}")))
        .into();
    let fraud = home.key("fraud-deployer");
    let before = home.left();

    // While a connector runs, everything stays.
    let seen = home.must_not_write("offboard claims --sandbox --yes", 5);
    assert!(
        words(&seen.stderr).contains("still has 1 connector: \"claims-orders\""),
        "{seen}"
    );
    home.must_not_write("offboard claims --delete-connectors --dry-run --sandbox", 0);
    assert!(!home.world.read("departments/claims.toml").contains("retired"));

    let seen = home.must("offboard claims --delete-connectors --sandbox --yes -o json", 0);
    let answer: Value = serde_json::from_str(&seen.stdout).unwrap();
    let proofs: Vec<&str> = answer["proof"]["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["proof"].as_str().unwrap())
        .collect();
    assert_eq!(proofs, ["refused"; 3]);
    assert_eq!(answer["proof"]["others"], json!([]));
    assert_eq!(answer["proof"]["left"], json!([]));
    assert!(keys.iter().all(|key| !works(&home, key)) && works(&home, &fraud));

    // Profiles of dead keys stay where they are; what is looked at here is the service.
    for persona in ["operator", "deployer", "viewer"] {
        let profile = home.folder().join(format!("handover/claims-{persona}.toml"));
        std::fs::remove_file(profile).unwrap();
    }
    let left = home.left();
    assert!(
        !left.accounts.keys().any(|account| account.contains("claims")),
        "{left:?}"
    );
    assert!(
        !left
            .bindings
            .iter()
            .chain(&left.keys)
            .any(|text| text.contains("claims")),
        "{left:?}"
    );
    let stays =
        |all: &[String]| -> Vec<String> { all.iter().filter(|text| !text.contains("claims")).cloned().collect() };
    assert_eq!(left.bindings, stays(&before.bindings));
    assert_eq!(left.keys, stays(&before.keys));

    // Keys first, accounts last (dossier `rbac.md` §5.5).
    let writes = home.writes();
    let places = |kind: &str| -> Vec<usize> {
        let deletes = writes.iter().enumerate().filter(|(_, entry)| entry.method == "DELETE");
        deletes
            .filter(|(_, entry)| entry.path.contains(kind))
            .map(|(place, _)| place)
            .collect()
    };
    let (connectors, api_keys, accounts) = (
        places("/connectors/"),
        places("/api-keys/"),
        places("/service-accounts/"),
    );
    assert!(connectors.iter().max() < api_keys.iter().min());
    assert!(api_keys.iter().max() < accounts.iter().max());
    assert_eq!((connectors.len(), api_keys.len(), accounts.len()), (1, 3, 4));

    // The tombstone keeps the prefix from ever being given again.
    let file = home.world.read("departments/claims.toml");
    assert!(
        file.starts_with("# claims\nname = \"claims\"\nprefix = \"claims-\"\nretired = 20"),
        "{file}"
    );
    home.must_not_write("onboard claims --sandbox --yes", 5);
    home.world
        .write("departments/claims2.toml", "name = \"Again\"\nprefix = \"claims-\"\n");
    home.must_not_write("onboard claims2 --sandbox --yes", 1);
    std::fs::remove_file(home.world.path("departments/claims2.toml")).unwrap();

    // Once more: nothing is left to do, and it is proved again.
    let again = home.must_not_write("offboard claims --sandbox --yes", 0);
    assert!(again.stdout.contains("has nothing left in stage prod"), "{again}");
}

#[test]
fn what_others_hold_on_the_prefix_is_named_and_removed_only_when_asked() {
    let home = onboarded();
    let stranger = home.account("ebs-prod-fraud-operator");
    let bind = |pattern: &str| {
        let body = json!({ "principal": format!("User:{stranger}"), "role_name": "DeveloperRead",
            "crn_pattern": format!("{CLUSTER}{pattern}") });
        home.done(&home.admin(), "POST", "/iam/v2/role-bindings", Some(body));
    };
    bind("/kafka=lkc-prod01/topic=claims-orders*");
    let command = "offboard claims --delete-connectors --sandbox --yes";
    let seen = home.must(command, 3);
    let said = words(&seen.stderr);
    assert!(
        said.contains("others can still act on names that begin with \"claims-\""),
        "{seen}"
    );
    assert!(said.contains("ebs-prod-fraud-operator"), "{seen}");
    assert!(said.contains("--remove-foreign"), "{seen}");
    let seen = home.must("offboard claims --remove-foreign --sandbox --yes", 0);
    assert!(words(&seen.stdout).contains("1 removal"), "{seen}");
    // A wider one is about others, too.
    bind("/kafka=lkc-prod01/topic=*");
    let seen = home.must_not_write("offboard claims --remove-foreign --sandbox --yes", 3);
    assert!(words(&seen.stderr).contains("remove it by hand"), "{seen}");
}

#[test]
fn an_account_that_somebody_else_controls_is_not_removed() {
    let home = onboarded();
    let account = home.account("ebs-prod-claims-viewer");
    let organization = CLUSTER.split("/environment=").next().unwrap();
    let body = json!({ "principal": format!("User:{}", home.account("ebs-prod-fraud-deployer")),
        "role_name": "ResourceOwner", "crn_pattern": format!("{organization}/service-account={account}") });
    home.done(&home.admin(), "POST", "/iam/v2/role-bindings", Some(body));
    let seen = home.must_not_write("offboard claims --delete-connectors --sandbox --yes", 5);
    assert!(
        words(&seen.stderr).contains("is owned by somebody else: ebs-prod-fraud-deployer"),
        "{seen}"
    );
}

#[test]
fn the_code_must_be_typed() {
    let home = onboarded();
    let seen = home
        .world
        .ebs_with_input("offboard claims --delete-connectors --sandbox", "fraud\n");
    assert_eq!(seen.code, Some(1), "{seen}");
    assert!(!home.writes().iter().any(|entry| entry.method == "DELETE"));
    let seen = home
        .world
        .ebs_with_input("offboard claims --delete-connectors --sandbox", "claims\n");
    assert_eq!(seen.code, Some(0), "{seen}");
    let seen = home.ebs("offboard claimz --sandbox");
    assert!(seen.stderr.contains("Did you mean `claims`?"), "{seen}");
}
