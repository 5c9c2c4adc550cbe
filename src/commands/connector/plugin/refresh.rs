//! `confluent ebs connector plugin refresh`.

use std::path::PathBuf;

use crate::{
    commands::{CommandOutput, Ctx},
    connectors::plugin_refresh::{CatalogRefresh, refresh_catalog},
    error::Error,
    render::{Block, TextLine, Viewable},
    session::ConnectorSession,
    text,
};

/// Refresh the linter's facts about plugins
///
/// Asks Confluent Cloud for the keys of all plugins, and writes what the built-in facts lack to catalogue.json: plugins,
/// keys, values, and which values are secrets. "lint", "create", "update" and "validate" use the file, which never
/// makes them less strict. It is written beside ebs.toml, to be committed, or without one to the state directory.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Refresh the facts with the plugins of stage \"prod\".

  $ confluent ebs connector plugin refresh --stage prod")]
pub(in crate::commands::connector) struct PluginRefreshArgs {
    /// File to write. Default: catalogue.json beside ebs.toml, or in the state directory.
    #[arg(long, value_name = "file")]
    out: Option<PathBuf>,
}

impl PluginRefreshArgs {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<CatalogRefresh>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let refreshed = ctx.block_on_reading(refresh_catalog(&ctx.run, &session, self.out))?;
        Ok(CommandOutput::new(refreshed))
    }
}

impl Viewable for CatalogRefresh {
    fn view(&self) -> Vec<Block> {
        let mut lines = vec![TextLine::from(format!(
            "Wrote `{}`: {}, {}, {} with new values and {} that the built-in facts lack.",
            self.file.display(),
            text::count_noun(self.added_plugins.len(), "plugin"),
            text::count_noun(self.added_keys, "key"),
            text::count_noun(self.added_values, "key"),
            text::count_noun(self.added_secrets.len(), "secret"),
        ))];
        if !self.added_plugins.is_empty() {
            lines.push(format!("New plugins: {}.", text::join_list(&self.added_plugins)).into());
        }
        if !self.undescribed_plugins.is_empty() {
            let names = text::join_list(&self.undescribed_plugins);
            lines.push(format!("Confluent Cloud does not describe {names}.").into());
        }
        vec![Block::Lines(lines)]
    }
}
