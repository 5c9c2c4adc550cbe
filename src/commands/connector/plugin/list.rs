//! `confluent ebs connector plugin list`.

use crate::{
    commands::{CommandOutput, Ctx},
    connectors::plugins::{ClusterPlugin, list_plugins},
    error::Error,
    render::{Cell, RowList, TableRow},
    session::ConnectorSession,
};

/// List connector plugins
#[derive(Debug, clap::Args)]
#[command(after_help = "\
List the plugins that you are allowed to use.

  $ confluent ebs connector plugin list

List all plugins of the cluster.

  $ confluent ebs connector plugin list --all")]
pub(in crate::commands::connector) struct PluginListArgs {
    /// Include plugins that your department is not allowed to use.
    #[arg(long)]
    all: bool,
}

impl PluginListArgs {
    pub(in crate::commands::connector) fn run(
        self,
        ctx: &mut Ctx,
    ) -> Result<CommandOutput<RowList<ClusterPlugin>>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let plugins = ctx.block_on_reading(list_plugins(&session))?;
        let shown = plugins.into_iter().filter(|plugin| self.all || plugin.allowed);
        Ok(CommandOutput::new(RowList::new(shown)))
    }
}

impl TableRow for ClusterPlugin {
    const COLUMNS: &'static [&'static str] = &["Plugin Name", "Type"];

    fn cells(&self) -> Vec<Cell> {
        vec![Cell::text(&self.plugin_name), Cell::text(&self.direction)]
    }
}
