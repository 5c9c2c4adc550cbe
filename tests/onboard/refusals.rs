//! What stops an onboarding before its first write: a clear error with the exit code that design §3 gives it, and no key.

use std::fs;

use confluent_ebs::{
    manifest::Workspace,
    sandbox::{Sandbox, Seed},
};

use crate::{
    home::{CLUSTER, Home},
    rig::seed,
};

/// The words of an error, however it was wrapped.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A platform of its own in the home: the built-in stage prod, and departments as `(file, text)`.
fn platform(home: &Home, departments: &[(&str, &str)]) {
    home.world.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    for (code, text) in departments {
        home.world.write(format!("departments/{code}.toml"), text);
    }
}

// What a persona does not see would be taken for missing, and the advice would widen its rights.
#[test]
fn the_key_of_a_department() {
    let home = Home::new();
    home.must("onboard claims --sandbox --yes", 0);
    let profile = "--profile .state/confluent-ebs/sandbox/handover/claims-operator.toml";
    for command in [
        "onboard claims --yes",
        "keys list",
        "keys rotate claims --yes",
        "offboard claims --yes",
    ] {
        let seen = home.must_not_write(&format!("{command} {profile}"), 4);
        assert!(
            words(&seen.stderr).contains("the key is that of `ebs-prod-claims-operator`"),
            "{command}: {seen}"
        );
    }
}

// The flag that names a department everywhere else names it here, too.
#[test]
fn a_department_by_its_flag() {
    let home = Home::new();
    home.must("onboard --department claims --sandbox --yes", 0);
    home.must("onboard fraud --sandbox --yes", 0);
    let listed = home.must("keys list --department claims --sandbox -o json", 0);
    assert!(
        listed.stdout.contains("claims") && !listed.stdout.contains("fraud"),
        "{listed}"
    );
    let before = home.key("fraud-operator").id;
    home.must("keys rotate --department claims --overlap 0s --sandbox --yes", 0);
    assert_eq!(home.key("fraud-operator").id, before);
    home.must_not_write("keys rotate --sandbox --yes", 64);
}

#[test]
fn a_department_that_there_is_not() {
    let home = Home::new();
    let seen = home.must("onboard clams --sandbox --yes", 1);
    assert!(words(&seen.stderr).contains("Did you mean `claims`?"), "{seen}");
    assert_eq!(home.writes().len(), 0);
}

#[test]
fn a_department_that_is_retired() {
    let home = Home::new();
    platform(
        &home,
        &[(
            "old",
            "name = \"Old\"\nprefix = \"old-\"\nretired = 2026-01-31\n[quota]\nplugins = [\"S3_SINK\"]\n",
        )],
    );
    let seen = home.must("onboard old --sandbox --yes", 5);
    assert!(words(&seen.stderr).contains("retired"), "{seen}");
}

#[test]
fn prefixes_that_overlap_or_are_reserved() {
    let home = Home::new();
    let file = |name: &str, prefix: &str| {
        format!("name = \"{name}\"\nprefix = \"{prefix}\"\n[quota]\nplugins = [\"S3_SINK\"]\n")
    };
    platform(
        &home,
        &[
            ("fin", &file("Finance", "fin-")),
            ("fin-tech", &file("Fintech", "fin-tech-")),
            ("fold", &file("Folded", "Fin.tech.")),
            ("dlq", &file("Letters", "dlq-lcc-")),
        ],
    );
    let seen = home.must("onboard --all --sandbox --yes", 1);
    let said = words(&seen.stderr);
    // All at once, with file, line and column.
    for file in ["fin.toml:2:", "dlq.toml:2:"] {
        assert!(said.contains(file), "{file}\n{seen}");
    }
    assert_eq!(home.writes().len(), 0);
}

#[test]
fn a_basic_cluster() {
    let home = Home::new();
    // In this environment the sandbox has a Basic cluster beside that of the stage.
    home.world.write(
        "ebs.toml",
        "default_stage = \"test\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.test]\n\
         environment = \"env-test1\"\ncluster = \"lkc-test1\"\nschema_registry = \"lsrc-test1\"\n",
    );
    home.world.write(
        "departments/claims.toml",
        "name = \"Claims\"\nprefix = \"claims-\"\n[quota]\nplugins = [\"S3_SINK\"]\n",
    );
    home.must("onboard claims --sandbox --dry-run", 0);
    let basic = CLUSTER.replace("prod01", "test1").replace("lkc-test1", "lkc-basic1");
    let workspace = Workspace::load(&home.world.path("")).workspace;
    let seed = Seed {
        clusters: Seed::default().clusters,
        ..seed(&workspace)
    };
    Home::administrate(&Sandbox::open(&home.folder(), seed, None).unwrap(), &basic);
    let seen = home.must("onboard claims --sandbox --yes --cluster lkc-basic1", 5);
    let said = words(&seen.stderr);
    assert!(
        said.contains("is Basic") && said.contains("Upgrade the cluster"),
        "{seen}"
    );
}

