//! Changed department files and templates after the onboarding, and grants of others on a prefix.

use std::fs;

use serde_json::json;

use crate::common::{CLUSTER_CRN, Cli, JsonAccess as _, list_files};

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
fn cli_with_two_departments() -> Cli {
    let cli = Cli::with_platform(DEPARTMENT_FILES);
    let output = cli.run("onboard --all --sandbox --yes").expect_success();
    assert!(output.stdout.contains("Onboarded 2 departments"), "{output}");
    cli
}

#[test]
fn a_changed_quota_rewrites_profiles_and_keeps_keys() {
    let cli = cli_with_two_departments();
    let handover = cli.profiles_dir();
    let before = list_files(&handover);
    let keys = cli.provisioned_state().keys;
    cli.write(
        "departments/claims.toml",
        DEPARTMENT_FILES[0].1.replace("tasks = 20", "tasks = 24"),
    );
    let output = cli.run("onboard --all --sandbox --yes").expect_success();
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
    assert_eq!(cli.provisioned_state().keys, keys, "no key was changed");
    assert!(output.stdout_line().contains("its key stays"), "{output}");
    cli.run_without_writes("onboard --all --sandbox --yes", 0);
}

#[test]
fn an_import_of_a_reissued_profile_keeps_the_stored_key() {
    let cli = cli_with_two_departments();
    let folder = cli.profiles_dir();
    let stored = |name: &str| cli.read(format!(".config/confluent-ebs/profiles/{name}.toml"));
    let import = |file: &std::path::Path, more: &str| cli.run(&format!("profile import {}{more}", file.display()));
    import(&folder.join("claims-operator.toml"), "").expect_success();
    let key = cli.profile_key("claims-operator");
    // The department added these.
    let own = stored("claims-operator").replace("[quota]", "secret_variables = [\"DB_PASSWORD\"]\n\n[quota]");
    cli.write(".config/confluent-ebs/profiles/claims-operator.toml", own);
    cli.write(
        "departments/claims.toml",
        DEPARTMENT_FILES[0].1.replace("tasks = 20", "tasks = 24"),
    );
    cli.run("onboard --all --sandbox --yes").expect_success();
    let reissued = |persona: &str| {
        let files = list_files(&folder).into_iter();
        let mut found = files.filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(&format!("claims-{persona}.")) && name.len() > format!("claims-{persona}.toml").len()
        });
        found.next().unwrap()
    };

    let imported = import(&reissued("operator"), "").expect_success();
    assert!(
        imported
            .stdout
            .contains("Updated profile `claims-operator`; its key stays."),
        "{imported}"
    );
    let text = stored("claims-operator");
    assert!(
        text.contains("tasks = 24") && text.contains(&key.secret) && text.contains("DB_PASSWORD"),
        "{text}"
    );
    let again = import(&reissued("operator"), " --force").expect_success();
    assert_eq!(stored("claims-operator"), text, "{again}");
    cli.run("connector list --profile claims-operator").expect_success();

    // The file of another persona does not replace the key.
    let output = import(&reissued("viewer"), " --name claims-operator").expect_code(1);
    assert!(output.stderr.contains("`--name`"), "{output}");
    assert_eq!(stored("claims-operator"), text);

    cli.run("profile use claims-operator").expect_success();
    cli.run_with_input("profile remove claims-operator", "n\n")
        .expect_success();
    assert_eq!(stored("claims-operator"), text);
    cli.run("profile remove claims-operator --yes").expect_success();
    assert!(!cli.path(".config/confluent-ebs/profiles/claims-operator.toml").exists());
    let listed = cli.run("profile list").expect_success();
    assert!(listed.stdout.contains("None found."), "{listed}");
    cli.run("profile remove claims-operator --yes").expect_code(1);
}

#[test]
fn profile_prune_removes_files_with_deleted_keys_and_superseded_ones() {
    let cli = cli_with_two_departments();
    for tasks in ["tasks = 24", "tasks = 25"] {
        cli.write(
            "departments/claims.toml",
            DEPARTMENT_FILES[0].1.replace("tasks = 20", tasks),
        );
        cli.run("onboard --all --sandbox --yes").expect_success();
    }
    let old = cli.profile_key("claims-viewer");
    let rotated = cli
        .run("keys rotate claims --persona viewer --overlap 0s --sandbox --yes")
        .expect_success();
    assert!(
        rotated
            .stdout_line()
            .contains("`confluent ebs profile prune --sandbox`"),
        "{rotated}"
    );
    assert!(!cli.key_works(&old));
    let before = list_files(&cli.profiles_dir()).len();
    assert_eq!(before, 6 + 2 * 3 + 1);

    let shown = cli
        .run("profile prune --dry-run --sandbox -o json")
        .expect_success()
        .json();
    let count = |state: &str| shown.items("/files").iter().filter(|row| row["state"] == state).count();
    assert_eq!(
        ["valid", "reissued", "key_deleted", "superseded"].map(count),
        [6, 3, 1, 3],
        "{shown}"
    );
    assert_eq!(list_files(&cli.profiles_dir()).len(), before);
    cli.run_with_input("profile prune --sandbox", "n\n").expect_success();
    assert_eq!(list_files(&cli.profiles_dir()).len(), before);
    cli.run("profile prune --sandbox --yes").expect_success();
    assert_eq!(list_files(&cli.profiles_dir()).len(), before - 4);
    assert!(!cli.profiles_dir().join("claims-viewer.toml").exists());
    assert!(cli.key_works(&cli.profile_key("claims-operator")));
    // The keys stay recorded.
    cli.run_without_writes("onboard --all --sandbox --yes", 0);
}

