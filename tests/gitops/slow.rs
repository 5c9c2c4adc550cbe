//! The slow group: an apply is killed or loses its response at every request, and is repeated on a machine that has
//! nothing but the repository and the approved plan.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::Value;

use crate::{
    common::{Cli, JsonAccess as _},
    datagen, gitops, remove, repository,
};

/// State and `tasks.max` of the connectors, by name.
fn state(cli: &Cli) -> BTreeMap<String, (Value, Value)> {
    let list = cli.send_ok(
        &cli.admin_key(),
        "GET",
        "/connect/v1/environments/env-prod01/clusters/lkc-prod01/connectors?expand=info,status,id",
        None,
    );
    let connectors = list.as_object().unwrap().iter();
    let facts = connectors.map(|(name, connector)| {
        let state = connector["status"]["connector"]["state"].clone();
        (name.clone(), (state, connector["info"]["config"]["tasks.max"].clone()))
    });
    facts.collect()
}

/// A repository with one change of each kind, and the approved plan for them.
fn approved() -> Cli {
    let cli = repository();
    for name in ["claims-renamed", "claims-paused", "claims-old"] {
        cli.write(format!("connectors/claims/prod/{name}.yaml"), datagen(name));
    }
    remove(&cli, "connectors/claims/prod/claims-orders.yaml");
    gitops(&cli, "apply --yes").expect_success();
    cli.run("sandbox clock advance 10m").expect_success();
    cli.write(
        "connectors/claims/prod/claims-orders.yaml",
        "config:\n  tasks.max: \"1\"\n",
    );
    cli.write(
        "connectors/claims/prod/claims-gen.yaml",
        datagen("claims-gen") + "  tasks.max: \"2\"\n",
    );
    remove(&cli, "connectors/claims/prod/claims-renamed.yaml");
    let renamed = format!(
        "renamed_from: claims-renamed\nreplace: carry\n{}",
        datagen("claims-renamed")
    );
    cli.write("connectors/claims/prod/claims-new.yaml", renamed);
    cli.write(
        "connectors/claims/prod/claims-paused.yaml",
        format!("state: paused\n{}", datagen("claims-paused")),
    );
    cli.write("connectors/claims/prod/claims-old.yaml", "state: absent\n");
    let plan = gitops(&cli, "plan --out plan.json -o json").expect_success().json();
    let actions: Vec<&str> = plan
        .items("/plans/0/items")
        .iter()
        .map(|item| item["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["create", "update", "pause", "replace", "delete"]);
    cli
}

const APPLY: &str = "apply --expect plan.json --settle 0s --no-backup";

/// Number of cases that run in parallel: most of the time is spent waiting for the disk.
const WORKERS: usize = 4;

#[test]
#[expect(clippy::print_stdout, reason = "the number of cases is a part of the result")]
fn an_apply_that_ends_at_any_request_is_completed_by_the_same_command_elsewhere() {
    let original = approved();
    let undisturbed = original.duplicate();
    let before = undisturbed.last_request_seq();
    gitops(&undisturbed, APPLY).expect_success();
    let requests = undisturbed.requests_since(before).len();
    let expected = state(&undisturbed);
    assert_eq!(
        expected.keys().map(String::as_str).collect::<Vec<_>>(),
        ["claims-gen", "claims-new", "claims-orders", "claims-paused"]
    );
    assert!(requests > 10, "{requests}");
    let kinds = ["kill-before", "kill-after", "lost-before", "lost-after"];
    let cases: Vec<(&str, usize)> = kinds
        .iter()
        .flat_map(|kind| (0..requests).map(move |skip| (*kind, skip)))
        .collect();
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                while let Some((kind, skip)) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    disturb(&original, kind, *skip, &expected);
                }
            });
        }
    });
    println!("crash matrix: gitops apply: {requests} requests, {} cases", cases.len());
}

/// Disturbs request `skip` of the apply, which the same command completes on another machine.
fn disturb(original: &Cli, kind: &str, skip: usize, expected: &BTreeMap<String, (Value, Value)>) {
    let cli = original.duplicate();
    let fault = format!("sandbox fault add {kind} --path /connect/** --skip {skip}");
    cli.run(&fault).expect_success();
    gitops(&cli, APPLY);
    cli.run("sandbox fault clear").expect_success();
    // Another machine: no journal, no backups.
    for folder in ["runs", "backups", "telemetry", "evidence"] {
        let folder = cli.state_dir().join(folder);
        if folder.exists() {
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
    let label = format!("{kind} at request {skip}");
    let output = gitops(&cli, APPLY);
    assert_eq!(output.code, Some(0), "{label}: {output}");
    assert_eq!(&state(&cli), expected, "{label}");
    gitops(&cli, "plan --detailed-exitcode").expect_code(0);
}
