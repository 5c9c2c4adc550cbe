//! `confluent ebs connector wait`.

use std::time::Duration;

use serde::Serialize;

use super::{DepartmentSession, names, waiting};
use crate::{
    commands::{Ctx, Report},
    error::Error,
    render::{Block, Viewable},
    resources::connector::find,
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
        let wanted = if self.paused { "PAUSED" } else { "RUNNING" };
        let waited = ctx.block_on(async {
            let list = session.connectors.list().await?;
            let seen = find(&list, &self.connector)
                .ok_or_else(|| names::not_found(&list, std::slice::from_ref(&self.connector)))?;
            waiting::wait(ctx, &session, &seen.name, wanted, self.timeout).await
        })?;
        let report = match &waited.seen {
            Some(seen) => Report::new(State {
                id: seen.id().to_owned(),
                name: seen.name.clone(),
                status: seen.state().to_owned(),
            }),
            None => Report::nothing(),
        };
        Ok(match waited.error {
            Some(error) => report.with_error(error),
            None => report,
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
