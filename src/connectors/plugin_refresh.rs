//! Refreshes the linter's facts about plugins from the service, and loads refreshed facts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;

use super::validation::validate_with_service;
use crate::{
    api::{
        cmk::GetCluster,
        connect::{ConfigValidation, ListPlugins, Plugin, ValidatedKey},
    },
    catalog::{
        Catalog, ConnectorDirection, Importance, ValueType, catalog,
        refreshed::{KeyAddition, RefreshOrigin, RefreshedCatalog, RefreshedKey, RefreshedPlugin},
    },
    config::save::{IfExists, save_public},
    error::{Error, ResultExt},
    manifest::Workspace,
    session::{ConnectorSession, RunContext},
};

/// Name of the file with refreshed facts: beside `ebs.toml`, or in the state folder.
const CATALOGUE_FILE: &str = "catalogue.json";

/// Number of plugins that are asked for at the same time.
const CONCURRENCY: usize = 4;

/// Result of a refresh.
#[derive(Debug, Serialize)]
pub struct CatalogRefresh {
    /// Path of the file that was written.
    pub file: PathBuf,
    /// Origin of the facts.
    #[serde(flatten)]
    pub origin: RefreshOrigin,
    /// Number of plugins that the service described.
    pub plugins: usize,
    /// Plugins that the service lists but does not describe.
    pub undescribed_plugins: Vec<String>,
    /// Plugins that the embedded facts lack.
    pub added_plugins: Vec<String>,
    /// Number of keys that the embedded facts lack, of other plugins.
    pub added_keys: usize,
    /// Number of keys with new values.
    pub added_values: usize,
    /// Keys that are secrets, unlike in the embedded facts, as `PLUGIN KEY`.
    pub added_secrets: Vec<String>,
}

