//! Risk of a planned change, which decides who must approve it.

use std::fmt;

use serde::Serialize;

use crate::{catalog::topic_use, resources::connector::FieldDiff};

/// Risk of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// Can be undone by the former configuration.
    Normal,
    /// Affects what is read or written, or as whom.
    High,
    /// Deletes a connector or its offsets.
    Destructive,
}

impl Risk {
    /// Returns the name in JSON and in flags.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::High => "high",
            Self::Destructive => "destructive",
        }
    }
}

impl fmt::Display for Risk {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Keys that decide as whom the connector acts.
const IDENTITY: [&str; 4] = [
    "kafka.api.key",
    "kafka.api.secret",
    "kafka.auth.mode",
    "kafka.service.account.id",
];

/// Returns the reasons why changed keys of a running connector are a high risk; empty if the risk is normal.
#[must_use]
pub fn high_risk_reasons(class: &str, fields: &[FieldDiff]) -> Vec<String> {
    let mut reasons = Vec::new();
    for field in fields.iter().filter(|field| field.is_certain()) {
        let key = field.config.as_str();
        let reason = if IDENTITY.contains(&key) {
            "changes the identity of the connector"
        } else if topic_use(class, key).is_some() {
            "changes the topics"
        } else if key.starts_with("errors.") || key.starts_with("behavior.on.") {
            "changes the handling of errors"
        } else {
            continue;
        };
        reasons.push(format!("`{key}` {reason}"));
    }
    reasons
}
