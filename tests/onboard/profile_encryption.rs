//! Encrypted profiles: never in clear text on the disk, and never lost in a crash.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use confluent_ebs::{
    config::Profile,
    handover::Recipients,
    model::KeyKind,
    sandbox::{Fault, FaultKind, SandboxSettings},
};
use serde_json::Value;

use crate::{
    onboarding_fixture::{OnboardingFixture, RunOutcome, list_files},
    profile_import::{AgeIdentity, normalize_whitespace},
    sandbox_cli_fixture::SandboxCliFixture,
    slow::faults::run_setup_with_fault_at_every_request,
};

/// A home with its own files: `recipients` are in the file of claims.
pub(crate) fn fixture_with_recipients(recipients: &[String]) -> SandboxCliFixture {
    let fixture = SandboxCliFixture::new();
    fixture.cli.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    fixture.cli.write(
        "departments/claims.toml",
        format!("name = \"Claims\"\nprefix = \"claims-\"\nrecipients = {recipients:?}\n"),
    );
    fixture
        .cli
        .write("departments/fraud.toml", "name = \"Fraud\"\nprefix = \"fraud-\"\n");
    fixture
}

pub(crate) fn profile_files(fixture: &SandboxCliFixture) -> BTreeMap<String, Vec<u8>> {
    let folder = fixture.state_dir().join("handover");
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

/// Every file in `folder` that contains one of `secrets`.
pub(crate) fn files_with_secrets(folder: &Path, secrets: &[String]) -> Vec<PathBuf> {
    let mut holders = list_files(folder);
    holders.retain(|path| {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        secrets.iter().any(|secret| text.contains(secret))
    });
    holders
}

#[test]
fn every_recipient_can_decrypt_and_no_secret_is_stored_in_plaintext() {
    let (own, flag, file) = (AgeIdentity::new(), AgeIdentity::new(), AgeIdentity::new());
    let fixture = fixture_with_recipients(&[own.recipient()]);
    fixture
        .cli
        .write("more.txt", format!("# escrow\n{}\n", file.recipient()));
    let args = format!(
        "onboard claims fraud --sandbox --yes --recipient {} --recipients-file more.txt -v -o json",
        flag.recipient()
    );
    let output = fixture.run_expecting(&args, 0);
    let handed = profile_files(&fixture);
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
    assert_eq!(files_with_secrets(&fixture.cli.path(""), &secrets), [] as [PathBuf; 0]);
    for secret in &secrets {
        assert!(!output.to_string().contains(secret));
    }
    for path in list_files(&fixture.state_dir().join("handover")) {
        assert_private(&path);
    }
    // The evidence lists the recipients.
    let evidence = list_files(&fixture.state_dir().join("evidence"));
    let text: Value = serde_json::from_str(&fs::read_to_string(&evidence[0]).unwrap()).unwrap();
    assert_eq!(text["recipients"].as_array().unwrap().len(), 3, "{text}");
    fixture.run_without_writes(&args, 0);
}

#[cfg(unix)]
fn assert_private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", path.display());
}

#[cfg(not(unix))]
fn assert_private(_path: &Path) {}

#[test]
fn recipients_of_one_department_do_not_apply_to_others() {
    let own = AgeIdentity::new();
    let fixture = fixture_with_recipients(&[own.recipient()]);
    let output = fixture.run_expecting("onboard --all --sandbox --yes", 0);
    assert!(
        normalize_whitespace(&output.stdout).contains("3 encrypted to their recipients, the others"),
        "{output}"
    );
    let handed = profile_files(&fixture);
    assert!(handed.contains_key("claims-operator.toml.age") && handed.contains_key("fraud-operator.toml"));
    let text = own.decrypt(&handed["claims-operator.toml.age"]);
    // The department imports it.
    fixture.cli.write("key.txt", own.identity_file());
    fixture
        .cli
        .write("claims-operator.toml.age", &handed["claims-operator.toml.age"]);
    fixture.run_expecting("profile import claims-operator.toml.age --identity key.txt", 0);
    assert_eq!(
        fixture.cli.read(".config/confluent-ebs/profiles/claims-operator.toml"),
        text
    );
    fixture.run_expecting("connector list --profile claims-operator", 0);
}

