//! Department files and templates that change after onboarding, and what others do on a prefix.

use std::fs;

use serde_json::json;

use crate::{
    home::{CLUSTER, Home},
    rig::files_below,
};

const EXAMPLE: [(&str, &str); 2] = [
    (
        "claims",
        "name = \"Claims\"\nprefix = \"claims-\"\n[quota]\nconnectors = 12\ntasks = 20\ntasks_per_connector = 4\nplugins = [\"S3_SINK\"]\n",
    ),
    (
        "fraud",
        "name = \"Fraud\"\nprefix = \"fraud-\"\n[quota]\nconnectors = 8\ntasks = 12\ntasks_per_connector = 4\nplugins = [\"S3_SINK\"]\n",
    ),
];

/// Two departments with files of their own, onboarded.
fn onboarded() -> Home {
    let home = Home::new();
    home.world.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    for (code, text) in EXAMPLE {
        home.world.write(format!("departments/{code}.toml"), text);
    }
    let seen = home.must("onboard --all --sandbox --yes", 0);
    assert!(seen.stdout.contains("2 departments onboarded"), "{seen}");
    home
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_changed_quota_reissues_the_profiles_without_their_keys() {
    let home = onboarded();
    let handover = home.folder().join("handover");
    let before = files_below(&handover);
    let keys = home.left().keys;
    home.world.write(
        "departments/claims.toml",
        EXAMPLE[0].1.replace("tasks = 20", "tasks = 24"),
    );
    let seen = home.must("onboard --all --sandbox --yes", 0);
    let new: Vec<_> = files_below(&handover)
        .into_iter()
        .filter(|path| !before.contains(path))
        .collect();
    assert_eq!(new.len(), 3, "one for each persona with a key\n{seen}");
    for path in new {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains("tasks = 24") && !text.contains("secret ="), "{text}");
    }
    assert!(
        fs::read_to_string(handover.join("claims-operator.toml"))
            .unwrap()
            .contains("tasks = 20")
    );
    assert_eq!(home.left().keys, keys, "no key was touched");
    home.must_not_write("onboard --all --sandbox --yes", 0);
}

#[test]
fn a_changed_template_adds_at_once_and_removes_only_when_asked() {
    let home = onboarded();
    let template = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rbac-templates/hybrid.toml")).unwrap();
    // The viewer may now read topics; the runtime account may no longer make them.
    let manage = template
        .split("[[persona.grant]]")
        .find(|grant| grant.contains("DeveloperManage"))
        .unwrap();
    let changed = template.replace(&format!("[[persona.grant]]{manage}"), "")
        + "\n[[persona.grant]]\nrole = \"DeveloperRead\"\non = \"topic:{prefix}events\"\nwhy = \"test\"\n";
    home.world.write("rbac-templates/hybrid.toml", changed);
    let bindings = |home: &Home| home.left().bindings;
    let before = bindings(&home);
    let seen = home.must("onboard claims --sandbox --yes", 0);
    let kept = bindings(&home);
    assert!(
        words(&seen.stdout).contains("DeveloperManage"),
        "what stays is shown\n{seen}"
    );
    assert!(
        before.iter().all(|binding| kept.contains(binding)),
        "nothing is removed without --prune"
    );
    assert!(kept.len() > before.len());
    home.must_not_write("onboard claims --sandbox --yes", 0);

    home.must("onboard claims --sandbox --yes --prune", 0);
    let pruned = bindings(&home);
    let gone: Vec<_> = kept.iter().filter(|binding| !pruned.contains(binding)).collect();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(
        gone[0].contains("DeveloperManage") && gone[0].contains("claims"),
        "{gone:?}"
    );
    home.must_not_write("onboard claims --sandbox --yes --prune", 0);
}

#[test]
fn a_prefix_never_changes() {
    let home = onboarded();
    home.world
        .write("departments/claims.toml", EXAMPLE[0].1.replace("claims-", "damages-"));
    let seen = home.must_not_write("onboard claims --sandbox --yes", 5);
    assert!(
        words(&seen.stderr).contains("a prefix never changes after onboarding"),
        "{seen}"
    );
    // Nor does somebody else get it.
    home.world.write("departments/claims.toml", EXAMPLE[0].1);
    fs::remove_file(home.world.path("departments/fraud.toml")).unwrap();
    home.world
        .write("departments/heir.toml", EXAMPLE[1].1.replace("Fraud", "Heir"));
    let seen = home.must_not_write("onboard heir --sandbox --yes", 5);
    assert!(words(&seen.stderr).contains("prefix-in-use"), "{seen}");
}

#[test]
fn a_department_without_a_file_is_an_orphan() {
    let home = onboarded();
    fs::remove_file(home.world.path("departments/fraud.toml")).unwrap();
    let seen = home.must_not_write("onboard --all --sandbox --yes", 0);
    let said = words(&seen.stdout);
    assert!(
        said.contains("ebs-prod-fraud-operator") && said.contains("no file"),
        "{seen}"
    );
}

#[test]
fn what_is_not_ours_on_a_prefix_is_shown_and_left_alone() {
    let home = onboarded();
    let admin = home.admin();
    let body = json!({ "display_name": "legacy-loader", "description": "made by hand" });
    let account = home.done(&admin, "POST", "/iam/v2/service-accounts", Some(body));
    let account = account["id"].as_str().unwrap();
    home.bind(
        &admin,
        account,
        "DeveloperWrite",
        &format!("{CLUSTER}/kafka=lkc-prod01/topic=claims-raw"),
    );
    for flags in ["", "--prune"] {
        let seen = home.must_not_write(&format!("onboard claims --sandbox --yes {flags}"), 0);
        assert!(words(&seen.stdout).contains("legacy-loader"), "{seen}");
    }
}
