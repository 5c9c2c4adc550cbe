//! Connector files from what runs, so that the plan afterwards is empty.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use serde::Serialize;

use super::file_tree::CONNECTORS;
use crate::{
    catalog::{
        Catalog,
        secret::{VARIABLE_PREFIX, secrecy},
    },
    resources::connector::{LiveConnector, is_mask, is_server_key},
};

/// Value of a masked key that is no secret; the linter rejects it until somebody fills it in.
const FILL_IN: &str = "<fill in>";

/// File of a connector that runs.
#[derive(Clone, Debug, Serialize)]
pub struct ImportedFile {
    /// Name of the connector.
    pub name: String,
    /// Path below the repository.
    pub path: PathBuf,
    /// Text of the file.
    #[serde(skip)]
    pub text: String,
    /// Variables that must hold the secrets.
    pub variables: Vec<String>,
    /// Keys that the service masks although they are no secrets, and whose values must be filled in.
    pub fill_in: Vec<String>,
}

impl ImportedFile {
    /// Creates the file of `live` for a department and a stage; `None` if the name cannot be used as a file name.
    #[must_use]
    pub fn new(catalog: &Catalog, live: &LiveConnector, department: &str, stage: &str) -> Option<Self> {
        let name = &live.name;
        if name.starts_with('.') || name.contains(['/', '\\', '\0']) {
            return None;
        }
        let plugin = catalog.plugin(live.class());
        let mut taken = BTreeSet::new();
        let mut fill_in = Vec::new();
        let mut text = String::from("config:\n");
        for (key, value) in &live.expanded.info.config {
            if key == "name" || is_server_key(key) {
                continue;
            }
            let is_secret = secrecy(catalog, plugin, key).must_be_hidden();
            let value = if is_secret {
                format!("${{env:{}}}", free_variable(name, key, &mut taken))
            } else if is_mask(value) {
                fill_in.push(key.clone());
                FILL_IN.to_owned()
            } else {
                value.clone()
            };
            let _ = writeln!(text, "  {}: {}", yaml_key(key), yaml_string(&value));
        }
        Some(Self {
            path: Path::new(CONNECTORS)
                .join(department)
                .join(stage)
                .join(format!("{name}.yaml")),
            name: name.clone(),
            text,
            variables: taken.into_iter().collect(),
            fill_in,
        })
    }
}

/// Returns a variable for a secret of a connector that no other key of it has.
fn free_variable(name: &str, key: &str, taken: &mut BTreeSet<String>) -> String {
    let upper = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    let base: String = VARIABLE_PREFIX
        .chars()
        .chain(name.chars().map(upper))
        .chain(['_'])
        .chain(key.chars().map(upper))
        .collect();
    let mut variable = base.clone();
    let mut number = 2;
    while !taken.insert(variable.clone()) {
        variable = format!("{base}_{number}");
        number += 1;
    }
    variable
}

pub(super) fn yaml_key(key: &str) -> String {
    let is_plain = key
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    let is_word = key.starts_with(|c: char| c.is_ascii_alphabetic()) && key.contains('.');
    if is_plain && is_word {
        key.to_owned()
    } else {
        yaml_string(key)
    }
}

/// Returns a double-quoted string, which no parser takes for another type. The escapes of JSON are those of YAML, which
/// also forbids characters that JSON allows.
pub(super) fn yaml_string(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{2028}' | '\u{2029}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{api::connect::ExpandedConnector, catalog::catalog, diag::SourceFile, manifest::connector_file};

    fn live(pairs: &[(&str, &str)]) -> LiveConnector {
        let mut expanded = ExpandedConnector::default();
        let owned = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        expanded.info.config = owned.collect();
        LiveConnector {
            name: "claims-a".to_owned(),
            expanded,
        }
    }

    #[test]
    fn secrets_become_references_and_masks_of_other_keys_are_marked() {
        let live = live(&[
            ("connector.class", "PostgresSource"),
            ("name", "claims-a"),
            ("connection.password", "****************"),
            ("connection.user", "****************"),
            ("kafka.region", "eu-central-1"),
            ("tasks.max", "1"),
        ]);
        let file = ImportedFile::new(catalog(), &live, "claims", "prod").unwrap();
        assert_eq!(file.path, Path::new("connectors/claims/prod/claims-a.yaml"));
        assert_eq!(
            file.text,
            "config:\n  connection.password: \"${env:EBS_SECRET_CLAIMS_A_CONNECTION_PASSWORD}\"\n  connection.user: \"<fill \
             in>\"\n  connector.class: \"PostgresSource\"\n  tasks.max: \"1\"\n"
        );
        assert_eq!(file.variables, ["EBS_SECRET_CLAIMS_A_CONNECTION_PASSWORD"]);
        assert_eq!(file.fill_in, ["connection.user"]);
    }

    #[test]
    fn a_name_that_leads_to_another_folder_has_no_file() {
        for name in ["../x", "a/b", ".hidden", "a\\b"] {
            let mut live = live(&[]);
            live.name = name.to_owned();
            assert!(
                ImportedFile::new(catalog(), &live, "claims", "prod").is_none(),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn each_value_is_read_back_as_it_was(key in "[a-z][a-z.:# -]{0,12}", value in ".{0,30}") {
            prop_assume!(key != "name" && !is_mask(&value) && !is_server_key(&key));
            prop_assume!(!secrecy(catalog(), None, &key).must_be_hidden());
            let file = ImportedFile::new(catalog(), &live(&[(&key, &value)]), "claims", "prod").unwrap();
            let parsed = connector_file::parse(&SourceFile::new("a.yaml", file.text)).unwrap();
            prop_assert_eq!(parsed.value(&key), Some(value.as_str()));
        }
    }
}
