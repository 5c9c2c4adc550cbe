//! Departments in two stages: offboarding one leaves the other, and department files limit stages and quotas.

use std::fs;

use serde_json::json;

use crate::common::{ApiKeyPair, Cli, EBS_TOML, JsonAccess as _};

const TEST_STAGE: &str = "[stages.test]\nenvironment = \"env-test01\"\ncluster = \"lkc-test01\"\n";

/// A platform with the stages prod and test, and these departments.
fn cli_with_two_stages<'a>(departments: impl IntoIterator<Item = (&'a str, &'a str)>) -> Cli {
    let cli = Cli::with_platform(departments);
    cli.write("ebs.toml", format!("{EBS_TOML}{TEST_STAGE}"));
    cli
}

const CLAIMS: &str = "name = \"Claims\"\nprefix = \"claims-\"\n\n[quota]\nconnectors = 3\n";

fn profile_keys(cli: &Cli, stage: &str) -> Vec<ApiKeyPair> {
    let folder = match stage {
        "prod" => cli.profiles_dir(),
        other => cli.profiles_dir().join(other),
    };
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut keys = Vec::new();
    for path in paths.filter(|path| path.is_file()) {
        let text = fs::read_to_string(&path).unwrap();
        let value = |key: &str| {
            let line = text.lines().find(|line| line.starts_with(&format!("{key} = ")));
            line.map(|line| line.split('"').nth(1).unwrap().to_owned())
        };
        if let (Some(id), Some(secret)) = (value("id"), value("secret")) {
            keys.push(ApiKeyPair { id, secret });
        }
    }
    keys
}

#[test]
fn offboarding_one_stage_leaves_the_others_and_the_last_one_retires_the_department() {
    let cli = cli_with_two_stages([("claims", CLAIMS)]);
    // Deleted keys work for a while.
    cli.run("sandbox reset --yes --timing real").expect_success();
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli.run("onboard claims --stage test --sandbox --yes").expect_success();
    let (prod, test) = (profile_keys(&cli, "prod"), profile_keys(&cli, "test"));
    assert_eq!((prod.len(), test.len()), (3, 3));
    let started = cli.sandbox().clock().now();

    let planned = cli.run_without_writes("offboard claims --stage test --sandbox --dry-run", 0);
    assert!(
        planned
            .stdout_line()
            .contains("departments/claims.toml` gets `stages = [\"prod\"]`"),
        "{planned}"
    );
    let output = cli
        .run("offboard claims --stage test --sandbox --yes -o json")
        .expect_success();
    let value = output.json();
    let mut proved: Vec<&str> = value
        .items("/proof/keys")
        .iter()
        .map(|key| key.text("/api_key"))
        .collect();
    proved.sort_unstable();
    let mut expected: Vec<&str> = test.iter().map(|key| key.id.as_str()).collect();
    expected.sort_unstable();
    assert_eq!(proved, expected, "only the keys of stage test are proved");
    assert_eq!(value["other_stages"], json!([{ "stage": "prod", "accounts": 4 }]));
    assert_eq!(value["retired"]["stages"], json!(["prod"]));
    assert_eq!(value["retired"]["recorded"], false);
    assert!(value["retired"]["on"].is_null());
    assert!(output.stderr.contains("Prove (3)"), "{output}");
    assert!(prod.iter().all(|key| cli.key_works(key)));
    assert!(!test.iter().any(|key| cli.key_works(key)));
    // All deletions propagate at the same time, within 6 min.
    let waited = cli.sandbox().clock().now().duration_since(started);
    assert!(waited.as_secs() < 6 * 60, "{waited:?}");
    assert_eq!(
        cli.read("departments/claims.toml"),
        CLAIMS,
        "a rehearsal changes no file of the platform"
    );

    // Production lives on.
    cli.run_without_writes("onboard claims --sandbox --yes", 0);
    cli.run("keys rotate claims --persona viewer --sandbox --yes")
        .expect_success();

    let human = cli.run("offboard claims --sandbox --yes").expect_success();
    let said = human.stdout_line();
    assert!(
        said.contains("A run without the sandbox would set `retired = 20"),
        "{human}"
    );
    assert!(!said.contains("remain there"), "{human}");
    assert_eq!(cli.read("departments/claims.toml"), CLAIMS);
    assert!(
        !cli.sandbox()
            .accounts()
            .unwrap()
            .iter()
            .any(|account| account.display_name.contains("claims"))
    );
}

#[test]
fn offboarding_names_the_stage_in_which_accounts_remain() {
    let cli = cli_with_two_stages([("claims", CLAIMS)]);
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli.run("onboard claims --stage test --sandbox --yes").expect_success();
    let output = cli.run("offboard claims --sandbox --yes").expect_success();
    assert!(
        output
            .stdout_line()
            .contains("Stage `test` is unchanged: 4 accounts with access remain there."),
        "{output}"
    );
}

#[test]
fn a_department_without_a_file_is_restored_from_git_and_no_other_is_suggested() {
    let cli = cli_with_two_stages([("dep01", CLAIMS), ("dep11", &CLAIMS.replace("laims", "rew"))]);
    cli.run("onboard --all --sandbox --yes").expect_success();
    fs::remove_file(cli.path("departments/dep11.toml")).unwrap();
    let output = cli.run_without_writes("offboard dep11 --stage prod --sandbox --yes", 1);
    assert!(!output.stderr.contains("Did you mean"), "{output}");
    assert!(!output.stderr.contains("dep01"), "{output}");
    let said = output.stderr_line();
    assert!(
        said.contains("`git log --oneline -- departments/dep11.toml`"),
        "{output}"
    );
    assert!(
        said.contains("`confluent ebs access audit --stage prod --sandbox`"),
        "{output}"
    );
}

