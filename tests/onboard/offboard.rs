//! Off-boarding a department: nothing of it remains, objects of others are unchanged, and its prefix is never used
//! again.

use serde_json::{Value, json};

use crate::sandbox_cli_fixture::{ApiKeyPair, CLUSTER_CRN, SandboxCliFixture};

/// Two onboarded departments with their own files; claims has a connector.
fn fixture_with_two_departments() -> SandboxCliFixture {
    let fixture = SandboxCliFixture::new();
    fixture.cli.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    for code in ["claims", "fraud"] {
        let text = format!("# {code}\nname = \"{code}\"\nprefix = \"{code}-\"\n\n[quota]\nconnectors = 3\n");
        fixture.cli.write(format!("departments/{code}.toml"), text);
    }
    fixture.run_expecting("onboard --all --sandbox --yes", 0);
    let orders = json!({ "name": "claims-orders", "config": {
        "connector.class": "DatagenSource", "kafka.topic": "claims-orders", "quickstart": "ORDERS",
        "output.data.format": "JSON" } });
    fixture.cli.write("claims-orders.json", orders.to_string());
    let profile = ".state/confluent-ebs/sandbox/handover/claims-deployer.toml";
    fixture.run_expecting(
        &format!("connector create --config-file claims-orders.json --no-wait --profile {profile}"),
        0,
    );
    fixture
}

fn key_works(fixture: &SandboxCliFixture, key: &ApiKeyPair) -> bool {
    fixture.send(key, "GET", "/org/v2/environments", None).0 == 200
}

fn normalize_whitespace(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn offboarding_removes_everything_of_the_department_and_nothing_else() {
    let fixture = fixture_with_two_departments();
    let keys: Vec<ApiKeyPair> = ["operator", "deployer", "viewer"]
        .map(|persona| fixture.profile_key(&format!("claims-{persona}")))
        .into();
    let fraud = fixture.profile_key("fraud-deployer");
    let before = fixture.provisioned_state();

    // While a connector exists, nothing is removed.
    let output = fixture.run_without_writes("offboard claims --sandbox --yes", 5);
    assert!(
        normalize_whitespace(&output.stderr).contains("still has 1 connector: `claims-orders`"),
        "{output}"
    );
    fixture.run_without_writes("offboard claims --delete-connectors --dry-run --sandbox", 0);
    assert!(!fixture.cli.read("departments/claims.toml").contains("retired"));

    let output = fixture.run_expecting("offboard claims --delete-connectors --sandbox --yes -o json", 0);
    let answer: Value = serde_json::from_str(&output.stdout).unwrap();
    let proofs: Vec<&str> = answer["proof"]["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["state"].as_str().unwrap())
        .collect();
    assert_eq!(proofs, ["refused"; 3]);
    assert_eq!(answer["proof"]["others"], json!([]));
    assert_eq!(answer["proof"]["remaining"], json!([]));
    assert!(keys.iter().all(|key| !key_works(&fixture, key)) && key_works(&fixture, &fraud));

    // Profiles of deleted keys remain; this test is about the service.
    for persona in ["operator", "deployer", "viewer"] {
        let profile = fixture.state_dir().join(format!("handover/claims-{persona}.toml"));
        std::fs::remove_file(profile).unwrap();
    }
    let left = fixture.provisioned_state();
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

    // Keys first, accounts last (docs/reference/rbac.md#deletion-order).
    let writes = fixture.writes();
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

    // The tombstone prevents other departments from using the prefix.
    let file = fixture.cli.read("departments/claims.toml");
    assert!(
        file.starts_with("# claims\nname = \"claims\"\nprefix = \"claims-\"\nretired = 20"),
        "{file}"
    );
    fixture.run_without_writes("onboard claims --sandbox --yes", 5);
    fixture
        .cli
        .write("departments/claims2.toml", "name = \"Again\"\nprefix = \"claims-\"\n");
    fixture.run_without_writes("onboard claims2 --sandbox --yes", 1);
    std::fs::remove_file(fixture.cli.path("departments/claims2.toml")).unwrap();

    // Repeated: the plan is empty, and the result is checked again.
    let again = fixture.run_without_writes("offboard claims --sandbox --yes", 0);
    assert!(
        again.stdout.contains("has no remaining access in stage `prod`"),
        "{again}"
    );
}

#[test]
fn foreign_bindings_on_the_prefix_are_named_and_removed_only_on_request() {
    let fixture = fixture_with_two_departments();
    let stranger = fixture.account_id("ebs-prod-fraud-operator");
    let bind = |pattern: &str| {
        let body = json!({ "principal": format!("User:{stranger}"), "role_name": "DeveloperRead",
            "crn_pattern": format!("{CLUSTER_CRN}{pattern}") });
        fixture.send_ok(&fixture.admin_key(), "POST", "/iam/v2/role-bindings", Some(body));
    };
    bind("/kafka=lkc-prod01/topic=claims-orders*");
    let command = "offboard claims --delete-connectors --sandbox --yes";
    let output = fixture.run_expecting(command, 3);
    let said = normalize_whitespace(&output.stderr);
    assert!(
        said.contains("others still have access to the prefix `claims-`"),
        "{output}"
    );
    assert!(said.contains("ebs-prod-fraud-operator"), "{output}");
    assert!(said.contains("--remove-foreign"), "{output}");
    let output = fixture.run_expecting("offboard claims --remove-foreign --sandbox --yes", 0);
    assert!(normalize_whitespace(&output.stdout).contains("1 change."), "{output}");
    // A wider binding affects other departments, too.
    bind("/kafka=lkc-prod01/topic=*");
    let output = fixture.run_without_writes("offboard claims --remove-foreign --sandbox --yes", 3);
    assert!(normalize_whitespace(&output.stderr).contains("by hand"), "{output}");
}

#[test]
fn an_account_owned_by_another_principal_is_not_removed() {
    let fixture = fixture_with_two_departments();
    let account = fixture.account_id("ebs-prod-claims-viewer");
    let organization = CLUSTER_CRN.split("/environment=").next().unwrap();
    let body = json!({ "principal": format!("User:{}", fixture.account_id("ebs-prod-fraud-deployer")),
        "role_name": "ResourceOwner", "crn_pattern": format!("{organization}/service-account={account}") });
    fixture.send_ok(&fixture.admin_key(), "POST", "/iam/v2/role-bindings", Some(body));
    let output = fixture.run_without_writes("offboard claims --delete-connectors --sandbox --yes", 5);
    assert!(
        normalize_whitespace(&output.stderr).contains("other principals own it: ebs-prod-fraud-deployer"),
        "{output}"
    );
}

#[test]
fn offboarding_requires_typing_the_department_code() {
    let fixture = fixture_with_two_departments();
    let output = fixture
        .cli
        .run_with_input("offboard claims --delete-connectors --sandbox", "fraud\n");
    assert_eq!(output.code, Some(1), "{output}");
    assert!(!fixture.writes().iter().any(|entry| entry.method == "DELETE"));
    let output = fixture
        .cli
        .run_with_input("offboard claims --delete-connectors --sandbox", "claims\n");
    assert_eq!(output.code, Some(0), "{output}");
    let output = fixture.run("offboard claimz --sandbox");
    assert!(output.stderr.contains("Did you mean `claims`?"), "{output}");
}
