//! Starter files: a connector file with the required and the common keys of a plugin.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::{
    catalog::{
        PluginSchema, catalog,
        rules::self_managed::managed_for,
        schema::SNAPSHOT,
        starter::{proposed_name, starter},
    },
    config::save::{IfExists, save_public},
    error::Error,
    hint::closest_match,
    manifest::{
        self,
        schema::{FileKind, SCHEMA_FOLDER, SchemaCoverage, connector_schema, hint_line, schema_folder, schema_text},
    },
    model::Prefix,
    session::{self, Options, RunContext, schema_files::save_schema},
    text,
};

/// Format of a connector file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConnectorFileFormat {
    /// YAML with comments.
    Yaml,
    /// JSON without comments.
    Json,
}

impl ConnectorFileFormat {
    /// Returns the format in which the linter reads a file of that name.
    fn from_path(file: &Path) -> Option<Self> {
        match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// Returns the name, which is also the extension of files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }
}

/// Content of a starter file.
#[derive(Debug, Serialize)]
pub struct StarterFile {
    /// Class of the plugin.
    pub plugin: &'static str,
    /// Name of the connector.
    pub name: String,
    /// Format in which the file is written.
    pub format: ConnectorFileFormat,
    /// Created file; `None` if the text was only returned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Keys that the user has to fill in.
    pub placeholders: Vec<String>,
    /// Environment variables of its secrets.
    pub variables: Vec<String>,
    /// Text of the file.
    pub text: String,
}

/// Creates a starter file for `plugin`. Names get the prefix of the department if a profile is selected. Without
/// `output_file`, the text is only returned; an existing file is not overwritten.
///
/// # Errors
/// The plugin is unknown, the name or the format does not fit, or the file cannot be written.
pub fn create_starter(
    run: &RunContext,
    plugin: &str,
    name: Option<String>,
    format: Option<ConnectorFileFormat>,
    output_file: Option<PathBuf>,
) -> Result<StarterFile, Error> {
    let plugin = find_plugin(&run.options, plugin)?;
    let profile = session::load_selected_profile(run, run.environment.dirs()?)?;
    let facts = profile.as_ref().map(|loaded| &loaded.profile.facts);
    let prefix = facts.map(|facts| &facts.prefix);
    let format = select_format(format, output_file.as_deref())?;
    let name = select_name(name, plugin, prefix, output_file.as_deref())?;
    if let Some(facts) = facts.filter(|facts| !facts.quota.allows_plugin(plugin.class)) {
        run.warn(format!(
            "plugin `{}` is not allowed for department `{}`; allowed plugins: {}",
            plugin.class,
            facts.department,
            facts.quota.plugins.join(", ")
        ));
    }
    let starter = starter(plugin, &name, prefix);
    let shown_file = match &output_file {
        Some(file) => file.display().to_string(),
        None => format!("{name}.{}", format.as_str()),
    };
    let text = match format {
        ConnectorFileFormat::Yaml => {
            let hint = output_file.as_deref().and_then(|file| schema_hint(run, file, plugin));
            let text = manifest::starter::render_yaml(&starter, &shown_file, facts.map(|facts| &facts.quota));
            hint.unwrap_or_default() + &text
        }
        ConnectorFileFormat::Json => manifest::starter::render_json(&starter),
    };
    if let Some(file) = &output_file {
        save_public(file, text.as_bytes(), IfExists::Keep)?;
    }
    Ok(StarterFile {
        plugin: starter.class,
        format,
        file: output_file,
        placeholders: starter.placeholders().map(|key| key.key.clone()).collect(),
        variables: starter.variables().map(str::to_owned).collect(),
        name: starter.name,
        text,
    })
}

/// Returns the first line that names the schema of `plugin`, which is written beside the schema of all connectors. Without
/// that schema in a folder above `file`, the repository does not use schemas.
fn schema_hint(run: &RunContext, file: &Path, plugin: &PluginSchema) -> Option<String> {
    let kind = FileKind::Connector;
    let file = run.environment.working_dir().ok()?.join(file);
    let (folder, relative) = schema_folder(&file, &kind.file_name())?;
    let own = format!("{}.json", plugin.class);
    let text = schema_text(&connector_schema(catalog(), plugin, SchemaCoverage::Complete));
    let saved = save_schema(&folder.join(SCHEMA_FOLDER).join(&own), &text);
    // The connector file is what was asked for: without the plugin's schema, it refers to the one of all connectors.
    let name = if saved.is_ok() { own } else { kind.file_name() };
    Some(hint_line(kind, &relative, &name))
}

/// Returns the requested format, or the one of the file.
fn select_format(requested: Option<ConnectorFileFormat>, file: Option<&Path>) -> Result<ConnectorFileFormat, Error> {
    let by_file = file.and_then(ConnectorFileFormat::from_path);
    match (requested, by_file) {
        (Some(format), Some(other)) if format != other => Err(Error::usage(format!(
            "a file with the ending `.{}` is not read as {}",
            other.as_str(),
            format.as_str().to_ascii_uppercase()
        ))
        .with_hint("Omit `--format`, or change the ending of the file.")),
        (requested, by_file) => Ok(requested.or(by_file).unwrap_or(ConnectorFileFormat::Yaml)),
    }
}

/// Returns the name of the connector: the requested name, or the one of the file, or of the plugin.
fn select_name(
    requested: Option<String>,
    plugin: &PluginSchema,
    prefix: Option<&Prefix>,
    file: Option<&Path>,
) -> Result<String, Error> {
    let by_file = || file?.file_stem()?.to_str().map(str::to_owned);
    let Some(name) = requested.or_else(by_file) else {
        return Ok(proposed_name(plugin, prefix));
    };
    match prefix {
        Some(prefix) if !prefix.owns(&name) => Err(Error::usage(format!(
            "invalid connector name `{name}`: names of your department begin with `{prefix}`"
        ))
        .with_hint("The name defaults to the name of the file; set another name with `--name`.")),
        _ => Ok(name),
    }
}

/// Finds a plugin in the embedded plugin catalog.
///
/// # Errors
/// There is no such plugin; the suggestions name similar ones.
pub fn find_plugin(options: &Options, written: &str) -> Result<&'static PluginSchema, Error> {
    let catalog = catalog();
    if let Some(plugin) = catalog.plugin(written) {
        return Ok(plugin);
    }
    let managed: Vec<&str> = managed_for(catalog, written);
    if !managed.is_empty() {
        return Err(Error::failed(format!(
            "`{written}` is a class of self-managed Connect, not a managed plugin"
        ))
        .with_hint(match &managed[..] {
            [one] => format!("Its managed plugin is `{one}`."),
            several => format!("Its managed plugins are {}.", text::join_code(several)),
        }));
    }
    let mut error = Error::failed(format!("unknown plugin `{written}` (catalog of {SNAPSHOT})"));
    let part = written.to_ascii_lowercase();
    let containing = catalog.plugins().map(|plugin| plugin.class);
    let containing: Vec<&str> = containing
        .filter(|class| class.to_ascii_lowercase().contains(&part))
        .collect();
    if let Some(near) = closest_match(written, catalog.plugins().map(|plugin| plugin.class)) {
        error = error.with_hint(format!("Did you mean `{near}`?"));
    } else if !containing.is_empty() {
        error = error.with_hint(format!("Plugins with this word: {}.", text::join_code(&containing)));
    }
    let list = options.suggest("connector plugin list");
    Err(error.with_hint(format!(
        "Confluent Cloud may offer newer plugins: list them with `{list}`."
    )))
}
