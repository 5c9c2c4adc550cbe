//! Name, class and configuration of a connector: from a linted file, or from its current configuration with changes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{plugin_refresh::load_refreshed_catalog, quota_check::desired_tasks, selectors::reject_foreign_names};
use crate::{
    catalog::{self, LintOptions, ValueKind, ValueReference},
    diag::{Severity, has_errors},
    error::{Error, ErrorKind},
    manifest::connector_file,
    redact::is_secret_name,
    resources::connector::{LiveConnector, is_server_key},
    session::{DepartmentContext, RunContext},
    text::join_code,
};

/// Connector as described by a file.
#[derive(Clone)]
pub struct ConnectorDefinition {
    /// File; `None` for the current configuration with changes.
    pub file: Option<PathBuf>,
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
    /// Lints the file and returns the connector. Warnings are reported.
    ///
    /// # Errors
    /// The name belongs to another department, or a finding is an error.
    pub fn lint(&self, run: &RunContext, department: Option<&DepartmentContext>) -> Result<ConnectorDefinition, Error> {
        let name = self.0.connector_name().map_or("", |entry| &entry.value).to_owned();
        reject_foreign_names(department, std::slice::from_ref(&name))?;
        let refreshed = load_refreshed_catalog(run)?;
        let context = LintOptions {
            catalog: refreshed.as_ref(),
            department: department.map(|department| catalog::LintDepartment {
                prefix: &department.prefix,
                runtime_account: department.runtime_account_id.as_ref(),
                quota: &department.quota,
                platform_team: &department.platform_team,
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
        let class = self.0.class().unwrap_or_default().to_owned();
        config.insert("name".to_owned(), name.clone());
        Ok(ConnectorDefinition {
            file: Some(self.0.source.path.clone()),
            name,
            class,
            config,
            offsets: self.0.offsets.clone(),
        })
    }
}

/// Changes of single keys of the current configuration.
#[derive(Clone, Debug, Default)]
pub struct ConfigOverrides {
    /// Keys with their new values.
    pub set: Vec<(String, String)>,
    /// Keys to remove.
    pub unset: Vec<String>,
}

impl ConfigOverrides {
    /// Returns the current configuration of `observed` with these changes.
    ///
    /// # Errors
    /// A secret is set as a literal, the connector would be renamed, a removed key does not exist, or `tasks.max` is
    /// invalid.
    pub fn apply(&self, observed: &LiveConnector) -> Result<ConnectorDefinition, Error> {
        let mut config = observed.expanded.info.config.clone();
        config.retain(|key, _| !is_server_key(key));
        for (key, value) in &self.set {
            if is_secret_name(key) && ValueReference::parse(value).is_none() {
                return Err(Error::refused(format!(
                    "`{key}` holds a secret, which is visible to others on the command line"
                ))
                .with_hint(format!("Pass a reference: `--config '{key}=${{env:EBS_SECRET_…}}'`.")));
            }
            if key == "name" && *value != observed.name {
                return Err(Error::refused("a connector cannot be renamed"));
            }
            config.insert(key.clone(), value.clone());
        }
        let unknown: Vec<&String> = self.unset.iter().filter(|key| !config.contains_key(*key)).collect();
        if !unknown.is_empty() {
            return Err(Error::failed(format!(
                "the configuration has no key {}",
                join_code(&unknown)
            )));
        }
        config.retain(|key, _| !self.unset.contains(key));
        desired_tasks(&config)?;
        // Another name in the configuration would create a second connector
        // (docs/reference/connect.md#update-a-connector).
        config.insert("name".to_owned(), observed.name.clone());
        Ok(ConnectorDefinition {
            file: None,
            name: observed.name.clone(),
            class: config.get("connector.class").cloned().unwrap_or_default(),
            config,
            offsets: None,
        })
    }
}
