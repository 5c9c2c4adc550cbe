//! Finished profiles are given to a command: each of them once, and none is lost when it fails or something dies.

use std::{collections::BTreeMap, fs, path::PathBuf};

use serde_json::Value;

use crate::{
    common::Seen,
    handover::{handed, holders, home, secret_in},
    home::Home,
    receive::{AgeKey, words},
    rig::files_below,
};

/// The command that keeps what it gets under the name of its file, and takes note of its turn.
const KEEP: &str = "--handover-command \"sh -c 'cat > kept/$CONFLUENT_EBS_HANDOVER_FILE; echo x >> turns'\"";

/// A home with a folder for what was given away.
fn giving(recipients: &[String]) -> Home {
    let home = home(recipients);
    fs::create_dir(home.world.path("kept")).unwrap();
    home
}

/// Runs `args`, which are split into words as a shell does it.
#[track_caller]
fn run(home: &Home, args: &str, code: i32) -> Seen {
    let mut words: Vec<String> = Vec::new();
    for (at, part) in args.split('"').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_owned)),
            _ => words.push(part.to_owned()),
        }
    }
    let mut command = home.world.command();
    command
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("CONFLUENT_CLOUD_API_KEY", "ABCDEFGHIJKLMNOP")
        .env("CONFLUENT_CLOUD_API_SECRET", "cfltCanaryOfTheProvisioner")
        .args(words);
    let seen = home.world.see(&mut command);
    assert_eq!(seen.code, Some(code), "{args}\n{seen}");
    seen
}

