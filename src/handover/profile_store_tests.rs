//! Tests of plaintext and encrypted profiles from the pending file to the finished one.

use super::*;

fn profile_id(persona: &str) -> ProfileId {
    ProfileId {
        stage: None,
        department: "claims".parse().unwrap(),
        persona: persona.into(),
    }
}

#[test]
fn a_profile_is_pending_first_and_committed_once() {
    let folder = tempfile::tempdir().unwrap();
    let sink = ProfileStore::new(folder.path().join("cred"));
    sink.prepare([(&profile_id("operator"), false)]).unwrap();
    let profile = |key: &str| Secret::new(format!("[key]\nid = \"{key}\"\nsecret = \"s\"\n"));
    sink.write_pending(&profile_id("operator"), &profile("AAAABBBBCCCCDDDD"))
        .unwrap();
    assert_eq!(sink.stored_keys().pending.len(), 1);
    let path = sink.final_path(&profile_id("operator"), None);
    sink.commit(&profile_id("operator"), &path).unwrap();
    assert_eq!(path, folder.path().join("cred/claims-operator.toml"));
    assert_eq!(sink.stored_keys().finished.len(), 1);
    assert_eq!(sink.stored_keys().pending.len(), 0);
    assert!(matches!(
        sink.prepare([(&profile_id("operator"), false)]),
        Err(ProfileStoreError::Save(SaveError::Exists(_)))
    ));
    sink.write_pending(&profile_id("operator"), &profile("EEEEFFFFGGGGHHHH"))
        .unwrap();
    assert!(matches!(
        sink.commit(&profile_id("operator"), &path),
        Err(ProfileStoreError::Save(SaveError::Exists(_)))
    ));
    assert!(fs::read_to_string(path).unwrap().contains("AAAABBBBCCCCDDDD"));
}

fn recipient() -> Recipient {
    crate::model::recipient::tests::VALID_RECIPIENT.parse().unwrap()
}

fn recipients() -> Recipients {
    Recipients {
        by_department: [("claims".parse().unwrap(), vec![recipient()])].into(),
        ..Recipients::default()
    }
}

#[test]
fn a_department_has_its_own_recipients_and_those_of_all() {
    let mut recipients = recipients();
    let (claims, fraud) = ("claims".parse().unwrap(), "fraud".parse().unwrap());
    assert_eq!(
        (
            recipients.for_department(&claims).len(),
            recipients.for_department(&fraud).len()
        ),
        (1, 0)
    );
    recipients.common = [recipient()].into();
    assert_eq!(
        (
            recipients.for_department(&claims).len(),
            recipients.for_department(&fraud).len()
        ),
        (1, 1)
    );
}

#[cfg(feature = "age")]
#[test]
fn an_encrypted_profile_never_exists_in_plaintext() {
    let folder = tempfile::tempdir().unwrap();
    let sink = ProfileStore::new(folder.path().to_owned()).with_recipients(recipients());
    let operator = profile_id("operator");
    sink.prepare([(&operator, false)]).unwrap();
    let unproved = sink
        .write_pending(&operator, &Secret::new("[key]\nsecret = \"canary\"\n"))
        .unwrap();
    assert_eq!(unproved, folder.path().join("claims-operator.toml.age.unproved"));
    assert!(!fs::read_to_string(&unproved).unwrap().contains("canary"));
    assert_eq!(sink.stored_keys(), StoredKeys::default());
    assert!(sink.pending_keys(&operator).is_empty());
    let path = sink.final_path(&operator, Some("mark"));
    sink.commit(&operator, &path).unwrap();
    assert_eq!(path, folder.path().join("claims-operator.toml.age"));
    assert!(!unproved.exists());
    // Neither form is written if the other one exists.
    let clear = ProfileStore::new(folder.path().to_owned());
    for (sink, beside) in [
        (&sink, "claims-operator.mark.toml.age"),
        (&clear, "claims-operator.mark.toml"),
    ] {
        assert!(matches!(
            sink.prepare([(&operator, false)]),
            Err(ProfileStoreError::Save(SaveError::Exists(_)))
        ));
        // After a rotation, the new profile has a suffix.
        sink.prepare([(&operator, true)]).unwrap();
        assert_eq!(sink.final_path(&operator, Some("mark")), folder.path().join(beside));
    }
}

#[cfg(feature = "age")]
#[test]
fn a_plaintext_profile_of_an_interrupted_run_is_not_delivered_once_recipients_exist() {
    let folder = tempfile::tempdir().unwrap();
    let clear = ProfileStore::new(folder.path().to_owned());
    let sealed = clear.clone().with_recipients(recipients());
    let operator = profile_id("operator");
    let text = Secret::new("[key]\nid = \"AAAABBBBCCCCDDDD\"\nsecret = \"canary\"\n");
    let left = clear.write_pending(&operator, &text).unwrap();
    assert_eq!(clear.stored_keys().pending.len(), 1);
    assert_eq!(sealed.stored_keys().pending.len(), 0);
    assert!(sealed.pending_keys(&operator).is_empty());
    sealed.write_pending(&operator, &text).unwrap();
    sealed.commit(&operator, &sealed.final_path(&operator, None)).unwrap();
    assert!(!left.exists());
    // The reverse direction.
    fs::remove_file(sealed.path(&operator)).unwrap();
    let left = sealed.write_pending(&operator, &text).unwrap();
    clear.write_pending(&operator, &text).unwrap();
    clear.commit(&operator, &clear.final_path(&operator, None)).unwrap();
    assert!(!left.exists());
}

#[cfg(not(feature = "age"))]
#[test]
fn a_build_that_cannot_seal_says_so_before_a_key_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let sink = ProfileStore::new(folder.path().to_owned()).sealed_to(recipients());
    assert!(matches!(
        sink.prepare([(&place("operator"), false)]),
        Err(SinkError::Age(AgeError::NotBuilt))
    ));
}

#[cfg(unix)]
#[test]
fn profiles_are_readable_by_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let sink = ProfileStore::new(folder.path().join("cred"));
    let path = sink.write_pending(&profile_id("operator"), &Secret::new("x")).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777,
        0o700
    );
}
