use crate::{
    manifest::{Workspace, desired::NO_PROFILE},
    model::{Department, KeyKind, ResourceKind, StageAddress},
};

fn example() -> (Workspace, StageAddress, Department) {
    let workspace = Workspace::embedded().workspace;
    let (_, stage) = workspace.platform.stage(None).unwrap();
    let address = stage.address(workspace.platform.organization.as_ref().unwrap());
    let claims = workspace.department(&"claims".parse().unwrap()).unwrap().clone();
    (workspace, address, claims)
}

#[test]
fn the_example_department_has_four_accounts() {
    let (workspace, address, claims) = example();
    let desired = workspace.desired_department(&claims, "prod", &address).unwrap();
    let names: Vec<_> = desired
        .personas
        .iter()
        .map(|persona| persona.account_name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "ebs-prod-claims-operator",
            "ebs-prod-claims-deployer",
            "ebs-prod-claims-viewer",
            "ebs-prod-claims-runtime"
        ]
    );
    assert_eq!(desired.runtime_persona().unwrap().persona, "runtime");
    let operator = desired.persona("operator").unwrap();
    assert_eq!(operator.keys, [KeyKind::Cloud]);
    assert_eq!(operator.facts.runtime.as_deref(), Some("ebs-prod-claims-runtime"));
    assert_eq!(operator.tag.profile_hash, operator.facts.hash());
    assert_eq!(operator.facts.quota.tasks, 20);
    assert!(desired.personas.iter().all(|persona| persona.left_out.is_empty()));
}

#[test]
fn grants_on_subjects_are_left_out_without_a_schema_registry() {
    let (workspace, mut address, claims) = example();
    address.schema_registry = None;
    let desired = workspace.desired_department(&claims, "prod", &address).unwrap();
    let runtime = desired.runtime_persona().unwrap();
    assert_eq!(runtime.grants.len(), 4);
    assert!(
        runtime
            .grants
            .iter()
            .all(|grant| grant.on.kind() != ResourceKind::Subject)
    );
    assert_eq!(runtime.left_out.grants.len(), 2);
}

#[test]
fn a_changed_quota_changes_the_tags_of_personas_with_a_profile() {
    let (workspace, address, mut claims) = example();
    let before = workspace.desired_department(&claims, "prod", &address).unwrap();
    claims.quota.tasks += 1;
    let after = workspace.desired_department(&claims, "prod", &address).unwrap();
    for (before, after) in before.personas.iter().zip(&after.personas) {
        let holds_profile = !before.keys.is_empty();
        assert_eq!(before.tag != after.tag, holds_profile, "{}", before.persona);
        assert_eq!(before.tag.profile_hash == NO_PROFILE, !holds_profile);
        assert_eq!(after.tag.to_string().parse(), Ok(after.tag.clone()));
    }
}

#[test]
fn the_reason_of_the_department_overrides_that_of_the_platform() {
    let (mut workspace, address, mut claims) = example();
    workspace.platform.lint_exceptions = vec![("a-rule".into(), "all".into()), ("b-rule".into(), "all".into())];
    claims.lint_exceptions = vec![("b-rule".into(), "own".into())];
    let desired = workspace.desired_department(&claims, "prod", &address).unwrap();
    let expected = [
        ("a-rule".to_owned(), "all".to_owned()),
        ("b-rule".to_owned(), "own".to_owned()),
    ];
    assert_eq!(desired.personas[0].facts.lint_exceptions, expected);
}
