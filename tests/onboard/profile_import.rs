//! Importing delivered profiles: encrypted ones are decrypted with a private key and stored by name.

use std::{fs, path::PathBuf};

use age::{secrecy::ExposeSecret, x25519};
use confluent_ebs::{
    handover::age::encrypt,
    model::{Recipient, Secret},
};
use serde_json::Value;

use crate::common::{Cli, JsonAccess as _, make_private};

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
fn cli_with_encrypted_profile() -> (Cli, AgeIdentity, PathBuf) {
    let cli = Cli::onboarded("claims");
    let key = AgeIdentity::new();
    let text = fs::read_to_string(cli.profiles_dir().join("claims-operator.toml")).unwrap();
    let recipient: Recipient = key.recipient().parse().unwrap();
    let sealed = encrypt(&Secret::new(text), &[recipient]).unwrap();
    let path = cli.write("claims-operator.toml.age", sealed);
    make_private(&cli.write("key.txt", key.identity_file()));
    (cli, key, path)
}

#[test]
fn an_encrypted_profile_is_imported_with_private_permissions_and_works() {
    let (cli, _, _) = cli_with_encrypted_profile();
    let secret = cli.profile_key("claims-operator").secret;
    let output = cli
        .run("profile import claims-operator.toml.age --identity key.txt")
        .expect_success();
    assert_eq!(
        output.stdout_line(),
        "Imported profile `claims-operator`. Next: select it with `confluent ebs profile use claims-operator`, check it with \
         `confluent ebs doctor`, and list your connectors with `confluent ebs connector list`."
    );
    assert_eq!(output.stderr, "");
    let kept = cli.path(".config/confluent-ebs/profiles/claims-operator.toml");
    assert!(fs::read_to_string(&kept).unwrap().contains(&secret));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let output = cli.run("connector list --profile claims-operator").expect_success();
    assert_eq!(output.stdout, "None found.\n");

    // It is stored once, unless requested otherwise.
    let again = cli
        .run("profile import claims-operator.toml.age --identity key.txt")
        .expect_code(1);
    assert!(again.stderr_line().contains("already exists"), "{again}");
    let other = cli
        .run("profile import claims-operator.toml.age --identity key.txt --name mine -o json")
        .expect_success();
    let value: Value = other.json();
    assert_eq!((&value["name"], &value["encrypted"]), (&"mine".into(), &true.into()));
    cli.run("profile import claims-operator.toml.age --identity key.txt --force")
        .expect_success();
}

#[test]
fn an_undecryptable_profile_is_refused_with_the_reason_and_leaves_no_file() {
    let (cli, key, path) = cli_with_encrypted_profile();
    let secret = cli.profile_key("claims-operator").secret;
    let private = key.identity_file().lines().last().unwrap().to_owned();
    let refused = |args: &str, expected: &str| {
        let output = cli.run(&format!("profile import {args}")).expect_code(1);
        assert!(output.stderr_line().contains(expected), "{args}: {output}");
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains(&secret) && !text.contains(&private), "{output}");
        }
    };
    refused(
        "claims-operator.toml.age",
        "is encrypted Suggestions: Pass the file with your private key",
    );
    cli.write("other.txt", AgeIdentity::new().identity_file());
    refused(
        "claims-operator.toml.age --identity other.txt",
        "the file is encrypted to other recipients",
    );
    refused("claims-operator.toml.age --identity no-such-file", "cannot read");
    cli.write(
        "locked.txt",
        "age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 18\n",
    );
    refused(
        "claims-operator.toml.age --identity locked.txt",
        "is protected by a passphrase",
    );
    cli.write("ssh.txt", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n");
    refused("claims-operator.toml.age --identity ssh.txt", "is an SSH key");
    refused("no-such.toml.age --identity key.txt", "the profile does not exist");

    let text = fs::read_to_string(&path).unwrap();
    let cut: String = text.lines().take(4).collect::<Vec<_>>().join("\n");
    cli.write("cut.toml.age", cut);
    refused("cut.toml.age --identity key.txt", "the encrypted file is damaged");
    // A character in the middle of the second to last line.
    let at = text.trim_end().rfind('\n').unwrap() - 40;
    let mut changed = text.into_bytes();
    changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
    cli.write("changed.toml.age", changed);
    refused("changed.toml.age --identity key.txt", "the encrypted file is damaged");
    assert!(!cli.path(".config/confluent-ebs").exists());
}

#[test]
fn a_decrypted_profile_is_validated() {
    let (cli, key, _) = cli_with_encrypted_profile();
    let recipient: Recipient = key.recipient().parse().unwrap();
    let text = "department = \"claims\"\nendpoint = \"https://example.com\"\n[key]\nid = \"A\"\nsecret = \"canary\"\n";
    let sealed = encrypt(&Secret::new(text), &[recipient]).unwrap();
    cli.write("foreign.toml.age", sealed);
    let output = cli
        .run("profile import foreign.toml.age --identity key.txt")
        .expect_code(1);
    assert!(output.stderr_line().contains("endpoint-not-trusted"), "{output}");
    assert!(!output.to_string().contains("canary"), "{output}");
}

#[test]
fn an_encrypted_profile_is_refused_with_the_import_command() {
    let (cli, _, _) = cli_with_encrypted_profile();
    for file in ["claims-operator.toml.age", "./claims-operator.toml.age"] {
        let output = cli.run(&format!("connector list --profile {file}")).expect_code(1);
        let expected = format!("`confluent ebs profile import {file} --identity KEYFILE`");
        assert!(output.stderr_line().contains(&expected), "{output}");
    }
}

#[test]
fn an_unneeded_or_readable_identity_file_is_a_warning() {
    let (cli, _, _) = cli_with_encrypted_profile();
    let clear = cli.profiles_dir().join("claims-viewer.toml");
    let output = cli
        .run(&format!("profile import {} --identity key.txt", clear.display()))
        .expect_success();
    assert!(output.stderr_line().contains("`--identity` is ignored"), "{output}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(cli.path("key.txt"), fs::Permissions::from_mode(0o644)).unwrap();
        let output = cli
            .run("profile import claims-operator.toml.age --identity key.txt")
            .expect_success();
        assert!(
            output
                .stderr_line()
                .contains("other users of this machine can read `key.txt`"),
            "{output}"
        );
    }
}

#[test]
fn profiles_are_listed_and_shown_with_endpoint_and_masked_secret() {
    let (cli, _, _) = cli_with_encrypted_profile();
    let key = cli.profile_key("claims-operator");
    cli.run("profile import claims-operator.toml.age --identity key.txt")
        .expect_success();
    let nothing = cli.run("profile show").expect_code(1);
    assert!(nothing.stderr_line().contains("no profile selected"), "{nothing}");
    cli.run("profile use claims-operator").expect_success();
    for args in [
        "profile show",
        "profile show claims-operator",
        "profile show --profile claims-operator",
    ] {
        let output = cli.run(args).expect_success();
        assert!(output.stdout.contains("sandbox:"), "{output}");
        assert!(
            output
                .stdout
                .contains(&format!("{} (cloud), secret ****************", key.id)),
            "{output}"
        );
        assert!(!output.to_string().contains(&key.secret), "{output}");
    }
    let value: Value = serde_json::from_str(&cli.run("profile show -o json").expect_success().stdout).unwrap();
    assert_eq!(value["keys"][0]["api_key"], *key.id);
    assert_eq!(value["keys"][0]["api_secret"], "****************");
    let value: Value = serde_json::from_str(&cli.run("profile list -o json").expect_success().stdout).unwrap();
    assert!(value.text("/0/endpoint").starts_with("sandbox:"), "{value}");
}
