//! `confluent ebs connector offset delete`.

use std::time::Duration;

use super::{
    TIMEOUT,
    change::{Changed, Planned, change, refuse_state},
    connector, seconds,
};
use crate::{
    commands::{
        Ctx, Report,
        connector::{names, saving::SaveArgs},
        session::DepartmentSession,
    },
    error::Error,
};

/// Delete the offsets of a connector, so that it begins from the start.
///
/// A source takes a new snapshot, a sink reads its topics again from the earliest record. The service stops the connector
/// meanwhile.
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
    /// Run the command without committing changes.
    #[arg(long)]
    dry_run: bool,
    /// How long to wait until the change is carried out, in seconds.
    #[arg(long, value_name = "seconds", default_value = TIMEOUT, value_parser = seconds)]
    timeout: Duration,
    #[command(flatten)]
    save: SaveArgs,
}

impl Delete {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<Report<Changed>, Error> {
        let session = DepartmentSession::open(ctx)?;
        names::refuse_foreign(session.tenant.as_ref(), std::slice::from_ref(&self.connector))?;
        let (seen, now) = ctx.block_on(async {
            let seen = connector(&session, &self.connector).await?;
            refuse_state(&seen)?;
            let now = session.connectors.offsets(&seen).await?.offsets;
            Ok((seen, now))
        })?;
        let planned = Planned::of(&seen, &now, None, self.dry_run);
        if self.dry_run {
            return Ok(Report::new(Changed::Planned(planned)));
        }
        ctx.ui.say(&[planned.table()]);
        ctx.ui.note(match seen.direction().to_ascii_lowercase().as_str() {
            "sink" => "It will read its topics again from the earliest record.",
            _ => "It will take a new snapshot, or read everything again: records come twice.",
        });
        let question = format!(
            "Are you sure you want to delete the offsets of connector \"{}\"?",
            seen.id()
        );
        if !self.force && !ctx.confirm(&question)? {
            return Ok(Report::nothing());
        }
        change(ctx, &session, &seen, None, &self.save, self.timeout)
    }
}
