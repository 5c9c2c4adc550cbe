//! Child processes. They inherit the environment without the secrets of this program; secrets of other tools, such as
//! `VAULT_TOKEN`, are passed on, because a child may need them.

use std::{ffi::OsStr, process::Command};

use crate::{
    catalog::secret::VARIABLE_PREFIX,
    env::{self, VariableKind},
    redact::SecretRegistry,
};

/// Returns a command that starts `program` without the variables that hold secrets of this program.
#[must_use]
pub fn command(program: impl AsRef<OsStr>, secrets: &SecretRegistry) -> Command {
    let mut command = Command::new(program);
    for (name, value) in std::env::vars_os() {
        if is_withheld(&name.to_string_lossy(), &value.to_string_lossy(), secrets) {
            command.env_remove(name);
        }
    }
    command
}

/// Returns whether a child does not inherit a variable: it is marked as a credential, referable by connector files, or
/// its value contains a registered secret.
fn is_withheld(name: &str, value: &str, secrets: &SecretRegistry) -> bool {
    // On Windows, upper and lower case are the same variable.
    let is_marked =
        |known: &env::Variable| known.kind != VariableKind::Setting && known.name.eq_ignore_ascii_case(name);
    env::ALL.iter().any(is_marked)
        || name.to_ascii_uppercase().starts_with(VARIABLE_PREFIX)
        || secrets.is_secret_variable(name)
        || secrets.occurs_in(value)
}

/// Returns a command that starts Git so that a repository cannot make it run a program: without hooks, file system
/// monitor, system configuration and the variables of an outer Git, which would select another repository.
#[must_use]
pub fn git(secrets: &SecretRegistry) -> Command {
    let mut git = command("git", secrets);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().to_ascii_uppercase().starts_with("GIT_") {
            git.env_remove(name);
        }
    }
    git.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_OPTIONAL_LOCKS", "0");
    // Options of the command line win over every configuration file (git-config "FILES").
    git.args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]);
    git
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_of_this_program_are_withheld_and_those_of_others_are_not() {
        let secrets = SecretRegistry::default();
        secrets.add("canary-12345678");
        secrets.add_variable_names(["DB_PASSWORD"]);
        for (name, value) in [
            (env::CONFLUENT_CLOUD_API_KEY, "x"),
            (env::CONFLUENT_CLOUD_API_SECRET, "x"),
            (env::CONFLUENT_EBS_KAFKA_API_KEY, "x"),
            (env::CONFLUENT_EBS_KAFKA_API_SECRET, "x"),
            ("EBS_SECRET_PG", "x"),
            ("DB_PASSWORD", "x"),
            ("PG_URL", "postgres://u:canary-12345678@h"),
        ] {
            assert!(is_withheld(name, value, &secrets), "{name}");
        }
        for (name, value) in [
            (env::PATH, "/usr/bin"),
            (env::CONFLUENT_EBS_PROFILE, "claims"),
            ("VAULT_TOKEN", "hvs.1"),
            ("DB_PASSWORD_FILE", "/x"),
        ] {
            assert!(!is_withheld(name, value, &secrets), "{name}");
        }
    }
}
