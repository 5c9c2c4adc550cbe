//! Failures of an onboarding before its first write: a clear error with its exit code (docs/exit-codes.md), and no key.

use std::fs;

use crate::common::{CLUSTER_CRN, Cli};

// Data that a persona cannot read would seem to be missing, and the fix would widen its access.
#[test]
fn a_department_key_is_refused_for_platform_commands() {
    let cli = Cli::onboarded("claims");
    let profile = "--profile .state/confluent-ebs/sandbox/handover/claims-operator.toml";
    for command in [
        "onboard claims --yes",
        "keys list",
        "keys rotate claims --yes",
        "offboard claims --yes",
    ] {
        let output = cli.run_without_writes(&format!("{command} {profile}"), 4);
        assert!(
            output
                .stderr_line()
                .contains("not the key of `ebs-prod-claims-operator`"),
            "{command}: {output}"
        );
    }
}

// `--department` names the department here, too.
#[test]
fn a_department_can_be_named_by_flag() {
    let cli = Cli::onboarded("--department claims");
    cli.run("onboard fraud --sandbox --yes").expect_success();
    let listed = cli
        .run("keys list --department claims --sandbox -o json")
        .expect_success();
    assert!(
        listed.stdout.contains("claims") && !listed.stdout.contains("fraud"),
        "{listed}"
    );
    let before = cli.profile_key("fraud-operator").id;
    cli.run("keys rotate --department claims --overlap 0s --sandbox --yes")
        .expect_success();
    assert_eq!(cli.profile_key("fraud-operator").id, before);
    cli.run_without_writes("keys rotate --sandbox --yes", 64);
}

#[test]
fn an_unknown_department_is_refused_with_a_suggestion() {
    let cli = Cli::new();
    let output = cli.run("onboard clams --sandbox --yes").expect_code(1);
    assert!(output.stderr_line().contains("Did you mean `claims`?"), "{output}");
    assert_eq!(cli.writes().len(), 0);
}

#[test]
fn a_retired_department_is_refused() {
    let cli = Cli::with_platform([(
        "old",
        "name = \"Old\"\nprefix = \"old-\"\nretired = 2026-01-31\n[quota]\nplugins = [\"S3_SINK\"]\n",
    )]);
    let output = cli.run("onboard old --sandbox --yes").expect_code(5);
    assert!(output.stderr_line().contains("retired"), "{output}");
}

#[test]
fn overlapping_and_reserved_prefixes_are_refused_together() {
    let file = |name: &str, prefix: &str| {
        format!("name = \"{name}\"\nprefix = \"{prefix}\"\n[quota]\nplugins = [\"S3_SINK\"]\n")
    };
    let cli = Cli::with_platform([
        ("fin", file("Finance", "fin-")),
        ("fin-tech", file("Fintech", "fin-tech-")),
        ("fold", file("Folded", "Fin.tech.")),
        ("dlq", file("Letters", "dlq-lcc-")),
    ]);
    let output = cli.run("onboard --all --sandbox --yes").expect_code(1);
    let said = output.stderr_line();
    // All at once, with file, line and column.
    for file in ["fin.toml:2:", "dlq.toml:2:"] {
        assert!(said.contains(file), "{file}\n{output}");
    }
    assert_eq!(cli.writes().len(), 0);
}

#[test]
fn a_basic_cluster_is_refused() {
    let cli = Cli::new();
    // In this environment the sandbox has a Basic cluster in addition to the stage's.
    cli.write(
        "ebs.toml",
        "default_stage = \"test\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.test]\n\
         environment = \"env-test1\"\ncluster = \"lkc-test1\"\nschema_registry = \"lsrc-test1\"\n",
    );
    cli.write(
        "departments/claims.toml",
        "name = \"Claims\"\nprefix = \"claims-\"\n[quota]\nplugins = [\"S3_SINK\"]\n",
    );
    cli.run("onboard claims --sandbox --dry-run").expect_success();
    let basic = CLUSTER_CRN
        .replace("prod01", "test1")
        .replace("lkc-test1", "lkc-basic1");
    cli.bind(
        &cli.admin_key(),
        &cli.account_id("ebs-provisioner"),
        "CloudClusterAdmin",
        &basic,
    );
    let output = cli
        .run("onboard claims --sandbox --yes --cluster lkc-basic1")
        .expect_code(5);
    let said = output.stderr_line();
    assert!(
        said.contains("is Basic") && said.contains("Upgrade the cluster"),
        "{output}"
    );
}

