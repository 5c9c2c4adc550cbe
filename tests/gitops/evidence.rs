//! Evidence of applies, and the risk of connectors that no evidence names.

use serde_json::Value;

use crate::{
    CANARY, DEPLOYER,
    common::{Cli, JsonAccess as _},
    datagen, git, gitops, repository,
};

/// The only evidence in a folder, as text and as JSON.
pub(crate) fn read_evidence(cli: &Cli, folder: &str) -> (String, Value) {
    let files: Vec<_> = std::fs::read_dir(cli.path(folder)).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let text = std::fs::read_to_string(files[0].as_ref().unwrap().path()).unwrap();
    let evidence = serde_json::from_str(&text).unwrap();
    (text, evidence)
}

fn apply(cli: &Cli, flags: &str, folder: &str) -> Value {
    gitops(cli, &format!("apply --settle 0s --evidence-dir {folder} {flags}")).expect_success();
    let (text, evidence) = read_evidence(cli, folder);
    assert!(!text.contains(CANARY), "{text}");
    evidence
}

#[test]
fn evidence_names_commit_plan_items_and_requests_and_no_values() {
    let cli = repository();
    git(&cli, "init -q -b main");
    git(&cli, "add connectors");
    git(&cli, "commit -q -m files");
    let plan = gitops(&cli, "plan --out plan.json -o json").expect_success().json();
    let evidence = apply(&cli, "--expect plan.json", "first");
    assert_eq!(evidence.text("/plan"), plan.text("/plans/0/id"));
    assert_eq!(evidence.text("/approval"), "plan");
    assert_eq!(evidence.text("/commit").len(), 40);
    assert_eq!(evidence["is_modified"], false);
    assert_eq!(evidence.text("/api_key"), cli.profile_key("claims-deployer").id);
    let items = evidence.items("/items");
    let planned = plan.items("/plans/0/items");
    assert_eq!(items.len(), planned.len());
    for (item, planned) in items.iter().zip(planned) {
        assert_eq!(item["id"], planned["id"]);
        assert_eq!(item["action"], "create");
        assert_eq!(item["result"], "done");
        assert!(item.text("/lcc").starts_with("lcc-"), "{item}");
        assert_eq!(item.items("/requests").len(), 1, "{item}");
    }
    assert!(!evidence.to_string().contains("db.example.com"), "{evidence}");
    // A changed file is not that of the commit.
    cli.write(
        "connectors/claims/prod/claims-gen.yaml",
        datagen("claims-gen") + "  tasks.max: \"2\"\n",
    );
    let evidence = apply(&cli, "--yes", "second");
    assert_eq!(evidence["is_modified"], true);
    assert_eq!(evidence.text("/approval"), "confirmation");
}

#[test]
fn evidence_tells_failed_and_held_back_changes_from_done_ones() {
    let cli = repository();
    cli.write(
        "connectors/claims/prod/claims-wrong.yaml",
        crate::SOURCE.replace("EBS_SECRET_PG", "EBS_SECRET_WRONG"),
    );
    let mut variables = crate::SECRETS.to_vec();
    variables.push(("EBS_SECRET_WRONG", "wrong-password"));
    let output = cli.run_with_env(
        &format!("gitops apply --max-risk normal --settle 0s --evidence-dir kept -o json {DEPLOYER}"),
        &variables,
    );
    assert_ne!(output.code, Some(0), "{output}");
    let (text, evidence) = read_evidence(&cli, "kept");
    let results: Vec<(&str, &str)> = evidence
        .items("/items")
        .iter()
        .map(|item| (item.text("/name"), item.text("/result")))
        .collect();
    assert_eq!(
        results,
        [
            ("claims-gen", "done"),
            ("claims-orders", "done"),
            ("claims-wrong", "failed")
        ]
    );
    assert!(!text.contains("wrong-password"), "{text}");
}

/// Highest risk of the plan.
fn risks(cli: &Cli) -> Vec<String> {
    let plan = gitops(cli, "plan -o json").expect_success().json();
    let risk = |item: &Value| format!("{} {}", item.text("/risk"), item["reasons"]);
    plan.items("/plans/0/items").iter().map(risk).collect()
}

#[test]
fn a_change_of_a_connector_that_no_committed_evidence_names_is_a_high_risk() {
    let cli = repository();
    git(&cli, "init -q -b main");
    apply(&cli, "--yes", "evidence/connectors");
    let changed = datagen("claims-gen") + "  max.interval: \"2000\"\n";
    cli.write("connectors/claims/prod/claims-gen.yaml", changed);
    cli.write(
        "hand.yaml",
        datagen("claims-hand").replace("config:\n", "config:\n  name: claims-hand\n"),
    );
    cli.run(&format!("connector create --config-file hand.yaml {DEPLOYER}"))
        .expect_success();
    cli.write(
        "connectors/claims/prod/claims-hand.yaml",
        datagen("claims-hand") + "  max.interval: \"2000\"\n",
    );
    // Evidence that is not committed says nothing, because another machine does not have it.
    assert_eq!(risks(&cli), ["normal []", "normal []"]);
    git(&cli, "add .");
    git(&cli, "commit -q -m evidence");
    assert_eq!(
        risks(&cli),
        [
            "normal []",
            "high [\"no evidence in this repository names the connector\"]"
        ]
    );
}
