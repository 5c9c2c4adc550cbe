//! `confluent ebs connector pause`.

use super::lifecycle::{self, Outcome, Targets};
use crate::{
    api::connect::Lifecycle,
    commands::{Ctx, Report},
    error::Error,
};

/// Pause connectors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Pause a connector.

  $ confluent ebs connector pause lcc-123456

Pause all connectors of the department that begin with \"claims-test\".

  $ confluent ebs connector pause claims-test* --profile claims-operator")]
pub(super) struct Pause {
    #[command(flatten)]
    targets: Targets,
}

impl Pause {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Outcome>, Error> {
        lifecycle::run(ctx, &self.targets, Lifecycle::Pause)
    }
}
