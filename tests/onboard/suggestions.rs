//! Suggested commands carry the flags of the run, so that a pasted command acts on the same organization and stage.

use crate::common::{Cli, CliOutput, EBS_TOML};

const DEPARTMENT: &str = "name = \"Claims\"\nprefix = \"claims-\"\n\n[quota]\nconnectors = 3\n";

/// Commands that act on no stage.
const WITHOUT_STAGE: [&str; 6] = ["completion", "department new", "help", "init", "profile", "sandbox"];

/// Returns the suggested commands of an output, without `confluent ebs`.
fn suggested_commands(output: &CliOutput) -> Vec<String> {
    let text = format!("{}\n{}", output.stdout_line(), output.stderr_line());
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter_map(|quoted| Some(quoted.strip_prefix("confluent ebs ")?.to_owned()))
        .collect()
}

// Platform team: `keys revoke … --sandbox --stage test` suggested a command that acted on the real organization.
#[test]
fn every_suggestion_of_a_run_on_another_stage_in_the_sandbox_names_both() {
    let cli = Cli::with_platform([("claims", DEPARTMENT), ("fraud", &DEPARTMENT.replace("laims", "redit"))]);
    cli.write(
        "ebs.toml",
        format!("{EBS_TOML}[stages.test]\nenvironment = \"env-test01\"\ncluster = \"lkc-test01\"\n"),
    );
    let run = |args: &str| cli.run(&format!("{args} --stage test --sandbox"));
    run("onboard --all --yes").expect_success();
    let list = run("keys list claims -o json").json();
    let key = list[0]["api_key"].as_str().unwrap().to_owned();
    // Faults of all kinds: drift, an old key, a missing file, an unknown name.
    let viewer = cli.account_id("ebs-test-claims-viewer");
    cli.create_key(&cli.admin_key(), &viewer, "cloud");
    cli.run("sandbox clock advance 2400h").expect_success();
    std::fs::remove_file(cli.path("departments/fraud.toml")).unwrap();
    cli.write("departments/claims.toml", DEPARTMENT.replace("= 3", "= 4"));
    let commands = [
        format!("keys revoke {key} --yes"),
        "keys revoke AAAABBBBCCCCDDDD --yes".to_owned(),
        "keys rotate claims --persona viewer --yes".to_owned(),
        "keys list".to_owned(),
        "onboard claims --yes".to_owned(),
        "onboard frawd --yes".to_owned(),
        "onboard --all --dry-run".to_owned(),
        "offboard fraud --yes".to_owned(),
        "access audit".to_owned(),
        "access audit -o json".to_owned(),
        "access audit --fix --yes".to_owned(),
        "access can-i update connector/claims-x --as claims/operator".to_owned(),
        "access who-can read topic/claims-x".to_owned(),
        "department list".to_owned(),
        "department describe frawd".to_owned(),
        "connector list --department claims".to_owned(),
        "connector describe claims-none --department claims".to_owned(),
        "connector explain claims-none --department claims".to_owned(),
        "quota list".to_owned(),
        "quota audit".to_owned(),
        "status".to_owned(),
        "doctor".to_owned(),
        "profile prune --dry-run".to_owned(),
        "profile prune --yes".to_owned(),
    ];
    let mut found = 0;
    for args in commands {
        let output = run(&args);
        for command in suggested_commands(&output) {
            found += 1;
            let stage_is_free =
                WITHOUT_STAGE.iter().any(|free| command.starts_with(free)) && command != "profile prune";
            assert!(
                stage_is_free || command.contains("--stage test"),
                "`{args}` suggests `{command}`\n{output}"
            );
            let is_free = WITHOUT_STAGE
                .iter()
                .any(|free| command.starts_with(free) && *free != "init");
            assert!(
                is_free || command.contains("--sandbox"),
                "`{args}` suggests `{command}`\n{output}"
            );
            assert_eq!(
                command.matches("--stage").count(),
                usize::from(command.contains("--stage")),
                "`{args}` suggests `{command}`"
            );
        }
    }
    assert!(found > 20, "{found} suggestions");
}