#[test]
fn invalid_recipients_are_refused_before_any_write() {
    let key = AgeIdentity::new();
    let private = key.identity_file().lines().last().unwrap().to_owned();
    let fixture = fixture_with_recipients(&[]);
    let refused = |args: &str, code: i32, expected: &str| {
        let output = fixture.run_without_writes(&format!("onboard claims --sandbox --yes {args}"), code);
        assert!(
            normalize_whitespace(&output.stderr).contains(expected),
            "{args}: {output}"
        );
        assert!(!output.to_string().contains(&private), "{output}");
    };
    refused(
        "--recipient ssh-ed25519",
        64,
        "recipients of this kind (SSH) are not supported",
    );
    refused(&format!("--recipient {private}"), 64, "this is an `age` secret key");
    refused("--recipients-file none.txt", 1, "cannot read `none.txt`");
    fixture.cli.write("identity.txt", key.identity_file());
    refused("--recipients-file identity.txt", 1, "identity.txt:3:1");
    fixture.cli.write("empty.txt", "# empty\n");
    refused("--recipients-file empty.txt", 1, "this file contains no recipients");
    refused(
        &format!("--recipient {} --show-secrets", key.recipient()),
        64,
        "cannot show encrypted profiles",
    );
    fixture.cli.write(
        "departments/claims.toml",
        format!("name = \"Claims\"\nprefix = \"claims-\"\nrecipients = [\"{private}\"]\n"),
    );
    refused("", 1, "recipient-secret");
    assert!(!fixture.state_dir().join("handover").exists());
}

#[test]
fn an_encrypted_profile_is_rewritten_without_its_key_in_plaintext() {
    let own = AgeIdentity::new();
    let fixture = fixture_with_recipients(&[own.recipient()]);
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    let before = profile_files(&fixture);
    let file = fixture.cli.read("departments/claims.toml");
    fixture.cli.write(
        "departments/claims.toml",
        format!("{file}[quota]\nconnectors = 3\ntasks = 6\n"),
    );
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    let after = profile_files(&fixture);
    let new: Vec<&String> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    assert_eq!(new.len(), 3);
    for name in new {
        assert_eq!(Path::new(name).extension().unwrap(), "toml");
        let text = String::from_utf8(after[name].clone()).unwrap();
        assert!(text.contains("connectors = 3") && !text.contains("secret ="), "{text}");
    }
    assert!(before.iter().all(|(name, sealed)| after[name] == *sealed));
    fixture.run_without_writes("onboard claims --sandbox --yes", 0);
}

/// A machine that encrypts to one key and can decrypt with it.
fn encrypt_to_one_key(fixture: &mut OnboardingFixture) {
    let key = AgeIdentity::new();
    fixture.recipients = Recipients {
        common: [key.recipient().parse().unwrap()].into(),
        ..Recipients::default()
    };
    fixture.decryptor = Some(Box::new(move |sealed| key.decrypt(sealed)));
}

#[test]
fn encrypted_onboarding_survives_a_crash_before_every_request() {
    run_setup_with_fault_at_every_request(encrypt_to_one_key, FaultKind::KillBefore);
}

#[test]
fn encrypted_onboarding_survives_a_crash_after_every_request() {
    run_setup_with_fault_at_every_request(encrypt_to_one_key, FaultKind::KillAfter);
}

#[test]
fn encrypted_onboarding_survives_a_lost_response_to_every_request() {
    run_setup_with_fault_at_every_request(encrypt_to_one_key, FaultKind::LostAfter);
}

/// The journal without the lines of an event, as after a crash before they were written.
fn remove_journal_event(fixture: &OnboardingFixture, event: &str) {
    let text = fs::read_to_string(fixture.journal_path()).unwrap();
    let mark = format!("\"event\":\"{event}\"");
    let kept: String = text
        .split_inclusive('\n')
        .filter(|line| !line.contains(&mark))
        .collect();
    assert_ne!(kept, text, "{event} is never written");
    fs::write(fixture.journal_path(), kept).unwrap();
}

