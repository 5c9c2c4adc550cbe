//! Failures of an onboarding before its first write: a clear error with its exit code (docs/exit-codes.md), and no key.

use std::fs;

use confluent_ebs::{
    manifest::Workspace,
    sandbox::{Sandbox, Seed},
};

use crate::{
    onboarding_fixture::seed_from_workspace,
    sandbox_cli_fixture::{CLUSTER_CRN, SandboxCliFixture},
};

/// Text of an error without line breaks.
fn normalize_whitespace(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A platform in the home: the built-in stage prod, and departments as `(file, text)`.
fn write_platform_files(fixture: &SandboxCliFixture, departments: &[(&str, &str)]) {
    fixture.cli.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    for (code, text) in departments {
        fixture.cli.write(format!("departments/{code}.toml"), text);
    }
}

// Data that a persona cannot read would seem to be missing, and the fix would widen its access.
#[test]
fn a_department_key_is_refused_for_platform_commands() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    let profile = "--profile .state/confluent-ebs/sandbox/handover/claims-operator.toml";
    for command in [
        "onboard claims --yes",
        "keys list",
        "keys rotate claims --yes",
        "offboard claims --yes",
    ] {
        let output = fixture.run_without_writes(&format!("{command} {profile}"), 4);
        assert!(
            normalize_whitespace(&output.stderr).contains("not the key of `ebs-prod-claims-operator`"),
            "{command}: {output}"
        );
    }
}

// `--department` names the department here, too.
#[test]
fn a_department_can_be_named_by_flag() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("onboard --department claims --sandbox --yes", 0);
    fixture.run_expecting("onboard fraud --sandbox --yes", 0);
    let listed = fixture.run_expecting("keys list --department claims --sandbox -o json", 0);
    assert!(
        listed.stdout.contains("claims") && !listed.stdout.contains("fraud"),
        "{listed}"
    );
    let before = fixture.profile_key("fraud-operator").id;
    fixture.run_expecting("keys rotate --department claims --overlap 0s --sandbox --yes", 0);
    assert_eq!(fixture.profile_key("fraud-operator").id, before);
    fixture.run_without_writes("keys rotate --sandbox --yes", 64);
}

#[test]
fn an_unknown_department_is_refused_with_a_suggestion() {
    let fixture = SandboxCliFixture::new();
    let output = fixture.run_expecting("onboard clams --sandbox --yes", 1);
    assert!(
        normalize_whitespace(&output.stderr).contains("Did you mean `claims`?"),
        "{output}"
    );
    assert_eq!(fixture.writes().len(), 0);
}

#[test]
fn a_retired_department_is_refused() {
    let fixture = SandboxCliFixture::new();
    write_platform_files(
        &fixture,
        &[(
            "old",
            "name = \"Old\"\nprefix = \"old-\"\nretired = 2026-01-31\n[quota]\nplugins = [\"S3_SINK\"]\n",
        )],
    );
    let output = fixture.run_expecting("onboard old --sandbox --yes", 5);
    assert!(normalize_whitespace(&output.stderr).contains("retired"), "{output}");
}

#[test]
fn overlapping_and_reserved_prefixes_are_refused_together() {
    let fixture = SandboxCliFixture::new();
    let file = |name: &str, prefix: &str| {
        format!("name = \"{name}\"\nprefix = \"{prefix}\"\n[quota]\nplugins = [\"S3_SINK\"]\n")
    };
    write_platform_files(
        &fixture,
        &[
            ("fin", &file("Finance", "fin-")),
            ("fin-tech", &file("Fintech", "fin-tech-")),
            ("fold", &file("Folded", "Fin.tech.")),
            ("dlq", &file("Letters", "dlq-lcc-")),
        ],
    );
    let output = fixture.run_expecting("onboard --all --sandbox --yes", 1);
    let said = normalize_whitespace(&output.stderr);
    // All at once, with file, line and column.
    for file in ["fin.toml:2:", "dlq.toml:2:"] {
        assert!(said.contains(file), "{file}\n{output}");
    }
    assert_eq!(fixture.writes().len(), 0);
}

#[test]
fn a_basic_cluster_is_refused() {
    let fixture = SandboxCliFixture::new();
    // In this environment the sandbox has a Basic cluster in addition to the stage's.
    fixture.cli.write(
        "ebs.toml",
        "default_stage = \"test\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.test]\n\
         environment = \"env-test1\"\ncluster = \"lkc-test1\"\nschema_registry = \"lsrc-test1\"\n",
    );
    fixture.cli.write(
        "departments/claims.toml",
        "name = \"Claims\"\nprefix = \"claims-\"\n[quota]\nplugins = [\"S3_SINK\"]\n",
    );
    fixture.run_expecting("onboard claims --sandbox --dry-run", 0);
    let basic = CLUSTER_CRN
        .replace("prod01", "test1")
        .replace("lkc-test1", "lkc-basic1");
    let workspace = Workspace::load(&fixture.cli.path("")).workspace;
    let seed = Seed {
        clusters: Seed::default().clusters,
        ..seed_from_workspace(&workspace)
    };
    SandboxCliFixture::make_provisioner_cluster_admin(
        &Sandbox::open(&fixture.state_dir(), seed, None).unwrap(),
        &basic,
    );
    let output = fixture.run_expecting("onboard claims --sandbox --yes --cluster lkc-basic1", 5);
    let said = normalize_whitespace(&output.stderr);
    assert!(
        said.contains("is Basic") && said.contains("Upgrade the cluster"),
        "{output}"
    );
}

