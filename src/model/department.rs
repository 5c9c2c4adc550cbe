//! A department, as its file describes it once all checks have passed.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{DepartmentQuota, Prefix, Recipient};

/// The short name of a department: the name of its file, and a part of its accounts' names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DepartmentCode(String);

/// Why a text cannot be a department's code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a department code: 2 to 24 of a-z, 0-9 and `-`, beginning with a letter, not ending in `-`")]
pub struct DepartmentCodeError(String);

impl DepartmentCode {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DepartmentCode {
    type Err = DepartmentCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let safe = text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let begins = text.starts_with(|c: char| c.is_ascii_lowercase());
        if (2..=24).contains(&text.len()) && safe && begins && !text.ends_with('-') && !text.contains("--") {
            Ok(Self(text.to_owned()))
        } else {
            Err(DepartmentCodeError(text.to_owned()))
        }
    }
}

impl fmt::Display for DepartmentCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

impl Serialize for DepartmentCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for DepartmentCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A department with its defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Department {
    /// The file's name without `.toml`.
    pub code: DepartmentCode,
    /// The name people call it.
    pub name: String,
    /// The beginning of all its names.
    pub prefix: Prefix,
    /// The template of its role bindings, by name.
    pub template: String,
    /// Where its costs go.
    pub cost_center: Option<String>,
    /// Whom to write to.
    pub contacts: Vec<String>,
    /// What it may use.
    pub quota: DepartmentQuota,
    /// `age` recipients of its hand-over files.
    pub recipients: Vec<Recipient>,
    /// The day it was off-boarded: its file stays as the tombstone of its prefix.
    pub retired: Option<jiff::civil::Date>,
    /// Lint rules that do not apply to it, with the reason for each.
    pub lint_exceptions: Vec<(String, String)>,
}
