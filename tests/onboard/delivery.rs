//! Delivery to a command: each finished profile once, and none is lost after a failure or a crash.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;

use crate::{
    common::{Cli, CliOutput, JsonAccess as _, files_with_secrets, list_files},
    profile_encryption::{cli_with_recipients, extract_secret, profile_files},
    profile_import::AgeIdentity,
};

/// The command, which stores its input under the name of the file, and records the order.
const KEEP_COMMAND: &str = "--handover-command \"sh -c 'cat > kept/$CONFLUENT_EBS_HANDOVER_FILE; echo x >> turns'\"";

/// A home with a folder for delivered profiles.
fn cli_with_delivery_dir(recipients: &[String]) -> Cli {
    let cli = cli_with_recipients(recipients);
    fs::create_dir(cli.path("kept")).unwrap();
    cli
}

/// Runs `args`, which are split into words like in a shell.
#[track_caller]
fn run_shell_words(cli: &Cli, args: &str, code: i32) -> CliOutput {
    let mut words: Vec<String> = Vec::new();
    for (at, part) in args.split('"').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    let mut command = cli.command();
    command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("CONFLUENT_CLOUD_API_KEY", "ABCDEFGHIJKLMNOP")
        .env("CONFLUENT_CLOUD_API_SECRET", "cfltCanaryOfTheProvisioner")
        .args(words);
    let output = cli.run_command(&mut command);
    assert_eq!(output.code, Some(code), "{args}\n{output}");
    output
}

