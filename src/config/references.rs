//! References to secrets in connector files: `${env:NAME}`, `${file:PATH}`, `${prompt:TEXT}`. They keep secrets out of
//! files and command lines. A reference is a whole value; every other `${…}` belongs to the service and stays unchanged
//! (docs/reference/connect.md#plugin-definitions).
//!
//! A connector file may have many authors but runs with one person's permissions, so references are limited: variables
//! start with `EBS_SECRET_` or are listed in the profile, and files lie below one folder.

use std::path::{Path, PathBuf};

use crate::{
    catalog::{
        ValueReference,
        secret::{VARIABLE_PREFIX, is_referable_variable},
    },
    hint::{Advice, Hint},
    model::Secret,
};

/// Reason why a reference cannot be resolved. It never contains a secret.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// The reference is only a part of the value.
    #[error("`{key}`: a reference must be the whole value")]
    NotWholeValue {
        /// Configuration key.
        key: String,
    },
    /// The configuration key is not a secret.
    #[error("`{key}`: a reference is not allowed, because the key is not a secret")]
    NotSecret {
        /// Configuration key.
        key: String,
    },
    /// The variable is not allowed.
    #[error("`{key}`: variable `{variable}` is not allowed")]
    VariableNotAllowed {
        /// Configuration key.
        key: String,
        /// Variable.
        variable: String,
    },
    /// The variable is not set.
    #[error("`{key}`: variable `{variable}` is not set")]
    VariableNotSet {
        /// Configuration key.
        key: String,
        /// Variable.
        variable: String,
    },
    /// No folder of secrets is specified.
    #[error("`{key}`: a reference to a file requires `--secrets-dir`")]
    NoSecretsDir {
        /// Configuration key.
        key: String,
    },
    /// The file is outside the folder of secrets.
    #[error("`{key}`: file `{path}` is outside the secrets folder")]
    OutsideSecretsDir {
        /// Configuration key.
        key: String,
        /// Path as written.
        path: String,
    },
    /// The file cannot be read.
    #[error("`{key}`: cannot read `{}`", path.display())]
    Unreadable {
        /// Configuration key.
        key: String,
        /// Path of the file.
        path: PathBuf,
        /// I/O error.
        source: std::io::Error,
    },
    /// The prompt was not answered.
    #[error("`{key}`: no value was entered")]
    NotEntered {
        /// Configuration key.
        key: String,
    },
}

impl ReferenceError {
    /// Returns whether the reference violates a rule, as opposed to a missing value.
    #[must_use]
    pub fn is_policy_violation(&self) -> bool {
        matches!(
            self,
            Self::NotWholeValue { .. }
                | Self::NotSecret { .. }
                | Self::VariableNotAllowed { .. }
                | Self::OutsideSecretsDir { .. }
        )
    }
}

impl Advice for ReferenceError {
    fn hints(&self) -> Vec<Hint> {
        vec![match self {
            Self::NotWholeValue { .. } => "Use `${env:EBS_SECRET_…}` as the whole value.".into(),
            Self::NotSecret { .. } => "Write the value itself; references are allowed only for secret keys.".into(),
            Self::VariableNotAllowed { .. } => Hint::naming_platform_team(|team| {
                format!(
                    "Use a name that starts with `{VARIABLE_PREFIX}`, or ask {team} to list it in `secret_variables`."
                )
            }),
            Self::VariableNotSet { variable, .. } => {
                format!("Set `{variable}` in the environment of this command.").into()
            }
            Self::NoSecretsDir { .. } | Self::OutsideSecretsDir { .. } => {
                "Pass the folder with `--secrets-dir`, and reference the file by its path below that folder.".into()
            }
            Self::Unreadable { .. } => "Check the path and the permissions of the file.".into(),
            Self::NotEntered { .. } => "Run the command in a terminal, or use `${env:EBS_SECRET_…}`.".into(),
        }]
    }
}

/// Resolver of references.
pub struct SecretResolver<'a> {
    /// Reads an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Variables that the profile allows.
    pub allowed_variables: &'a [String],
    /// Folder of secrets.
    pub secrets_dir: Option<&'a Path>,
    /// Prompts for a secret.
    pub prompt: &'a dyn Fn(&str) -> Option<String>,
}

