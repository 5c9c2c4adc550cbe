//! Encrypted profiles: never in clear text on the disk, and never lost in a crash.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use confluent_ebs::{config::Profile, model::KeyKind, sandbox::SandboxSettings};
use serde_json::Value;

use crate::{
    common::{Cli, JsonAccess as _, OnboardingMachine, assert_private, files_with_secrets, list_files},
    profile_import::AgeIdentity,
};

/// A home with its own files: `recipients` are in the file of claims.
pub(crate) fn cli_with_recipients(recipients: &[String]) -> Cli {
    let claims = format!("name = \"Claims\"\nprefix = \"claims-\"\nrecipients = {recipients:?}\n");
    let fraud = "name = \"Fraud\"\nprefix = \"fraud-\"\n".to_owned();
    Cli::with_platform([("claims", claims), ("fraud", fraud)])
}

pub(crate) fn profile_files(cli: &Cli) -> BTreeMap<String, Vec<u8>> {
    let folder = cli.profiles_dir();
    list_files(&folder)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&folder).unwrap().display().to_string();
            (name, fs::read(&path).unwrap())
        })
        .collect()
}

/// The secret in a profile's text.
pub(crate) fn extract_secret(text: &str) -> String {
    let (_, keys, _) = Profile::parse(Path::new("p.toml"), text.to_owned(), &[]);
    keys.get(KeyKind::Cloud).unwrap().secret.expose().to_owned()
}

#[test]
fn every_recipient_can_decrypt_and_no_secret_is_stored_in_plaintext() {
    let (own, flag, file) = (AgeIdentity::new(), AgeIdentity::new(), AgeIdentity::new());
    let cli = cli_with_recipients(&[own.recipient()]);
    cli.write("more.txt", format!("# escrow\n{}\n", file.recipient()));
    let args = format!(
        "onboard claims fraud --sandbox --yes --recipient {} --recipients-file more.txt -v -o json",
        flag.recipient()
    );
    let output = cli.run(&args).expect_success();
    let handed = profile_files(&cli);
    let names: Vec<&String> = handed.keys().collect();
    let expected = ["claims", "fraud"]
        .map(|code| ["deployer", "operator", "viewer"].map(|persona| format!("{code}-{persona}.toml.age")))
        .concat();
    assert_eq!(names, expected.iter().collect::<Vec<_>>());
    let mut secrets = Vec::new();
    for (name, sealed) in &handed {
        let text = flag.decrypt(sealed);
        assert_eq!(file.decrypt(sealed), text);
        // Only claims has this recipient.
        assert_eq!(own.can_decrypt(sealed), name.starts_with("claims-"), "{name}");
        secrets.push(extract_secret(&text));
    }
    assert_eq!(secrets.len(), 6);
    assert_eq!(files_with_secrets(&cli.path(""), &secrets), [] as [PathBuf; 0]);
    for secret in &secrets {
        assert!(!output.to_string().contains(secret));
    }
    for path in list_files(&cli.profiles_dir()) {
        assert_private(&path);
    }
    // The evidence lists the recipients.
    let evidence = list_files(&cli.state_dir().join("evidence"));
    let text: Value = serde_json::from_str(&fs::read_to_string(&evidence[0]).unwrap()).unwrap();
    assert_eq!(text.items("/recipients").len(), 3, "{text}");
    cli.run_without_writes(&args, 0);
}

#[test]
fn recipients_of_one_department_do_not_apply_to_others() {
    let own = AgeIdentity::new();
    let cli = cli_with_recipients(&[own.recipient()]);
    let output = cli.run("onboard --all --sandbox --yes").expect_success();
    assert!(
        output
            .stdout_line()
            .contains("3 encrypted to their recipients, the others"),
        "{output}"
    );
    let handed = profile_files(&cli);
    assert!(handed.contains_key("claims-operator.toml.age") && handed.contains_key("fraud-operator.toml"));
    let text = own.decrypt(&handed["claims-operator.toml.age"]);
    // The department imports it.
    cli.write("key.txt", own.identity_file());
    cli.write("claims-operator.toml.age", &handed["claims-operator.toml.age"]);
    cli.run("profile import claims-operator.toml.age --identity key.txt")
        .expect_success();
    assert_eq!(cli.read(".config/confluent-ebs/profiles/claims-operator.toml"), text);
    cli.run("connector list --profile claims-operator").expect_success();
}

#[test]
fn invalid_recipients_are_refused_before_any_write() {
    let key = AgeIdentity::new();
    let private = key.identity_file().lines().last().unwrap().to_owned();
    let cli = cli_with_recipients(&[]);
    let refused = |args: &str, code: i32, expected: &str| {
        let output = cli.run_without_writes(&format!("onboard claims --sandbox --yes {args}"), code);
        assert!(output.stderr_line().contains(expected), "{args}: {output}");
        assert!(!output.to_string().contains(&private), "{output}");
    };
    refused(
        "--recipient ssh-ed25519",
        64,
        "recipients of this kind (SSH) are not supported",
    );
    refused(&format!("--recipient {private}"), 64, "this is an `age` secret key");
    refused("--recipients-file none.txt", 1, "cannot read `none.txt`");
    cli.write("identity.txt", key.identity_file());
    refused("--recipients-file identity.txt", 1, "identity.txt:3:1");
    cli.write("empty.txt", "# empty\n");
    refused("--recipients-file empty.txt", 1, "this file contains no recipients");
    refused(
        &format!("--recipient {} --show-secrets", key.recipient()),
        64,
        "cannot show encrypted profiles",
    );
    cli.write(
        "departments/claims.toml",
        format!("name = \"Claims\"\nprefix = \"claims-\"\nrecipients = [\"{private}\"]\n"),
    );
    refused("", 1, "recipient-secret");
    assert!(!cli.profiles_dir().exists());
}

