//! Naming rules for prefixes and connectors, and conflicts between prefixes.
//!
//! `model::prefix` checks the syntax of a prefix; this module checks the rules of an organization
//! (docs/reference/rbac.md#threats, T1).

use super::toml::TomlTable;
use crate::{
    diag::Finding,
    model::{ConnectorNamePattern, Prefix, prefix::fold},
};

/// Names used by Connect, the Schema Registry and Kafka. A prefix must neither begin with one of them nor be a prefix
/// of one: `data-` would cover `data-preview…` of all departments.
pub const RESERVED: [&str; 8] = [
    "connect-",
    "dlq-",
    "success-",
    "error-",
    "data-preview",
    "dbhistory.",
    "_",
    "lcc-",
];

/// Naming rules of an organization: the `[naming]` table.
#[derive(Clone, Debug)]
pub struct NamingRules {
    /// Minimum length of a prefix, delimiter included.
    pub minimum_length: u32,
    /// Reserved words in addition to [`RESERVED`].
    pub reserved: Vec<String>,
    /// Pattern for the part of a connector name after the prefix.
    pub connector: ConnectorNamePattern,
}

impl Default for NamingRules {
    fn default() -> Self {
        Self {
            minimum_length: 3,
            reserved: Vec::new(),
            connector: ConnectorNamePattern::default(),
        }
    }
}

impl NamingRules {
    /// Reads `[naming]`.
    pub(super) fn read(table: &TomlTable<'_>) -> Self {
        let mut naming = Self::default();
        if let Some(length) = table.get::<u32>("minimum_length") {
            if *length.get_ref() < 2 {
                let finding = Finding::error("invalid-value", "`naming.minimum_length` is less than 2");
                table.report(
                    length.span(),
                    finding.with_fix("Use at least 2: a prefix has at least one letter and a delimiter."),
                );
            } else {
                naming.minimum_length = *length.get_ref();
            }
        }
        for word in table.list("reserved").unwrap_or_default() {
            if word.get_ref().is_empty() {
                let finding = Finding::error("invalid-value", "a reserved word is empty");
                table.report(word.span(), finding);
            } else {
                naming.reserved.push(word.into_inner());
            }
        }
        if let Some(glob) = table.parse::<ConnectorNamePattern>("connector") {
            naming.connector = glob.into_inner();
        }
        naming
    }

    /// Checks `prefix` against the naming rules.
    pub fn check_prefix(&self, prefix: &Prefix) -> Vec<Finding> {
        let mut findings = Vec::new();
        let length = prefix.as_str().chars().count();
        if length < self.minimum_length as usize {
            let message = format!(
                "prefix `{prefix}` is too short: {length} of at least {} characters, delimiter included",
                self.minimum_length
            );
            findings
                .push(Finding::error("prefix-too-short", message).with_fix("Choose a longer word for the department."));
        }
        if let Some(word) = self.reserved_word(prefix) {
            let message = if fold(word).starts_with(&prefix.folded()) {
                format!("prefix `{prefix}` would also cover the reserved names `{word}…`")
            } else {
                format!("prefix `{prefix}` starts with the reserved word `{word}`")
            };
            let reason = if RESERVED.contains(&word) {
                "Choose another prefix. Connect uses these names for topics and groups of all departments."
            } else {
                "Choose another prefix. `naming.reserved` in `ebs.toml` reserves it."
            };
            findings.push(Finding::error("prefix-reserved", message).with_fix(reason));
        }
        findings
    }

    /// Returns the reserved word that conflicts with `prefix`.
    fn reserved_word<'a>(&'a self, prefix: &Prefix) -> Option<&'a str> {
        let folded = prefix.folded();
        let own = self.reserved.iter().map(String::as_str);
        RESERVED.into_iter().chain(own).find(|word| {
            let word = fold(word);
            folded.starts_with(&word) || word.starts_with(&folded)
        })
    }
}

/// Returns a regular expression of the prefixes that conflict with a reserved word: its beginnings, and what begins with it.
pub(super) fn reserved_pattern() -> String {
    let escaped = |text: &str| fold(text).replace('_', "[._]");
    let mut choices = Vec::new();
    for word in RESERVED {
        choices.push(escaped(word));
        let delimiters = word[..word.len() - 1].match_indices(crate::model::prefix::DELIMITERS);
        choices.extend(delimiters.map(|(at, _)| format!("{}$", escaped(&word[..=at]))));
    }
    format!("^({})", choices.join("|"))
}

/// Returns all pairs of conflicting prefixes as indexes into `prefixes`: first the shorter one, or the earlier of two
/// equal ones.
///
/// Sorted by folded form, prefixes that begin with a given one directly follow it, so one sort replaces comparing all
/// pairs.
pub fn find_conflicts(prefixes: &[&Prefix]) -> Vec<(usize, usize)> {
    let mut order: Vec<(String, usize)> = prefixes
        .iter()
        .enumerate()
        .map(|(index, prefix)| (prefix.folded(), index))
        .collect();
    order.sort();
    let mut found = Vec::new();
    for (place, (shorter, index)) in order.iter().enumerate() {
        let behind = order[place + 1..].iter();
        found.extend(
            behind
                .take_while(|(longer, _)| longer.starts_with(shorter.as_str()))
                .map(|(_, other)| (*index, *other)),
        );
    }
    found
}
