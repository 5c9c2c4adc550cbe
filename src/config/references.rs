//! References in connector files: `${env:NAME}`, `${file:PATH}`, `${prompt:TEXT}`, so that secrets stay out of files
//! and out of argv. Each is a whole value; every other `${…}` belongs to the service and passes untouched
//! (docs/reference/connect.md#plugin-definitions).
//!
//! A file is written by many and run with the rights of one, so it may not fetch whatever it likes: variables begin with
//! `EBS_SECRET_` or are listed in the profile, files lie below one folder.

use std::path::{Path, PathBuf};

use crate::{
    catalog::{ValueReference, secret::VARIABLE_PREFIX},
    hint::{Advice, Hint},
    model::Secret,
};

/// Why a reference is not followed. No secret is ever part of it.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// It is only a part of the value.
    #[error("`{key}`: a reference must be the whole value")]
    NotWholeValue {
        /// The key.
        key: String,
    },
    /// The key holds no secret.
    #[error("`{key}` does not hold a secret, and a reference would carry one there")]
    NotSecret {
        /// The key.
        key: String,
    },
    /// The variable may hold anything.
    #[error("`{key}`: variable `{variable}` may not be referred to")]
    VariableNotAllowed {
        /// The key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// The variable is not set.
    #[error("`{key}`: variable `{variable}` is not set")]
    VariableNotSet {
        /// The key.
        key: String,
        /// The variable.
        variable: String,
    },
    /// No folder of secrets was named.
    #[error("`{key}`: it is not said below which folder the files of secrets lie")]
    NoSecretsDir {
        /// The key.
        key: String,
    },
    /// The file is elsewhere.
    #[error("`{key}`: file `{path}` does not lie below the folder of secrets")]
    OutsideSecretsDir {
        /// The key.
        key: String,
        /// The path as it was written.
        path: String,
    },
    /// The file cannot be read.
    #[error("`{key}`: file `{}` cannot be read", path.display())]
    Unreadable {
        /// The key.
        key: String,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The question got no answer.
    #[error("`{key}`: no answer was typed")]
    NotEntered {
        /// The key.
        key: String,
    },
}

impl ReferenceError {
    /// Whether the file asks for what it may not have, rather than for what is not there.
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
            Self::NotWholeValue { .. } => "Write `${env:EBS_SECRET_…}` alone, without anything around it.".into(),
            Self::NotSecret { .. } => {
                "References stand only under keys that hold secrets; write the value itself.".into()
            }
            Self::VariableNotAllowed { .. } => format!(
                "Use a name that begins with `{VARIABLE_PREFIX}`, or have it listed in the profile's `secret_variables`."
            )
            .into(),
            Self::VariableNotSet { variable, .. } => format!("Set `{variable}` for this command.").into(),
            Self::NoSecretsDir { .. } | Self::OutsideSecretsDir { .. } => {
                "Name the folder with `--secrets-dir`, and the file by its path below it.".into()
            }
            Self::Unreadable { .. } => "Look at the path and at who may read the file.".into(),
            Self::NotEntered { .. } => "Run it where somebody can type, or use `${env:EBS_SECRET_…}`.".into(),
        }]
    }
}

/// Where references lead.
pub struct SecretResolver<'a> {
    /// The value of an environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Variables that the profile lists.
    pub allowed_variables: &'a [String],
    /// The folder of secrets.
    pub secrets_dir: Option<&'a Path>,
    /// Asks for a secret.
    pub prompt: &'a dyn Fn(&str) -> Option<String>,
}

impl SecretResolver<'_> {
    /// The secret that `value` refers to; nothing when it is no reference. `secret` says whether the key holds one.
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
                if !name.starts_with(VARIABLE_PREFIX) && !self.allowed_variables.iter().any(|listed| listed == name) {
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
        // Links are followed before the comparison, so that none leads out.
        let real = path.canonicalize().map_err(unreadable)?;
        let inside = folder.canonicalize().is_ok_and(|folder| real.starts_with(folder));
        if !inside {
            return Err(ReferenceError::OutsideSecretsDir {
                key: key.to_owned(),
                path: written.to_owned(),
            });
        }
        let text = std::fs::read_to_string(&real).map_err(unreadable)?;
        // Editors end the last line, passwords do not.
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
            allowed_variables: &["DB_PASSWORD".to_owned()],
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
                .contains("does not hold a secret")
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
        assert!(value("${file:../other}").unwrap_err().contains("does not lie below"));
        let absolute = format!("${{file:{}}}", root.path().join("other").display());
        assert!(value(&absolute).unwrap_err().contains("does not lie below"));
        assert!(value("${file:nothing}").unwrap_err().contains("cannot be read"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.path().join("other"), folder.join("link")).unwrap();
            assert!(value("${file:link}").unwrap_err().contains("does not lie below"));
        }
    }
}
