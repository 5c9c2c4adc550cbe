//! The slow group: an apply is killed or loses its response at every request, and is repeated on a machine that has
//! nothing but the repository and the approved plan.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    DEPLOYER,
    common::{Cli, JsonAccess as _},
    datagen, gitops, remove, repository,
};

/// Connectors by name, with the values that the plan decides.
fn state(cli: &Cli) -> BTreeMap<String, (Value, Value)> {
    let list = cli
        .run(&format!("connector list -o json {DEPLOYER}"))
        .expect_success()
        .json();
    let names: Vec<String> = list
        .items("")
        .iter()
        .map(|connector| connector.text("/name").to_owned())
        .collect();
    let facts = |name: String| {
        let described = cli
            .run(&format!("connector describe {name} -o json {DEPLOYER}"))
            .expect_success()
            .json();
        let tasks = described["configs"].as_array().and_then(|configs| {
            configs
                .iter()
                .find(|config| config["config"] == "tasks.max")
                .map(|config| config["value"].clone())
        });
        (
            name,
            (described["connector"]["status"].clone(), tasks.unwrap_or_default()),
        )
    };
    names.into_iter().map(facts).collect()
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

#[test]
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
    for kind in ["kill-before", "kill-after", "lost-before", "lost-after"] {
        for skip in 0..requests {
            let cli = original.duplicate();
            let fault = format!("sandbox fault add {kind} --path /connect/** --skip {skip}");
            cli.run(&fault).expect_success();
            gitops(&cli, APPLY);
            cli.run("sandbox fault clear").expect_success();
            // Another machine: no journal, no backups.
            for folder in ["runs", "backups", "telemetry"] {
                let folder = cli.state_dir().join(folder);
                if folder.exists() {
                    std::fs::remove_dir_all(folder).unwrap();
                }
            }
            let label = format!("{kind} at request {skip}");
            let output = gitops(&cli, APPLY);
            assert_eq!(output.code, Some(0), "{label}: {output}");
            assert_eq!(state(&cli), expected, "{label}");
            gitops(&cli, "plan --detailed-exitcode").expect_code(0);
        }
    }
}