/// Asks the service for the keys of all plugins and writes what the embedded facts lack to `out`, or beside `ebs.toml`,
/// or, without one, to the state folder. A rehearsal in the sandbox writes to the folder of the sandbox.
///
/// # Errors
/// A request fails, or the file cannot be written.
pub async fn refresh_catalog(
    run: &RunContext,
    session: &ConnectorSession,
    out: Option<PathBuf>,
) -> Result<CatalogRefresh, Error> {
    let connectors = &session.connectors;
    let listed = ListPlugins(connectors.cluster_path.clone());
    let plugins = connectors.client.send(&listed).await?.value;
    run.info(format!("Reading the keys of {} plugins.", plugins.len()));
    let answers: Vec<(Plugin, Option<ConfigValidation>)> = stream::iter(plugins)
        .map(async |plugin: Plugin| {
            let config = BTreeMap::from([("connector.class".to_owned(), plugin.class.clone())]);
            let validation = validate_with_service(session, &plugin.class, config).await?;
            Ok::<_, Error>((plugin, validation))
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let origin = read_origin(session).await;
    let sandbox = run.environment.dirs()?.sandbox();
    // A profile of the sandbox needs no flag.
    let is_rehearsal = run.options.is_sandbox() || session.journal_path.starts_with(&sandbox);
    let file = match out {
        Some(file) => file,
        None if is_rehearsal => sandbox.join(CATALOGUE_FILE),
        None => match platform_folder(run) {
            Some(folder) => folder.join(CATALOGUE_FILE),
            None => run.environment.dirs()?.state().join(CATALOGUE_FILE),
        },
    };
    let mut report = CatalogRefresh {
        file,
        origin: origin.clone(),
        plugins: 0,
        undescribed_plugins: Vec::new(),
        added_plugins: Vec::new(),
        added_keys: 0,
        added_values: 0,
        added_secrets: Vec::new(),
    };
    let mut additions = BTreeMap::new();
    for (plugin, validation) in answers {
        let Some(validation) = validation else {
            report.undescribed_plugins.push(plugin.class);
            continue;
        };
        report.plugins += 1;
        if let Some(added) = to_refreshed(&plugin, validation).additions(&plugin.class) {
            report.count(&plugin.class, &added);
            additions.insert(plugin.class, added);
        }
    }
    let stored = RefreshedCatalog {
        origin,
        plugins: additions,
    };
    let mut text = serde_json::to_string_pretty(&stored).context("cannot serialize the facts")?;
    text.push('\n');
    save_public(&report.file, text.as_bytes(), IfExists::Replace)?;
    Ok(report)
}

impl CatalogRefresh {
    fn count(&mut self, class: &str, added: &RefreshedPlugin) {
        let Some(known) = catalog().plugin(class) else {
            self.added_plugins.push(class.to_owned());
            return;
        };
        for (name, key) in &added.keys {
            match key.addition(Some(known), name) {
                Some(KeyAddition::Key) => self.added_keys += 1,
                Some(KeyAddition::Values) => self.added_values += 1,
                Some(KeyAddition::Secret) => self.added_secrets.push(format!("{class} {name}")),
                None => {}
            }
        }
    }
}

/// Reads cloud and region of the cluster; keys of departments may lack the right.
async fn read_origin(session: &ConnectorSession) -> RefreshOrigin {
    let path = &session.connectors.cluster_path;
    let request = GetCluster {
        environment: path.environment.clone(),
        id: path.cluster.clone(),
    };
    let cluster = session.connectors.client.send(&request).await.ok();
    let spec = cluster.map(|answered| answered.value.spec);
    let present = |text: String| Some(text).filter(|text| !text.is_empty());
    let (cloud, region) = spec.map_or((None, None), |spec| (present(spec.cloud), present(spec.region)));
    RefreshOrigin {
        date: session.clock().now().to_zoned(jiff::tz::TimeZone::UTC).date(),
        cloud,
        region,
    }
}

fn to_refreshed(plugin: &Plugin, validation: ConfigValidation) -> RefreshedPlugin {
    let direction = match plugin.plugin_type.eq_ignore_ascii_case("sink") {
        true => ConnectorDirection::Sink,
        false => ConnectorDirection::Source,
    };
    let named = validation
        .configs
        .into_iter()
        .filter(|key| !key.definition.name.is_empty());
    RefreshedPlugin {
        direction,
        implementation: validation.name,
        keys: named.map(to_refreshed_key).collect(),
    }
}

fn to_refreshed_key(key: ValidatedKey) -> (String, RefreshedKey) {
    let definition = key.definition;
    let refreshed = RefreshedKey {
        value_type: match definition.value_type.as_str() {
            "PASSWORD" => ValueType::Password,
            "BOOLEAN" => ValueType::Boolean,
            "INT" => ValueType::Int,
            "LONG" => ValueType::Long,
            "SHORT" => ValueType::Short,
            "DOUBLE" => ValueType::Double,
            "LIST" => ValueType::List,
            _ => ValueType::String,
        },
        required: definition.required,
        default: definition.default_value,
        allowed: key.value.recommended_values,
        importance: match definition.importance.as_str() {
            "HIGH" => Importance::High,
            "MEDIUM" => Importance::Medium,
            "LOW" => Importance::Low,
            _ => Importance::Unknown,
        },
        hidden: !key.value.visible,
    };
    (definition.name, refreshed)
}

/// Loads the embedded facts with the refreshed ones beside `ebs.toml`, or, without them, in the state folder; `None` if
/// there are no refreshed facts.
///
/// # Errors
/// The file is unreadable.
pub fn load_refreshed_catalog(run: &RunContext) -> Result<Option<Catalog>, Error> {
    let folders = platform_folder(run).into_iter();
    let state = run.environment.dirs().ok().map(|dirs| dirs.state().to_owned());
    for folder in folders.chain(state) {
        let file = folder.join(CATALOGUE_FILE);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", file.display())),
        };
        return parse_refreshed(&file, &text).map(Some);
    }
    Ok(None)
}

fn parse_refreshed(file: &Path, text: &str) -> Result<Catalog, Error> {
    let stored: RefreshedCatalog = serde_json::from_str(text).map_err(|error| {
        Error::failed(format!("cannot read `{}`: {error}", file.display()))
            .with_hint("Create it again with `confluent ebs connector plugin refresh`, or delete it.")
    })?;
    Ok(stored.merge())
}

fn platform_folder(run: &RunContext) -> Option<PathBuf> {
    let working_dir = run.environment.working_dir().ok()?;
    Workspace::find(working_dir, run.platform_dir().as_deref()).ok()?
}