#[test]
fn a_department_is_onboarded_only_in_its_stages() {
    let test_only = format!(
        "stages = [\"test\"]\n{}",
        CLAIMS.replace("Claims", "Audit").replace("claims", "audit")
    );
    let cli = cli_with_two_stages([("claims", CLAIMS), ("audit", test_only.as_str())]);
    let output = cli.run_without_writes("onboard audit --sandbox --yes", 5);
    assert!(
        output
            .stderr_line()
            .contains("stage `prod` is not in `stages` of department `audit`, which allows `test`"),
        "{output}"
    );
    let output = cli.run("onboard --all --sandbox --yes").expect_success();
    assert!(
        output.stdout.contains("Onboarded 1 department to stage `prod`"),
        "{output}"
    );
    let output = cli.run("onboard --all --stage test --sandbox --yes").expect_success();
    assert!(
        output.stdout.contains("Onboarded 2 departments to stage `test`"),
        "{output}"
    );
    let listed = cli.run("department list --sandbox").expect_success();
    let row = |code: &str| {
        listed
            .stdout
            .lines()
            .find(|line| line.trim_start().starts_with(code))
            .unwrap()
            .to_owned()
    };
    assert!(row("claims ").trim_end().ends_with("all"), "{listed}");
    assert!(row("audit ").trim_end().ends_with("test"), "{listed}");

    // A stage that was removed from the list is drift.
    cli.write("departments/claims.toml", format!("stages = [\"prod\"]\n{CLAIMS}"));
    let audited = cli.run("access audit --stage test --sandbox-as admin");
    let said = audited.stdout_line();
    assert!(
        said.contains("`stages` of department `claims` does not contain this stage"),
        "{audited}"
    );
    assert!(
        said.contains("`confluent ebs offboard claims --stage test --sandbox`"),
        "{audited}"
    );
    cli.run("access audit --sandbox-as admin").expect_success();
}

#[test]
fn a_quota_of_a_stage_wins_over_the_quota_of_the_department() {
    let text = format!("{CLAIMS}tasks = 6\ntasks_per_connector = 2\n\n[quota.stages.test]\nconnectors = 1\n");
    let cli = cli_with_two_stages([("claims", text.as_str())]);
    let limits = |stage: &str| {
        let list = cli
            .run(&format!("quota list --stage {stage} --sandbox -o json"))
            .expect_success()
            .json();
        let row = &list.items("")[0];
        (row["connectors_limit"].clone(), row["tasks_limit"].clone())
    };
    for stage in ["prod", "test"] {
        cli.run(&format!("onboard claims --stage {stage} --sandbox --yes"))
            .expect_success();
    }
    let quota = |path: &str| {
        let text = fs::read_to_string(cli.profiles_dir().join(path)).unwrap();
        text.lines()
            .find(|line| line.starts_with("connectors = "))
            .unwrap()
            .to_owned()
    };
    assert_eq!(quota("claims-deployer.toml"), "connectors = 3");
    assert_eq!(quota("test/claims-deployer.toml"), "connectors = 1");
    assert_eq!(limits("prod"), (json!(3), json!(6)));
    assert_eq!(limits("test"), (json!(1), json!(6)), "missing keys come from `[quota]`");
    let audited = cli.run("quota audit --sandbox -o json").expect_success().json();
    let of_stages: Vec<_> = audited
        .items("/stages")
        .iter()
        .map(|stage| {
            (
                stage["stage"].clone(),
                stage["departments"][0]["connectors_limit"].clone(),
            )
        })
        .collect();
    assert_eq!(of_stages, [(json!("prod"), json!(3)), (json!("test"), json!(1))]);
    let describe = cli
        .run("department describe claims --stage test --sandbox -o json")
        .expect_success()
        .json();
    assert_eq!(describe["quota"]["connectors"], 1);
    let listed = cli
        .run("department list --stage test --sandbox -o json")
        .expect_success()
        .json();
    assert_eq!(listed.items("")[0]["connectors"], 1);
}

#[test]
fn status_marks_a_department_over_its_quota() {
    let cli = cli_with_two_stages([("claims", CLAIMS)]);
    cli.run("onboard claims --sandbox --yes").expect_success();
    cli.create_claims_connectors(4);
    let output = cli.run("status --stage prod --sandbox");
    assert!(
        output
            .stdout_line()
            .contains("Over quota: department `claims` uses 4 of 3 connectors and 4 of"),
        "{output}"
    );
    let value = cli.run("status --stage prod --sandbox -o json").json();
    assert_eq!(value["stages"][0]["departments"][0]["over_quota"], true);
}

#[test]
fn a_key_of_another_stage_is_revoked_with_the_stage_and_never_by_hand() {
    let cli = cli_with_two_stages([("claims", CLAIMS)]);
    cli.run("onboard claims --stage test --sandbox --yes").expect_success();
    let key = &profile_keys(&cli, "test")[0];
    let output = cli.run_without_writes(&format!("keys revoke {} --sandbox --yes", key.id), 5);
    let said = output.stderr_line();
    assert!(said.contains("in stage `test`, not in stage `prod`"), "{output}");
    assert!(
        said.contains(&format!(
            "`confluent ebs keys revoke {} --stage test --sandbox`",
            key.id
        )),
        "{output}"
    );
    assert!(!said.contains("api-key delete"), "{output}");
}
