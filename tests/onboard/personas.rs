//! Personas that a template loses: reported, removed with `--prune`, and never removed while connectors run under them.

use std::fs;

use serde_json::{Value, json};

use crate::common::{Cli, JsonAccess as _};

const AUDITOR: &str = "\n[[persona]]\nname = \"auditor\"\ndescription = \"reads the connectors\"\nkeys = [\"cloud\"]\n\n\
     [[persona.grant]]\nrole = \"DeveloperRead\"\non = \"connector:{prefix}*\"\nwhy = \"audits\"\n";

const CLAIMS: &str = "name = \"Claims\"\nprefix = \"claims-\"\ntemplate = \"TEMPLATE\"\n\n[quota]\nconnectors = 3\n";

fn department(template: &str) -> String {
    CLAIMS.replace("TEMPLATE", template)
}

/// Claims, onboarded with this template.
fn cli_with_template(template: &str) -> Cli {
    let cli = Cli::with_platform([("claims", department(template))]);
    let hybrid = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rbac-templates/hybrid.toml")).unwrap();
    cli.write("rbac-templates/audited.toml", format!("{hybrid}{AUDITOR}"));
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli
}

fn account_names(cli: &Cli) -> Vec<String> {
    let accounts = cli.sandbox().accounts().unwrap().into_iter();
    let mut names: Vec<String> = accounts
        .map(|account| account.display_name)
        .filter(|name| name.contains("claims"))
        .collect();
    names.sort();
    names
}

/// Creates a connector under the department's runtime account.
fn create_connector(cli: &Cli) {
    let orders = json!({ "name": "claims-orders", "config": {
        "connector.class": "DatagenSource", "kafka.topic": "claims-orders", "quickstart": "ORDERS",
        "output.data.format": "JSON" } });
    cli.write("claims-orders.json", orders.to_string());
    cli.run_as(
        "claims-deployer",
        "connector create --config-file claims-orders.json --no-wait",
    )
    .expect_success();
}

#[test]
fn a_persona_that_the_template_lost_is_reported_and_pruned_with_its_key() {
    let cli = cli_with_template("audited");
    let key = cli.profile_key("claims-auditor");
    assert!(cli.key_works(&key));
    cli.write("departments/claims.toml", department("hybrid"));

    // Without `--prune`, it is reported, and it is neither foreign nor a reason to refuse.
    let output = cli.run("onboard claims --sandbox --yes").expect_success();
    let said = output.stdout_line();
    assert!(
        said.contains("persona no longer in the template `hybrid`: 1 API key, "),
        "{output}"
    );
    assert!(!said.contains("Unmanaged"), "{output}");
    assert!(cli.key_works(&key));

    // The audit and its `--fix` name the same command, and `--fix` removes no account.
    let audited = cli.run("access audit --sandbox-as admin");
    let command = "`confluent ebs onboard claims --prune --sandbox`";
    assert!(audited.stdout_line().contains(command), "{audited}");
    let fixed = cli.run_without_writes("access audit --fix --sandbox --yes", 5);
    assert!(
        fixed
            .stdout_line()
            .contains("`confluent ebs onboard claims --prune --sandbox` removes `ebs-prod-claims-auditor`"),
        "{fixed}"
    );

    let planned = cli
        .run_without_writes("onboard claims --prune --sandbox --dry-run -o json", 0)
        .json();
    let deleted: Vec<(&str, &str)> = planned
        .items("/changes")
        .iter()
        .filter(|change| change["action"] == "delete")
        .map(|change| (change.text("/operation"), change.text("/persona")))
        .collect();
    let operations: Vec<&str> = deleted.iter().map(|(operation, _)| *operation).collect();
    assert_eq!(operations.first(), Some(&"delete_key"), "keys first: {deleted:?}");
    assert_eq!(
        operations.last(),
        Some(&"delete_account"),
        "the account last: {deleted:?}"
    );
    assert!(operations.contains(&"delete_binding"), "{deleted:?}");
    assert!(deleted.iter().all(|(_, persona)| *persona == "auditor"), "{deleted:?}");

    cli.run("onboard claims --prune --sandbox --yes").expect_success();
    assert!(!cli.key_works(&key));
    assert_eq!(
        account_names(&cli),
        ["deployer", "operator", "runtime", "viewer"].map(|persona| format!("ebs-prod-claims-{persona}"))
    );
    cli.run("access audit --sandbox-as admin --strict").expect_success();
    cli.run_without_writes("onboard claims --prune --sandbox --yes", 0);
}

#[test]
fn a_template_with_fewer_personas_works_without_and_with_prune() {
    let cli = cli_with_template("hybrid");
    create_connector(&cli);
    let deployer = cli.profile_key("claims-deployer");
    cli.write("departments/claims.toml", department("read-only"));
    // The deployer of the earlier template may still use the runtime account: it is no stranger.
    let output = cli.run("onboard claims --sandbox --yes").expect_success();
    assert!(
        output.stdout_line().contains("persona no longer in the template"),
        "{output}"
    );
    assert!(cli.key_works(&deployer));

    cli.run("onboard claims --prune --sandbox --yes").expect_success();
    assert!(!cli.key_works(&deployer));
    assert_eq!(
        account_names(&cli),
        ["runtime", "viewer"].map(|persona| format!("ebs-prod-claims-{persona}"))
    );
    let audited = cli.run("access audit --sandbox-as admin -o json");
    let errors: Vec<Value> = audited
        .json()
        .items("/rules")
        .iter()
        .flat_map(|rule| rule.items("/findings").to_vec())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn an_account_that_connectors_run_under_is_never_pruned_and_its_deletion_is_never_suggested() {
    let cli = cli_with_template("hybrid");
    create_connector(&cli);
    // A template whose connectors run under another account.
    let hybrid = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rbac-templates/hybrid.toml")).unwrap();
    let renamed = hybrid
        .replace("\"runtime\"", "\"worker\"")
        .replace("{runtime}", "{worker}");
    cli.write("rbac-templates/renamed.toml", renamed);
    cli.write("departments/claims.toml", department("renamed"));
    cli.run("onboard claims --sandbox --yes").expect_success();

    let output = cli.run_without_writes("onboard claims --prune --sandbox --yes", 5);
    let said = output.stderr_line();
    assert!(said.contains("(account-in-use)"), "{output}");
    assert!(said.contains("a connector runs under it: `claims-orders`"), "{output}");
    assert!(!said.contains("service-account delete"), "{output}");

    // An intruder's role on the account is to be removed, not the account.
    let runtime = cli.account_id("ebs-prod-claims-runtime");
    let admin = cli.admin_key();
    let body = json!({ "display_name": "stranger", "description": "" });
    let stranger = cli.send_ok(&admin, "POST", "/iam/v2/service-accounts", Some(body));
    cli.bind(
        &admin,
        stranger.text("/id"),
        "Assigner",
        &crate::common::account_crn(&runtime),
    );
    for command in [
        "onboard claims --sandbox --yes",
        "access audit --sandbox-as admin",
        "access audit --sandbox-as admin -o json",
    ] {
        let output = cli.run(command);
        let said = format!("{}{}", output.stdout_line(), output.stderr_line());
        assert!(!said.contains(&format!("service-account delete {runtime}")), "{output}");
    }
}
