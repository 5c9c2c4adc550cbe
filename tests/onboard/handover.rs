//! Profiles that are encrypted to recipients: nothing of them is ever in clear on the disk, and no crash loses one.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use confluent_ebs::{
    config::Profile,
    handover::Recipients,
    model::KeyKind,
    sandbox::{Fault, FaultKind, Settings},
};
use serde_json::Value;

use crate::{
    home::Home,
    receive::{AgeKey, words},
    rig::{Ran, Rig, files_below},
    weather::at_every_request_of,
};

/// A home with files of its own: `recipients` stand in the file of claims.
pub(crate) fn home(recipients: &[String]) -> Home {
    let home = Home::new();
    home.world.write(
        "ebs.toml",
        "default_stage = \"prod\"\n[organization]\nid = \"11111111-2222-3333-4444-555555555555\"\n[stages.prod]\n\
         environment = \"env-prod01\"\ncluster = \"lkc-prod01\"\nschema_registry = \"lsrc-prod01\"\n",
    );
    home.world.write(
        "departments/claims.toml",
        format!("name = \"Claims\"\nprefix = \"claims-\"\nrecipients = {recipients:?}\n"),
    );
    home.world
        .write("departments/fraud.toml", "name = \"Fraud\"\nprefix = \"fraud-\"\n");
    home
}

pub(crate) fn handed(home: &Home) -> BTreeMap<String, Vec<u8>> {
    let folder = home.folder().join("handover");
    files_below(&folder)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&folder).unwrap().display().to_string();
            (name, fs::read(&path).unwrap())
        })
        .collect()
}

/// The secret in a profile's text.
pub(crate) fn secret_in(text: &str) -> String {
    let (_, keys, _) = Profile::parse(Path::new("p.toml"), text.to_owned(), &[]);
    keys.get(KeyKind::Cloud).unwrap().secret.expose().to_owned()
}

/// Every file below `folder` that holds one of `secrets`.
pub(crate) fn holders(folder: &Path, secrets: &[String]) -> Vec<PathBuf> {
    let mut holders = files_below(folder);
    holders.retain(|path| {
        let text = String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        secrets.iter().any(|secret| text.contains(secret))
    });
    holders
}

#[test]
fn everybody_named_opens_it_and_no_secret_is_in_clear_anywhere() {
    let (own, flag, file) = (AgeKey::new(), AgeKey::new(), AgeKey::new());
    let home = home(&[own.recipient()]);
    home.world
        .write("more.txt", format!("# escrow\n{}\n", file.recipient()));
    let args = format!(
        "onboard claims fraud --sandbox --yes --recipient {} --recipients-file more.txt -v -o json",
        flag.recipient()
    );
    let seen = home.must(&args, 0);
    let handed = handed(&home);
    let names: Vec<&String> = handed.keys().collect();
    let expected = ["claims", "fraud"]
        .map(|code| ["deployer", "operator", "viewer"].map(|persona| format!("{code}-{persona}.toml.age")))
        .concat();
    assert_eq!(names, expected.iter().collect::<Vec<_>>());
    let mut secrets = Vec::new();
    for (name, sealed) in &handed {
        let text = flag.open(sealed);
        assert_eq!(file.open(sealed), text);
        // Only claims has this recipient.
        assert_eq!(own.opens(sealed), name.starts_with("claims-"), "{name}");
        secrets.push(secret_in(&text));
    }
    assert_eq!(secrets.len(), 6);
    assert_eq!(holders(&home.world.path(""), &secrets), [] as [PathBuf; 0]);
    for secret in &secrets {
        assert!(!seen.to_string().contains(secret));
    }
    for path in files_below(&home.folder().join("handover")) {
        only_for_the_user(&path);
    }
    // The evidence says to whom.
    let evidence = files_below(&home.folder().join("evidence"));
    let text: Value = serde_json::from_str(&fs::read_to_string(&evidence[0]).unwrap()).unwrap();
    assert_eq!(text["recipients"].as_array().unwrap().len(), 3, "{text}");
    home.must_not_write(&args, 0);
}

