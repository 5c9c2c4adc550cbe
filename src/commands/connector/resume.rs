//! `confluent ebs connector resume`.

use super::lifecycle::{self, Outcome, Targets};
use crate::{
    api::connect::Lifecycle,
    commands::{Ctx, Report},
    error::Error,
};

/// Resume connectors.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Resume a connector.

  $ confluent ebs connector resume lcc-123456

Resume all connectors of the department.

  $ confluent ebs connector resume --all --profile claims-operator")]
pub(super) struct Resume {
    #[command(flatten)]
    targets: Targets,
}

impl Resume {
    pub(super) fn run(self, ctx: &mut Ctx) -> Result<Report<Outcome>, Error> {
        lifecycle::run(ctx, &self.targets, Lifecycle::Resume)
    }
}
