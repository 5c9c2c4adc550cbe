//! Importing delivered profiles: encrypted ones are decrypted with a private key and stored by name.

use std::{fs, path::PathBuf};

use age::{secrecy::ExposeSecret, x25519};
use confluent_ebs::{
    handover::age::encrypt,
    model::{Recipient, Secret},
};
use serde_json::Value;

use crate::sandbox_cli_fixture::SandboxCliFixture;

/// A key as created by `age-keygen`.
pub(crate) struct AgeIdentity(x25519::Identity);

impl AgeIdentity {
    pub(crate) fn new() -> Self {
        Self(x25519::Identity::generate())
    }

    /// The public half.
    pub(crate) fn recipient(&self) -> String {
        self.0.to_public().to_string()
    }

    /// The identity file, as written by `age-keygen`.
    pub(crate) fn identity_file(&self) -> String {
        let secret = self.0.to_string();
        format!(
            "# created: 2026-11-26T10:00:00Z\n# public key: {}\n{}\n",
            self.recipient(),
            secret.expose_secret()
        )
    }

    /// Whether a file is encrypted to it.
    pub(crate) fn can_decrypt(&self, sealed: &[u8]) -> bool {
        age::decrypt(&self.0, sealed).is_ok()
    }

    /// Decrypts a file that is encrypted to it.
    pub(crate) fn decrypt(&self, sealed: &[u8]) -> String {
        String::from_utf8(age::decrypt(&self.0, sealed).unwrap()).unwrap()
    }
}

/// A home with claims onboarded, and its operator's profile encrypted beside the clear-text one.
fn fixture_with_encrypted_profile() -> (SandboxCliFixture, AgeIdentity, PathBuf) {
    let fixture = SandboxCliFixture::new();
    fixture.run_expecting("onboard claims --sandbox --yes", 0);
    let key = AgeIdentity::new();
    let text = fs::read_to_string(fixture.state_dir().join("handover/claims-operator.toml")).unwrap();
    let recipient: Recipient = key.recipient().parse().unwrap();
    let sealed = encrypt(&Secret::new(text), &[recipient]).unwrap();
    let path = fixture.cli.write("claims-operator.toml.age", sealed);
    make_private(&fixture.cli.write("key.txt", key.identity_file()));
    (fixture, key, path)
}

#[cfg(unix)]
fn make_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn make_private(_path: &std::path::Path) {}

/// A text without line breaks.
pub(crate) fn normalize_whitespace(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn an_encrypted_profile_is_imported_with_private_permissions_and_works() {
    let (fixture, _, _) = fixture_with_encrypted_profile();
    let secret = fixture.profile_key("claims-operator").secret;
    let output = fixture.run_expecting("profile import claims-operator.toml.age --identity key.txt", 0);
    assert_eq!(output.stdout, "Imported profile `claims-operator`.\n");
    assert_eq!(output.stderr, "");
    let kept = fixture.cli.path(".config/confluent-ebs/profiles/claims-operator.toml");
    assert!(fs::read_to_string(&kept).unwrap().contains(&secret));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let output = fixture.run_expecting("connector list --profile claims-operator", 0);
    assert_eq!(output.stdout, "None found.\n");

    // It is stored once, unless requested otherwise.
    let again = fixture.run_expecting("profile import claims-operator.toml.age --identity key.txt", 1);
    assert!(
        normalize_whitespace(&again.stderr).contains("already exists"),
        "{again}"
    );
    let other = fixture.run_expecting(
        "profile import claims-operator.toml.age --identity key.txt --name mine -o json",
        0,
    );
    let value: Value = serde_json::from_str(&other.stdout).unwrap();
    assert_eq!((&value["name"], &value["encrypted"]), (&"mine".into(), &true.into()));
    fixture.run_expecting("profile import claims-operator.toml.age --identity key.txt --force", 0);
}

#[test]
fn an_undecryptable_profile_is_refused_with_the_reason_and_leaves_no_file() {
    let (fixture, key, path) = fixture_with_encrypted_profile();
    let secret = fixture.profile_key("claims-operator").secret;
    let private = key.identity_file().lines().last().unwrap().to_owned();
    let refused = |args: &str, expected: &str| {
        let output = fixture.run_expecting(&format!("profile import {args}"), 1);
        assert!(
            normalize_whitespace(&output.stderr).contains(expected),
            "{args}: {output}"
        );
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains(&secret) && !text.contains(&private), "{output}");
        }
    };
    refused(
        "claims-operator.toml.age",
        "is encrypted Suggestions: Pass the file with your private key",
    );
    fixture.cli.write("other.txt", AgeIdentity::new().identity_file());
    refused(
        "claims-operator.toml.age --identity other.txt",
        "the file is encrypted to other recipients",
    );
    refused("claims-operator.toml.age --identity no-such-file", "cannot read");
    fixture.cli.write(
        "locked.txt",
        "age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 18\n",
    );
    refused(
        "claims-operator.toml.age --identity locked.txt",
        "is protected by a passphrase",
    );
    fixture
        .cli
        .write("ssh.txt", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n");
    refused("claims-operator.toml.age --identity ssh.txt", "is an SSH key");
    refused("no-such.toml.age --identity key.txt", "the profile does not exist");

    let text = fs::read_to_string(&path).unwrap();
    let cut: String = text.lines().take(4).collect::<Vec<_>>().join("\n");
    fixture.cli.write("cut.toml.age", cut);
    refused("cut.toml.age --identity key.txt", "the encrypted file is damaged");
    // A character in the middle of the second to last line.
    let at = text.trim_end().rfind('\n').unwrap() - 40;
    let mut changed = text.into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    fixture.cli.write("changed.toml.age", changed);
    refused("changed.toml.age --identity key.txt", "the encrypted file is damaged");
    assert!(!fixture.cli.path(".config/confluent-ebs").exists());
}

