//! `confluent ebs connector restart`.

use super::lifecycle::{self, Outcome, Targets};
use crate::{
    api::connect::Lifecycle,
    commands::{Ctx, Report},
    error::Error,
};

/// Restart connectors.
///
/// The service restarts only connectors that run; failed ones are paused and resumed instead.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Restart a connector.

  $ confluent ebs connector restart claims-orders")]
pub(super) struct Restart {
    #[command(flatten)]
    targets: Targets,
}

impl Restart {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Outcome>, Error> {
        lifecycle::run(ctx, &self.targets, Lifecycle::Restart)
    }
}
