//! Name, class and configuration of a connector: from a linted file, or from its current configuration with changes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::{plugin_refresh::load_refreshed_catalog, quota_check::desired_tasks, selectors::reject_foreign_names};
use crate::{
    catalog::{
        self, Catalog, LintOptions, ValueKind, ValueReference,
        secret::{is_secret_name, variable_for},
    },
    diag::{Finding, Severity, SourceFile, has_errors},
    error::{Error, ErrorKind},
    manifest::connector_file,
    resources::connector::{LiveConnector, is_mask, is_server_key},
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
    /// Offsets of a new connector; `None` if the file contains none.
    pub offsets: Option<Value>,
}

/// Connector file that was parsed but not linted.
pub struct ParsedConnectorFile(catalog::ConnectorConfigFile);

/// Parses the file at `path`.
pub fn read(path: &Path) -> Result<ParsedConnectorFile, Error> {
    let message = || format!("cannot read `{}`", path.display());
    let file = connector_file::read(path).map_err(|findings| Error::findings(message(), findings))?;
    if file.entries.is_empty() && !file.is_absent() {
        // Message of the Confluent CLI (docs/reference/cli.md#connector-commands).
        return Err(Error::failed(format!(
            "connector config file \"{}\" is empty",
            path.display()
        )));
    }
    Ok(ParsedConnectorFile(file))
}

impl ParsedConnectorFile {
    /// Returns the desired state of the file: `running` or `paused`; `None` if the file sets no state.
    ///
    /// # Errors
    /// The file has `state: absent`, or an unknown state.
    pub fn state(&self) -> Result<Option<&str>, Error> {
        let Some(entry) = self.0.setting("state") else {
            return Ok(None);
        };
        let shown = self.0.source.path.display();
        match entry.value.as_str() {
            state @ ("running" | "paused") => Ok(Some(state)),
            "absent" => Err(
                Error::refused(format!("`{shown}` has `state: absent`, so it describes no connector")).with_hint(
                    "Delete the connector with `confluent ebs connector delete`, or with `confluent ebs gitops apply`.",
                ),
            ),
            _ => Err(Error::failed(format!("`{shown}` has an unknown `state`"))
                .with_hint("Write `running` or `paused`, or remove the key.")),
        }
    }

    /// Lints the file and returns the connector. Warnings are reported.
    ///
    /// # Errors
    /// The name belongs to another department, or a finding is an error.
    pub fn lint(&self, run: &RunContext, department: Option<&DepartmentContext>) -> Result<ConnectorDefinition, Error> {
        let name = self.0.connector_name().map_or("", |entry| &entry.value).to_owned();
        reject_foreign_names(department, std::slice::from_ref(&name))?;
        let refreshed = load_refreshed_catalog(run)?;
        let findings = catalog::lint(&self.0, &lint_options(run, department, refreshed.as_ref())).findings;
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

fn lint_options<'a>(
    run: &'a RunContext,
    department: Option<&'a DepartmentContext>,
    refreshed: Option<&'a Catalog>,
) -> LintOptions<'a> {
    LintOptions {
        variables: Some(&run.environment.variables),
        catalog: refreshed,
        department: department.map(|department| catalog::LintDepartment {
            prefix: &department.prefix,
            runtime_account: department.runtime_account_id.as_ref(),
            quota: &department.quota,
            connector_names: &department.connector_names,
            platform_team: &department.platform_team,
        }),
        secret_variables: department.map_or(&[], |department| &department.secret_variables),
        exceptions: department.map_or(&[], |department| &department.lint_exceptions),
    }
}

/// Rules that do not apply to a configuration without a file: masks of a stored configuration are sent back.
const FILE_RULES: [&str; 2] = ["file-name", "masked-value"];

/// Lints the configuration of an existing connector after a change. An error that the configuration had before is
/// reported as a warning, because the change does not cause it.
///
/// # Errors
/// A finding is an error that the change causes.
pub fn lint_change(
    run: &RunContext,
    department: Option<&DepartmentContext>,
    changed: &ConnectorDefinition,
    observed: &LiveConnector,
) -> Result<(), Error> {
    let refreshed = load_refreshed_catalog(run)?;
    let options = lint_options(run, department, refreshed.as_ref());
    let lint = |config: &BTreeMap<String, String>| {
        let title = format!("{} (changed configuration)", observed.name);
        let text = serde_json::to_string_pretty(config).unwrap_or_default();
        let parsed = connector_file::parse(&SourceFile::new(title, text));
        let mut findings = match parsed {
            Ok(file) => catalog::lint(&file, &options).findings,
            Err(findings) => findings,
        };
        findings.retain(|finding| !FILE_RULES.contains(&finding.rule));
        findings
    };
    let former = lint(&current_config(observed));
    let is_former = |finding: &Finding| {
        let same = |known: &Finding| known.rule == finding.rule && known.message == finding.message;
        former.iter().any(same)
    };
    let (kept, mut caused): (Vec<Finding>, Vec<Finding>) = lint(&changed.config).into_iter().partition(is_former);
    for finding in kept.iter().filter(|finding| finding.severity == Severity::Error) {
        run.warn(format!("{}; the change does not affect this", finding.message));
    }
    if has_errors(&caused) {
        let message = format!("invalid configuration of connector `{}`", observed.name);
        return Err(Error::findings(message, caused).with_kind(ErrorKind::Refused));
    }
    caused.retain(|finding| finding.severity == Severity::Warning);
    for warning in &caused {
        run.warn(&warning.message);
    }
    Ok(())
}

/// Returns the configuration of `observed` without the keys that the service adds.
fn current_config(observed: &LiveConnector) -> BTreeMap<String, String> {
    let mut config = observed.expanded.info.config.clone();
    config.retain(|key, _| !is_server_key(key));
    config
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
    /// Rejects a secret that is set as a literal, which others can see on the command line, or as a mask.
    ///
    /// # Errors
    /// See above.
    pub fn reject_literal_secrets(&self) -> Result<(), Error> {
        for (key, value) in &self.set {
            if is_mask(value) {
                return Err(Error::refused(format!("the new value of `{key}` is a mask")).with_hint(format!(
                    "Pass a reference to the secret: `--config '{key}=${{env:{}}}'`. To keep the stored secret, omit \
                     the key.",
                    variable_for(key)
                )));
            }
            if is_secret_name(key) && ValueReference::parse(value).is_none() {
                return Err(Error::refused(format!(
                    "`{key}` holds a secret, which is visible to others on the command line"
                ))
                .with_hint(format!(
                    "Pass a reference: `--config '{key}=${{env:{}}}'`.",
                    variable_for(key)
                )));
            }
        }
        Ok(())
    }

    /// Returns the current configuration of `observed` with these changes.
    ///
    /// # Errors
    /// A secret is set as a literal or as a mask, the connector would be renamed, a removed key does not exist, or `tasks.max` is
    /// invalid.
    pub fn apply(&self, observed: &LiveConnector) -> Result<ConnectorDefinition, Error> {
        self.reject_literal_secrets()?;
        let mut config = current_config(observed);
        for (key, value) in &self.set {
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
