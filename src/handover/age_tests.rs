//! Encrypted text can be decrypted by its recipients only, and only if unmodified.

use ::age::{secrecy::ExposeSecret, x25519};
use proptest::prelude::*;

use super::*;
use crate::model::recipient::{SMALL_ORDER, tests::encode_bech32};

const TEXT: &str = "[key]\nid = \"ABCDEFGHIJKLMNOP\"\nsecret = \"canary\"\n";

fn key() -> (x25519::Identity, Recipient) {
    let identity = x25519::Identity::generate();
    let recipient = identity.to_public().to_string().parse().unwrap();
    (identity, recipient)
}

fn identities(text: &str) -> Result<Identities, AgeError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.txt");
    std::fs::write(&path, text).unwrap();
    Identities::load(&path)
}

/// Returns the key in the format of `age-keygen`.
fn identities_of(identity: &x25519::Identity) -> Identities {
    let secret = identity.to_string();
    let text = format!(
        "# created: 2026-11-26T10:00:00Z\n# public key: {}\n{}\n",
        identity.to_public(),
        secret.expose_secret()
    );
    identities(&text).unwrap()
}

#[test]
fn only_the_recipients_can_decrypt() {
    let ((anna, to_anna), (otto, to_otto), (eve, _)) = (key(), key(), key());
    let sealed = encrypt(&Secret::new(TEXT), &[to_anna, to_otto]).unwrap();
    assert!(sealed.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n") && is_encrypted(sealed.as_bytes()));
    assert!(!sealed.contains("canary") && sealed.is_ascii());
    for identity in [&anna, &otto] {
        assert_eq!(
            decrypt(sealed.as_bytes(), &identities_of(identity)).unwrap().expose(),
            TEXT
        );
    }
    assert!(matches!(
        decrypt(sealed.as_bytes(), &identities_of(&eve)),
        Err(AgeError::OtherRecipients)
    ));
}

#[test]
fn encrypting_without_a_recipient_fails() {
    assert!(matches!(encrypt(&Secret::new(TEXT), &[]), Err(AgeError::Encrypt(_))));
}

#[test]
fn a_file_without_armor_is_decrypted() {
    let (identity, _) = key();
    let sealed = ::age::encrypt(&identity.to_public(), TEXT.as_bytes()).unwrap();
    assert!(is_encrypted(&sealed));
    assert_eq!(decrypt(&sealed, &identities_of(&identity)).unwrap().expose(), TEXT);
    let binary = ::age::encrypt(&identity.to_public(), &[0xff, 0xfe]).unwrap();
    assert!(matches!(
        decrypt(&binary, &identities_of(&identity)),
        Err(AgeError::Damaged(_))
    ));
}

#[test]
fn passphrase_protected_files_are_refused() {
    let passphrase = ::age::secrecy::SecretString::from("canary".to_owned());
    let mut recipient = ::age::scrypt::Recipient::new(passphrase);
    recipient.set_work_factor(2);
    let sealed = ::age::encrypt(&recipient, TEXT.as_bytes()).unwrap();
    assert!(matches!(
        decrypt(&sealed, &identities_of(&key().0)),
        Err(AgeError::Passphrase)
    ));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.age");
    std::fs::write(&path, &sealed).unwrap();
    assert!(matches!(Identities::load(&path), Err(AgeError::PassphraseProtected(_))));
}

#[test]
fn an_invalid_identity_file_is_reported_without_its_content() {
    let no_key = |text: &str| match identities(text) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{text} is a key"),
    };
    let (_, public) = key();
    for (text, expected) in [
        ("", "contains no key"),
        ("# only a comment\n\n", "contains no key"),
        (public.as_str(), "is a public key"),
        ("\n-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n", "is an SSH key"),
        ("AGE-PLUGIN-YUBIKEY-1CANARY", "is a plugin identity"),
        ("AGE-SECRET-KEY-PQ-1CANARY", "is a post-quantum key"),
        ("AGE-SECRET-KEY-1CANARY", "is a mistyped key"),
        ("canary", "is not a key"),
    ] {
        let error = no_key(text);
        assert!(error.contains(expected), "{text}: {error}");
        assert!(!error.to_lowercase().contains("canary"), "{error}");
    }
    assert!(matches!(
        Identities::load(Path::new("no-such-file")),
        Err(AgeError::Unreadable { .. })
    ));
}

#[test]
fn an_endless_file_is_read_only_up_to_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    let file = File::create(&path).unwrap();
    file.set_len(MAX_FILE_BYTES + 1).unwrap();
    assert!(matches!(read_encrypted(&path), Err(AgeError::Unreadable { .. })));
    file.set_len(MAX_FILE_BYTES).unwrap();
    assert!(read_encrypted(&path).unwrap().is_none());
}

// Reason why `Recipient` rejects these keys: the library would panic.
#[test]
fn a_key_that_protects_nothing_would_stop_the_process() {
    for key in SMALL_ORDER {
        let recipient: x25519::Recipient = encode_bech32(&key).parse().unwrap();
        assert!(
            std::panic::catch_unwind(|| ::age::encrypt(&recipient, b"x")).is_err(),
            "{key:x?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_modified_file_is_not_decrypted(at in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()) {
        let (identity, recipient) = key();
        let sealed = encrypt(&Secret::new(TEXT), &[recipient]).unwrap();
        let mut changed = sealed.clone().into_bytes();
        let at = at.index(changed.len());
        match cut {
            true => changed.truncate(at),
            false => changed[at] = byte,
        }
        prop_assume!(changed.trim_ascii() != sealed.as_bytes().trim_ascii());
        let opened = decrypt(&changed, &identities_of(&identity));
        // Only line endings may differ.
        if let Ok(text) = opened {
            prop_assert_eq!(text.expose(), TEXT);
            prop_assert!(changed.iter().filter(|byte| !byte.is_ascii_whitespace()).eq(
                sealed.as_bytes().iter().filter(|byte| !byte.is_ascii_whitespace())
            ));
        }
    }

    #[test]
    fn decrypting_arbitrary_bytes_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let identities = identities_of(&key().0);
        for head in ["", "age-encryption.org/v1\n", "-----BEGIN AGE ENCRYPTED FILE-----\n"] {
            let text = [head.as_bytes(), &bytes].concat();
            prop_assert!(decrypt(&text, &identities).is_err());
        }
    }
}
