//! Changed department files and templates after the onboarding, and grants of others on a prefix.

use std::fs;

use serde_json::json;

use crate::{
    onboarding_fixture::list_files,
    sandbox_cli_fixture::{CLUSTER_CRN, SandboxCliFixture},
};

const DEPARTMENT_FILES: [(&str, &str); 2] = [
    (
        "claims",
        "name = \"Claims\"\nprefix = \"claims-\"\n[quota]\nconnectors = 12\ntasks = 20\ntasks_per_connector = 4\nplugins = [\"S3_SINK\"]\n",
    ),
    (
        "fraud",
        "name = \"Fraud\"\nprefix = \"fraud-\"\n[quota]\nconnectors = 8\ntasks = 12\ntasks_per_connector = 4\nplugins = [\"S3_SINK\"]\n",
    ),
];

/// Two onboarded departments with their own files.
fn fixture_with_two_departments() -> SandboxCliFixture {
    let fixture = SandboxCliFixture::new();
    fixture.cli.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    for (code, text) in DEPARTMENT_FILES {
        fixture.cli.write(format!("departments/{code}.toml"), text);
    }
    let output = fixture.run_expecting("onboard --all --sandbox --yes", 0);
    assert!(output.stdout.contains("Onboarded 2 departments"), "{output}");
    fixture
}

fn normalize_whitespace(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_changed_quota_rewrites_profiles_and_keeps_keys() {
    let fixture = fixture_with_two_departments();
    let handover = fixture.state_dir().join("handover");
    let before = list_files(&handover);
    let keys = fixture.provisioned_state().keys;
    fixture.cli.write(
        "departments/claims.toml",
        DEPARTMENT_FILES[0].1.replace("tasks = 20", "tasks = 24"),
    );
    let output = fixture.run_expecting("onboard --all --sandbox --yes", 0);
    let new: Vec<_> = list_files(&handover)
        .into_iter()
        .filter(|path| !before.contains(path))
        .collect();
    assert_eq!(new.len(), 3, "one for each persona with a key\n{output}");
    for path in new {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("tasks = 24") && !text.contains("secret ="), "{text}");
    }
    assert!(
        fs::read_to_string(handover.join("claims-operator.toml"))
            .unwrap()
            .contains("tasks = 20")
    );
    assert_eq!(fixture.provisioned_state().keys, keys, "no key was changed");
    fixture.run_without_writes("onboard --all --sandbox --yes", 0);
}

#[test]
fn a_changed_template_adds_bindings_and_removes_them_only_with_prune() {
    let fixture = fixture_with_two_departments();
    let template = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rbac-templates/hybrid.toml")).unwrap();
    // The viewer may now read topics; the runtime account may no longer create them.
    let manage = template
        .split("[[persona.grant]]")
        .find(|grant| grant.contains("DeveloperManage"))
        .unwrap();
    let changed = template.replace(&format!("[[persona.grant]]{manage}"), "")
        + "\n[[persona.grant]]\nrole = \"DeveloperRead\"\non = \"topic:{prefix}events\"\nwhy = \"test\"\n";
    fixture.cli.write("rbac-templates/hybrid.toml", changed);
    let bindings = |fixture: &SandboxCliFixture| fixture.provisioned_state().bindings;
    let before = bindings(&fixture);
    let output = fixture.run_expecting("onboard claims --sandbox --yes", 0);
    let kept = bindings(&fixture);
    assert!(
        normalize_whitespace(&output.stdout).contains("DeveloperManage"),
        "what stays is shown\n{output}"
    );
    assert!(
        before.iter().all(|binding| kept.contains(binding)),
        "nothing is removed without --prune"
    );
    assert!(kept.len() > before.len());
    fixture.run_without_writes("onboard claims --sandbox --yes", 0);

    fixture.run_expecting("onboard claims --sandbox --yes --prune", 0);
    let pruned = bindings(&fixture);
    let gone: Vec<_> = kept.iter().filter(|binding| !pruned.contains(binding)).collect();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(
        gone[0].contains("DeveloperManage") && gone[0].contains("claims"),
        "{gone:?}"
    );
    fixture.run_without_writes("onboard claims --sandbox --yes --prune", 0);
}

#[test]
fn a_changed_prefix_is_refused_after_onboarding() {
    let fixture = fixture_with_two_departments();
    fixture.cli.write(
        "departments/claims.toml",
        DEPARTMENT_FILES[0].1.replace("claims-", "damages-"),
    );
    let output = fixture.run_without_writes("onboard claims --sandbox --yes", 5);
    assert!(
        normalize_whitespace(&output.stderr).contains("a prefix cannot change after onboarding"),
        "{output}"
    );
    // Another department does not get the prefix either.
    fixture.cli.write("departments/claims.toml", DEPARTMENT_FILES[0].1);
    fs::remove_file(fixture.cli.path("departments/fraud.toml")).unwrap();
    fixture
        .cli
        .write("departments/heir.toml", DEPARTMENT_FILES[1].1.replace("Fraud", "Heir"));
    let output = fixture.run_without_writes("onboard heir --sandbox --yes", 5);
    assert!(
        normalize_whitespace(&output.stderr).contains("prefix-in-use"),
        "{output}"
    );
}

#[test]
fn accounts_of_a_department_without_a_file_are_reported_as_orphans() {
    let fixture = fixture_with_two_departments();
    fs::remove_file(fixture.cli.path("departments/fraud.toml")).unwrap();
    let output = fixture.run_without_writes("onboard --all --sandbox --yes", 0);
    let said = normalize_whitespace(&output.stdout);
    assert!(
        said.contains("ebs-prod-fraud-operator") && said.contains("no file"),
        "{output}"
    );
}

#[test]
fn unmanaged_bindings_on_a_prefix_are_reported_and_kept() {
    let fixture = fixture_with_two_departments();
    let admin = fixture.admin_key();
    let body = json!({ "display_name": "legacy-loader", "description": "made by hand" });
    let account = fixture.send_ok(&admin, "POST", "/iam/v2/service-accounts", Some(body));
    let account = account["id"].as_str().unwrap();
    fixture.bind(
        &admin,
        account,
        "DeveloperWrite",
        &format!("{CLUSTER_CRN}/kafka=lkc-prod01/topic=claims-raw"),
    );
    for flags in ["", "--prune"] {
        let output = fixture.run_without_writes(&format!("onboard claims --sandbox --yes {flags}"), 0);
        assert!(
            normalize_whitespace(&output.stdout).contains("legacy-loader"),
            "{output}"
        );
    }
}