fn kept(home: &Home) -> BTreeMap<String, Vec<u8>> {
    let paths = files_below(&home.world.path("kept")).into_iter();
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
fn each_finished_profile_is_given_once_and_stays() {
    let own = AgeKey::new();
    let home = giving(&[own.recipient()]);
    let seen = run(&home, &format!("onboard --all --sandbox --yes {KEEP}"), 0);
    assert!(words(&seen.stdout).contains("Taken: 6 profiles by `sh`."), "{seen}");
    assert_eq!(kept(&home), handed(&home));
    assert_eq!(kept(&home).len(), 6);
    let again = run(&home, &format!("onboard --all --sandbox --yes {KEEP}"), 0);
    assert!(!again.stdout.contains("Taken"), "{again}");
    assert_eq!(home.world.read("turns").lines().count(), 6);
}

#[test]
fn files_of_profiles_that_were_taken_go_only_when_asked_for() {
    let home = giving(&[]);
    let seen = run(
        &home,
        &format!("onboard claims --sandbox --yes {KEEP} --remove-taken -o json"),
        0,
    );
    let value: Value = serde_json::from_str(&seen.stdout).unwrap();
    assert_eq!(value["handed"].as_array().unwrap().len(), 3);
    assert!(
        value["handed"]
            .as_array()
            .unwrap()
            .iter()
            .all(|handed| handed["taken"] == true)
    );
    assert_eq!(handed(&home).len(), 0);
    let secrets: Vec<String> = kept(&home)
        .values()
        .map(|text| secret_in(std::str::from_utf8(text).unwrap()))
        .collect();
    assert_eq!(secrets.len(), 3);
    let holders = holders(&home.world.path(""), &secrets);
    assert!(
        holders.iter().all(|path| path.starts_with(home.world.path("kept"))),
        "{holders:?}"
    );
    // The journal knows that they are out there.
    home.must_not_write("onboard claims --sandbox --yes", 0);

    // Those of fraud stay at first, and go when that is asked for later.
    run(&home, &format!("onboard fraud --sandbox --yes {KEEP}"), 0);
    assert_eq!(handed(&home).len(), 3);
    run(
        &home,
        &format!("onboard fraud --sandbox --yes {KEEP} --remove-taken"),
        0,
    );
    assert_eq!(handed(&home).len(), 0);
    assert_eq!(home.world.read("turns").lines().count(), 6, "none was given twice");
}

#[test]
fn a_command_that_fails_leaves_the_files_and_the_next_run_gives_them() {
    let own = AgeKey::new();
    let home = giving(&[own.recipient()]);
    let failing = "--handover-command \"sh -c 'cat; echo the vault is sealed >&2; exit 2'\" --remove-taken";
    let seen = run(&home, &format!("onboard claims --sandbox --yes {failing}"), 3);
    let said = words(&seen.stderr);
    assert!(said.contains("the profile stays in `[HOME]"), "{seen}");
    assert!(
        said.contains("`sh` ended with code 2") && said.contains("It said: the vault is sealed"),
        "{seen}"
    );
    assert_eq!(handed(&home).len(), 3);
    // Again: nothing is made, and it is told again.
    let before = home.writes().len();
    let seen = run(&home, &format!("onboard claims --sandbox --yes {failing}"), 3);
    assert!(words(&seen.stderr).contains("3 profiles not handed over"), "{seen}");
    let seen = run(&home, &format!("onboard claims --sandbox --yes {KEEP}"), 0);
    assert!(words(&seen.stdout).contains("Taken: 3 profiles by `sh`."), "{seen}");
    assert_eq!(home.writes().len(), before);
    assert_eq!(kept(&home), handed(&home));
    assert_eq!(kept(&home).len(), 3);
}

#[test]
fn what_earlier_runs_left_is_tried_once_by_the_next_besides_its_own() {
    let home = giving(&[]);
    let failing = "--credentials-dir out --handover-command \"sh -c 'echo x >> turns; exit 1'\"";
    run(&home, &format!("onboard claims --sandbox --yes {failing}"), 3);
    assert_eq!(home.world.read("turns").lines().count(), 3);
    run(&home, &format!("onboard claims fraud --sandbox --yes {failing}"), 3);
    assert_eq!(home.world.read("turns").lines().count(), 9);
    // Another department's are its own, and another folder's too.
    let seen = run(
        &home,
        &format!("onboard fraud --sandbox --yes --credentials-dir out {KEEP}"),
        0,
    );
    assert!(words(&seen.stdout).contains("Taken: 3 profiles"), "{seen}");
    run(&home, &format!("onboard claims --sandbox --yes {KEEP}"), 0);
    assert_eq!(kept(&home).len(), 3);
    run(
        &home,
        &format!("onboard claims --sandbox --yes --credentials-dir ./out {KEEP}"),
        0,
    );
    assert_eq!(kept(&home).len(), 6);
}

#[test]
fn a_program_that_is_missing_or_written_wrongly_loses_nothing() {
    let home = giving(&[]);
    let seen = run(
        &home,
        "onboard claims --sandbox --yes --handover-command no-such-vault",
        3,
    );
    assert!(
        words(&seen.stderr).contains("`no-such-vault` cannot be started"),
        "{seen}"
    );
    assert_eq!(handed(&home).len(), 3);
    let before = home.writes().len();
    let seen = run(
        &home,
        "onboard fraud --sandbox --yes --handover-command \"sh 'open\"",
        64,
    );
    assert!(words(&seen.stderr).contains("a ' is not closed"), "{seen}");
    run(&home, "onboard fraud --sandbox --yes --remove-taken", 64);
    run(
        &home,
        "onboard fraud --sandbox --yes --handover-command cat --remove-taken --show-secrets",
        64,
    );
    assert_eq!(home.writes().len(), before);
}

#[test]
fn no_secret_is_in_arguments_variables_or_output() {
    let home = giving(&[]);
    let spy = "sh -c 'cat > got; cat /proc/$$/cmdline /proc/$PPID/cmdline >> seen; env >> seen; cat got; cat got >&2; \
               exit 1'";
    let seen = run(
        &home,
        &format!("onboard claims --sandbox --yes --handover-command \"{spy}\" -o json"),
        3,
    );
    let profiles = handed(&home);
    let secrets: Vec<String> = profiles
        .values()
        .map(|text| secret_in(std::str::from_utf8(text).unwrap()))
        .collect();
    assert_eq!(secrets.len(), 3);
    let spied = String::from_utf8_lossy(&fs::read(home.world.path("seen")).unwrap()).into_owned();
    assert!(spied.contains("CONFLUENT_EBS_HANDOVER_DEPARTMENT=claims"), "{spied}");
    assert!(
        !spied.contains("cfltCanaryOfTheProvisioner") && !spied.contains("CONFLUENT_CLOUD_API_KEY"),
        "{spied}"
    );
    for secret in &secrets {
        assert!(!spied.contains(secret), "{spied}");
        assert!(!seen.to_string().contains(secret), "{seen}");
    }
    assert!(
        words(&seen.stderr).contains("secret = \"****\""),
        "what it printed is shown\n{seen}"
    );
    // Neither journal nor evidence keeps what a command said.
    for folder in ["runs", "evidence"] {
        let holders = holders(&home.folder().join(folder), &secrets);
        assert_eq!(holders, [] as [PathBuf; 0]);
    }
}

#[test]
fn a_process_that_dies_while_the_command_runs_loses_nothing() {
    let own = AgeKey::new();
    let home = giving(&[own.recipient()]);
    let mut command = home.world.command();
    command.env("PATH", std::env::var_os("PATH").unwrap()).args([
        "onboard",
        "claims",
        "--sandbox",
        "--yes",
        "--handover-command",
        "sh -c 'kill -9 $PPID'",
    ]);
    assert_eq!(home.world.see(&mut command).code, None, "a signal ended it");
    assert!(!handed(&home).is_empty());
    for runs in 1.. {
        let seen = home.world.see(
            home.world
                .command()
                .env("PATH", std::env::var_os("PATH").unwrap())
                .args(["onboard", "claims", "--sandbox", "--yes", "--handover-command"])
                .arg("sh -c 'cat > kept/$CONFLUENT_EBS_HANDOVER_FILE'"),
        );
        assert_eq!(seen.code, Some(0), "{seen}");
        if kept(&home).len() == 3 {
            break;
        }
        assert!(runs < 3, "{seen}");
    }
    assert_eq!(kept(&home), handed(&home));
    // Three keys of ours, each of them in a profile that opens something.
    let left = home.left_with(&|sealed| own.open(sealed));
    assert_eq!(left.keys.iter().filter(|key| key.contains("dept=claims")).count(), 3);
    assert_eq!(left.files.values().flatten().count(), 3);
    home.must_not_write("onboard claims --sandbox --yes", 0);
}

#[test]
fn after_an_interruption_no_further_profile_is_given_until_the_next_run() {
    let home = giving(&[]);
    let interrupting =
        "--handover-command \"sh -c 'kill -INT $PPID; sleep 0.3; cat > kept/$CONFLUENT_EBS_HANDOVER_FILE'\"";
    let seen = run(&home, &format!("onboard claims --sandbox --yes {interrupting}"), 3);
    assert_eq!(kept(&home).len(), 1, "what ran was finished\n{seen}");
    let seen = run(&home, &format!("onboard claims --sandbox --yes {KEEP}"), 0);
    assert_eq!(kept(&home).len(), 3, "{seen}");
    assert_eq!(kept(&home), handed(&home));
    assert_eq!(home.world.read("turns").lines().count(), 2, "one had been given");
}

#[test]
fn without_a_yes_somebody_is_asked_before_profiles_of_an_earlier_run_are_given() {
    let home = giving(&[]);
    home.must("onboard claims --sandbox --yes", 0);
    let args = ["onboard", "claims", "--sandbox", "--handover-command", "cat"];
    let path = std::env::var_os("PATH").unwrap();
    let seen = home
        .world
        .see(home.world.command().env("PATH", &path).args(args).write_stdin("n\n"));
    assert_eq!(seen.code, Some(0), "{seen}");
    assert!(!seen.stdout.contains("Taken"), "{seen}");
    let seen = home
        .world
        .see(home.world.command().env("PATH", &path).args(args).write_stdin("y\n"));
    assert!(words(&seen.stdout).contains("Taken: 3 profiles by `cat`."), "{seen}");
}

#[test]
fn a_rotation_hands_over_sealed_and_keeps_the_old_key_until_the_command_took_the_new_one() {
    let own = AgeKey::new();
    let home = giving(&[own.recipient()]);
    let ours = || {
        let left = home.sandbox().keys().unwrap();
        left.iter()
            .filter(|key| key.spec.description.contains("role=operator"))
            .count()
    };
    run(&home, &format!("onboard claims --sandbox --yes {KEEP}"), 0);
    let failing = "--handover-command \"sh -c 'exit 1'\"";
    let rotate = "keys rotate claims --persona operator --sandbox --yes --overlap 0s";
    run(&home, &format!("{rotate} {failing}"), 3);
    assert_eq!(ours(), 2, "the old key works until the new one has arrived");
    let sealed = handed(&home);
    assert_eq!(sealed.len(), 4);
    assert!(sealed.keys().all(|name| name.ends_with(".toml.age")), "{sealed:?}");
    let before = home.writes().len();
    run(&home, &format!("{rotate} {failing}"), 3);
    assert_eq!((ours(), home.writes().len()), (2, before));
    let seen = run(&home, &format!("{rotate} {KEEP}"), 0);
    assert!(words(&seen.stdout).contains("Taken: 1 profile by `sh`."), "{seen}");
    assert_eq!(ours(), 1);
    assert_eq!(kept(&home), handed(&home));
    // The key that is left is the one in the profile that was taken last.
    let new = sealed
        .iter()
        .find(|(name, _)| name.starts_with("claims-operator.") && name.len() > 26);
    let text = own.open(new.unwrap().1);
    let left = home.sandbox().keys().unwrap();
    assert!(left.iter().any(|key| text.contains(key.id.as_str())));
    run(
        &home,
        &format!("keys rotate claims --persona operator --sandbox --yes --older-than 1d {KEEP}"),
        0,
    );
}

#[test]
fn of_two_profiles_for_a_persona_the_newer_has_the_last_word_and_a_dead_one_none() {
    let home = giving(&[]);
    let by_persona = "--handover-command \"sh -c 'cat > kept/$CONFLUENT_EBS_HANDOVER_PERSONA; echo x >> turns'\"";
    run(&home, "onboard claims --sandbox --yes", 0);
    run(&home, "keys rotate claims --persona operator --sandbox --yes", 0);
    let operators = || {
        let mut handed = handed(&home);
        handed.retain(|name, _| name.starts_with("claims-operator"));
        handed
    };
    let (old, both) = (operators()["claims-operator.toml"].clone(), operators());
    let new = both.values().find(|text| **text != old).unwrap();
    assert_eq!(both.len(), 2);
    run(&home, &format!("onboard claims --sandbox --yes {by_persona}"), 0);
    assert_eq!(home.world.read("turns").lines().count(), 4);
    assert_eq!(kept(&home)["operator"], *new);

    // The same with fraud, but its old key is removed before anything is given.
    run(&home, "onboard fraud --sandbox --yes", 0);
    run(
        &home,
        "keys rotate fraud --persona operator --sandbox --yes --overlap 0s",
        0,
    );
    run(&home, &format!("onboard fraud --sandbox --yes {by_persona}"), 0);
    assert_eq!(
        home.world.read("turns").lines().count(),
        4 + 3,
        "the old one was not given"
    );
}
