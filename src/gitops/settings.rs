//! Settings beside `config`: how a connector is managed from Git.

use serde::Serialize;

use crate::{
    catalog::{ConfigEntry, ConnectorConfigFile, ValueKind},
    diag::{Assignee, Finding, SourceSpan},
    hint::closest_match,
    text::join_code,
};

/// State that a file asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConfiguredState {
    /// The connector runs.
    Running,
    /// The connector is paused.
    Paused,
    /// The connector does not exist: the file is a tombstone.
    Absent,
}

/// What happens to the offsets when a connector must be replaced, because its class or its name changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplacePolicy {
    /// A replacement is refused.
    #[default]
    Forbid,
    /// The new connector continues at the offsets of the old one.
    Carry,
    /// The new connector starts without offsets.
    Reset,
}

const STATES: [(&str, ConfiguredState); 3] = [
    ("running", ConfiguredState::Running),
    ("paused", ConfiguredState::Paused),
    ("absent", ConfiguredState::Absent),
];
const REPLACE_POLICIES: [(&str, ReplacePolicy); 3] = [
    ("carry", ReplacePolicy::Carry),
    ("reset", ReplacePolicy::Reset),
    ("forbid", ReplacePolicy::Forbid),
];
const FLAGS: [(&str, bool); 2] = [("true", true), ("false", false)];

/// Settings of a connector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ConnectorSettings {
    /// Desired state; `None` leaves it to the operators.
    pub state: Option<ConfiguredState>,
    /// What happens to the offsets when the connector is replaced; `None` is [`ReplacePolicy::Forbid`].
    pub replace: Option<ReplacePolicy>,
    /// Former name of the connector.
    pub renamed_from: Option<String>,
    /// Whether the connector is protected against deletion and replacement.
    pub protect: bool,
    /// Ticket of the change, for policies.
    pub ticket: Option<String>,
}

impl ConnectorSettings {
    /// Returns whether the file is a tombstone.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.state == Some(ConfiguredState::Absent)
    }

    /// Reads the settings of `file`, the connector `name`, and adds a finding for each invalid one.
    pub(super) fn read(file: &ConnectorConfigFile, name: &str, findings: &mut Vec<Finding>) -> Self {
        let mut reject = |entry: &ConfigEntry, message: String, fix: String| {
            findings.push(setting_finding(file, entry, message).with_fix(fix));
        };
        let settings = Self {
            state: read_choice(file, "state", &STATES, &mut reject),
            replace: read_choice(file, "replace", &REPLACE_POLICIES, &mut reject),
            renamed_from: file.setting("renamed_from").map(|entry| entry.value.clone()),
            protect: read_choice(file, "protect", &FLAGS, &mut reject).unwrap_or_default(),
            ticket: file.setting("ticket").map(|entry| entry.value.trim().to_owned()),
        };
        if let Some(entry) = file.setting("ticket") {
            let is_scalar = matches!(entry.kind, ValueKind::String | ValueKind::Number);
            if !is_scalar || entry.value.trim().is_empty() {
                let fix = "Write the id of the ticket, or remove the key.";
                reject(entry, "`ticket` is not the id of a ticket".to_owned(), fix.to_owned());
            }
        }
        if let Some(entry) = file.setting("renamed_from") {
            if entry.kind != ValueKind::String || entry.value.is_empty() {
                let fix = "Write the former name of the connector, or remove the key.";
                reject(
                    entry,
                    "`renamed_from` is not a connector name".to_owned(),
                    fix.to_owned(),
                );
            } else if entry.value == name {
                let fix = "Write the former name of the connector, or remove the key.";
                reject(entry, "`renamed_from` is the present name".to_owned(), fix.to_owned());
            }
        }
        if let (true, true, Some(entry)) = (settings.protect, settings.is_absent(), file.setting("state")) {
            let fix = "Remove `protect` in a change of its own before the connector is deleted.";
            reject(
                entry,
                "a protected connector cannot be deleted".to_owned(),
                fix.to_owned(),
            );
        }
        settings
    }
}

/// Returns the error `gitops-setting` about a setting.
pub(super) fn setting_finding(file: &ConnectorConfigFile, entry: &ConfigEntry, message: String) -> Finding {
    Finding::error("gitops-setting", message)
        .with_span(SourceSpan::new(&file.source, entry.value_span.clone()))
        .with_assignee(Assignee::Department)
}

fn read_choice<T: Copy>(
    file: &ConnectorConfigFile,
    key: &str,
    choices: &[(&str, T)],
    reject: &mut impl FnMut(&ConfigEntry, String, String),
) -> Option<T> {
    let entry = file.setting(key)?;
    if let Some((_, value)) = choices.iter().find(|(word, _)| *word == entry.value) {
        return Some(*value);
    }
    let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
    let fix = match closest_match(&entry.value, words.iter().copied()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => format!("Allowed values: {}.", join_code(&words)),
    };
    reject(entry, format!("`{key}` has an unknown value"), fix);
    None
}