#[test]
fn a_kafka_key_and_a_revoked_key_are_refused() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    let provisioner = fixture.account_id("ebs-provisioner");
    let kafka = fixture.create_key(&fixture.admin_key(), &provisioner, "lkc-prod01");
    let file = fixture.write_profile_with_key(&kafka);
    let args = format!("onboard fraud --profile {} --yes", file.display());
    let output = fixture.run_without_writes(&args, 4);
    assert!(
        normalize_whitespace(&output.stderr).contains("Use a Cloud API key"),
        "{output}"
    );

    let cloud = fixture.create_key(&fixture.admin_key(), &provisioner, "cloud");
    fixture.write_profile_with_key(&cloud);
    fixture.run_without_writes(&args.replace("--yes", "--dry-run"), 0);
    fixture.send_ok(
        &fixture.admin_key(),
        "DELETE",
        &format!("/iam/v2/api-keys/{}", cloud.id),
        None,
    );
    let output = fixture.run_without_writes(&args, 4);
    assert!(normalize_whitespace(&output.stderr).contains("deleted"), "{output}");
    assert!(!output.stderr.contains(&cloud.secret));
}

#[test]
fn a_provisioner_without_its_roles_is_refused() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("sandbox reset --yes", 0);
    let provisioner = fixture.account_id("ebs-provisioner");
    let bindings = fixture.sandbox().bindings().unwrap();
    let on_prod = |role: &str| {
        let found = bindings.iter().find(|object| {
            let binding = &object.binding;
            binding.principal.id() == provisioner
                && binding.role.to_string() == role
                && binding.pattern.to_string().contains("env-prod01")
        });
        format!("/iam/v2/role-bindings/{}", found.unwrap().id)
    };
    fixture.send_ok(&fixture.admin_key(), "DELETE", &on_prod("CloudClusterAdmin"), None);
    let output = fixture.run_without_writes("onboard claims --sandbox --yes", 4);
    assert!(
        normalize_whitespace(&output.stderr).contains("CloudClusterAdmin"),
        "{output}"
    );

    // Without its role on subjects it cannot even read the Schema Registry.
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("sandbox reset --yes", 0);
    fixture.send_ok(&fixture.admin_key(), "DELETE", &on_prod("ResourceOwner"), None);
    let output = fixture.run_without_writes("onboard claims --sandbox --yes", 5);
    assert!(
        normalize_whitespace(&output.stderr).contains("ResourceOwner on its subjects"),
        "{output}"
    );
    fixture.bind(
        &fixture.admin_key(),
        &provisioner,
        "ResourceOwner",
        &format!(
            "{}/schema-registry=lsrc-prod01/subject=*",
            CLUSTER_CRN.rsplit_once('/').unwrap().0
        ),
    );
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    fixture.run_without_writes("onboard claims --sandbox --yes", 0);
}

#[test]
fn onboarding_beyond_a_service_quota_is_refused() {
    let codes = [
        ("iam.max_service_accounts.per_org", "service accounts"),
        ("iam.max_cloud_api_keys.per_org", "Cloud API keys"),
    ];
    for (code, name) in codes {
        let fixture = SandboxCliFixture::new();
        fixture.run_expecting("sandbox reset --yes", 0);
        let mut settings = fixture.sandbox().settings().unwrap();
        settings.quotas.insert(code.to_owned(), 5);
        fixture.sandbox().set_settings(settings).unwrap();
        let output = fixture.run_without_writes("onboard claims fraud --sandbox --yes", 5);
        let said = normalize_whitespace(&output.stderr);
        assert!(
            said.contains(name) && said.contains(code) && said.contains("90 %"),
            "{output}"
        );
    }
}

#[test]
fn a_role_the_service_refuses_is_replaced_by_its_fallback() {
    let fixture = SandboxCliFixture::with_reset_flags("--set assumptions.bindable.connect_manager_on_connector=false");
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    let operator = fixture.account_id("ebs-prod-claims-operator");
    let roles: Vec<String> = fixture
        .sandbox()
        .bindings()
        .unwrap()
        .iter()
        .filter(|object| object.binding.principal.id() == operator)
        .map(|object| object.binding.role.to_string())
        .collect();
    assert_eq!(roles, ["DeveloperRead"]);
    let output = fixture.run_without_writes("onboard claims --sandbox --yes", 0);
    let said = normalize_whitespace(&output.stdout);
    assert!(said.contains("DeveloperRead replaces ConnectManager"), "{output}");
}

#[cfg(unix)]
#[test]
fn an_unwritable_credentials_dir_is_refused_before_any_key_is_created() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("sandbox reset --yes", 0);
    // A file in place of the folder is an obstacle for every user, including root.
    fixture.cli.write("blocked", "not a folder");
    let output = fixture.run_without_writes("onboard claims --sandbox --yes --credentials-dir blocked/keys", 1);
    assert!(
        normalize_whitespace(&output.stderr).contains("no API key was created"),
        "{output}"
    );
}

#[test]
fn a_finished_profile_is_never_overwritten() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("sandbox reset --yes", 0);
    let path = fixture.state_dir().join("handover/claims-viewer.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "# unrelated\n").unwrap();
    let output = fixture.run_without_writes("onboard claims --sandbox --yes", 1);
    assert!(
        normalize_whitespace(&output.stderr).contains("claims-viewer.toml"),
        "{output}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "# unrelated\n");
    fs::remove_file(&path).unwrap();
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
}

#[test]
fn a_confirmation_without_a_terminal_is_a_usage_error() {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("sandbox reset --yes", 0);
    let output = fixture.run_without_writes("onboard claims --sandbox", 64);
    assert!(normalize_whitespace(&output.stderr).contains("--yes"), "{output}");
}
