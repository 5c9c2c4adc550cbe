//! `confluent ebs connector wait`.

use std::time::Duration;

use super::args::DEFAULT_TIMEOUT;
use crate::{
    commands::{CommandOutput, Ctx, duration::parse_duration},
    connectors::lifecycle::{AwaitedConnector, wait_for},
    error::Error,
    render::{Block, Viewable},
    resources::connector::WaitGoal,
    session::ConnectorSession,
};

/// Wait until a connector runs
///
/// A connector runs once two consecutive polls show RUNNING. A failure is reported after two minutes, because Confluent
/// Cloud restarts failed tasks automatically. The wait for RUNNING ends if the connector is still paused after a minute,
/// in which a resume takes effect.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Wait for a connector for at most five minutes.

  $ confluent ebs connector wait claims-orders --timeout 5m")]
pub(super) struct ConnectorWaitArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// Timeout, such as 30s, 5m, or 2h.
    #[arg(long, value_name = "duration", default_value = DEFAULT_TIMEOUT, value_parser = parse_duration)]
    timeout: Duration,
    /// Wait for PAUSED instead of RUNNING.
    #[arg(long)]
    paused: bool,
}

impl ConnectorWaitArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<AwaitedConnector>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let goal = if self.paused {
            WaitGoal::Paused
        } else {
            WaitGoal::Running
        };
        let result = ctx.block_on_reading(wait_for(&ctx.run, &session, &self.connector, goal, self.timeout))?;
        Ok(result.into())
    }
}

impl Viewable for AwaitedConnector {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!(
            "Connector `{}` is {}.",
            self.shown_name, self.status
        ))]
    }
}
