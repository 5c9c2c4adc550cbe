//! `confluent ebs connector restart`.

use super::lifecycle::{self, LifecycleTargetArgs};
use crate::{
    api::connect::LifecycleAction,
    commands::{CommandOutput, Ctx},
    connectors::lifecycle::LifecycleResult,
    error::Error,
};

/// Restart connectors
///
/// Confluent Cloud restarts only running connectors; failed connectors are paused and resumed instead.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Restart a connector.

  $ confluent ebs connector restart claims-orders")]
pub(super) struct ConnectorRestartArgs {
    #[command(flatten)]
    targets: LifecycleTargetArgs,
}

impl ConnectorRestartArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<LifecycleResult>, Error> {
        lifecycle::run_lifecycle(ctx, &self.targets, LifecycleAction::Restart)
    }
}