#[test]
fn a_kafka_key_and_a_revoked_key_are_refused() {
    let cli = Cli::onboarded("claims");
    let provisioner = cli.account_id("ebs-provisioner");
    let kafka = cli.create_key(&cli.admin_key(), &provisioner, "lkc-prod01");
    let file = cli.write_profile_with_key(&kafka);
    let args = format!("onboard fraud --profile {} --yes", file.display());
    let output = cli.run_without_writes(&args, 4);
    assert!(output.stderr_line().contains("Use a Cloud API key"), "{output}");

    let cloud = cli.create_key(&cli.admin_key(), &provisioner, "cloud");
    cli.write_profile_with_key(&cloud);
    cli.run_without_writes(&args.replace("--yes", "--dry-run"), 0);
    cli.send_ok(
        &cli.admin_key(),
        "DELETE",
        &format!("/iam/v2/api-keys/{}", cloud.id),
        None,
    );
    let output = cli.run_without_writes(&args, 4);
    assert!(output.stderr_line().contains("deleted"), "{output}");
    assert!(!output.stderr.contains(&cloud.secret));
}

#[test]
fn a_provisioner_without_its_roles_is_refused() {
    let cli = Cli::with_sandbox("");
    let provisioner = cli.account_id("ebs-provisioner");
    let bindings = cli.sandbox().bindings().unwrap();
    let on_prod = |role: &str| {
        let found = bindings.iter().find(|object| {
            let binding = &object.binding;
            binding.principal.id() == provisioner
                && binding.role.to_string() == role
                && binding.pattern.to_string().contains("env-prod01")
        });
        format!("/iam/v2/role-bindings/{}", found.unwrap().id)
    };
    cli.send_ok(&cli.admin_key(), "DELETE", &on_prod("CloudClusterAdmin"), None);
    let output = cli.run_without_writes("onboard claims --sandbox --yes", 4);
    assert!(output.stderr_line().contains("CloudClusterAdmin"), "{output}");

    // Without its role on subjects it cannot even read the Schema Registry.
    let cli = Cli::with_sandbox("");
    cli.send_ok(&cli.admin_key(), "DELETE", &on_prod("ResourceOwner"), None);
    let output = cli.run_without_writes("onboard claims --sandbox --yes", 5);
    assert!(
        output.stderr_line().contains("ResourceOwner on its subjects"),
        "{output}"
    );
    cli.bind(
        &cli.admin_key(),
        &provisioner,
        "ResourceOwner",
        &format!(
            "{}/schema-registry=lsrc-prod01/subject=*",
            CLUSTER_CRN.rsplit_once('/').unwrap().0
        ),
    );
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli.run_without_writes("onboard claims --sandbox --yes", 0);
}

#[test]
fn onboarding_beyond_a_service_quota_is_refused() {
    let codes = [
        ("iam.max_service_accounts.per_org", "service accounts"),
        ("iam.max_cloud_api_keys.per_org", "Cloud API keys"),
    ];
    for (code, name) in codes {
        let cli = Cli::with_sandbox("");
        let mut settings = cli.sandbox().settings().unwrap();
        settings.quotas.insert(code.to_owned(), 5);
        cli.sandbox().set_settings(settings).unwrap();
        let output = cli.run_without_writes("onboard claims fraud --sandbox --yes", 5);
        let said = output.stderr_line();
        assert!(
            said.contains(name) && said.contains(code) && said.contains("90 %"),
            "{output}"
        );
    }
}

#[test]
fn a_role_the_service_refuses_is_replaced_by_its_fallback() {
    let cli = Cli::with_sandbox("--set assumptions.bindable.connect_manager_on_connector=false");
    cli.run("onboard claims --sandbox --yes").expect_success();
    let operator = cli.account_id("ebs-prod-claims-operator");
    let roles: Vec<String> = cli
        .sandbox()
        .bindings()
        .unwrap()
        .iter()
        .filter(|object| object.binding.principal.id() == operator)
        .map(|object| object.binding.role.to_string())
        .collect();
    assert_eq!(roles, ["DeveloperRead"]);
    let output = cli.run_without_writes("onboard claims --sandbox --yes", 0);
    let said = output.stdout_line();
    assert!(said.contains("DeveloperRead replaces ConnectManager"), "{output}");
}

#[cfg(unix)]
#[test]
fn an_unwritable_credentials_dir_is_refused_before_any_key_is_created() {
    let cli = Cli::with_sandbox("");
    // A file in place of the folder is an obstacle for every user, including root.
    cli.write("blocked", "not a folder");
    let output = cli.run_without_writes("onboard claims --sandbox --yes --credentials-dir blocked/keys", 1);
    assert!(output.stderr_line().contains("no API key was created"), "{output}");
}

#[test]
fn a_finished_profile_is_never_overwritten() {
    let cli = Cli::with_sandbox("");
    let path = cli.profiles_dir().join("claims-viewer.toml");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "# unrelated\n").unwrap();
    let output = cli.run_without_writes("onboard claims --sandbox --yes", 1);
    assert!(output.stderr_line().contains("claims-viewer.toml"), "{output}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "# unrelated\n");
    fs::remove_file(&path).unwrap();
    cli.run("onboard claims --sandbox --yes").expect_success();
}

#[test]
fn a_confirmation_without_a_terminal_is_a_usage_error() {
    let cli = Cli::with_sandbox("");
    let output = cli.run_without_writes("onboard claims --sandbox", 64);
    assert!(output.stderr_line().contains("--yes"), "{output}");
}
