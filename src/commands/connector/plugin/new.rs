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
    session, text,
};

/// Make a starter file for a connector.
///
/// It holds the keys that the plugin requires and those that are usual, with a comment on each. Nobody is asked: neither a
/// login nor a network is needed. With a profile its names begin with the department's prefix.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Make claims-staff.yaml, a source that reads changes of a PostgreSQL database.

  $ confluent ebs connector plugin new PostgresCdcSourceV2 --output-file claims-staff.yaml

Show a file for the plugin \"S3_SINK\" in JSON.

  $ confluent ebs connector plugin new S3_SINK --format json --profile claims-deployer")]
pub(in crate::commands::connector) struct PluginNewArgs {
    /// Name of the plugin.
    #[arg(value_name = "plugin")]
    plugin: String,
    /// Name of the connector. By default it is called like its file, or like the plugin.
    #[arg(long, value_name = "string")]
    name: Option<String>,
    /// Format of the file: YAML with comments, or JSON without. By default YAML, unless the file ends in ".json".
    #[arg(long, value_enum, value_name = "string")]
    format: Option<ConnectorFileFormat>,
    /// File to write; an existing one is not touched. By default the text is printed.
    #[arg(long, value_name = "string")]
    output_file: Option<PathBuf>,
}

/// What a connector file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
enum ConnectorFileFormat {
    /// With comments.
    Yaml,
    /// Without comments.
    Json,
}

impl ConnectorFileFormat {
    /// What the linter would read a file of that name as.
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
        let plugin = find_plugin(&self.plugin)?;
        let profile = session::load_selected_profile(&ctx.run, ctx.run.environment.dirs()?)?;
        let facts = profile.as_ref().map(|loaded| &loaded.profile.facts);
        let prefix = facts.map(|facts| &facts.prefix);
        let format = self.format()?;
        let name = self.name(plugin, prefix)?;
        if let Some(facts) = facts.filter(|facts| !facts.quota.allows_plugin(plugin.class)) {
            ctx.ui.warn(&format!(
                "plugin \"{}\" is not among those that department \"{}\" may use: {}",
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
                "a file that ends in \".{}\" is not read as {}",
                other.extension(),
                match format {
                    ConnectorFileFormat::Yaml => "YAML",
                    ConnectorFileFormat::Json => "JSON",
                }
            ))
            .with_hint("Leave `--format` out, or let the file end in another way.")),
            (Some(format), _) | (None, Some(format)) => Ok(format),
            (None, None) => Ok(ConnectorFileFormat::Yaml),
        }
    }

    /// The connector's name: as written, as the file is called, or as the plugin is.
    fn name(&self, plugin: &PluginSchema, prefix: Option<&Prefix>) -> Result<String, Error> {
        let by_file = || self.output_file.as_ref()?.file_stem()?.to_str().map(str::to_owned);
        let Some(name) = self.name.clone().or_else(by_file) else {
            return Ok(proposed_name(plugin, prefix));
        };
        match prefix {
            Some(prefix) if !prefix.owns(&name) => Err(Error::usage(format!(
                "the connector would be called \"{name}\", but names of the department begin with \"{prefix}\""
            ))
            .with_hint("A connector and its file have one name; choose another with `--name`.")),
            _ => Ok(name),
        }
    }
}

/// The plugin of that name, if these facts have it.
fn find_plugin(written: &str) -> Result<&'static PluginSchema, Error> {
    let catalog = catalog();
    if let Some(plugin) = catalog.plugin(written) {
        return Ok(plugin);
    }
    let managed: Vec<&str> = managed_for(catalog, written);
    if !managed.is_empty() {
        return Err(Error::failed(format!(
            "\"{written}\" is a class for self-managed Connect, not a managed plugin"
        ))
        .with_hint(match &managed[..] {
            [one] => format!("Its managed plugin is \"{one}\"."),
            several => format!("Its managed plugins are {}.", text::join_quoted(several)),
        }));
    }
    let error = Error::failed(format!("plugin \"{written}\" is not known here (facts of {SNAPSHOT})"));
    let near = closest_match(written, catalog.plugins().map(|plugin| plugin.class));
    let error = match near {
        Some(near) => error.with_hint(format!("Did you mean \"{near}\"?")),
        None => error,
    };
    Err(error.with_hint(
        "The service may offer it all the same: `confluent ebs connector plugin list` asks, and `plugin describe` shows its keys.",
    ))
}

/// The file that was made.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct PluginNewOutput {
    plugin: &'static str,
    name: String,
    format: ConnectorFileFormat,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// Keys that have to be filled in.
    placeholders: Vec<String>,
    /// Variables that secrets are taken from.
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
        let mut lines = vec![TextLine::from(format!("Created {file}."))];
        if !self.placeholders.is_empty() {
            lines.push(format!("Fill in {}.", text::join_list(&self.placeholders)).into());
        }
        if !self.variables.is_empty() {
            lines.push(format!("Its secrets are taken from {}.", text::join_list(&self.variables)).into());
        }
        lines.push(format!("Then check it with `confluent ebs connector lint {file}`.").into());
        vec![Block::Lines(lines)]
    }
}
