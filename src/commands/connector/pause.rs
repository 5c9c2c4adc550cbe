//! `confluent ebs connector pause`.

use super::lifecycle::{self, LifecycleTargetArgs};
use crate::{
    api::connect::LifecycleAction,
    commands::{CommandOutput, Ctx},
    connectors::lifecycle::LifecycleResult,
    error::Error,
};

/// Pause connectors
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Pause a connector.

  $ confluent ebs connector pause lcc-123456

Pause all your connectors whose names begin with \"claims-test\".

  $ confluent ebs connector pause claims-test* --profile claims-operator")]
pub(super) struct ConnectorPauseArgs {
    #[command(flatten)]
    targets: LifecycleTargetArgs,
}

impl ConnectorPauseArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<LifecycleResult>, Error> {
        lifecycle::run_lifecycle(ctx, &self.targets, LifecycleAction::Pause)
    }
}