#[cfg(unix)]
fn only_for_the_user(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{}", path.display());
}

#[cfg(not(unix))]
fn only_for_the_user(_path: &Path) {}

#[test]
fn one_department_is_sealed_and_the_other_is_not() {
    let own = AgeKey::new();
    let home = home(&[own.recipient()]);
    let seen = home.must("onboard --all --sandbox --yes", 0);
    assert!(
        words(&seen.stdout).contains("3 encrypted to their recipients, the others"),
        "{seen}"
    );
    let handed = handed(&home);
    assert!(handed.contains_key("claims-operator.toml.age") && handed.contains_key("fraud-operator.toml"));
    let text = own.open(&handed["claims-operator.toml.age"]);
    // The department receives it.
    home.world.write("key.txt", own.text());
    home.world
        .write("claims-operator.toml.age", &handed["claims-operator.toml.age"]);
    home.must("profile import claims-operator.toml.age --identity key.txt", 0);
    assert_eq!(
        home.world.read(".config/confluent-ebs/profiles/claims-operator.toml"),
        text
    );
    home.must("connector list --profile claims-operator", 0);
}

#[test]
fn recipients_that_are_none_are_told_before_anything_is_made() {
    let key = AgeKey::new();
    let private = key.text().lines().last().unwrap().to_owned();
    let home = home(&[]);
    let refused = |args: &str, code: i32, expected: &str| {
        let seen = home.must_not_write(&format!("onboard claims --sandbox --yes {args}"), code);
        assert!(words(&seen.stderr).contains(expected), "{args}: {seen}");
        assert!(!seen.to_string().contains(&private), "{seen}");
    };
    refused(
        "--recipient ssh-ed25519",
        64,
        "recipients of this kind (SSH) are not supported",
    );
    refused(&format!("--recipient {private}"), 64, "this is the secret half");
    refused(
        "--recipients-file none.txt",
        1,
        "the recipients file none.txt cannot be read",
    );
    home.world.write("identity.txt", key.text());
    refused("--recipients-file identity.txt", 1, "identity.txt:3:1");
    home.world.write("empty.txt", "# nobody\n");
    refused("--recipients-file empty.txt", 1, "there is no recipient in this file");
    refused(
        &format!("--recipient {} --show-secrets", key.recipient()),
        64,
        "cannot show what is encrypted",
    );
    home.world.write(
        "departments/claims.toml",
        format!("name = \"Claims\"\nprefix = \"claims-\"\nrecipients = [\"{private}\"]\n"),
    );
    refused("", 1, "recipient-secret");
    assert!(!home.folder().join("handover").exists());
}

#[test]
fn a_sealed_profile_is_reissued_without_its_key_in_clear() {
    let own = AgeKey::new();
    let home = home(&[own.recipient()]);
    home.must("onboard claims --sandbox --yes", 0);
    let before = handed(&home);
    let file = home.world.read("departments/claims.toml");
    home.world.write(
        "departments/claims.toml",
        format!("{file}[quota]\nconnectors = 3\ntasks = 6\n"),
    );
    home.must("onboard claims --sandbox --yes", 0);
    let after = handed(&home);
    let new: Vec<&String> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    assert_eq!(new.len(), 3);
    for name in new {
        assert_eq!(Path::new(name).extension().unwrap(), "toml");
        let text = String::from_utf8(after[name].clone()).unwrap();
        assert!(text.contains("connectors = 3") && !text.contains("secret ="), "{text}");
    }
    assert!(before.iter().all(|(name, sealed)| after[name] == *sealed));
    home.must_not_write("onboard claims --sandbox --yes", 0);
}

/// A machine that encrypts to one key, and opens with it.
fn sealed(rig: &mut Rig) {
    let key = AgeKey::new();
    rig.recipients = Recipients {
        everywhere: [key.recipient().parse().unwrap()].into(),
        ..Recipients::default()
    };
    rig.opener = Some(Box::new(move |sealed| key.open(sealed)));
}

#[test]
fn a_process_that_dies_before_a_request() {
    at_every_request_of(sealed, FaultKind::KillBefore);
}

