//! `confluent ebs connector offset update`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use super::{
    TIMEOUT,
    change::{Changed, Planned, change, refuse_state},
    connector, seconds,
};
use crate::{
    api::connect::OffsetItem,
    commands::{
        Ctx, Report,
        connector::{names, saving::SaveArgs},
        session::DepartmentSession,
    },
    error::{Error, ResultExt},
    hint::typed,
    resources::connector::offsets::{objections, strangers},
};

/// Update the offsets of a connector.
///
/// The service stops the connector while it changes them. What was read before may be read again, or never. Partitions
/// that the file does not name stay where they are.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Set the offsets of a connector as a file says.

  $ confluent ebs connector offset update lcc-123456 --config-file offsets.json

Show what would change.

  $ confluent ebs connector offset update lcc-123456 --config-file offsets.json --dry-run")]
pub(in crate::commands::connector) struct Update {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// JSON file with the new offsets: a list of partitions and offsets, or an object that holds it as "offsets".
    #[arg(long, value_name = "string", required = true)]
    config_file: PathBuf,
    /// Run the command without committing changes.
    #[arg(long)]
    dry_run: bool,
    /// How long to wait until the change is carried out, in seconds.
    #[arg(long, value_name = "seconds", default_value = TIMEOUT, value_parser = seconds)]
    timeout: Duration,
    #[command(flatten)]
    save: SaveArgs,
}

impl Update {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<Report<Changed>, Error> {
        let wanted = read(&self.config_file)?;
        let session = DepartmentSession::open(ctx)?;
        names::refuse_foreign(session.tenant.as_ref(), std::slice::from_ref(&self.connector))?;
        let (seen, now) = ctx.block_on(async {
            let seen = connector(&session, &self.connector).await?;
            refuse_state(&seen)?;
            let now = session.connectors.offsets(&seen).await?.offsets;
            Ok((seen, now))
        })?;
        let objections = objections(&now, &wanted);
        if !objections.is_empty() {
            let message = format!(
                "offsets file \"{}\" cannot be used: {}",
                self.config_file.display(),
                objections.join("; ")
            );
            let hint = format!(
                "See the shape of this connector's offsets with `confluent ebs connector offset describe {} -o json`.",
                typed(seen.id(), &seen.name)
            );
            return Err(Error::failed(message).with_hint(hint));
        }
        for stranger in strangers(&now, &wanted) {
            ctx.ui.warn(&format!(
                "connector \"{}\" knows no partition {stranger}: it may never read it",
                seen.name
            ));
        }
        let planned = Planned::of(&seen, &now, Some(&wanted), self.dry_run);
        if self.dry_run || planned.is_nothing() {
            return Ok(Report::new(Changed::Planned(planned)));
        }
        ctx.ui.say(&[planned.table()]);
        let question = format!(
            "Are you sure you want to change the offsets of connector \"{}\"?",
            seen.id()
        );
        if !ctx.confirm(&question)? {
            return Ok(Report::nothing());
        }
        change(ctx, &session, &seen, Some(wanted), &self.save, self.timeout)
    }
}

/// Numbers stay numbers: as texts they break source connectors (dossier `connect.md` §9).
fn read(path: &Path) -> Result<Vec<OffsetItem>, Error> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("unable to read offsets file \"{shown}\""))?;
    let text = text.trim_start_matches('\u{feff}');
    let value: Value =
        serde_json::from_str(text).with_context(|| format!("unable to read offsets file \"{shown}\""))?;
    let list = match value {
        Value::Object(mut fields) => fields.remove("offsets").unwrap_or_default(),
        list => list,
    };
    let items: Vec<OffsetItem> = serde_json::from_value(list).map_err(|_| {
        Error::failed(format!(
            "offsets file \"{shown}\" holds no list of partitions and offsets"
        ))
        .with_hint("Write `[{\"partition\": {…}, \"offset\": {…}}]`, as `connector offset describe -o json` shows it.")
    })?;
    match items.is_empty() {
        true => Err(Error::failed(format!("offsets file \"{shown}\" is empty"))),
        false => Ok(items),
    }
}
