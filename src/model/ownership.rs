//! How an account says that it is ours: the tag in its description, and its name.
//!
//! The tag alone proves nothing, because whoever may create accounts can write it (docs/reference/rbac.md#threats, T4);
//! it only says which account was *meant*. Who controls it is looked up separately.

use std::{fmt, str::FromStr};

use super::DepartmentCode;

/// The longest description the stock CLI accepts (cli `internal/iam`, `descriptionLength`), in characters.
pub const DESCRIPTION_LENGTH: usize = 128;
/// The longest name of a service account the stock CLI accepts (cli `internal/iam`, `nameLength`), in characters.
pub const NAME_LENGTH: usize = 64;

/// The tag in the description of an account: which department, persona and template made it.
///
/// `ebs:v1 stage=prod dept=claims role=operator tpl=hybrid@1a2b3c4d cfg=9f8e7d6c`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnershipTag {
    /// The stage.
    pub stage: String,
    /// The department.
    pub department: DepartmentCode,
    /// The persona (`operator`, `deployer`, `runtime`, `viewer`, …).
    pub persona: String,
    /// Name of the template.
    pub template: String,
    /// First digits of the hash of the template's content.
    pub template_hash: String,
    /// First digits of the hash of what the profile holds besides the key; changes when the profile must be reissued.
    pub profile_hash: String,
}

impl OwnershipTag {
    /// The name that goes with the tag: `ebs-<stage>-<department>-<persona>`.
    #[must_use]
    pub fn account_name(&self) -> String {
        account_name(&self.stage, &self.department, &self.persona)
    }
}

/// `ebs-<stage>-<department>-<persona>`.
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

/// A description that holds no tag of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the description holds no ebs:v1 tag")]
pub struct MissingOwnershipTag;

/// The value of `key` in a description that begins with our mark; `None` where there is none, or an empty one.
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

/// The first eight hexadecimal digits of the SHA-256 of `content`: enough to see a change, short enough for a tag.
#[must_use]
pub fn short_hash(content: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(content)
        .iter()
        .take(4)
        .fold(String::new(), |mut text, byte| {
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
