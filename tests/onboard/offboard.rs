//! Off-boarding a department: nothing of it remains, objects of others are unchanged, and its prefix is never used
//! again.

use serde_json::{Value, json};

use crate::common::{ApiKeyPair, CLUSTER_CRN, Cli, JsonAccess as _};

/// Two onboarded departments with their own files; claims has a connector.
fn cli_with_two_departments() -> Cli {
    let text = |code| format!("# {code}\nname = \"{code}\"\nprefix = \"{code}-\"\n\n[quota]\nconnectors = 3\n");
    let cli = Cli::with_platform(["claims", "fraud"].map(|code| (code, text(code))));
    cli.run("onboard --all --sandbox --yes").expect_success();
    let orders = json!({ "name": "claims-orders", "config": {
        "connector.class": "DatagenSource", "kafka.topic": "claims-orders", "quickstart": "ORDERS",
        "output.data.format": "JSON" } });
    cli.write("claims-orders.json", orders.to_string());
    cli.run_as(
        "claims-deployer",
        "connector create --config-file claims-orders.json --no-wait",
    )
    .expect_success();
    cli
}

#[test]
fn offboarding_removes_everything_of_the_department_and_nothing_else() {
    let cli = cli_with_two_departments();
    let keys: Vec<ApiKeyPair> = ["operator", "deployer", "viewer"]
        .map(|persona| cli.profile_key(&format!("claims-{persona}")))
        .into();
    let fraud = cli.profile_key("fraud-deployer");
    let before = cli.provisioned_state();

    // While a connector exists, nothing is removed.
    let output = cli.run_without_writes("offboard claims --sandbox --yes", 5);
    assert!(
        output.stderr_line().contains("still has 1 connector: `claims-orders`"),
        "{output}"
    );
    cli.run_without_writes("offboard claims --delete-connectors --dry-run --sandbox", 0);
    assert!(!cli.read("departments/claims.toml").contains("retired"));

    let output = cli
        .run("offboard claims --delete-connectors --sandbox --yes -o json")
        .expect_success();
    let answer: Value = output.json();
    let proofs: Vec<&str> = answer
        .items("/proof/keys")
        .iter()
        .map(|key| key.text("/state"))
        .collect();
    assert_eq!(proofs, ["refused"; 3]);
    assert_eq!(answer["proof"]["others"], json!([]));
    assert_eq!(answer["proof"]["remaining"], json!([]));
    assert!(keys.iter().all(|key| !cli.key_works(key)) && cli.key_works(&fraud));

    // Profiles of deleted keys remain; this test is about the service.
    for persona in ["operator", "deployer", "viewer"] {
        let profile = cli.state_dir().join(format!("handover/claims-{persona}.toml"));
        std::fs::remove_file(profile).unwrap();
    }
    let left = cli.provisioned_state();
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
    let writes = cli.writes();
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

    // A rehearsal changes no file of the platform. The tombstone prevents other departments from using the prefix.
    let file = cli.read("departments/claims.toml");
    assert!(!file.contains("retired"), "{file}");
    let day = answer.text("/retired/on");
    cli.write(
        "departments/claims.toml",
        file.replace("\n\n", &format!("\nretired = {day}\n\n")),
    );
    cli.run_without_writes("onboard claims --sandbox --yes", 5);
    cli.write("departments/claims2.toml", "name = \"Again\"\nprefix = \"claims-\"\n");
    cli.run_without_writes("onboard claims2 --sandbox --yes", 1);
    std::fs::remove_file(cli.path("departments/claims2.toml")).unwrap();

    // Repeated: the plan is empty, and the result is checked again.
    let again = cli.run_without_writes("offboard claims --sandbox --yes", 0);
    assert!(
        again.stdout.contains("has no remaining access in stage `prod`"),
        "{again}"
    );
}

#[test]
fn foreign_bindings_on_the_prefix_are_named_and_removed_only_on_request() {
    let cli = cli_with_two_departments();
    let other_account = cli.account_id("ebs-prod-fraud-operator");
    let bind = |pattern: &str| {
        let body = json!({ "principal": format!("User:{other_account}"), "role_name": "DeveloperRead",
            "crn_pattern": format!("{CLUSTER_CRN}{pattern}") });
        cli.send_ok(&cli.admin_key(), "POST", "/iam/v2/role-bindings", Some(body));
    };
    bind("/kafka=lkc-prod01/topic=claims-orders*");
    let command = "offboard claims --delete-connectors --sandbox --yes";
    let output = cli.run(command).expect_code(3);
    let said = output.stderr_line();
    assert!(
        said.contains("others still have access to the prefix `claims-`"),
        "{output}"
    );
    assert!(said.contains("ebs-prod-fraud-operator"), "{output}");
    assert!(said.contains("--remove-foreign"), "{output}");
    let output = cli
        .run("offboard claims --remove-foreign --sandbox --yes")
        .expect_success();
    assert!(output.stdout_line().contains("1 change."), "{output}");
    // A wider binding affects other departments, too.
    bind("/kafka=lkc-prod01/topic=*");
    let output = cli.run_without_writes("offboard claims --remove-foreign --sandbox --yes", 3);
    assert!(output.stderr_line().contains("by hand"), "{output}");
}

#[test]
fn an_account_owned_by_another_principal_is_not_removed() {
    let cli = cli_with_two_departments();
    let account = cli.account_id("ebs-prod-claims-viewer");
    let organization = CLUSTER_CRN.split("/environment=").next().unwrap();
    let body = json!({ "principal": format!("User:{}", cli.account_id("ebs-prod-fraud-deployer")),
        "role_name": "ResourceOwner", "crn_pattern": format!("{organization}/service-account={account}") });
    cli.send_ok(&cli.admin_key(), "POST", "/iam/v2/role-bindings", Some(body));
    let output = cli.run_without_writes("offboard claims --delete-connectors --sandbox --yes", 5);
    assert!(
        output
            .stderr_line()
            .contains("other principals own it: ebs-prod-fraud-deployer"),
        "{output}"
    );
}

#[test]
fn offboarding_requires_typing_the_department_code() {
    let cli = cli_with_two_departments();
    cli.run_with_input("offboard claims --delete-connectors --sandbox", "fraud\n")
        .expect_code(1);
    assert!(!cli.writes().iter().any(|entry| entry.method == "DELETE"));
    cli.run_with_input("offboard claims --delete-connectors --sandbox", "claims\n")
        .expect_success();
}
