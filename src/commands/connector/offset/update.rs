//! `confluent ebs connector offset update`.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use super::{
    DEFAULT_TIMEOUT,
    change::{OffsetChangeOutput, PlannedOffsetChange, apply_change, check_state},
    parse_seconds, select_connector,
};
use crate::{
    api::connect::OffsetItem,
    commands::{CommandOutput, Ctx, connector::args::BackupArgs},
    connectors::selectors,
    error::{Error, ResultExt},
    hint::connector_arg,
    resources::connector::offsets::{find_problems, unknown_partitions},
    session::ConnectorSession,
};

/// Update the offsets of a connector
///
/// Confluent Cloud stops the connector during the change. Depending on the new offsets, records are read again or
/// skipped. Partitions that are not in the file keep their offsets.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Set the offsets of a connector from a file.

  $ confluent ebs connector offset update lcc-123456 --config-file offsets.json

Show the changes without applying them.

  $ confluent ebs connector offset update lcc-123456 --config-file offsets.json --dry-run")]
pub(in crate::commands::connector) struct OffsetUpdateArgs {
    /// ID or name of the connector.
    #[arg(value_name = "id")]
    connector: String,
    /// JSON file with the new offsets: a list of partitions and offsets, or an object with the field "offsets".
    #[arg(long, value_name = "string", required = true)]
    config_file: PathBuf,
    /// Show the change without applying it.
    #[arg(long)]
    dry_run: bool,
    /// Timeout of the change in seconds.
    #[arg(long, value_name = "seconds", default_value = DEFAULT_TIMEOUT, value_parser = parse_seconds)]
    timeout: Duration,
    #[command(flatten)]
    backup: BackupArgs,
}

impl OffsetUpdateArgs {
    pub(in crate::commands::connector) fn run(self, ctx: &mut Ctx) -> Result<CommandOutput<OffsetChangeOutput>, Error> {
        let desired = read_offsets_file(&self.config_file)?;
        let session = ConnectorSession::open(&ctx.run)?;
        selectors::reject_foreign_names(session.department.as_ref(), std::slice::from_ref(&self.connector))?;
        let (observed, now) = ctx.block_on(async {
            let observed = select_connector(&session, &self.connector).await?;
            check_state(&observed)?;
            let now = session.connectors.offsets(&observed).await?.offsets;
            Ok((observed, now))
        })?;
        let objections = find_problems(&now, &desired);
        if !objections.is_empty() {
            let message = format!(
                "invalid offsets file `{}`: {}",
                self.config_file.display(),
                objections.join("; ")
            );
            let hint = format!(
                "Show the format of the offsets with `confluent ebs connector offset describe {} -o json`.",
                connector_arg(observed.id(), &observed.name)
            );
            return Err(Error::failed(message).with_hint(hint));
        }
        for stranger in unknown_partitions(&now, &desired) {
            ctx.ui.warn(&format!(
                "connector `{}` has no partition {stranger}; the offset may have no effect",
                observed.name
            ));
        }
        let planned = PlannedOffsetChange::new(&observed, &now, Some(&desired), self.dry_run);
        if self.dry_run || planned.is_empty() {
            return Ok(CommandOutput::new(OffsetChangeOutput::Planned(planned)));
        }
        ctx.ui.print_message(&[planned.table()]);
        let question = format!(
            "Are you sure you want to change the offsets of connector \"{}\"?",
            observed.id()
        );
        if !ctx.confirm(&question)? {
            return Ok(CommandOutput::empty());
        }
        apply_change(ctx, &session, &observed, Some(desired), &self.backup, self.timeout)
    }
}

/// Reads the offsets file. Numbers stay numbers, because strings break source connectors
/// (docs/reference/connect.md#offsets).
fn read_offsets_file(path: &Path) -> Result<Vec<OffsetItem>, Error> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
    let text = text.trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(text).with_context(|| format!("cannot read `{shown}`"))?;
    let list = match value {
        Value::Object(mut fields) => fields.remove("offsets").unwrap_or_default(),
        list => list,
    };
    let items: Vec<OffsetItem> = serde_json::from_value(list).map_err(|_| {
        Error::failed(format!(
            "invalid offsets file `{shown}`: no list of partitions and offsets"
        ))
        .with_hint("Write `[{\"partition\": {…}, \"offset\": {…}}]`, as in the output of `confluent ebs connector offset describe -o json`.")
    })?;
    match items.is_empty() {
        true => Err(Error::failed(format!(
            "invalid offsets file `{shown}`: the list is empty"
        ))),
        false => Ok(items),
    }
}
