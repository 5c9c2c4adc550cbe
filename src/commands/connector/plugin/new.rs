//! `confluent ebs connector plugin new`.

use std::path::PathBuf;

use clap::{ValueEnum, builder::PossibleValue};

use crate::{
    commands::{CommandOutput, Ctx},
    connectors::starter_file::{ConnectorFileFormat, StarterFile, create_starter},
    error::Error,
    render::{Block, TextLine, Viewable},
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

impl ValueEnum for ConnectorFileFormat {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Yaml, Self::Json]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Yaml => "YAML with comments",
            Self::Json => "JSON without comments",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

impl PluginNewArgs {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<StarterFile>, Error> {
        let (name, format, file) = (self.name, self.format, self.output_file);
        let created = create_starter(&ctx.run, &self.plugin, name, format, file)?;
        Ok(CommandOutput::new(created))
    }
}

impl Viewable for StarterFile {
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
