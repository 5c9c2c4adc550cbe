//! `gitops apply`: approved changes, and nothing else.

use serde_json::Value;

use crate::{
    CANARY,
    common::{Cli, JsonAccess as _},
    datagen, gitops, remove, repository,
};

/// Names and states of the connectors.
fn connectors(cli: &Cli) -> Vec<String> {
    let list = gitops_list(cli);
    let mut lines: Vec<String> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|connector| format!("{} {}", connector.text("/name"), connector.text("/status")))
        .collect();
    lines.sort();
    lines
}

fn gitops_list(cli: &Cli) -> Value {
    cli.run(&format!("connector list -o json {}", crate::DEPLOYER))
        .expect_success()
        .json()
}

fn saved_plan(cli: &Cli) -> String {
    gitops(cli, "plan --out plan.json -o json").expect_success();
    "plan.json".to_owned()
}

#[test]
fn an_approved_plan_is_applied_and_then_nothing_is_left() {
    let cli = repository();
    let plan = saved_plan(&cli);
    let output = gitops(&cli, &format!("apply --expect {plan}")).expect_success();
    assert!(!output.to_string().contains(CANARY), "{output}");
    assert_eq!(connectors(&cli), ["claims-gen RUNNING", "claims-orders RUNNING"]);
    gitops(&cli, "plan --detailed-exitcode").expect_success();
    // The job can be repeated without a new approval.
    let before = cli.last_request_seq();
    gitops(&cli, &format!("apply --expect {plan}")).expect_success();
    let writes = cli
        .requests_since(before)
        .into_iter()
        .filter(confluent_ebs::sandbox::SandboxJournalEntry::is_write)
        .count();
    assert_eq!(writes, 0);
}

#[test]
fn a_plan_is_stale_after_a_change_of_a_file_or_of_a_connector_and_nothing_starts() {
    let cli = repository();
    let plan = saved_plan(&cli);
    let id = gitops(&cli, "plan -o json").json().text("/plans/0/id").to_owned();
    cli.write("connectors/claims/prod/claims-more.yaml", datagen("claims-more"));
    for expected in [&plan, &id] {
        let output = gitops(&cli, &format!("apply --expect {expected}")).expect_code(7);
        assert!(output.stderr.contains("is not the approved one"), "{output}");
    }
    assert!(connectors(&cli).is_empty());
}

#[test]
fn in_a_pipeline_only_normal_changes_are_applied_without_approval() {
    let cli = repository();
    gitops(&cli, "apply --yes").expect_success();
    cli.write("connectors/claims/prod/claims-orders.yaml", "state: absent\n");
    cli.write("connectors/claims/prod/claims-gen.yaml", datagen("claims-other"));
    cli.write("connectors/claims/prod/claims-new.yaml", datagen("claims-new"));
    let mut variables = crate::SECRETS.to_vec();
    variables.push(("CI", "true"));
    let output = cli
        .run_with_env(&format!("gitops apply -o json {}", crate::DEPLOYER), &variables)
        .expect_code(3)
        .json();
    let held: Vec<String> = output
        .items("/departments/0/held_back")
        .iter()
        .map(|item| format!("{} {} {}", item.text("/action"), item.text("/name"), item.text("/risk")))
        .collect();
    assert_eq!(held, ["update claims-gen high", "delete claims-orders destructive"]);
    assert_eq!(
        connectors(&cli),
        ["claims-gen RUNNING", "claims-new RUNNING", "claims-orders RUNNING"]
    );
}

#[test]
fn a_missing_file_deletes_nothing_and_a_tombstone_deletes_with_a_backup() {
    let cli = repository();
    gitops(&cli, "apply --yes").expect_success();
    remove(&cli, "connectors/claims/prod/claims-orders.yaml");
    gitops(&cli, "apply --yes").expect_success();
    assert_eq!(connectors(&cli).len(), 2, "a connector without a file keeps running");
    cli.write("connectors/claims/prod/claims-orders.yaml", "state: absent\n");
    gitops(&cli, "apply --yes --backup-dir backups").expect_success();
    assert_eq!(connectors(&cli), ["claims-gen RUNNING"]);
    let backups = crate::common::list_files(&cli.path("backups"));
    assert_eq!(backups.len(), 1);
    assert!(std::fs::read_to_string(&backups[0]).unwrap().contains("\"offsets\""));
}

