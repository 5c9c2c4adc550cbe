//! Profiles in clear and encrypted, from their first byte to their final name.

use super::*;

fn place(persona: &str) -> Place {
    Place {
        stage: None,
        department: "claims".parse().unwrap(),
        persona: persona.into(),
    }
}

#[test]
fn a_profile_is_unproved_first_and_finished_once() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::new(folder.path().join("cred"));
    sink.prepare([(&place("operator"), false)]).unwrap();
    let profile = |key: &str| Secret::new(format!("[key]\nid = \"{key}\"\nsecret = \"s\"\n"));
    sink.put(&place("operator"), &profile("AAAABBBBCCCCDDDD")).unwrap();
    assert_eq!(sink.contents().unproved.len(), 1);
    let path = sink.target(&place("operator"), None);
    sink.finish(&place("operator"), &path).unwrap();
    assert_eq!(path, folder.path().join("cred/claims-operator.toml"));
    assert_eq!(sink.contents().finished.len(), 1);
    assert_eq!(sink.contents().unproved.len(), 0);
    assert!(matches!(
        sink.prepare([(&place("operator"), false)]),
        Err(SinkError::Save(SaveError::Exists(_)))
    ));
    sink.put(&place("operator"), &profile("EEEEFFFFGGGGHHHH")).unwrap();
    assert!(matches!(
        sink.finish(&place("operator"), &path),
        Err(SinkError::Save(SaveError::Exists(_)))
    ));
    assert!(fs::read_to_string(path).unwrap().contains("AAAABBBBCCCCDDDD"));
}

fn recipient() -> Recipient {
    crate::model::recipient::tests::GOOD.parse().unwrap()
}

fn sealing() -> Recipients {
    Recipients {
        own: [("claims".parse().unwrap(), vec![recipient()])].into(),
        ..Recipients::default()
    }
}

#[test]
fn a_department_has_its_own_recipients_and_those_of_all() {
    let mut recipients = sealing();
    let (claims, fraud) = ("claims".parse().unwrap(), "fraud".parse().unwrap());
    assert_eq!((recipients.of(&claims).len(), recipients.of(&fraud).len()), (1, 0));
    recipients.everywhere = [recipient()].into();
    assert_eq!((recipients.of(&claims).len(), recipients.of(&fraud).len()), (1, 1));
}

#[cfg(feature = "age")]
#[test]
fn a_sealed_profile_is_never_in_clear_and_never_beside_a_clear_one() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::new(folder.path().to_owned()).sealed_to(sealing());
    let operator = place("operator");
    sink.prepare([(&operator, false)]).unwrap();
    let unproved = sink
        .put(&operator, &Secret::new("[key]\nsecret = \"canary\"\n"))
        .unwrap();
    assert_eq!(unproved, folder.path().join("claims-operator.toml.age.unproved"));
    assert!(!fs::read_to_string(&unproved).unwrap().contains("canary"));
    assert_eq!(sink.contents(), Contents::default());
    assert!(sink.unproved_keys(&operator).is_empty());
    let path = sink.target(&operator, Some("mark"));
    sink.finish(&operator, &path).unwrap();
    assert_eq!(path, folder.path().join("claims-operator.toml.age"));
    assert!(!unproved.exists());
    // Neither form is written beside the other.
    let clear = Sink::new(folder.path().to_owned());
    for (sink, beside) in [
        (&sink, "claims-operator.mark.toml.age"),
        (&clear, "claims-operator.mark.toml"),
    ] {
        assert!(matches!(
            sink.prepare([(&operator, false)]),
            Err(SinkError::Save(SaveError::Exists(_)))
        ));
        // A rotation gives the new one a name of its own.
        sink.prepare([(&operator, true)]).unwrap();
        assert_eq!(sink.target(&operator, Some("mark")), folder.path().join(beside));
    }
}

#[cfg(feature = "age")]
#[test]
fn what_an_interrupted_run_left_in_clear_is_not_handed_over_where_it_should_be_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let clear = Sink::new(folder.path().to_owned());
    let sealed = clear.clone().sealed_to(sealing());
    let operator = place("operator");
    let text = Secret::new("[key]\nid = \"AAAABBBBCCCCDDDD\"\nsecret = \"canary\"\n");
    let left = clear.put(&operator, &text).unwrap();
    assert_eq!(clear.contents().unproved.len(), 1);
    assert_eq!(sealed.contents().unproved.len(), 0);
    assert!(sealed.unproved_keys(&operator).is_empty());
    sealed.put(&operator, &text).unwrap();
    sealed.finish(&operator, &sealed.target(&operator, None)).unwrap();
    assert!(!left.exists());
    // And the other way round.
    fs::remove_file(sealed.path(&operator)).unwrap();
    let left = sealed.put(&operator, &text).unwrap();
    clear.put(&operator, &text).unwrap();
    clear.finish(&operator, &clear.target(&operator, None)).unwrap();
    assert!(!left.exists());
}

#[cfg(not(feature = "age"))]
#[test]
fn a_build_that_cannot_seal_says_so_before_a_key_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::new(folder.path().to_owned()).sealed_to(sealing());
    assert!(matches!(
        sink.prepare([(&place("operator"), false)]),
        Err(SinkError::Age(AgeError::NotBuilt))
    ));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::new(folder.path().join("cred"));
    let path = sink.put(&place("operator"), &Secret::new("x")).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(
        fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777,
        0o700
    );
}