#[test]
fn the_wrong_kind_of_key_and_a_revoked_one() {
    let home = Home::new();
    home.must("onboard claims --sandbox --yes", 0);
    let provisioner = home.account("ebs-provisioner");
    let kafka = home.make_key(&home.admin(), &provisioner, "lkc-prod01");
    let file = home.profile_with(&kafka);
    let args = format!("onboard fraud --profile {} --yes", file.display());
    let seen = home.must_not_write(&args, 4);
    assert!(words(&seen.stderr).contains("Use a Cloud API key"), "{seen}");

    let cloud = home.make_key(&home.admin(), &provisioner, "cloud");
    home.profile_with(&cloud);
    home.must_not_write(&args.replace("--yes", "--dry-run"), 0);
    home.done(&home.admin(), "DELETE", &format!("/iam/v2/api-keys/{}", cloud.id), None);
    let seen = home.must_not_write(&args, 4);
    assert!(words(&seen.stderr).contains("deleted"), "{seen}");
    assert!(!seen.stderr.contains(&cloud.secret));
}

#[test]
fn a_provisioner_without_its_roles() {
    let home = Home::new();
    home.must("sandbox reset --yes", 0);
    let provisioner = home.account("ebs-provisioner");
    let bindings = home.sandbox().bindings().unwrap();
    let on_prod = |role: &str| {
        let found = bindings.iter().find(|object| {
            let binding = &object.binding;
            binding.principal.id() == provisioner
                && binding.role.to_string() == role
                && binding.pattern.to_string().contains("env-prod01")
        });
        format!("/iam/v2/role-bindings/{}", found.unwrap().id)
    };
    home.done(&home.admin(), "DELETE", &on_prod("CloudClusterAdmin"), None);
    let seen = home.must_not_write("onboard claims --sandbox --yes", 4);
    assert!(words(&seen.stderr).contains("CloudClusterAdmin"), "{seen}");

    // Without its role on subjects it does not even see the Schema Registry.
    let home = Home::new();
    home.must("sandbox reset --yes", 0);
    home.done(&home.admin(), "DELETE", &on_prod("ResourceOwner"), None);
    let seen = home.must_not_write("onboard claims --sandbox --yes", 5);
    assert!(words(&seen.stderr).contains("ResourceOwner on its subjects"), "{seen}");
    home.bind(
        &home.admin(),
        &provisioner,
        "ResourceOwner",
        &format!(
            "{}/schema-registry=lsrc-prod01/subject=*",
            CLUSTER.rsplit_once('/').unwrap().0
        ),
    );
    home.must("onboard claims --sandbox --yes", 0);
    home.must_not_write("onboard claims --sandbox --yes", 0);
}

#[test]
fn a_quota_that_is_too_small() {
    let codes = [
        ("iam.max_service_accounts.per_org", "service accounts"),
        ("iam.max_cloud_api_keys.per_org", "Cloud API keys"),
    ];
    for (code, name) in codes {
        let home = Home::new();
        home.must("sandbox reset --yes", 0);
        let mut settings = home.sandbox().settings().unwrap();
        settings.quotas.insert(code.to_owned(), 5);
        home.sandbox().set_settings(settings).unwrap();
        let seen = home.must_not_write("onboard claims fraud --sandbox --yes", 5);
        let said = words(&seen.stderr);
        assert!(
            said.contains(name) && said.contains(code) && said.contains("90 %"),
            "{seen}"
        );
    }
}

#[test]
fn a_role_that_the_service_refuses_has_a_stand_in() {
    let home = Home::with("--set assumptions.bindable.connect_manager_on_connector=false");
    home.must("onboard claims --sandbox --yes", 0);
    let operator = home.account("ebs-prod-claims-operator");
    let roles: Vec<String> = home
        .sandbox()
        .bindings()
        .unwrap()
        .iter()
        .filter(|object| object.binding.principal.id() == operator)
        .map(|object| object.binding.role.to_string())
        .collect();
    assert_eq!(roles, ["DeveloperRead"]);
    let seen = home.must_not_write("onboard claims --sandbox --yes", 0);
    let said = words(&seen.stdout);
    assert!(said.contains("DeveloperRead stands in for ConnectManager"), "{seen}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_found_before_the_first_key() {
    let home = Home::new();
    home.must("sandbox reset --yes", 0);
    // A file where the folder should be is in the way of everybody, also of root.
    home.world.write("blocked", "not a folder");
    let seen = home.must_not_write("onboard claims --sandbox --yes --credentials-dir blocked/keys", 1);
    assert!(words(&seen.stderr).contains("no key was made"), "{seen}");
}

#[test]
fn a_finished_profile_is_never_overwritten() {
    let home = Home::new();
    home.must("sandbox reset --yes", 0);
    let path = home.folder().join("handover/claims-viewer.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "# somebody's\n").unwrap();
    let seen = home.must_not_write("onboard claims --sandbox --yes", 1);
    assert!(words(&seen.stderr).contains("claims-viewer.toml"), "{seen}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "# somebody's\n");
    fs::remove_file(&path).unwrap();
    home.must("onboard claims --sandbox --yes", 0);
}

#[test]
fn a_question_without_a_terminal_is_a_mistake_of_usage() {
    let home = Home::new();
    home.must("sandbox reset --yes", 0);
    let seen = home.must_not_write("onboard claims --sandbox", 64);
    assert!(words(&seen.stderr).contains("--yes"), "{seen}");
}