#[test]
fn a_rename_carries_the_offsets_and_deletes_the_old_connector_last() {
    let cli = repository();
    gitops(&cli, "apply --yes").expect_success();
    cli.run("sandbox clock advance 10m").expect_success();
    remove(&cli, "connectors/claims/prod/claims-gen.yaml");
    let renamed = format!("renamed_from: claims-gen\nreplace: carry\n{}", datagen("claims-gen"));
    cli.write("connectors/claims/prod/claims-gen2.yaml", renamed);
    let before = cli.last_request_seq();
    let plan = saved_plan(&cli);
    gitops(&cli, &format!("apply --expect {plan}")).expect_success();
    assert_eq!(connectors(&cli), ["claims-gen2 RUNNING", "claims-orders RUNNING"]);
    let writes: Vec<String> = cli
        .requests_since(before)
        .iter()
        .filter(|entry| entry.is_write() && !entry.path.ends_with("/validate"))
        .map(|entry| format!("{} {}", entry.method, entry.path.rsplit("/connectors").next().unwrap()))
        .collect();
    assert_eq!(writes, ["PUT /claims-gen/pause", "POST ", "DELETE /claims-gen"]);
}

#[test]
fn secrets_are_sent_when_they_are_selected() {
    let cli = repository();
    gitops(&cli, "apply --yes").expect_success();
    gitops(&cli, "apply --yes").expect_success();
    let before = cli.last_request_seq();
    let plan = gitops(&cli, "plan --send-secrets claims-orders --out plan.json -o json")
        .expect_success()
        .json();
    assert_eq!(plan.text("/plans/0/items/0/action"), "update");
    gitops(&cli, "apply --expect plan.json").expect_code(0);
    let sent = |cli: &Cli| {
        let requests = cli.requests_since(before);
        requests
            .iter()
            .filter(|entry| entry.method == "PUT" && entry.path.ends_with("/claims-orders/config"))
            .count()
    };
    assert_eq!(sent(&cli), 0, "without --send-secrets nothing differs");
    gitops(
        &cli,
        "apply --send-secrets claims-orders --expect plan.json --settle 0s",
    )
    .expect_success();
    assert_eq!(sent(&cli), 1);
}

#[test]
fn an_unresolvable_secret_stops_before_anything_is_changed() {
    let cli = repository();
    let output = cli
        .run(&format!("gitops apply --yes {}", crate::DEPLOYER))
        .expect_code(1);
    assert!(output.stderr.contains("EBS_SECRET_PG"), "{output}");
    assert!(connectors(&cli).is_empty());
}

#[test]
fn after_two_failed_changes_nothing_new_is_started() {
    let cli = repository();
    for number in 0..3 {
        let text = crate::SOURCE
            .replace("${env:EBS_SECRET_PG}", "${env:EBS_SECRET_WRONG}")
            .replace("claims-", "claims-w");
        cli.write(format!("connectors/claims/prod/claims-{number}.yaml"), text);
    }
    remove(&cli, "connectors/claims/prod/claims-gen.yaml");
    remove(&cli, "connectors/claims/prod/claims-orders.yaml");
    let mut variables = crate::SECRETS.to_vec();
    variables.push(("EBS_SECRET_WRONG", "wrong-password"));
    let output = cli.run_with_env(&format!("gitops apply --yes {}", crate::DEPLOYER), &variables);
    assert_ne!(output.code, Some(0), "{output}");
    assert!(
        output.stderr.contains("To go back, revert the commit and apply again"),
        "{output}"
    );
}

#[test]
fn each_connector_ends_as_one_of_two_applies_at_once_wants_it() {
    let cli = repository();
    gitops(&cli, "apply --yes").expect_success();
    // Neither value is that of the connector that exists, so both change all three.
    for (folder, interval) in [("a", "1000"), ("b", "2000")] {
        for name in ["claims-gen", "claims-gen2", "claims-gen3"] {
            let text = format!("{}  max.interval: \"{interval}\"\n", datagen("claims-gen"));
            cli.write(format!("{folder}/connectors/claims/prod/{name}.yaml"), text);
        }
    }
    let profile = cli.path(".state/confluent-ebs/sandbox/handover/claims-deployer.toml");
    let apply = |folder: &str| {
        let mut command = cli.command();
        let flags = [
            "gitops",
            "apply",
            "--max-risk",
            "destructive",
            "--settle",
            "0s",
            "--profile",
        ];
        command.current_dir(cli.path(folder)).args(flags).arg(&profile);
        cli.run_command(&mut command)
    };
    let outputs = std::thread::scope(|scope| {
        let first = scope.spawn(|| apply("a"));
        let second = scope.spawn(|| apply("b"));
        [first.join().unwrap(), second.join().unwrap()]
    });
    let interval = |name: &str| {
        let described = cli
            .run(&format!("connector describe {name} -o json {}", crate::DEPLOYER))
            .expect_success()
            .json();
        let configs = described.items("/configs");
        configs
            .iter()
            .find(|config| config.text("/config") == "max.interval")
            .unwrap()
            .text("/value")
            .to_owned()
    };
    let found = ["claims-gen", "claims-gen2", "claims-gen3"].map(interval);
    assert!(
        found.iter().all(|interval| interval == "1000" || interval == "2000"),
        "{found:?}"
    );
    // Whoever is overwritten or comes second says so, and names the connector.
    for output in outputs.iter().filter(|output| output.code != Some(0)) {
        assert!(output.stderr.contains("claims-gen"), "{output}");
    }
}
