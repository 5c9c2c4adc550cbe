//! `confluent ebs schema`.

use std::path::PathBuf;

use clap::{ValueEnum, builder::PossibleValue};
use serde::Serialize;
use serde_json::Value;

use super::{CommandOutput, Ctx};
use crate::{
    catalog::catalog,
    connectors::starter_file::find_plugin,
    error::Error,
    manifest::schema::{FileKind, SchemaCoverage, connector_schema, schema_text},
    render::{Block, Viewable},
    session::schema_files::{save_schema, save_schemas},
    text::join_code,
};

/// Print the JSON Schema of a file, for editors
///
/// With a schema, an editor completes settings, shows their descriptions and marks mistakes while you type. The schemas
/// are those of this version of the program, so write them again after an update. docs/editors.md explains how editors
/// find them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Write all schemas to the directory that the first lines of new files refer to.

  $ confluent ebs schema --out-dir .schemas

Print the schema of department files.

  $ confluent ebs schema department

Write a schema with the settings of one plugin.

  $ confluent ebs schema connector --plugin S3_SINK --out .schemas/S3_SINK.json

Write a schema for base files, whose other settings are in the files of the stages.

  $ confluent ebs schema connector --plugin S3_SINK --partial --out .schemas/S3_SINK-base.json")]
pub(super) struct SchemaArgs {
    /// Kind of file: "ebs" (ebs.toml), "department", "template", "policy", "policy-tests", or "connector".
    #[arg(value_enum, value_name = "kind", required_unless_present = "out_dir")]
    kind: Option<FileKind>,
    /// Plugin of the connector; without it, the schema of a connector knows only the settings that all plugins have.
    #[arg(long, value_name = "string")]
    plugin: Option<String>,
    /// No setting is required, for base files and for stage files with a base file.
    #[arg(long, requires = "plugin")]
    partial: bool,
    /// File to write; an earlier schema is replaced. Default: standard output.
    #[arg(long, value_name = "string")]
    out: Option<PathBuf>,
    /// Directory to write the schemas of all kinds to; it is created.
    #[arg(long, value_name = "string", conflicts_with_all = ["kind", "plugin", "partial", "out"])]
    out_dir: Option<PathBuf>,
}

impl ValueEnum for FileKind {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

impl SchemaArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<SchemaOutput>, Error> {
        if let Some(folder) = self.out_dir {
            let files = save_schemas(&folder)?;
            return Ok(CommandOutput::new(SchemaOutput::Written { files }));
        }
        let kind = self.kind.unwrap_or(FileKind::Platform);
        let schema = match &self.plugin {
            Some(_) if kind != FileKind::Connector => {
                return Err(Error::usage(format!(
                    "`--plugin` is only for connectors, not for `{}`",
                    kind.as_str()
                ))
                .with_hint("Omit `--plugin`, or run `confluent ebs schema connector --plugin CLASS`."));
            }
            Some(class) => {
                let plugin = find_plugin(&ctx.run.options, class)?;
                let coverage = match self.partial {
                    true => SchemaCoverage::Partial,
                    false => SchemaCoverage::Complete,
                };
                connector_schema(catalog(), plugin, coverage)
            }
            None => kind.schema(catalog()),
        };
        let Some(file) = self.out else {
            return Ok(CommandOutput::new(SchemaOutput::Printed(schema)));
        };
        save_schema(&file, &schema_text(&schema))?;
        Ok(CommandOutput::new(SchemaOutput::Written { files: vec![file] }))
    }
}

/// Schema, or the files with schemas.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum SchemaOutput {
    Printed(Value),
    Written { files: Vec<PathBuf> },
}

impl Viewable for SchemaOutput {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Printed(schema) => vec![Block::Verbatim(schema_text(schema))],
            Self::Written { files } => {
                let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                vec![Block::line(format!("Wrote {}.", join_code(&names)))]
            }
        }
    }
}
