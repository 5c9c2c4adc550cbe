//! `doctor --assumptions` lists every switch.

use std::collections::BTreeSet;

use confluent_ebs::{checks::assumptions, sandbox::SandboxAssumptions};
use serde_json::Value;

use crate::common::{Cli, JsonAccess as _};

/// Every switch in `value`, as a path.
fn collect_switches(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                collect_switches(inner, &path, found);
            }
        }
        _ => drop(found.insert(path.to_owned())),
    }
}

#[test]
fn documented_assumptions_match_the_sandbox_switches() {
    let mut there = BTreeSet::new();
    collect_switches(
        &serde_json::to_value(SandboxAssumptions::default()).unwrap(),
        "",
        &mut there,
    );
    let explained: BTreeSet<String> = assumptions::all()
        .into_iter()
        .filter_map(|known| known.switch)
        .collect();
    assert_eq!(explained, there);
}

#[test]
fn assumptions_are_equal_in_text_and_json() {
    let cli = Cli::new();
    let output = cli.run("doctor --assumptions -o json").expect_success();
    let list = output.json();
    let list = list.items("");
    assert_eq!(list.len(), assumptions::all().len());
    assert_eq!(list[0]["id"], "Q1");
    assert_eq!(list[0]["switch"], "bindable.connect_manager_on_connector");
    assert_eq!(
        list[1]["values"],
        serde_json::json!(["filtered", "refused", "everything"])
    );

    let shown = cli.run("doctor --assumptions");
    let first: Vec<&str> = shown.stdout.split("\n\n").take(2).collect();
    insta::assert_snapshot!(first.join("\n\n"), @r"
    The following behavior is not verified on a live organization. Where a switch is
    given, the sandbox can simulate the alternative: `confluent ebs sandbox start
    --set assumptions.NAME=VALUE`.

    Q1  ConnectManager can be bound on connectors, by name and by prefix
        switch: bindable.connect_manager_on_connector
        affects: the operator persona; otherwise 400, and the grant's fallback
        probe: `POST role-bindings` ConnectManager on `connector=probe-*`: 201 or
          400? Or `bindWithResource` in the role's definition
    ");
    assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{shown}");
}
