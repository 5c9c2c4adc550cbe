//! Connectors that run without a file on purpose: `connectors/<department>/unmanaged.yaml`.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::file_tree::{CONNECTORS, ConnectorAddress};

/// Name of the list in the folder of a department. No connector has this name, because it begins with no prefix.
pub const UNMANAGED: &str = "unmanaged.yaml";

/// Beginning of a new list.
const HEADER: &str = "# Connectors that run without a file on purpose. `gitops` does not change them, and they are no drift.\nunmanaged:\n";

/// Connectors of all departments that are unmanaged on purpose.
#[derive(Clone, Debug, Default)]
pub struct UnmanagedConnectors(BTreeSet<ConnectorAddress>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnmanagedFile {
    unmanaged: Vec<UnmanagedEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnmanagedEntry {
    name: String,
    stage: String,
    /// For readers of the file.
    #[serde(rename = "reason")]
    _reason: String,
}

impl UnmanagedConnectors {
    /// Returns whether the connector is listed.
    #[must_use]
    pub fn contains(&self, address: &ConnectorAddress) -> bool {
        self.0.contains(address)
    }

    /// Returns the listed connectors.
    pub fn iter(&self) -> impl Iterator<Item = &ConnectorAddress> {
        self.0.iter()
    }

    /// Adds the list of `department`.
    ///
    /// # Errors
    /// The text is not a list, or a connector is listed twice.
    pub(super) fn add(&mut self, department: &str, text: &str) -> Result<(), String> {
        let file: UnmanagedFile = serde_saphyr::from_str(text).map_err(|error| {
            // The further lines of the message repeat the file.
            let message = error.to_string();
            let first = message.lines().next().unwrap_or_default();
            format!("the list cannot be read: {}", first.trim_start_matches("error: "))
        })?;
        for entry in file.unmanaged {
            let address = ConnectorAddress {
                department: department.to_owned(),
                stage: entry.stage,
                name: entry.name,
            };
            let name = format!("`{}` in stage `{}`", address.name, address.stage);
            if !self.0.insert(address) {
                return Err(format!("connector {name} is listed twice"));
            }
        }
        Ok(())
    }
}

/// Returns the path of the list of `department` in the repository.
#[must_use]
pub fn list_path(department: &str) -> PathBuf {
    Path::new(CONNECTORS).join(department).join(UNMANAGED)
}

/// Returns the list `text`, or a new list, with the connector `address` at its end.
#[must_use]
pub(super) fn with_entry(text: Option<&str>, address: &ConnectorAddress, reason: &str) -> String {
    let mut out = text.map_or_else(|| HEADER.to_owned(), str::to_owned);
    if !out.ends_with('\n') {
        out.push('\n');
    }
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let _ = writeln!(
        out,
        "  - name: {}\n    stage: {}\n    reason: {}",
        quoted(&address.name),
        quoted(&address.stage),
        quoted(reason)
    );
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(name: &str) -> ConnectorAddress {
        ConnectorAddress {
            department: "claims".to_owned(),
            stage: "prod".to_owned(),
            name: name.to_owned(),
        }
    }

    proptest! {
        #[test]
        fn what_is_added_is_read_back(name in "claims-[a-z0-9-]{1,12}", reason in "[ -~äöü€\"\\\\#:]{1,30}") {
            let first = with_entry(None, &address("claims-first"), "moved");
            let text = with_entry(Some(&first), &address(&name), &reason);
            let mut list = UnmanagedConnectors::default();
            list.add("claims", &text).unwrap();
            prop_assert!(list.contains(&address("claims-first")) && list.contains(&address(&name)));
            prop_assert_eq!(list.iter().count(), 2);
        }
    }

    #[test]
    fn a_list_with_mistakes_is_rejected() {
        for (text, part) in [
            ("unmanaged:\n  - name: a\n    stage: prod\n", "reason"),
            (
                "unmanaged:\n  - name: a\n    stage: prod\n    reason: x\n    until: y\n",
                "until",
            ),
            ("connectors: []\n", "connectors"),
            ("unmanaged:\n  - a\n", "the list cannot be read: line 2 column 5"),
            (
                "unmanaged:\n  - {name: a, stage: b, reason: c}\n  - {name: a, stage: b, reason: d}\n",
                "listed twice",
            ),
        ] {
            let error = UnmanagedConnectors::default().add("claims", text).unwrap_err();
            assert!(error.contains(part) && !error.contains('\n'), "{text}: {error}");
        }
    }
}
