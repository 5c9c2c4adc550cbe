//! `confluent ebs connector plugin list`.

use serde::Serialize;

use crate::{
    api::connect,
    commands::{CommandOutput, Ctx},
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
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<RowList<PluginRow>>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let connectors = &session.connectors;
        let request = connect::ListPlugins(connectors.cluster_path.clone());
        let plugins = ctx.block_on(async { Ok(connectors.client.send(&request).await?.value) })?;
        let allowed = |class: &str| {
            session
                .department
                .as_ref()
                .is_none_or(|department| department.quota.allows_plugin(class))
        };
        let rows = plugins
            .into_iter()
            .map(|plugin| PluginRow {
                allowed: allowed(&plugin.class),
                plugin_name: plugin.class,
                direction: plugin.plugin_type,
            })
            .filter(|row| self.all || row.allowed);
        Ok(CommandOutput::new(RowList::new(rows)))
    }
}

/// Row of the list.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct PluginRow {
    plugin_name: String,
    #[serde(rename = "type")]
    direction: String,
    allowed: bool,
}

impl TableRow for PluginRow {
    const COLUMNS: &'static [&'static str] = &["Plugin Name", "Type"];

    fn cells(&self) -> Vec<Cell> {
        vec![Cell::text(&self.plugin_name), Cell::text(&self.direction)]
    }
}
