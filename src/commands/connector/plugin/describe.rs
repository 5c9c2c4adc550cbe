//! `confluent ebs connector plugin describe`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    commands::{CommandOutput, Ctx},
    connectors::request,
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
    pub(in crate::commands::connector) fn run(
        self,
        ctx: &mut Ctx,
    ) -> Result<CommandOutput<RowList<PluginKeyRow>>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        // A validation request with only the class returns all keys
        // (docs/reference/connect.md#validate-a-configuration).
        let config = BTreeMap::from([("connector.class".to_owned(), self.plugin.clone())]);
        let validation = ctx.block_on(request::validate_with_service(&session, &self.plugin, config))?;
        let list = ctx.run.options.suggest("connector plugin list");
        let validation = validation.ok_or_else(|| {
            Error::failed(format!("unknown plugin `{}`", self.plugin)).with_hint(format!("List plugins with `{list}`."))
        })?;
        let mut rows: Vec<PluginKeyRow> = validation
            .configs
            .into_iter()
            .map(|config| PluginKeyRow {
                config: config.definition.name,
                documentation: config.definition.documentation,
                is_required: config.definition.required,
                is_secret: config.definition.value_type == "PASSWORD",
                value_type: config.definition.value_type,
                default_value: config.definition.default_value,
                recommended_values: config.value.recommended_values,
            })
            .collect();
        // Required keys first, as in the Confluent CLI.
        rows.sort_by(|a, b| (!a.is_required, &a.config).cmp(&(!b.is_required, &b.config)));
        Ok(CommandOutput::new(RowList::in_order(rows)))
    }
}

/// Configuration key of a plugin.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct PluginKeyRow {
    config: String,
    documentation: String,
    is_required: bool,
    #[serde(rename = "type")]
    value_type: String,
    is_secret: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_value: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recommended_values: Vec<String>,
}

impl TableRow for PluginKeyRow {
    const COLUMNS: &'static [&'static str] = &["Config", "Documentation", "Required"];

    fn cells(&self) -> Vec<Cell> {
        let secret = if self.is_secret { " (secret)" } else { "" };
        vec![
            Cell::Text(format!("{}{secret}", self.config)),
            Cell::text(&self.documentation),
            Cell::text(&self.is_required),
        ]
    }
}
