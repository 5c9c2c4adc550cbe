//! `gitops drift` and `gitops import`.

use serde_json::Value;

use crate::{CANARY, DEPLOYER, SECRETS, common::JsonAccess as _, datagen, gitops, remove, repository};

fn names(drift: &Value, list: &str) -> Vec<String> {
    let items = drift["departments"][0][list].as_array().unwrap();
    let name = |item: &Value| item.as_str().or_else(|| item["name"].as_str()).unwrap().to_owned();
    items.iter().map(name).collect()
}

#[test]
fn a_change_by_hand_is_drift_and_a_pause_only_if_the_file_sets_a_state() {
    let cli = repository();
    gitops(&cli, "apply --yes").expect_success();
    gitops(&cli, "drift --detailed-exitcode").expect_success();
    cli.run(&format!("connector pause claims-gen {DEPLOYER}"))
        .expect_success();
    gitops(&cli, "drift --detailed-exitcode").expect_success();
    let running = format!("state: running\n{}", datagen("claims-gen"));
    cli.write("connectors/claims/prod/claims-gen.yaml", running);
    cli.run_with_env(
        &format!("connector update claims-orders --config tasks.max=1 --settle 0s {DEPLOYER}"),
        &SECRETS,
    )
    .expect_success();
    cli.write(
        "hand.yaml",
        datagen("claims-hand").replace("config:\n", "config:\n  name: claims-hand\n"),
    );
    cli.run(&format!("connector create --config-file hand.yaml {DEPLOYER}"))
        .expect_success();
    let drift = gitops(&cli, "drift --detailed-exitcode -o json").expect_code(2).json();
    assert_eq!(names(&drift, "changed"), ["claims-orders"]);
    assert_eq!(names(&drift, "state"), ["claims-gen"]);
    assert_eq!(names(&drift, "unmanaged"), ["claims-hand"]);
    let issue = gitops(&cli, "drift -o markdown").expect_success();
    assert!(
        issue.stdout.contains("**changed**: claims-orders in tasks.max"),
        "{issue}"
    );
}

#[test]
fn what_is_imported_is_as_the_files_describe_it() {
    let cli = repository();
    gitops(&cli, "apply --yes").expect_success();
    remove(&cli, "connectors");
    let imported = gitops(&cli, "import -o json").expect_success();
    assert!(!imported.to_string().contains(CANARY), "{imported}");
    let names: Vec<String> = imported
        .json()
        .items("/files")
        .iter()
        .map(|file| file.text("/name").to_owned())
        .collect();
    assert_eq!(names, ["claims-gen", "claims-orders"]);
    let text = std::fs::read_to_string(cli.path("connectors/claims/prod/claims-orders.yaml")).unwrap();
    assert!(
        text.contains("connection.password: \"${env:EBS_SECRET_CLAIMS_ORDERS_CONNECTION_PASSWORD}\""),
        "{text}"
    );
    gitops(&cli, "validate").expect_success();
    gitops(&cli, "plan --detailed-exitcode").expect_success();
    let again = gitops(&cli, "import").expect_success();
    assert_eq!(again.stdout, "All connectors have a file.\n");
}

#[test]
fn an_existing_file_is_not_replaced_by_an_import() {
    let cli = repository();
    gitops(&cli, "apply --yes").expect_success();
    gitops(&cli, "import claims-gen").expect_code(5);
    gitops(&cli, "import no-such").expect_code(1);
    remove(&cli, "connectors/claims/prod/claims-gen.yaml");
    let shown = gitops(&cli, "import --dry-run").expect_success();
    assert!(shown.stdout.contains("[DRY RUN]"), "{shown}");
    assert!(!cli.path("connectors/claims/prod/claims-gen.yaml").exists());
}
