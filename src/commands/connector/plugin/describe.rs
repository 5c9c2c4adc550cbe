//! `confluent ebs connector plugin describe`.

use crate::{
    commands::{CommandOutput, Ctx},
    connectors::plugins::{PluginKey, plugin_keys},
    error::Error,
    render::{Cell, RowList, TableRow},
    session::ConnectorSession,
};

/// Describe the configuration keys of a connector plugin
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Describe the configuration keys of the plugin \"DatagenSource\".

  $ confluent ebs connector plugin describe DatagenSource")]
pub(in crate::commands::connector) struct PluginDescribeArgs {
    /// Name of the plugin.
    #[arg(value_name = "plugin")]
    plugin: String,
}

impl PluginDescribeArgs {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<RowList<PluginKey>>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let keys = ctx.block_on_reading(plugin_keys(&session, &self.plugin))?;
        Ok(CommandOutput::new(RowList::in_order(keys)))
    }
}

impl TableRow for PluginKey {
    const COLUMNS: &'static [&'static str] = &["Config", "Required", "Default", "Values", "Documentation"];
    const OPTIONAL_COLUMNS: &'static [&'static str] = &["Documentation", "Values"];

    fn cells(&self) -> Vec<Cell> {
        let secret = if self.is_secret { " (secret)" } else { "" };
        // A key with a default can be omitted.
        let is_needed = self.is_required && self.default_value.is_none();
        vec![
            Cell::Text(format!("{}{secret}", self.config)),
            Cell::text(&is_needed),
            Cell::from(self.default_value.as_deref()),
            Cell::Text(self.recommended_values.join(", ")),
            Cell::text(&self.documentation),
        ]
    }
}
