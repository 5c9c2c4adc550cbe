//! How a department receives what was handed over: encrypted profiles are opened with a private key and kept by name.

use std::{fs, path::PathBuf};

use age::{secrecy::ExposeSecret, x25519};
use confluent_ebs::{
    handover::age::seal,
    model::{Recipient, Secret},
};
use serde_json::Value;

use crate::home::Home;

/// A key as `age-keygen` makes it.
pub(crate) struct AgeKey(x25519::Identity);

impl AgeKey {
    pub(crate) fn new() -> Self {
        Self(x25519::Identity::generate())
    }

    /// The public half.
    pub(crate) fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// The identity file, as `age-keygen` writes it.
    pub(crate) fn text(&self) -> String {
        let secret = self.0.to_string();
        format!(
            "# created: 2026-11-26T10:00:00Z\n# public key: {}\n{}\n",
            self.recipient(),
            secret.expose_secret()
        )
    }

    /// Whether something was sealed for it.
    pub(crate) fn opens(&self, sealed: &[u8]) -> bool {
        age::decrypt(&self.0, sealed).is_ok()
    }

    /// What was sealed for it.
    pub(crate) fn open(&self, sealed: &[u8]) -> String {
        String::from_utf8(age::decrypt(&self.0, sealed).unwrap()).unwrap()
    }
}

/// A home where claims is onboarded, with its operator's profile sealed beside the clear one.
fn sealed() -> (Home, AgeKey, PathBuf) {
    let home = Home::new();
    home.must("onboard claims --sandbox --yes", 0);
    let key = AgeKey::new();
    let text = fs::read_to_string(home.folder().join("handover/claims-operator.toml")).unwrap();
    let recipient: Recipient = key.recipient().parse().unwrap();
    let sealed = seal(&Secret::new(text), &[recipient]).unwrap();
    let path = home.world.write("claims-operator.toml.age", sealed);
    private(&home.world.write("key.txt", key.text()));
    (home, key, path)
}

#[cfg(unix)]
fn private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn private(_path: &std::path::Path) {}

/// The words of a text, wherever its lines were broken.
pub(crate) fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_sealed_profile_is_opened_kept_for_the_user_alone_and_works() {
    let (home, _, _) = sealed();
    let secret = home.key("claims-operator").secret;
    let seen = home.must("profile import claims-operator.toml.age --identity key.txt", 0);
    assert_eq!(seen.stdout, "Imported profile \"claims-operator\".\n");
    assert_eq!(seen.stderr, "");
    let kept = home.world.path(".config/confluent-ebs/profiles/claims-operator.toml");
    assert!(fs::read_to_string(&kept).unwrap().contains(&secret));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let seen = home.must("connector list --profile claims-operator", 0);
    assert_eq!(seen.stdout, "None found.\n");

    // It is kept once, unless said otherwise.
    let again = home.must("profile import claims-operator.toml.age --identity key.txt", 1);
    assert!(words(&again.stderr).contains("is kept already"), "{again}");
    let other = home.must(
        "profile import claims-operator.toml.age --identity key.txt --name mine -o json",
        0,
    );
    let value: Value = serde_json::from_str(&other.stdout).unwrap();
    assert_eq!((&value["name"], &value["encrypted"]), (&"mine".into(), &true.into()));
    home.must("profile import claims-operator.toml.age --identity key.txt --force", 0);
}