fn delivered_files(cli: &Cli) -> BTreeMap<String, Vec<u8>> {
    let paths = list_files(&cli.path("kept")).into_iter();
    paths
        .map(|path| {
            (
                path.file_name().unwrap().to_str().unwrap().to_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn each_finished_profile_is_delivered_once_and_kept() {
    let own = AgeIdentity::new();
    let cli = cli_with_delivery_dir(&[own.recipient()]);
    let output = run_shell_words(&cli, &format!("onboard --all --sandbox --yes {KEEP_COMMAND}"), 0);
    assert!(
        output.stdout_line().contains("Delivered: 6 profiles to `sh`."),
        "{output}"
    );
    assert_eq!(delivered_files(&cli), profile_files(&cli));
    assert_eq!(delivered_files(&cli).len(), 6);
    let again = run_shell_words(&cli, &format!("onboard --all --sandbox --yes {KEEP_COMMAND}"), 0);
    assert!(!again.stdout.contains("Delivered"), "{again}");
    assert_eq!(cli.read("turns").lines().count(), 6);
}

#[test]
fn a_profile_reissued_after_a_changed_quota_is_delivered_without_its_key() {
    let cli = cli_with_delivery_dir(&[]);
    let command = "--handover-command \"sh -c 'cat > kept/$CONFLUENT_EBS_HANDOVER_FILE; \
                   echo $CONFLUENT_EBS_HANDOVER_KIND $CONFLUENT_EBS_HANDOVER_PERSONA >> turns'\"";
    run_shell_words(&cli, &format!("onboard claims --sandbox --yes {command}"), 0);
    let text = cli.read("departments/claims.toml");
    cli.write("departments/claims.toml", format!("{text}\n[quota]\nconnectors = 3\n"));
    let failing = "--handover-command false";
    run_shell_words(&cli, &format!("onboard claims --sandbox --yes {failing}"), 1);
    // The next run delivers what the failed one did not.
    run_shell_words(&cli, &format!("onboard claims --sandbox --yes {command}"), 0);
    let turns = cli.read("turns");
    let mut reissued: Vec<&str> = turns.lines().filter(|turn| turn.starts_with("reissued ")).collect();
    reissued.sort_unstable();
    assert_eq!(reissued, ["reissued deployer", "reissued operator", "reissued viewer"]);
    assert_eq!(turns.lines().filter(|turn| turn.starts_with("new ")).count(), 3);
    let delivered = delivered_files(&cli);
    let without_key = delivered
        .values()
        .filter(|text| !String::from_utf8_lossy(text).contains("secret ="));
    assert_eq!((delivered.len(), without_key.count()), (6, 3));
    let again = run_shell_words(&cli, &format!("onboard claims --sandbox --yes {command}"), 0);
    assert!(!again.stdout.contains("Delivered"), "{again}");
}

#[test]
fn delivered_profiles_are_removed_only_on_request() {
    let cli = cli_with_delivery_dir(&[]);
    let output = run_shell_words(
        &cli,
        &format!("onboard claims --sandbox --yes {KEEP_COMMAND} --remove-delivered -o json"),
        0,
    );
    let value: Value = output.json();
    assert_eq!(value.items("/profiles").len(), 3);
    assert!(
        value
            .items("/profiles")
            .iter()
            .all(|profile| profile["delivered"] == true)
    );
    assert_eq!(profile_files(&cli).len(), 0);
    let secrets: Vec<String> = delivered_files(&cli)
        .values()
        .map(|text| extract_secret(std::str::from_utf8(text).unwrap()))
        .collect();
    assert_eq!(secrets.len(), 3);
    let holders = files_with_secrets(&cli.path(""), &secrets);
    assert!(
        holders.iter().all(|path| path.starts_with(cli.path("kept"))),
        "{holders:?}"
    );
    // The journal records their delivery.
    cli.run_without_writes("onboard claims --sandbox --yes", 0);

    // Those of fraud stay until a later run delivers them.
    run_shell_words(&cli, &format!("onboard fraud --sandbox --yes {KEEP_COMMAND}"), 0);
    assert_eq!(profile_files(&cli).len(), 3);
    run_shell_words(
        &cli,
        &format!("onboard fraud --sandbox --yes {KEEP_COMMAND} --remove-delivered"),
        0,
    );
    assert_eq!(profile_files(&cli).len(), 0);
    assert_eq!(cli.read("turns").lines().count(), 6, "none was delivered twice");
}

#[test]
fn after_a_failed_handover_command_the_next_run_delivers_the_profiles() {
    let own = AgeIdentity::new();
    let cli = cli_with_delivery_dir(&[own.recipient()]);
    let failing = "--handover-command \"sh -c 'cat; echo the vault is sealed >&2; exit 2'\" --remove-delivered";
    let output = run_shell_words(&cli, &format!("onboard claims --sandbox --yes {failing}"), 3);
    let said = output.stderr_line();
    assert!(
        said.contains("cannot deliver the profile; it stays in `[HOME]"),
        "{output}"
    );
    assert!(
        said.contains("`sh` exited with code 2") && said.contains("Its output ends with: the vault is sealed"),
        "{output}"
    );
    assert_eq!(profile_files(&cli).len(), 3);
    // Repeated: nothing is created, and the pending profiles are reported again.
    let before = cli.writes().len();
    let output = run_shell_words(&cli, &format!("onboard claims --sandbox --yes {failing}"), 3);
    assert!(output.stderr_line().contains("3 profiles not delivered"), "{output}");
    let output = run_shell_words(&cli, &format!("onboard claims --sandbox --yes {KEEP_COMMAND}"), 0);
    assert!(
        output.stdout_line().contains("Delivered: 3 profiles to `sh`."),
        "{output}"
    );
    assert_eq!(cli.writes().len(), before);
    assert_eq!(delivered_files(&cli), profile_files(&cli));
    assert_eq!(delivered_files(&cli).len(), 3);
}

#[test]
fn pending_profiles_of_previous_runs_are_tried_once_per_run() {
    let cli = cli_with_delivery_dir(&[]);
    let failing = "--credentials-dir out --handover-command \"sh -c 'echo x >> turns; exit 1'\"";
    run_shell_words(&cli, &format!("onboard claims --sandbox --yes {failing}"), 3);
    assert_eq!(cli.read("turns").lines().count(), 3);
    run_shell_words(&cli, &format!("onboard claims fraud --sandbox --yes {failing}"), 3);
    assert_eq!(cli.read("turns").lines().count(), 9);
    // Other departments and other folders have their own pending profiles.
    let output = run_shell_words(
        &cli,
        &format!("onboard fraud --sandbox --yes --credentials-dir out {KEEP_COMMAND}"),
        0,
    );
    assert!(output.stdout_line().contains("Delivered: 3 profiles"), "{output}");
    run_shell_words(&cli, &format!("onboard claims --sandbox --yes {KEEP_COMMAND}"), 0);
    assert_eq!(delivered_files(&cli).len(), 3);
    run_shell_words(
        &cli,
        &format!("onboard claims --sandbox --yes --credentials-dir ./out {KEEP_COMMAND}"),
        0,
    );
    assert_eq!(delivered_files(&cli).len(), 6);
}

#[test]
fn a_missing_or_malformed_handover_command_loses_no_profile() {
    let cli = cli_with_delivery_dir(&[]);
    let output = run_shell_words(
        &cli,
        "onboard claims --sandbox --yes --handover-command no-such-vault",
        3,
    );
    assert!(
        output.stderr_line().contains("cannot start `no-such-vault`"),
        "{output}"
    );
    assert_eq!(profile_files(&cli).len(), 3);
    let before = cli.writes().len();
    let output = run_shell_words(
        &cli,
        "onboard fraud --sandbox --yes --handover-command \"sh 'open\"",
        64,
    );
    assert!(output.stderr_line().contains("the quote `'` is not closed"), "{output}");
    run_shell_words(&cli, "onboard fraud --sandbox --yes --remove-delivered", 64);
    run_shell_words(
        &cli,
        "onboard fraud --sandbox --yes --handover-command cat --remove-delivered --show-secrets",
        64,
    );
    assert_eq!(cli.writes().len(), before);
}

#[test]
fn the_handover_command_gets_no_secret_in_arguments_variables_or_output() {
    let cli = cli_with_delivery_dir(&[]);
    let spy = "sh -c 'cat > got; cat /proc/$$/cmdline /proc/$PPID/cmdline >> seen; env >> seen; cat got; cat got >&2; \
               exit 1'";
    let output = run_shell_words(
        &cli,
        &format!("onboard claims --sandbox --yes --handover-command \"{spy}\" -o json"),
        3,
    );
    let profiles = profile_files(&cli);
    let secrets: Vec<String> = profiles
        .values()
        .map(|text| extract_secret(std::str::from_utf8(text).unwrap()))
        .collect();
    assert_eq!(secrets.len(), 3);
    let spied = String::from_utf8_lossy(&fs::read(cli.path("seen")).unwrap()).into_owned();
    assert!(spied.contains("CONFLUENT_EBS_HANDOVER_DEPARTMENT=claims"), "{spied}");
    assert!(
        !spied.contains("cfltCanaryOfTheProvisioner") && !spied.contains("CONFLUENT_CLOUD_API_KEY"),
        "{spied}"
    );
    for secret in &secrets {
        assert!(!spied.contains(secret), "{spied}");
        assert!(!output.to_string().contains(secret), "{output}");
    }
    assert!(
        output.stderr_line().contains("secret = \"[redacted]\""),
        "what it printed is shown\n{output}"
    );
    // Neither journal nor evidence contains the output of the command.
    for folder in ["runs", "evidence"] {
        let holders = files_with_secrets(&cli.state_dir().join(folder), &secrets);
        assert_eq!(holders, [] as [PathBuf; 0]);
    }
}

#[test]
fn a_crash_during_the_handover_command_loses_no_profile() {
    let own = AgeIdentity::new();
    let cli = cli_with_delivery_dir(&[own.recipient()]);
    let mut command = cli.command();
    command.env("PATH", std::env::var_os("PATH").unwrap()).args([
        "onboard",
        "claims",
        "--sandbox",
        "--yes",
        "--handover-command",
        "sh -c 'kill -9 $PPID'",
    ]);
    assert_eq!(cli.run_command(&mut command).code, None, "a signal ended it");
    assert!(!profile_files(&cli).is_empty());
    for runs in 1.. {
        let output = cli
            .run_command(
                cli.command()
                    .env("PATH", std::env::var_os("PATH").unwrap())
                    .args(["onboard", "claims", "--sandbox", "--yes", "--handover-command"])
                    .arg("sh -c 'cat > kept/$CONFLUENT_EBS_HANDOVER_FILE'"),
            )
            .expect_success();
        if delivered_files(&cli).len() == 3 {
            break;
        }
        assert!(runs < 3, "{output}");
    }
    assert_eq!(delivered_files(&cli), profile_files(&cli));
    // Three keys of the department, each in a profile and working.
    let left = cli.decrypted_state(&|sealed| own.decrypt(sealed));
    assert_eq!(left.keys.iter().filter(|key| key.contains("dept=claims")).count(), 3);
    assert_eq!(left.files.values().flatten().count(), 3);
    cli.run_without_writes("onboard claims --sandbox --yes", 0);
}

#[test]
fn after_an_interrupt_no_further_profile_is_delivered_in_that_run() {
    let cli = cli_with_delivery_dir(&[]);
    let interrupting =
        "--handover-command \"sh -c 'kill -INT $PPID; sleep 0.3; cat > kept/$CONFLUENT_EBS_HANDOVER_FILE'\"";
    let output = run_shell_words(&cli, &format!("onboard claims --sandbox --yes {interrupting}"), 3);
    assert_eq!(
        delivered_files(&cli).len(),
        1,
        "the running command was finished\n{output}"
    );
    let output = run_shell_words(&cli, &format!("onboard claims --sandbox --yes {KEEP_COMMAND}"), 0);
    assert_eq!(delivered_files(&cli).len(), 3, "{output}");
    assert_eq!(delivered_files(&cli), profile_files(&cli));
    assert_eq!(cli.read("turns").lines().count(), 2, "one was delivered");
}

#[test]
fn delivery_of_pending_profiles_asks_for_confirmation() {
    let cli = cli_with_delivery_dir(&[]);
    cli.run("onboard claims --sandbox --yes").expect_success();
    let args = ["onboard", "claims", "--sandbox", "--handover-command", "cat"];
    let path = std::env::var_os("PATH").unwrap();
    let output = cli
        .run_command(cli.command().env("PATH", &path).args(args).write_stdin("n\n"))
        .expect_success();
    assert!(!output.stdout.contains("Delivered"), "{output}");
    let output = cli.run_command(cli.command().env("PATH", &path).args(args).write_stdin("y\n"));
    assert!(
        output.stdout_line().contains("Delivered: 3 profiles to `cat`."),
        "{output}"
    );
}

#[test]
fn a_rotation_delivers_encrypted_and_keeps_the_old_key_until_delivery() {
    let own = AgeIdentity::new();
    let cli = cli_with_delivery_dir(&[own.recipient()]);
    let ours = || {
        let left = cli.sandbox().keys().unwrap();
        left.iter()
            .filter(|key| key.spec.description.contains("role=operator"))
            .count()
    };
    run_shell_words(&cli, &format!("onboard claims --sandbox --yes {KEEP_COMMAND}"), 0);
    let failing = "--handover-command \"sh -c 'exit 1'\"";
    let rotate = "keys rotate claims --persona operator --sandbox --yes --overlap 0s";
    run_shell_words(&cli, &format!("{rotate} {failing}"), 3);
    assert_eq!(ours(), 2, "the old key works until the new one is delivered");
    let sealed = profile_files(&cli);
    assert_eq!(sealed.len(), 4);
    assert!(sealed.keys().all(|name| name.ends_with(".toml.age")), "{sealed:?}");
    let before = cli.writes().len();
    run_shell_words(&cli, &format!("{rotate} {failing}"), 3);
    assert_eq!((ours(), cli.writes().len()), (2, before));
    let output = run_shell_words(&cli, &format!("{rotate} {KEEP_COMMAND}"), 0);
    assert!(
        output.stdout_line().contains("Delivered: 1 profile to `sh`."),
        "{output}"
    );
    assert_eq!(ours(), 1);
    assert_eq!(delivered_files(&cli), profile_files(&cli));
    // The remaining key is the one in the last delivered profile.
    let new = sealed
        .iter()
        .find(|(name, _)| name.starts_with("claims-operator.") && name.len() > 26);
    let text = own.decrypt(new.unwrap().1);
    let left = cli.sandbox().keys().unwrap();
    assert!(left.iter().any(|key| text.contains(key.id.as_str())));
    run_shell_words(
        &cli,
        &format!("keys rotate claims --persona operator --sandbox --yes --older-than 1d {KEEP_COMMAND}"),
        0,
    );
}

#[test]
fn the_newest_profile_of_a_persona_is_delivered_last_and_a_revoked_one_never() {
    let cli = cli_with_delivery_dir(&[]);
    let by_persona = "--handover-command \"sh -c 'cat > kept/$CONFLUENT_EBS_HANDOVER_PERSONA; echo x >> turns'\"";
    run_shell_words(&cli, "onboard claims --sandbox --yes", 0);
    run_shell_words(&cli, "keys rotate claims --persona operator --sandbox --yes", 0);
    let operators = || {
        let mut handed = profile_files(&cli);
        handed.retain(|name, _| name.starts_with("claims-operator"));
        handed
    };
    let (old, both) = (operators()["claims-operator.toml"].clone(), operators());
    let new = both.values().find(|text| **text != old).unwrap();
    assert_eq!(both.len(), 2);
    run_shell_words(&cli, &format!("onboard claims --sandbox --yes {by_persona}"), 0);
    assert_eq!(cli.read("turns").lines().count(), 4);
    assert_eq!(delivered_files(&cli)["operator"], *new);

    // The same with fraud, but its old key is removed before the delivery.
    run_shell_words(&cli, "onboard fraud --sandbox --yes", 0);
    run_shell_words(
        &cli,
        "keys rotate fraud --persona operator --sandbox --yes --overlap 0s",
        0,
    );
    run_shell_words(&cli, &format!("onboard fraud --sandbox --yes {by_persona}"), 0);
    assert_eq!(cli.read("turns").lines().count(), 4 + 3, "the old one was not given");
}