#[test]
fn an_encrypted_profile_is_rewritten_without_its_key_in_plaintext() {
    let own = AgeIdentity::new();
    let cli = cli_with_recipients(&[own.recipient()]);
    cli.run("onboard claims --sandbox --yes").expect_success();
    let before = profile_files(&cli);
    let file = cli.read("departments/claims.toml");
    cli.write(
        "departments/claims.toml",
        format!("{file}[quota]\nconnectors = 3\ntasks = 6\n"),
    );
    cli.run("onboard claims --sandbox --yes").expect_success();
    let after = profile_files(&cli);
    let new: Vec<&String> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    assert_eq!(new.len(), 3);
    for name in new {
        assert_eq!(Path::new(name).extension().unwrap(), "toml");
        let text = String::from_utf8(after[name].clone()).unwrap();
        assert!(text.contains("connectors = 3") && !text.contains("secret ="), "{text}");
    }
    assert!(before.iter().all(|(name, sealed)| after[name] == *sealed));
    cli.run_without_writes("onboard claims --sandbox --yes", 0);
}

/// A machine that encrypts to one key and can decrypt with it.
pub(crate) fn encrypt_to_one_key(machine: &mut OnboardingMachine) {
    let key = AgeIdentity::new();
    machine.recipients = [key.recipient().parse().unwrap()].into();
    machine.decryptor = Some(Box::new(move |sealed| key.decrypt(sealed)));
}

/// The journal without the lines of an event, as after a crash before they were written.
fn remove_journal_event(machine: &OnboardingMachine, event: &str) {
    let text = fs::read_to_string(machine.journal_path()).unwrap();
    let mark = format!("\"event\":\"{event}\"");
    let kept: String = text
        .split_inclusive('\n')
        .filter(|line| !line.contains(&mark))
        .collect();
    assert_ne!(kept, text, "{event} is never written");
    fs::write(machine.journal_path(), kept).unwrap();
}

/// A machine that has onboarded claims, and died after all profiles were finished, but before the report.
fn machine_crashed_before_delivery_event(setup: fn(&mut OnboardingMachine)) -> OnboardingMachine {
    let mut machine = OnboardingMachine::new(SandboxSettings::instant());
    setup(&mut machine);
    assert_eq!(machine.run_until_done(&["claims"], 2), Ok(2));
    remove_journal_event(&machine, "key_handed_over");
    // Evidence is written with the report.
    fs::remove_dir_all(machine.root_dir().join("evidence")).unwrap();
    machine
}

fn count_writes(machine: &OnboardingMachine) -> usize {
    machine
        .sandbox
        .journal()
        .unwrap()
        .iter()
        .filter(|entry| entry.is_write())
        .count()
}

#[test]
fn a_crash_after_the_rename_keeps_the_key_even_without_the_file() {
    for setup in [encrypt_to_one_key, |_: &mut OnboardingMachine| {}] {
        let machine = machine_crashed_before_delivery_event(setup);
        let (left, before) = (machine.provisioned_state(), count_writes(&machine));
        assert_eq!(left.files.len(), 3);
        assert!(machine.onboard(&["claims"]).is_idle());
        assert_eq!((machine.provisioned_state(), count_writes(&machine)), (left, before));
        fs::remove_dir_all(machine.profiles_dir()).unwrap();
        assert!(machine.onboard(&["claims"]).is_idle(), "a delivered key is not deleted");
        assert_eq!(count_writes(&machine), before);
    }
}

#[test]
fn a_rerun_after_a_crash_before_the_rename_reaches_the_same_state() {
    for (setup, remade) in [
        (encrypt_to_one_key as fn(&mut OnboardingMachine), true),
        (|_: &mut OnboardingMachine| {}, false),
    ] {
        let machine = machine_crashed_before_delivery_event(setup);
        let wanted = machine.provisioned_state();
        let ids = || {
            let mut ids: Vec<String> = machine
                .sandbox
                .keys()
                .unwrap()
                .iter()
                .map(|key| key.id.to_string())
                .collect();
            ids.sort();
            ids
        };
        let before = ids();
        for path in list_files(&machine.profiles_dir()) {
            let mut unproved = path.clone().into_os_string();
            unproved.push(".unproved");
            fs::rename(&path, unproved).unwrap();
        }
        assert!(machine.run_until_done(&["claims"], 3).is_ok());
        assert_eq!(machine.provisioned_state(), wanted);
        // A key whose profile cannot be decrypted is replaced; no person had it.
        assert_eq!(ids() != before, remade);
    }
}

#[test]
fn a_plaintext_profile_from_before_recipients_is_not_delivered() {
    let mut machine = machine_crashed_before_delivery_event(|_| {});
    let mut old = Vec::new();
    for path in list_files(&machine.profiles_dir()) {
        old.push(extract_secret(&fs::read_to_string(&path).unwrap()));
        let mut unproved = path.clone().into_os_string();
        unproved.push(".unproved");
        fs::rename(&path, unproved).unwrap();
    }
    encrypt_to_one_key(&mut machine);
    assert!(machine.run_until_done(&["claims"], 3).is_ok());
    let left = machine.provisioned_state();
    assert_eq!(left.files.len(), 3);
    assert!(left.files.keys().all(|name| name.ends_with(".toml.age")), "{left:?}");
    assert_eq!(files_with_secrets(&machine.profiles_dir(), &old), [] as [PathBuf; 0]);
}