#[test]
fn a_process_that_dies_after_a_request() {
    at_every_request_of(sealed, FaultKind::KillAfter);
}

#[test]
fn an_answer_that_is_lost() {
    at_every_request_of(sealed, FaultKind::LostAfter);
}

/// The journal without the lines of an event, as a crash leaves it that came before they were written.
fn forget(rig: &Rig, event: &str) {
    let text = fs::read_to_string(rig.journal()).unwrap();
    let mark = format!("\"event\":\"{event}\"");
    let kept: String = text
        .split_inclusive('\n')
        .filter(|line| !line.contains(&mark))
        .collect();
    assert_ne!(kept, text, "{event} is never written");
    fs::write(rig.journal(), kept).unwrap();
}

/// A machine that has onboarded claims, and died after all profiles were finished, before it said so.
fn finished(setup: fn(&mut Rig)) -> Rig {
    let mut rig = Rig::new(Settings::instant());
    setup(&mut rig);
    assert_eq!(rig.until_done(&["claims"], 2), Ok(2));
    forget(&rig, "key_handed_over");
    rig
}

fn writes(rig: &Rig) -> usize {
    rig.sandbox
        .journal()
        .unwrap()
        .iter()
        .filter(|entry| entry.is_write())
        .count()
}

#[test]
fn a_crash_after_the_rename_keeps_the_key_even_if_the_file_was_taken_away() {
    for setup in [sealed, |_: &mut Rig| {}] {
        let rig = finished(setup);
        let (left, before) = (rig.left(), writes(&rig));
        assert_eq!(left.files.len(), 3);
        assert!(rig.onboard(&["claims"]).is_idle());
        assert_eq!((rig.left(), writes(&rig)), (left, before));
        fs::remove_dir_all(rig.handover()).unwrap();
        assert!(
            rig.onboard(&["claims"]).is_idle(),
            "a key that somebody holds is not deleted"
        );
        assert_eq!(writes(&rig), before);
    }
}

#[test]
fn a_crash_before_the_rename_ends_as_if_there_had_been_none() {
    for (setup, remade) in [(sealed as fn(&mut Rig), true), (|_: &mut Rig| {}, false)] {
        let rig = finished(setup);
        let wanted = rig.left();
        let ids = || {
            let mut ids: Vec<String> = rig
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
        for path in files_below(&rig.handover()) {
            let mut unproved = path.clone().into_os_string();
            unproved.push(".unproved");
            fs::rename(&path, unproved).unwrap();
        }
        assert!(rig.until_done(&["claims"], 3).is_ok());
        assert_eq!(rig.left(), wanted);
        // What cannot be read again is made again; nobody had it.
        assert_eq!(ids() != before, remade);
    }
}

#[test]
fn what_lay_in_clear_before_there_were_recipients_is_not_handed_over() {
    let mut rig = finished(|_| {});
    let mut old = Vec::new();
    for path in files_below(&rig.handover()) {
        old.push(secret_in(&fs::read_to_string(&path).unwrap()));
        let mut unproved = path.clone().into_os_string();
        unproved.push(".unproved");
        fs::rename(&path, unproved).unwrap();
    }
    sealed(&mut rig);
    assert!(rig.until_done(&["claims"], 3).is_ok());
    let left = rig.left();
    assert_eq!(left.files.len(), 3);
    assert!(left.files.keys().all(|name| name.ends_with(".toml.age")), "{left:?}");
    assert_eq!(holders(&rig.handover(), &old), [] as [PathBuf; 0]);
}

#[test]
fn no_crash_leaves_a_clear_text() {
    let mut left = 0;
    for skip in 0.. {
        let mut rig = Rig::new(Settings::instant());
        sealed(&mut rig);
        rig.sandbox
            .add_fault(Fault::once(FaultKind::KillAfter).skipping(skip))
            .unwrap();
        if !matches!(rig.onboard(&["claims"]), Ran::Killed) {
            break;
        }
        for path in files_below(rig.root()) {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("secret ="), "{} after {skip} requests", path.display());
            left += usize::from(text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----"));
        }
    }
    assert!(left > 10, "what was on the disk was looked at");
}