impl SecretResolver<'_> {
    /// Resolves `value`; `None` if it is not a reference. `secret` tells whether the configuration key is a secret.
    ///
    /// # Errors
    /// See [`ReferenceError`].
    pub fn resolve(&self, key: &str, value: &str, secret: bool) -> Result<Option<Secret>, ReferenceError> {
        let key = || key.to_owned();
        let Some(reference) = ValueReference::parse(value) else {
            return match ValueReference::occurs_in(value) {
                true => Err(ReferenceError::NotWholeValue { key: key() }),
                false => Ok(None),
            };
        };
        if !secret {
            return Err(ReferenceError::NotSecret { key: key() });
        }
        let text = match reference {
            ValueReference::Env(name) => {
                let variable = name.to_owned();
                if !is_referable_variable(name, self.allowed_variables) {
                    return Err(ReferenceError::VariableNotAllowed { key: key(), variable });
                }
                (self.variable)(name).ok_or_else(|| ReferenceError::VariableNotSet { key: key(), variable })?
            }
            ValueReference::File(path) => self.read_file(&key(), path)?,
            ValueReference::Prompt(question) => {
                let question = if question.is_empty() {
                    key()
                } else {
                    question.to_owned()
                };
                let typed = (self.prompt)(&question).filter(|typed| !typed.is_empty());
                typed.ok_or_else(|| ReferenceError::NotEntered { key: key() })?
            }
        };
        Ok(Some(Secret::new(text)))
    }

    fn read_file(&self, key: &str, written: &str) -> Result<String, ReferenceError> {
        let folder = self
            .secrets_dir
            .ok_or_else(|| ReferenceError::NoSecretsDir { key: key.to_owned() })?;
        let path = folder.join(written);
        let unreadable = |source| ReferenceError::Unreadable {
            key: key.to_owned(),
            path: path.clone(),
            source,
        };
        // Resolve links before the comparison, so that no link leads outside.
        let real = path.canonicalize().map_err(unreadable)?;
        let inside = folder.canonicalize().is_ok_and(|folder| real.starts_with(folder));
        if !inside {
            return Err(ReferenceError::OutsideSecretsDir {
                key: key.to_owned(),
                path: written.to_owned(),
            });
        }
        let text = std::fs::read_to_string(&real).map_err(unreadable)?;
        // Editors add a line break at the end; it is not part of the secret.
        let text = text.strip_suffix('\n').unwrap_or(&text);
        Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(folder: Option<&Path>, key: &str, value: &str) -> Result<Option<String>, String> {
        let resolver = SecretResolver {
            variable: &|name| (name != "EBS_SECRET_UNSET").then(|| format!("value of {name}")),
            allowed_variables: &["DB_PASSWORD".to_owned(), "CONFLUENT_CLOUD_API_SECRET".to_owned()],
            secrets_dir: folder,
            prompt: &|question| (question != "nobody").then(|| format!("answer to {question}")),
        };
        let resolved = resolver.resolve(key, value, key == "password");
        resolved
            .map(|secret| secret.map(|secret| secret.expose().to_owned()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_reference_must_be_the_whole_value_of_a_secret_key() {
        let value = |value: &str| resolve(None, "password", value);
        assert_eq!(value("${env:EBS_SECRET_PG}"), Ok(Some("value of EBS_SECRET_PG".into())));
        assert_eq!(value("${env:DB_PASSWORD}"), Ok(Some("value of DB_PASSWORD".into())));
        assert_eq!(value("${prompt:}"), Ok(Some("answer to password".into())));
        assert_eq!(
            value("${prompt:Password of claims}"),
            Ok(Some("answer to Password of claims".into()))
        );
        for foreign in ["dlq-${connector}", "${topic}", "plain", "${databaseName}.${schemaName}"] {
            assert_eq!(value(foreign), Ok(None), "{foreign}");
        }
        for refused in [
            "x${env:EBS_SECRET_PG}",
            "${env:EBS_SECRET_A}${env:EBS_SECRET_B}",
            "${env:CONFLUENT_CLOUD_API_SECRET}",
            "${env:EBS_SECRET_UNSET}",
            "${prompt:nobody}",
            "${file:pg}",
        ] {
            assert!(value(refused).is_err(), "{refused}");
        }
        assert!(
            resolve(None, "http.api.url", "${env:EBS_SECRET_PG}")
                .unwrap_err()
                .contains("is not a secret")
        );
    }

    #[test]
    fn a_secret_file_must_lie_below_the_secrets_dir() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("secrets");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("pg"), "s3cret\n").unwrap();
        std::fs::write(root.path().join("other"), "canary").unwrap();
        let value = |value: &str| resolve(Some(&folder), "password", value);
        assert_eq!(value("${file:pg}"), Ok(Some("s3cret".into())));
        assert!(value("${file:../other}").unwrap_err().contains("is outside"));
        let absolute = format!("${{file:{}}}", root.path().join("other").display());
        assert!(value(&absolute).unwrap_err().contains("is outside"));
        assert!(value("${file:nothing}").unwrap_err().contains("cannot read"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.path().join("other"), folder.join("link")).unwrap();
            assert!(value("${file:link}").unwrap_err().contains("is outside"));
        }
    }
}
