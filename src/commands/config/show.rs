//! `confluent ebs config show`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    render::{Block, Style, TextLine, Viewable},
    session::{SettingRow, list_settings},
};

/// Show settings and where they come from
///
/// Shows the settings of a run with these flags, in this directory. Sends no request; the secret of the API key is
/// masked.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show all settings with their sources.

  $ confluent ebs config show --origin

Show which cluster a command acts on.

  $ confluent ebs config show cluster --profile claims-operator")]
pub(super) struct ConfigShowArgs {
    /// Setting; only its value is printed. Default: all settings that have a value.
    #[arg(value_name = "key")]
    key: Option<String>,
    /// Also show the source of each value. JSON and YAML always contain it.
    #[arg(long)]
    origin: bool,
}

impl ConfigShowArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<SettingListOutput>, Error> {
        let rows = list_settings(&ctx.run, self.key.as_deref())?;
        if let Some(key) = self.key.filter(|_| rows.is_empty()) {
            return Err(Error::failed(format!("setting `{key}` has no value")));
        }
        Ok(CommandOutput::new(SettingListOutput {
            rows,
            with_origin: self.origin,
        }))
    }
}

/// Settings with their sources.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct SettingListOutput {
    rows: Vec<SettingRow>,
    #[serde(skip)]
    with_origin: bool,
}

impl Viewable for SettingListOutput {
    fn view(&self) -> Vec<Block> {
        // A table is too narrow for paths, and a single value is for scripts.
        let width = match self.rows.as_slice() {
            [_] => 0,
            rows => rows.iter().map(|row| row.name.len()).max().unwrap_or(0),
        };
        let lines = self.rows.iter().map(|row| {
            let name = match width {
                0 => String::new(),
                width => format!("{:width$}  ", row.name),
            };
            let hanging = name.len() + 2;
            let line = TextLine::new()
                .with_styled_text(Style::Heading, name)
                .with_text(&row.value)
                .with_hanging_indent(hanging);
            match self.with_origin {
                true => line.with_styled_text(Style::Muted, format!("  ({})", row.origin)),
                false => line,
            }
        });
        vec![Block::Lines(lines.collect())]
    }
}
