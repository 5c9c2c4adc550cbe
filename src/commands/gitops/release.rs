//! `confluent ebs gitops release`.

use crate::{
    commands::{CommandOutput, Ctx},
    error::Error,
    gitops::{GitopsWorkspace, ReleasedConnector, release_connector},
    render::{Block, TextLine, Viewable},
};

/// Let a connector run without a file
///
/// Deletes the file of the connector and adds the connector to connectors/DEPARTMENT/unmanaged.yaml, so that "gitops
/// drift" does not report it. Changes only files; the connector keeps running.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Release a connector that another team manages from now on.

  $ confluent ebs gitops release claims-orders --stage prod --reason handed-over")]
pub(super) struct GitopsReleaseArgs {
    /// Name of the connector.
    #[arg(value_name = "name")]
    name: String,
    /// Reason, for readers of the list.
    #[arg(long, value_name = "text", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
}

impl GitopsReleaseArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ReleasedConnector>, Error> {
        let workspace = GitopsWorkspace::open(&ctx.run)?;
        let released = release_connector(&ctx.run, &workspace, &self.name, &self.reason)?;
        Ok(CommandOutput::new(released))
    }
}

impl Viewable for ReleasedConnector {
    fn view(&self) -> Vec<Block> {
        let mut lines: Vec<TextLine> = self
            .deleted
            .iter()
            .map(|path| TextLine::from(format!("Deleted {}.", path.display())))
            .collect();
        lines.push(TextLine::from(format!(
            "Added {} to {}.",
            self.name,
            self.list.display()
        )));
        lines.push(TextLine::from(
            "The connector keeps running. Commit both changes together.",
        ));
        vec![Block::Lines(lines)]
    }
}