#[test]
fn a_changed_template_adds_bindings_and_removes_them_only_with_prune() {
    let cli = cli_with_two_departments();
    let template = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/rbac-templates/hybrid.toml")).unwrap();
    // The viewer may now read topics; the runtime account may no longer create them.
    let manage = template
        .split("[[persona.grant]]")
        .find(|grant| grant.contains("DeveloperManage"))
        .unwrap();
    let changed = template.replace(&format!("[[persona.grant]]{manage}"), "")
        + "\n[[persona.grant]]\nrole = \"DeveloperRead\"\non = \"topic:{prefix}events\"\nwhy = \"test\"\n";
    cli.write("rbac-templates/hybrid.toml", changed);
    let bindings = |cli: &Cli| cli.provisioned_state().bindings;
    let before = bindings(&cli);
    let output = cli.run("onboard claims --sandbox --yes").expect_success();
    let kept = bindings(&cli);
    assert!(
        output.stdout_line().contains("DeveloperManage"),
        "what stays is shown\n{output}"
    );
    assert!(
        before.iter().all(|binding| kept.contains(binding)),
        "nothing is removed without --prune"
    );
    assert!(kept.len() > before.len());
    cli.run_without_writes("onboard claims --sandbox --yes", 0);

    cli.run("onboard claims --sandbox --yes --prune").expect_success();
    let pruned = bindings(&cli);
    let gone: Vec<_> = kept.iter().filter(|binding| !pruned.contains(binding)).collect();
    assert_eq!(gone.len(), 1, "{gone:?}");
    assert!(
        gone[0].contains("DeveloperManage") && gone[0].contains("claims"),
        "{gone:?}"
    );
    cli.run_without_writes("onboard claims --sandbox --yes --prune", 0);
}

#[test]
fn a_changed_prefix_is_refused_after_onboarding() {
    let cli = cli_with_two_departments();
    cli.write(
        "departments/claims.toml",
        DEPARTMENT_FILES[0].1.replace("claims-", "damages-"),
    );
    let output = cli.run_without_writes("onboard claims --sandbox --yes", 5);
    assert!(
        output.stderr_line().contains("a prefix cannot change after onboarding"),
        "{output}"
    );
    // Another department does not get the prefix either.
    cli.write("departments/claims.toml", DEPARTMENT_FILES[0].1);
    fs::remove_file(cli.path("departments/fraud.toml")).unwrap();
    cli.write("departments/heir.toml", DEPARTMENT_FILES[1].1.replace("Fraud", "Heir"));
    let output = cli.run_without_writes("onboard heir --sandbox --yes", 5);
    assert!(output.stderr_line().contains("prefix-in-use"), "{output}");
}

#[test]
fn accounts_of_a_department_without_a_file_are_reported_as_orphans() {
    let cli = cli_with_two_departments();
    fs::remove_file(cli.path("departments/fraud.toml")).unwrap();
    let output = cli.run_without_writes("onboard --all --sandbox --yes", 0);
    let said = output.stdout_line();
    assert!(
        said.contains("ebs-prod-fraud-operator") && said.contains("no file"),
        "{output}"
    );
}

#[test]
fn unmanaged_bindings_on_a_prefix_are_reported_and_kept() {
    let cli = cli_with_two_departments();
    let admin = cli.admin_key();
    let body = json!({ "display_name": "legacy-loader", "description": "made by hand" });
    let account = cli.send_ok(&admin, "POST", "/iam/v2/service-accounts", Some(body));
    let account = account.text("/id");
    cli.bind(
        &admin,
        account,
        "DeveloperWrite",
        &format!("{CLUSTER_CRN}/kafka=lkc-prod01/topic=claims-raw"),
    );
    for flags in ["", "--prune"] {
        let output = cli.run_without_writes(&format!("onboard claims --sandbox --yes {flags}"), 0);
        assert!(output.stdout_line().contains("legacy-loader"), "{output}");
    }
}
