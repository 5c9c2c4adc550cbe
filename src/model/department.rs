//! Departments: the validated content of a department file.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{DepartmentQuota, Prefix, Recipient};

/// Short name of a department. It is the name of the department's file and a part of its account names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DepartmentCode(String);

/// Error: the text is not a valid department code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a department code: expected 2 to 24 characters of a-z, 0-9 and `-`, starting with a letter, without `--` and without a trailing `-`"
)]
pub struct DepartmentCodeError(String);

impl DepartmentCode {
    /// Returns the code as text.
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

/// A department with all defaults applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Department {
    /// Code: the file name without `.toml`.
    pub code: DepartmentCode,
    /// Display name.
    pub name: String,
    /// Prefix of all its resource names.
    pub prefix: Prefix,
    /// Name of its template.
    pub template: String,
    /// Cost center.
    pub cost_center: Option<String>,
    /// E-mail addresses of contacts.
    pub contacts: Vec<String>,
    /// Stages in which it may be onboarded; `None` for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stages: Option<Vec<String>>,
    /// Quota in stages without a quota of their own.
    pub quota: DepartmentQuota,
    /// Quotas of single stages.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub stage_quotas: BTreeMap<String, DepartmentQuota>,
    /// `age` recipients of its encrypted profiles.
    pub recipients: Vec<Recipient>,
    /// Date of off-boarding. The file of a retired department remains, so that its prefix stays reserved.
    pub retired: Option<jiff::civil::Date>,
    /// Disabled lint rules, each with its reason.
    pub lint_exceptions: Vec<(String, String)>,
}

impl Department {
    /// Returns whether the department may be onboarded in `stage`.
    #[must_use]
    pub fn is_allowed_in(&self, stage: &str) -> bool {
        self.stages
            .as_ref()
            .is_none_or(|stages| stages.iter().any(|allowed| allowed == stage))
    }

    /// Returns the quota in `stage`.
    #[must_use]
    pub fn quota_in(&self, stage: &str) -> &DepartmentQuota {
        self.stage_quotas.get(stage).unwrap_or(&self.quota)
    }

    /// Returns the department with the quota of `stage`.
    #[must_use]
    pub fn in_stage(&self, stage: &str) -> Self {
        Self {
            quota: self.quota_in(stage).clone(),
            ..self.clone()
        }
    }
}
