//! `confluent ebs connector plugin new`.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Serialize;

use crate::{
    catalog::{
        PluginSchema, catalog,
        rules::self_managed::managed_for,
        schema::SNAPSHOT,
        starter::{Starter, proposed_name, starter},
    },
    commands::{CommandOutput, Ctx},
    config::save::{IfExists, save},
    error::Error,
    hint::closest_match,
    manifest,
    model::Prefix,
    render::{Block, TextLine, Viewable},
    session::{self, Options},
    text,
};

/// Create a starter file for a connector
///
/// The file contains the required and the common keys of the plugin, each with a comment. The command needs neither a
/// login nor a network. With a profile, names get the prefix of your department.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Create claims-staff.yaml for a source that captures changes of a PostgreSQL database.

  $ confluent ebs connector plugin new PostgresCdcSourceV2 --output-file claims-staff.yaml

Print a JSON file for the plugin \"S3_SINK\".

  $ confluent ebs connector plugin new S3_SINK --format json --profile claims-deployer")]
pub(in crate::commands::connector) struct PluginNewArgs {
    /// Name of the plugin.
    #[arg(value_name = "plugin")]
    plugin: String,
    /// Name of the connector. Default: the name of the file, or of the plugin.
    #[arg(long, value_name = "string")]
    name: Option<String>,
    /// Format: YAML with comments, or JSON without. Default: YAML, unless the file ends in ".json".
    #[arg(long, value_enum, value_name = "string")]
    format: Option<ConnectorFileFormat>,
    /// File to create; an existing file is not overwritten. Default: standard output.
    #[arg(long, value_name = "string")]
    output_file: Option<PathBuf>,
}

/// Format of a connector file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum ConnectorFileFormat {
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

    fn extension(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
        }
    }
}

impl PluginNewArgs {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<PluginNewOutput>, Error> {
        let plugin = find_plugin(&ctx.run.options, &self.plugin)?;
        let profile = session::load_selected_profile(&ctx.run, ctx.run.environment.dirs()?)?;
        let facts = profile.as_ref().map(|loaded| &loaded.profile.facts);
        let prefix = facts.map(|facts| &facts.prefix);
        let format = self.format()?;
        let name = self.name(plugin, prefix)?;
        if let Some(facts) = facts.filter(|facts| !facts.quota.allows_plugin(plugin.class)) {
            ctx.ui.warn(&format!(
                "plugin `{}` is not allowed for department `{}`; allowed plugins: {}",
                plugin.class,
                facts.department,
                facts.quota.plugins.join(", ")
            ));
        }
        let starter = starter(plugin, &name, prefix);
        let file = match &self.output_file {
            Some(file) => file.display().to_string(),
            None => format!("{name}.{}", format.extension()),
        };
        let text = match format {
            ConnectorFileFormat::Yaml => {
                manifest::starter::render_yaml(&starter, &file, facts.map(|facts| &facts.quota))
            }
            ConnectorFileFormat::Json => manifest::starter::render_json(&starter),
        };
        if let Some(file) = &self.output_file {
            save(file, text.as_bytes(), IfExists::Keep)?;
        }
        Ok(CommandOutput::new(PluginNewOutput::new(
            &starter,
            format,
            self.output_file,
            text,
        )))
    }

    fn format(&self) -> Result<ConnectorFileFormat, Error> {
        let by_file = self.output_file.as_deref().and_then(ConnectorFileFormat::from_path);
        match (self.format, by_file) {
            (Some(format), Some(other)) if format != other => Err(Error::usage(format!(
                "a file with the ending `.{}` is not read as {}",
                other.extension(),
                match format {
                    ConnectorFileFormat::Yaml => "YAML",
                    ConnectorFileFormat::Json => "JSON",
                }
            ))
            .with_hint("Omit `--format`, or change the ending of the file.")),
            (Some(format), _) | (None, Some(format)) => Ok(format),
            (None, None) => Ok(ConnectorFileFormat::Yaml),
        }
    }

    /// Returns the name of the connector: the name in the arguments, of the file, or of the plugin.
    fn name(&self, plugin: &PluginSchema, prefix: Option<&Prefix>) -> Result<String, Error> {
        let by_file = || self.output_file.as_ref()?.file_stem()?.to_str().map(str::to_owned);
        let Some(name) = self.name.clone().or_else(by_file) else {
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
}

/// Finds a plugin in the embedded plugin catalog.
fn find_plugin(options: &Options, written: &str) -> Result<&'static PluginSchema, Error> {
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
    let error = Error::failed(format!("unknown plugin `{written}` (catalog of {SNAPSHOT})"));
    let near = closest_match(written, catalog.plugins().map(|plugin| plugin.class));
    let error = match near {
        Some(near) => error.with_hint(format!("Did you mean `{near}`?")),
        None => error,
    };
    let list = options.suggest("connector plugin list");
    Err(error.with_hint(format!(
        "Confluent Cloud may offer newer plugins: list them with `{list}`."
    )))
}

/// Created starter file.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct PluginNewOutput {
    plugin: &'static str,
    name: String,
    format: ConnectorFileFormat,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// Keys that the user has to fill in.
    placeholders: Vec<String>,
    /// Environment variables of its secrets.
    variables: Vec<String>,
    text: String,
}

impl PluginNewOutput {
    fn new(starter: &Starter, format: ConnectorFileFormat, file: Option<PathBuf>, text: String) -> Self {
        Self {
            plugin: starter.class,
            name: starter.name.clone(),
            format,
            file,
            placeholders: starter.placeholders().map(|key| key.key.clone()).collect(),
            variables: starter.variables().map(str::to_owned).collect(),
            text,
        }
    }
}

impl Viewable for PluginNewOutput {
    fn view(&self) -> Vec<Block> {
        let Some(file) = &self.file else {
            return vec![Block::Verbatim(self.text.clone())];
        };
        let file = file.display();
        let mut lines = vec![TextLine::from(format!("Created `{file}`."))];
        if !self.placeholders.is_empty() {
            lines.push(format!("Fill in {}.", text::join_list(&self.placeholders)).into());
        }
        if !self.variables.is_empty() {
            lines.push(format!("Set its secrets in {}.", text::join_list(&self.variables)).into());
        }
        lines.push(format!("Then lint it with `confluent ebs connector lint {file}`.").into());
        vec![Block::Lines(lines)]
    }
}
