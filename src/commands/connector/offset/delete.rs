//! `confluent ebs connector offset delete`.

use super::{alter, connector, outcome, status::RequestStatus};
use crate::{
    commands::{Ctx, Report, connector::names, session::DepartmentSession},
    error::Error,
};

/// Delete the offsets of a connector, so that it begins from the start.
///
/// A source takes a new snapshot, a sink reads its topics again from the earliest record.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Let a connector begin from the start.

  $ confluent ebs connector offset delete lcc-123456")]
pub(in crate::commands::connector) struct Delete {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// Skip the deletion confirmation prompt.
    #[arg(long)]
    force: bool,
}

impl Delete {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<Report<RequestStatus>, Error> {
        let session = DepartmentSession::open(ctx)?;
        names::refuse_foreign(session.tenant.as_ref(), std::slice::from_ref(&self.connector))?;
        let seen = ctx.block_on(connector(&session, &self.connector))?;
        let question = format!(
            "Are you sure you want to delete the offsets of connector \"{}\"?",
            seen.id()
        );
        if !self.force && !ctx.confirm(&question)? {
            return Ok(Report::nothing());
        }
        let status = ctx.block_on(alter(&session, &seen, None))?;
        let error = outcome(&seen, &status);
        let report = Report::new(RequestStatus::of(&seen, status));
        Ok(match error {
            Some(error) => report.with_error(error),
            None => report,
        })
    }
}
