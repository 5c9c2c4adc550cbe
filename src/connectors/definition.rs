//! Connector file: parsed, linted, and converted to name, class and configuration.

use std::{collections::BTreeMap, path::Path};

use serde_json::Value;

use crate::{
    catalog::{self, LintOptions, ValueKind},
    diag::{Severity, has_errors},
    error::{Error, ErrorKind},
    manifest::connector_file,
    session::{DepartmentContext, RunContext},
};

/// Connector as described by a file.
pub struct ConnectorDefinition {
    /// Name of the connector.
    pub name: String,
    /// Class of the plugin.
    pub class: String,
    /// Configuration, including the name; references are not resolved.
    pub config: BTreeMap<String, String>,
    /// Initial offsets.
    pub offsets: Option<Value>,
}

/// Connector file that was parsed but not linted.
pub struct ParsedConnectorFile(catalog::ConnectorConfigFile);

/// Parses the file at `path`.
pub fn read(path: &Path) -> Result<ParsedConnectorFile, Error> {
    let message = || format!("cannot read `{}`", path.display());
    let file = connector_file::read(path).map_err(|findings| Error::findings(message(), findings))?;
    if file.entries.is_empty() {
        // Message of the Confluent CLI (docs/reference/cli.md#connector-commands).
        return Err(Error::failed(format!(
            "connector config file \"{}\" is empty",
            path.display()
        )));
    }
    Ok(ParsedConnectorFile(file))
}

impl ParsedConnectorFile {
    /// Returns the name of the connector; empty if the file has none.
    pub fn name(&self) -> &str {
        self.0.connector_name().map_or("", |entry| &entry.value)
    }

    /// Lints the file and returns the connector. Warnings are reported, errors fail.
    pub fn lint(&self, run: &RunContext, department: Option<&DepartmentContext>) -> Result<ConnectorDefinition, Error> {
        let context = LintOptions {
            department: department.map(|department| catalog::LintDepartment {
                prefix: &department.prefix,
                runtime_account: department.runtime_account_id.as_ref(),
                quota: &department.quota,
            }),
            secret_variables: department.map_or(&[], |department| &department.secret_variables),
            exceptions: department.map_or(&[], |department| &department.lint_exceptions),
        };
        let findings = catalog::lint(&self.0, &context).findings;
        if has_errors(&findings) {
            let shown = self.0.source.path.display();
            return Err(
                Error::findings(format!("invalid connector file `{shown}`"), findings).with_kind(ErrorKind::Refused)
            );
        }
        for warning in findings.iter().filter(|finding| finding.severity == Severity::Warning) {
            run.warn(&warning.message);
        }
        let mut config = BTreeMap::new();
        for entry in &self.0.entries {
            if matches!(entry.kind, ValueKind::Array | ValueKind::Object | ValueKind::Null) {
                return Err(Error::failed(format!(
                    "only string values are permitted for the configuration \"{}\"",
                    entry.key
                )));
            }
            config.insert(entry.key.clone(), entry.value.clone());
        }
        let name = self.name().to_owned();
        let class = self.0.class().unwrap_or_default().to_owned();
        config.insert("name".to_owned(), name.clone());
        Ok(ConnectorDefinition {
            name,
            class,
            config,
            offsets: self.0.offsets.clone(),
        })
    }
}
