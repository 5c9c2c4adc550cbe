//! Name and contact of the platform team, for messages to departments.

use std::{fmt, str::FromStr};

use serde::Serialize;

use crate::hint::PLATFORM_TEAM;

/// Platform team as messages name it: `[platform]` of `ebs.toml`, which profiles repeat.
///
/// Its [`Display`](fmt::Display) form fits after "ask": `the platform team`, `EBS` or `EBS (ebs@example.com)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PlatformTeam {
    /// Name, if configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<PlatformTeamText>,
    /// E-mail address, page or channel, if configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<PlatformTeamText>,
}

/// Platform team of runs without a configured one.
pub static UNNAMED_PLATFORM_TEAM: PlatformTeam = PlatformTeam {
    team: None,
    contact: None,
};

impl PlatformTeam {
    /// Returns whether neither name nor contact is configured.
    #[must_use]
    pub fn is_unnamed(&self) -> bool {
        *self == UNNAMED_PLATFORM_TEAM
    }

    /// Returns the name for the beginning of a sentence, such as `The platform team`.
    #[must_use]
    pub fn sentence_start(&self) -> String {
        let name = self.to_string();
        match name.strip_prefix("the ") {
            Some(rest) => format!("The {rest}"),
            None => name,
        }
    }

    /// Returns the name without an article, for labels and tables: `platform team`.
    #[must_use]
    pub fn label(&self) -> String {
        let name = self.to_string();
        name.strip_prefix("the ").map(str::to_owned).unwrap_or(name)
    }
}

impl fmt::Display for PlatformTeam {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.team.as_ref().map_or(PLATFORM_TEAM, PlatformTeamText::as_str))?;
        match &self.contact {
            Some(contact) => write!(out, " ({contact})"),
            None => Ok(()),
        }
    }
}

/// Name or contact of the platform team: one short line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlatformTeamText(String);

/// Invalid name or contact of the platform team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlatformTeamError {
    /// No text.
    #[error("the value is empty")]
    Empty,
    /// Too long for a message.
    #[error("the value has more than {MAX_CHARACTERS} characters")]
    TooLong,
    /// Line break or another control character.
    #[error("the value contains a control character")]
    ControlCharacter,
}

/// Maximum length, so that messages stay readable.
const MAX_CHARACTERS: usize = 100;

impl PlatformTeamText {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PlatformTeamText {
    type Err = PlatformTeamError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.trim().is_empty() {
            Err(PlatformTeamError::Empty)
        } else if text.chars().any(char::is_control) {
            Err(PlatformTeamError::ControlCharacter)
        } else if text.chars().count() > MAX_CHARACTERS {
            Err(PlatformTeamError::TooLong)
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

impl fmt::Display for PlatformTeamText {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn platform_team(team: Option<&str>, contact: Option<&str>) -> PlatformTeam {
        PlatformTeam {
            team: team.map(|text| text.parse().unwrap()),
            contact: contact.map(|text| text.parse().unwrap()),
        }
    }

    #[test]
    fn messages_name_the_team_and_its_contact() {
        for (team, contact, name, start, label) in [
            (None, None, "the platform team", "The platform team", "platform team"),
            (Some("EBS"), None, "EBS", "EBS", "EBS"),
            (
                Some("EBS"),
                Some("ebs@example.com"),
                "EBS (ebs@example.com)",
                "EBS (ebs@example.com)",
                "EBS (ebs@example.com)",
            ),
            (
                None,
                Some("#platform"),
                "the platform team (#platform)",
                "The platform team (#platform)",
                "platform team (#platform)",
            ),
        ] {
            let named = platform_team(team, contact);
            assert_eq!(
                (named.to_string(), named.sentence_start(), named.label()),
                (name.into(), start.into(), label.into())
            );
            assert_eq!(named.is_unnamed(), team.is_none() && contact.is_none());
        }
    }

    #[test]
    fn a_name_is_one_short_line() {
        let parse = |text: &str| text.parse::<PlatformTeamText>().map(|text| text.to_string());
        assert_eq!(parse("EBS"), Ok("EBS".into()));
        assert_eq!(parse(&"é".repeat(100)), Ok("é".repeat(100)));
        assert_eq!(parse(&"é".repeat(101)), Err(PlatformTeamError::TooLong));
        for empty in ["", " ", "\n"] {
            assert_eq!(parse(empty), Err(PlatformTeamError::Empty), "{empty:?}");
        }
        for control in ["E\nBS", "EBS\u{1b}[31m", "E\u{85}BS"] {
            assert_eq!(parse(control), Err(PlatformTeamError::ControlCharacter), "{control:?}");
        }
    }
}
