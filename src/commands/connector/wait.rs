//! `confluent ebs connector wait`.

use std::time::Duration;

use serde::Serialize;

use super::wait_args;
use crate::{
    commands::{CommandOutput, Ctx},
    connectors::selectors,
    error::Error,
    render::{Block, Viewable},
    resources::connector::{LiveConnector, WaitGoal},
    session::ConnectorSession,
};

/// Wait until a connector runs
///
/// A connector runs once two consecutive polls show RUNNING. A failure is reported after two minutes, because Confluent
/// Cloud restarts failed tasks automatically.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Wait for a connector for at most five minutes.

  $ confluent ebs connector wait claims-orders --timeout 5m")]
pub(super) struct ConnectorWaitArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// Timeout, such as 30s, 5m, or 2h.
    #[arg(long, value_name = "duration", default_value = wait_args::DEFAULT_TIMEOUT, value_parser = wait_args::parse_duration)]
    timeout: Duration,
    /// Wait for PAUSED instead of RUNNING.
    #[arg(long)]
    paused: bool,
}

impl ConnectorWaitArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<ConnectorWaitOutput>, Error> {
        let session = ConnectorSession::open(&ctx.run)?;
        let goal = if self.paused {
            WaitGoal::Paused
        } else {
            WaitGoal::Running
        };
        let result = ctx.block_on(async {
            let written = [self.connector];
            let list = session.connectors.list_selected(&written).await?;
            let observed = selectors::select_one(&session, &list, &written[0])?;
            let outcome = wait_args::wait_with_progress(ctx, &session, &observed.name, goal, self.timeout).await?;
            Ok(outcome.into_result(&observed.name))
        })?;
        let state = |observed: &LiveConnector| ConnectorWaitOutput {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            status: observed.state().to_owned(),
        };
        Ok(match result {
            Ok(observed) => CommandOutput::new(state(&observed)),
            Err(error) => {
                let report = error
                    .observed()
                    .map_or_else(CommandOutput::empty, |observed| CommandOutput::new(state(observed)));
                report.with_error(error.into())
            }
        })
    }
}

/// State at the end of the wait.
#[derive(Debug, Serialize)]
pub(super) struct ConnectorWaitOutput {
    id: String,
    name: String,
    status: String,
}

impl Viewable for ConnectorWaitOutput {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!("Connector `{}` is {}.", self.id, self.status))]
    }
}
