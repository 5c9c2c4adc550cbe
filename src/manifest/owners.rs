//! `owners` of a platform or a department: people and teams of the forge that review changes of its files.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::toml::TomlTable;
use crate::diag::Finding;

/// Owners of the files of a department.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DepartmentOwners {
    /// Owners of the files of all stages that are not in `by_stage`.
    all: Vec<String>,
    /// Owners by stage.
    by_stage: BTreeMap<String, Vec<String>>,
}

impl DepartmentOwners {
    /// Reads `owners = […]`, or `[owners]` with a list per stage. `check_stage` returns the finding about an unknown stage.
    pub(super) fn read(root: &TomlTable<'_>, check_stage: impl Fn(&str) -> Option<Finding>) -> Self {
        let mut owners = Self::default();
        if !root.is_table("owners") {
            owners.all = read_owners(root, "owners");
            return owners;
        }
        let Some(table) = root.table("owners") else {
            return owners;
        };
        for (stage, names) in table.named_lists() {
            match check_stage(stage.get_ref()) {
                Some(finding) => table.report(stage.span(), finding),
                None => {
                    owners.by_stage.insert(stage.into_inner(), check_owners(&table, names));
                }
            }
        }
        owners
    }

    /// Returns the owners in `stage`; empty if none are configured.
    #[must_use]
    pub fn in_stage(&self, stage: &str) -> &[String] {
        self.by_stage.get(stage).unwrap_or(&self.all)
    }

    /// Returns the owners of any of `stages`, sorted.
    #[must_use]
    pub fn in_any<'a>(&self, stages: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let names = stages.into_iter().flat_map(|stage| self.in_stage(stage));
        let unique: BTreeSet<&String> = names.collect();
        unique.into_iter().cloned().collect()
    }
}

/// Reads a list of owners; empty if the key does not exist.
pub(super) fn read_owners(table: &TomlTable<'_>, key: &'static str) -> Vec<String> {
    check_owners(table, table.list(key).unwrap_or_default())
}

/// Reports names that a CODEOWNERS file cannot contain, and returns the others.
fn check_owners(table: &TomlTable<'_>, names: Vec<Spanned<String>>) -> Vec<String> {
    let mut owners: Vec<String> = Vec::new();
    for name in names {
        let text = name.get_ref();
        let harmless = |c: char| c.is_ascii_alphanumeric() || "@._-+/".contains(c);
        let is_address = text.contains('@') && !text.ends_with(['@', '/']);
        if !is_address || !text.chars().all(harmless) {
            let message = format!("`{}` is not an owner", text.escape_debug());
            let fix = "Write `@name`, `@organization/team` or an e-mail address.";
            table.report(name.span(), Finding::error("invalid-value", message).with_fix(fix));
        } else if !owners.contains(text) {
            owners.push(name.into_inner());
        }
    }
    owners
}
