//! `confluent ebs gitops show`.

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    gitops::{GitopsWorkspace, ShownConnector},
    render::{Block, Cell, Record, Table, Viewable},
};

/// Show the effective file of a connector
///
/// Lists each key of the stage file and of its base with the file that sets it. References to secrets are shown, secrets
/// are not.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Show a connector as it is in production.

  $ confluent ebs gitops show claims-orders --stage prod")]
pub(super) struct GitopsShowArgs {
    /// Name of the connector.
    #[arg(value_name = "name")]
    name: String,
}

impl GitopsShowArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ShownConnector>, Error> {
        let workspace = GitopsWorkspace::open(&ctx.run)?;
        let shown = workspace.show(&ctx.run, &self.name)?;
        Ok(CommandOutput::new(shown))
    }
}

impl Viewable for ShownConnector {
    fn view(&self) -> Vec<Block> {
        let mut record = Record::new().field("Connector", Cell::text(&self.name));
        record = record
            .field("Department", Cell::text(&self.department))
            .field("Stage", Cell::text(&self.stage))
            .field("State", Cell::text(self.state));
        let mut table = Table::new(["Config", "Value", "Set By"]);
        for key in &self.config {
            table.push([
                Cell::text(&key.config),
                Cell::text(&key.value),
                Cell::Text(format!("{}:{}", key.path.display(), key.line)),
            ]);
        }
        vec![Block::Record(record), Block::Table(table)]
    }
}
