//! Ownership tag and name of managed service accounts.
//!
//! The tag alone is no proof of ownership, because every principal that can create accounts can write it
//! (docs/reference/rbac.md#threats, T4). It identifies the intended account; the controlling principals are determined
//! separately.

use std::{fmt, str::FromStr};

use super::DepartmentCode;

/// Maximum length of a description in the Confluent CLI (cli `internal/iam`, `descriptionLength`), in characters.
pub const DESCRIPTION_LENGTH: usize = 128;
/// Maximum length of a service account name in the Confluent CLI (cli `internal/iam`, `nameLength`), in characters.
pub const NAME_LENGTH: usize = 64;

/// Ownership tag in the description of a service account.
///
/// `ebs:v1 stage=prod dept=claims role=operator tpl=hybrid@1a2b3c4d cfg=9f8e7d6c`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipTag {
    /// Stage.
    pub stage: String,
    /// Department.
    pub department: DepartmentCode,
    /// Persona (`operator`, `deployer`, `runtime`, `viewer`, …).
    pub persona: String,
    /// Template name.
    pub template: String,
    /// Short hash of the template's grants.
    pub template_hash: String,
    /// Short hash of the profile without the key; it changes when the profile must be reissued.
    pub profile_hash: String,
}

impl OwnershipTag {
    /// Returns the account name that belongs to the tag: `ebs-<stage>-<department>-<persona>`.
    #[must_use]
    pub fn account_name(&self) -> String {
        account_name(&self.stage, &self.department, &self.persona)
    }
}

/// Returns the account name `ebs-<stage>-<department>-<persona>`.
#[must_use]
pub fn account_name(stage: &str, department: &DepartmentCode, persona: &str) -> String {
    format!("ebs-{stage}-{department}-{persona}")
}

impl fmt::Display for OwnershipTag {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "ebs:v1 stage={} dept={} role={} tpl={}@{} cfg={}",
            self.stage, self.department, self.persona, self.template, self.template_hash, self.profile_hash
        )
    }
}

/// Error: the description contains no ownership tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the description contains no `ebs:v1` tag")]
pub struct MissingOwnershipTag;

/// Returns the value of `key` in an ownership tag; `None` if there is no tag, no such key or an empty value.
#[must_use]
pub fn tag_field<'a>(description: &'a str, key: &str) -> Option<&'a str> {
    let fields = description.strip_prefix("ebs:v1 ")?;
    let mut values = fields
        .split(' ')
        .filter_map(|field| field.strip_prefix(key)?.strip_prefix('='));
    values.next().filter(|value| !value.is_empty())
}

impl FromStr for OwnershipTag {
    type Err = MissingOwnershipTag;

    fn from_str(description: &str) -> Result<Self, MissingOwnershipTag> {
        let field = |key: &str| tag_field(description, key);
        let (template, template_hash) = field("tpl")
            .and_then(|tpl| tpl.split_once('@'))
            .ok_or(MissingOwnershipTag)?;
        Ok(Self {
            stage: field("stage").ok_or(MissingOwnershipTag)?.to_owned(),
            department: field("dept")
                .and_then(|code| code.parse().ok())
                .ok_or(MissingOwnershipTag)?,
            persona: field("role").ok_or(MissingOwnershipTag)?.to_owned(),
            template: template.to_owned(),
            template_hash: template_hash.to_owned(),
            profile_hash: field("cfg").unwrap_or_default().to_owned(),
        })
    }
}

/// Returns the first eight hexadecimal digits of the SHA-256 of `content`.
#[must_use]
pub fn short_hash(content: &[u8]) -> String {
    let mut hash = sha256_hex(content);
    hash.truncate(8);
    hash
}

/// Returns the SHA-256 of `content` in hexadecimal digits.
#[must_use]
pub fn sha256_hex(content: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(content).iter().fold(String::new(), |mut text, byte| {
        use fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_tag_fits_into_a_description() {
        let tag = OwnershipTag {
            stage: "preproduction".into(),
            department: "a23456789012345678901234".parse().unwrap(),
            persona: "deployer".into(),
            template: "self-service".into(),
            template_hash: short_hash(b"x"),
            profile_hash: short_hash(b"y"),
        };
        assert!(tag.to_string().len() <= DESCRIPTION_LENGTH, "{}", tag.to_string().len());
        assert!(tag.account_name().len() <= NAME_LENGTH);
        assert_eq!(tag.to_string().parse::<OwnershipTag>().unwrap(), tag);
        assert_eq!("claims operator".parse::<OwnershipTag>(), Err(MissingOwnershipTag));
    }
}
