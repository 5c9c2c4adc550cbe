//! `quota list`, `quota describe`, `quota check`, and what the service says when the cluster is full.

use crate::{
    common::World,
    fleet,
    home::{deployer, json, onboarded, operator, said},
};

const SHARED: &str = "The cluster is shared: ask the platform team, who can free tasks or open another cluster.";

fn orders(world: &World, name: &str) {
    world.write(
        "next.json",
        format!(
            r#"{{"name": "{name}", "connector.class": "DatagenSource", "kafka.topic": "claims-orders", "quickstart": "ORDERS"}}"#
        ),
    );
}

#[test]
fn a_department_sees_its_numbers_and_what_they_are_worth() {
    let world = onboarded();
    orders(&world, "claims-orders");
    assert_eq!(
        deployer(&world, "connector create --config-file next.json").code,
        Some(0)
    );
    let seen = operator(&world, "quota describe");
    assert_eq!(seen.code, Some(0), "{seen}");
    let text = seen.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in [
        "1 of 12 used, 11 left",
        "1 of 20 used, 19 left",
        "not known to this key, of 225 (250 less 25 in reserve)",
        "(today)",
        "Confluent Cloud does not know these limits",
        "claims-orders | RUNNING | 1 | 1 | 1",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let check = operator(&world, "quota check --plugin DatagenSource --tasks 2");
    assert_eq!(check.code, Some(0), "{check}");
    assert!(check.stdout.contains("It fits; up to 4 tasks would."), "{check}");
    let check = operator(&world, "quota check --connector claims-orders --tasks 5");
    assert_eq!(check.code, Some(5), "{check}");
    assert!(
        said(&check).contains("department \"claims\": tasks per connector: 5 requested, 4 allowed"),
        "{check}"
    );
    assert!(said(&check).contains("Set `tasks.max` to 4 or less."), "{check}");
    // A change of what is there asks for the difference (dossier `quotas.md` §5.2).
    let check = json(&operator(
        &world,
        "quota check --connector claims-orders --tasks 3 -o json",
    ));
    let asked: Vec<i64> = check["rooms"]
        .as_array()
        .unwrap()
        .iter()
        .map(|room| room["requested"].as_i64().unwrap())
        .collect();
    assert_eq!(asked, [0, 2, 2]);
    assert_eq!(
        (&check["rooms"][2]["used"], &check["rooms"][2]["reserved"]),
        (&serde_json::Value::Null, &25.into())
    );
    let seen = operator(&world, "quota check --connector motor-orders");
    assert_eq!(seen.code, Some(1), "{seen}");
}

#[test]
fn the_platform_team_sees_all_departments_and_the_whole_cluster() {
    let world = onboarded();
    // 17 of 20 tasks and 17 of 12 connectors.
    fleet::make(&world, 17);
    let seen = world.ebs("quota list --sandbox");
    assert_eq!(seen.code, Some(0), "{seen}");
    assert!(
        said(&seen).contains("Cluster \"lkc-prod01\" uses 17 of 225 tasks; 25 more are kept in reserve."),
        "{seen}"
    );
    assert!(
        said(&seen).contains("Confluent Cloud does not know these limits"),
        "{seen}"
    );
    let rows = json(&world.ebs("quota list --sandbox -o json"));
    let claims = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["department"] == "claims")
        .unwrap();
    assert_eq!(
        (&claims["connectors"], &claims["tasks"], &claims["state"]),
        (&17.into(), &17.into(), &"over".into())
    );
    // Less is always allowed (dossier `quotas.md` §5.2).
    let seen = world.ebs("quota check --sandbox --department claims --connector claims-source-001 --tasks 1");
    assert_eq!(seen.code, Some(0), "{seen}");
    let seen = world.ebs("quota check --sandbox --department claims --plugin DatagenSource");
    assert_eq!(seen.code, Some(5), "{seen}");
    assert!(
        said(&seen).contains("connectors: 1 requested, 17 of 12 used, 0 left"),
        "{seen}"
    );
}

// The service has no contract for it (dossier `quotas.md` §0, §1.5): 402, or 400 in words. Both end in the advice that our
// own reserve gives.
#[test]
fn a_full_cluster_is_the_same_advice_whoever_says_so() {
    let world = onboarded();
    orders(&world, "claims-orders");
    assert_eq!(
        deployer(&world, "connector create --config-file next.json").code,
        Some(0)
    );
    orders(&world, "claims-more");
    for payment_required in [true, false] {
        let sandbox = fleet::sandbox(&world);
        let mut settings = sandbox.settings().unwrap();
        settings.quotas.insert("connect.max_tasks.per_cluster".into(), 1);
        settings.assumptions.connect.task_ceiling_is_payment_required = payment_required;
        sandbox.set_settings(settings).unwrap();
        let seen = deployer(&world, "connector create --config-file next.json");
        assert_eq!(seen.code, Some(5), "{seen}");
        assert!(said(&seen).contains("currently limited to 1"), "{seen}");
        assert!(said(&seen).contains(SHARED), "{seen}");
    }
}
