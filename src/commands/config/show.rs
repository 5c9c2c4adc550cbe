//! `confluent ebs config show`.

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    render::{Block, Cell, Table, Viewable},
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
    /// Setting. Default: all settings that have a value.
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
        let mut table = match self.with_origin {
            true => Table::new(["Setting", "Value", "Origin"]),
            false => Table::new(["Setting", "Value"]),
        };
        for row in &self.rows {
            let cells = [Cell::from(row.name), Cell::text(&row.value), Cell::text(&row.origin)];
            let shown = table.columns.len();
            table.push(cells.into_iter().take(shown));
        }
        vec![Block::Table(table)]
    }
}