#[test]
fn a_sealed_profile_that_cannot_be_opened_says_why_and_leaves_nothing() {
    let (home, key, path) = sealed();
    let secret = home.key("claims-operator").secret;
    let private = key.text().lines().last().unwrap().to_owned();
    let refused = |args: &str, expected: &str| {
        let seen = home.must(&format!("profile import {args}"), 1);
        assert!(words(&seen.stderr).contains(expected), "{args}: {seen}");
        for text in [&seen.stdout, &seen.stderr] {
            assert!(!text.contains(&secret) && !text.contains(&private), "{seen}");
        }
    };
    refused(
        "claims-operator.toml.age",
        "is encrypted Suggestions: Name the file with your private key",
    );
    home.world.write("other.txt", AgeKey::new().text());
    refused(
        "claims-operator.toml.age --identity other.txt",
        "it is encrypted to other recipients",
    );
    refused("claims-operator.toml.age --identity no-such-file", "cannot be read");
    home.world.write(
        "locked.txt",
        "age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 18\n",
    );
    refused(
        "claims-operator.toml.age --identity locked.txt",
        "is protected by a passphrase",
    );
    home.world
        .write("ssh.txt", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n");
    refused(
        "claims-operator.toml.age --identity ssh.txt",
        "the beginning of an SSH key",
    );
    refused("no-such.toml.age --identity key.txt", "there is no such profile");

    let text = fs::read_to_string(&path).unwrap();
    let cut: String = text.lines().take(4).collect::<Vec<_>>().join("\n");
    home.world.write("cut.toml.age", cut);
    refused("cut.toml.age --identity key.txt", "the encrypted file is damaged");
    // A letter in the middle of the last line but one.
    let at = text.trim_end().rfind('\n').unwrap() - 40;
    let mut changed = text.into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    home.world.write("changed.toml.age", changed);
    refused("changed.toml.age --identity key.txt", "the encrypted file is damaged");
    assert!(!home.world.path(".config/confluent-ebs").exists());
}

#[test]
fn what_is_in_it_is_checked_like_any_profile() {
    let (home, key, _) = sealed();
    let recipient: Recipient = key.recipient().parse().unwrap();
    let text = "department = \"claims\"\nendpoint = \"https://example.com\"\n[key]\nid = \"A\"\nsecret = \"canary\"\n";
    let sealed = seal(&Secret::new(text), &[recipient]).unwrap();
    home.world.write("strange.toml.age", sealed);
    let seen = home.must("profile import strange.toml.age --identity key.txt", 1);
    assert!(words(&seen.stderr).contains("endpoint-not-trusted"), "{seen}");
    assert!(!seen.to_string().contains("canary"), "{seen}");
}

#[test]
fn a_sealed_profile_is_not_acted_with_but_its_import_is_named() {
    let (home, _, _) = sealed();
    for file in ["claims-operator.toml.age", "./claims-operator.toml.age"] {
        let seen = home.must(&format!("connector list --profile {file}"), 1);
        let expected = format!("`confluent ebs profile import {file} --identity KEYFILE`");
        assert!(words(&seen.stderr).contains(&expected), "{seen}");
    }
}

#[test]
fn an_identity_that_is_not_needed_or_open_to_others_is_a_warning() {
    let (home, _, _) = sealed();
    let clear = home.folder().join("handover/claims-viewer.toml");
    let seen = home.must(&format!("profile import {} --identity key.txt", clear.display()), 0);
    assert!(words(&seen.stderr).contains("--identity was not needed"), "{seen}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(home.world.path("key.txt"), fs::Permissions::from_mode(0o644)).unwrap();
        let seen = home.must("profile import claims-operator.toml.age --identity key.txt", 0);
        assert!(
            words(&seen.stderr).contains("others on this computer can read key.txt"),
            "{seen}"
        );
    }
}

#[test]
fn profiles_are_listed_and_shown_with_their_endpoint_and_a_masked_secret() {
    let (home, _, _) = sealed();
    let key = home.key("claims-operator");
    home.must("profile import claims-operator.toml.age --identity key.txt", 0);
    let nothing = home.must("profile show", 1);
    assert!(words(&nothing.stderr).contains("no profile is in use"), "{nothing}");
    home.must("profile use claims-operator", 0);
    for args in [
        "profile show",
        "profile show claims-operator",
        "profile show --profile claims-operator",
    ] {
        let seen = home.must(args, 0);
        assert!(seen.stdout.contains("sandbox:"), "{seen}");
        assert!(
            seen.stdout
                .contains(&format!("{} (cloud), secret ****************", key.id)),
            "{seen}"
        );
        assert!(!seen.to_string().contains(&key.secret), "{seen}");
    }
    let value: Value = serde_json::from_str(&home.must("profile show -o json", 0).stdout).unwrap();
    assert_eq!(value["keys"][0]["api_key"], *key.id);
    assert_eq!(value["keys"][0]["api_secret"], "****************");
    let value: Value = serde_json::from_str(&home.must("profile list -o json", 0).stdout).unwrap();
    assert!(
        value[0]["endpoint"].as_str().unwrap().starts_with("sandbox:"),
        "{value}"
    );
}