#[test]
fn a_decrypted_profile_is_validated() {
    let (fixture, key, _) = fixture_with_encrypted_profile();
    let recipient: Recipient = key.recipient().parse().unwrap();
    let text = "department = \"claims\"\nendpoint = \"https://example.com\"\n[key]\nid = \"A\"\nsecret = \"canary\"\n";
    let sealed = encrypt(&Secret::new(text), &[recipient]).unwrap();
    fixture.cli.write("strange.toml.age", sealed);
    let output = fixture.run_expecting("profile import strange.toml.age --identity key.txt", 1);
    assert!(
        normalize_whitespace(&output.stderr).contains("endpoint-not-trusted"),
        "{output}"
    );
    assert!(!output.to_string().contains("canary"), "{output}");
}

#[test]
fn an_encrypted_profile_is_refused_with_the_import_command() {
    let (fixture, _, _) = fixture_with_encrypted_profile();
    for file in ["claims-operator.toml.age", "./claims-operator.toml.age"] {
        let output = fixture.run_expecting(&format!("connector list --profile {file}"), 1);
        let expected = format!("`confluent ebs profile import {file} --identity KEYFILE`");
        assert!(normalize_whitespace(&output.stderr).contains(&expected), "{output}");
    }
}

#[test]
fn an_unneeded_or_readable_identity_file_is_a_warning() {
    let (fixture, _, _) = fixture_with_encrypted_profile();
    let clear = fixture.state_dir().join("handover/claims-viewer.toml");
    let output = fixture.run_expecting(&format!("profile import {} --identity key.txt", clear.display()), 0);
    assert!(
        normalize_whitespace(&output.stderr).contains("`--identity` is ignored"),
        "{output}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(fixture.cli.path("key.txt"), fs::Permissions::from_mode(0o644)).unwrap();
        let output = fixture.run_expecting("profile import claims-operator.toml.age --identity key.txt", 0);
        assert!(
            normalize_whitespace(&output.stderr).contains("other users of this machine can read `key.txt`"),
            "{output}"
        );
    }
}

#[test]
fn profiles_are_listed_and_shown_with_endpoint_and_masked_secret() {
    let (fixture, _, _) = fixture_with_encrypted_profile();
    let key = fixture.profile_key("claims-operator");
    fixture.run_expecting("profile import claims-operator.toml.age --identity key.txt", 0);
    let nothing = fixture.run_expecting("profile show", 1);
    assert!(
        normalize_whitespace(&nothing.stderr).contains("no profile selected"),
        "{nothing}"
    );
    fixture.run_expecting("profile use claims-operator", 0);
    for args in [
        "profile show",
        "profile show claims-operator",
        "profile show --profile claims-operator",
    ] {
        let output = fixture.run_expecting(args, 0);
        assert!(output.stdout.contains("sandbox:"), "{output}");
        assert!(
            output
                .stdout
                .contains(&format!("{} (cloud), secret ****************", key.id)),
            "{output}"
        );
        assert!(!output.to_string().contains(&key.secret), "{output}");
    }
    let value: Value = serde_json::from_str(&fixture.run_expecting("profile show -o json", 0).stdout).unwrap();
    assert_eq!(value["keys"][0]["api_key"], *key.id);
    assert_eq!(value["keys"][0]["api_secret"], "****************");
    let value: Value = serde_json::from_str(&fixture.run_expecting("profile list -o json", 0).stdout).unwrap();
    assert!(
        value[0]["endpoint"].as_str().unwrap().starts_with("sandbox:"),
        "{value}"
    );
}