/// A machine that has onboarded claims, and died after all profiles were finished, but before the report.
fn fixture_crashed_before_delivery_event(setup: fn(&mut OnboardingFixture)) -> OnboardingFixture {
    let mut fixture = OnboardingFixture::new(SandboxSettings::instant());
    setup(&mut fixture);
    assert_eq!(fixture.run_until_done(&["claims"], 2), Ok(2));
    remove_journal_event(&fixture, "key_handed_over");
    fixture
}

fn count_writes(fixture: &OnboardingFixture) -> usize {
    fixture
        .sandbox
        .journal()
        .unwrap()
        .iter()
        .filter(|entry| entry.is_write())
        .count()
}

#[test]
fn a_crash_after_the_rename_keeps_the_key_even_without_the_file() {
    for setup in [encrypt_to_one_key, |_: &mut OnboardingFixture| {}] {
        let fixture = fixture_crashed_before_delivery_event(setup);
        let (left, before) = (fixture.provisioned_state(), count_writes(&fixture));
        assert_eq!(left.files.len(), 3);
        assert!(fixture.onboard(&["claims"]).is_idle());
        assert_eq!((fixture.provisioned_state(), count_writes(&fixture)), (left, before));
        fs::remove_dir_all(fixture.profiles_dir()).unwrap();
        assert!(fixture.onboard(&["claims"]).is_idle(), "a delivered key is not deleted");
        assert_eq!(count_writes(&fixture), before);
    }
}

#[test]
fn a_rerun_after_a_crash_before_the_rename_reaches_the_same_state() {
    for (setup, remade) in [
        (encrypt_to_one_key as fn(&mut OnboardingFixture), true),
        (|_: &mut OnboardingFixture| {}, false),
    ] {
        let fixture = fixture_crashed_before_delivery_event(setup);
        let wanted = fixture.provisioned_state();
        let ids = || {
            let mut ids: Vec<String> = fixture
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
        for path in list_files(&fixture.profiles_dir()) {
            let mut unproved = path.clone().into_os_string();
            unproved.push(".unproved");
            fs::rename(&path, unproved).unwrap();
        }
        assert!(fixture.run_until_done(&["claims"], 3).is_ok());
        assert_eq!(fixture.provisioned_state(), wanted);
        // A key whose profile cannot be decrypted is replaced; no person had it.
        assert_eq!(ids() != before, remade);
    }
}

#[test]
fn a_plaintext_profile_from_before_recipients_is_not_delivered() {
    let mut fixture = fixture_crashed_before_delivery_event(|_| {});
    let mut old = Vec::new();
    for path in list_files(&fixture.profiles_dir()) {
        old.push(extract_secret(&fs::read_to_string(&path).unwrap()));
        let mut unproved = path.clone().into_os_string();
        unproved.push(".unproved");
        fs::rename(&path, unproved).unwrap();
    }
    encrypt_to_one_key(&mut fixture);
    assert!(fixture.run_until_done(&["claims"], 3).is_ok());
    let left = fixture.provisioned_state();
    assert_eq!(left.files.len(), 3);
    assert!(left.files.keys().all(|name| name.ends_with(".toml.age")), "{left:?}");
    assert_eq!(files_with_secrets(&fixture.profiles_dir(), &old), [] as [PathBuf; 0]);
}

#[test]
fn no_crash_leaves_plaintext_secrets_on_disk() {
    let mut left = 0;
    for skip in 0.. {
        let mut fixture = OnboardingFixture::new(SandboxSettings::instant());
        encrypt_to_one_key(&mut fixture);
        fixture
            .sandbox
            .add_fault(Fault::once(FaultKind::KillAfter).after_requests(skip))
            .unwrap();
        if !matches!(fixture.onboard(&["claims"]), RunOutcome::Killed) {
            break;
        }
        for path in list_files(fixture.root_dir()) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("secret ="), "{} after {skip} requests", path.display());
            left += usize::from(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
        }
    }
    assert!(left > 10, "the disk was searched");
}
