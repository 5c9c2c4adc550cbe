//! `confluent ebs connector wait`.

use std::time::Duration;

use serde::Serialize;

use super::{DepartmentSession, names, waiting};
use crate::{
    commands::{Ctx, Report},
    error::Error,
    render::{Block, Viewable},
    resources::connector::{Goal, Seen, find},
};

/// Wait until a connector runs.
///
/// It runs when it was RUNNING at two looks in a row. A failure is reported after two minutes, because the service
/// restarts what failed by itself.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Wait for a connector, at most five minutes.

  $ confluent ebs connector wait claims-orders --timeout 5m")]
pub(super) struct Wait {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// How long to wait, such as 30s, 5m, or 2h.
    #[arg(long, value_name = "duration", default_value = waiting::TIMEOUT, value_parser = waiting::duration)]
    timeout: Duration,
    /// Wait for PAUSED instead of RUNNING.
    #[arg(long)]
    paused: bool,
}

impl Wait {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<State>, Error> {
        let session = DepartmentSession::open(ctx)?;
        let goal = if self.paused { Goal::Paused } else { Goal::Running };
        let result = ctx.block_on(async {
            let written = [self.connector];
            let list = session.connectors.look(&written).await?;
            let seen = find(&list, &written[0]).ok_or_else(|| names::not_found(&list, &written))?;
            let outcome = waiting::wait(ctx, &session, &seen.name, goal, self.timeout).await?;
            Ok(outcome.into_result(&seen.name))
        })?;
        let state = |seen: &Seen| State {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
            status: seen.state().to_owned(),
        };
        Ok(match result {
            Ok(seen) => Report::new(state(&seen)),
            Err(error) => {
                let report = error
                    .seen()
                    .map_or_else(Report::nothing, |seen| Report::new(state(seen)));
                report.with_error(error.into())
            }
        })
    }
}

/// The state at the end of the wait.
#[derive(Debug, Serialize)]
pub(super) struct State {
    id: String,
    name: String,
    status: String,
}

impl Viewable for State {
    fn view(&self) -> Vec<Block> {
        vec![Block::line(format!("Connector \"{}\" is {}.", self.id, self.status))]
    }
}
