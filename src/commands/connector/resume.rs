//! `confluent ebs connector resume`.

use super::lifecycle::{self, LifecycleTargetArgs};
use crate::{
    api::connect::LifecycleAction,
    commands::{CommandOutput, Ctx},
    connectors::lifecycle::LifecycleResult,
    error::Error,
};

/// Resume connectors
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Resume a connector.

  $ confluent ebs connector resume lcc-123456

Resume all your connectors.

  $ confluent ebs connector resume --all --profile claims-operator")]
pub(super) struct ConnectorResumeArgs {
    #[command(flatten)]
    targets: LifecycleTargetArgs,
}

impl ConnectorResumeArgs {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<LifecycleResult>, Error> {
        lifecycle::run_lifecycle(ctx, &self.targets, LifecycleAction::Resume)
    }
}
