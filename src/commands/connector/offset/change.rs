//! Shared implementation of `offset update` and `offset delete`: checks, backup and wait.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::status::OffsetStatusOutput;
use crate::{
    api::connect::{OffsetItem, OffsetsStatus},
    commands::{CommandOutput, Ctx, connector::args::BackupArgs},
    error::{Error, ErrorKind},
    hint::{connector_arg, shell_quote},
    render::{Block, Cell, Table, TextLine, Viewable},
    resources::connector::{
        LiveConnector,
        offsets::{OffsetWaitOptions, reason_not_movable},
    },
    session::ConnectorSession,
};

/// Partition with its current and its new offset.
#[derive(Debug, Serialize)]
pub(super) struct OffsetMove {
    partition: Value,
    /// Current offset; `None` for a partition that the connector does not know yet.
    now: Option<Value>,
    /// New offset; `None` to start from the beginning.
    then: Option<Value>,
}

/// Planned change of offsets.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct PlannedOffsetChange {
    id: String,
    name: String,
    dry_run: bool,
    /// Partitions that change.
    offsets: Vec<OffsetMove>,
}

impl PlannedOffsetChange {
    /// Plans the change of `observed` from the offsets `now` to `desired`, or to the beginning.
    pub(super) fn new(
        observed: &LiveConnector,
        now: &[OffsetItem],
        desired: Option<&[OffsetItem]>,
        dry_run: bool,
    ) -> Self {
        let at = |partition: &Value| now.iter().find(|item| item.partition == *partition);
        let offsets = match desired {
            None => now
                .iter()
                .map(|item| OffsetMove {
                    partition: item.partition.clone(),
                    now: Some(item.offset.clone()),
                    then: None,
                })
                .collect(),
            Some(desired) => desired
                .iter()
                .map(|item| OffsetMove {
                    partition: item.partition.clone(),
                    now: at(&item.partition).map(|known| known.offset.clone()),
                    then: Some(item.offset.clone()),
                })
                .filter(|change| change.now != change.then)
                .collect(),
        };
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            dry_run,
            offsets,
        }
    }

    /// Returns whether all offsets are up to date.
    pub(super) fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Returns the table of changes.
    pub(super) fn table(&self) -> Block {
        let mut table = Table::new(["Partition", "Now", "Then"]);
        for change in &self.offsets {
            let text = |value: &Option<Value>, none: &str| value.as_ref().map_or(none.to_owned(), format_fields);
            table.push([
                Cell::Text(format_fields(&change.partition)),
                Cell::Text(text(&change.now, "(unknown)")),
                Cell::Text(text(&change.then, "(beginning)")),
            ]);
        }
        Block::Table(table)
    }
}

/// Formats an object as `kafka_topic=orders kafka_partition=0`; lines break between fields.
fn format_fields(value: &Value) -> String {
    let Some(fields) = value.as_object() else {
        return value.to_string();
    };
    let fields = fields.iter().map(|(key, value)| match value.as_str() {
        Some(text) => format!("{key}={text}"),
        None => format!("{key}={value}"),
    });
    fields.collect::<Vec<_>>().join(" ")
}

/// Result of an offset command.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::commands::connector) enum OffsetChangeOutput {
    /// Planned change of a dry run.
    Planned(PlannedOffsetChange),
    /// Status of the applied change.
    Applied(OffsetStatusOutput),
}

impl Viewable for OffsetChangeOutput {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Applied(status) => status.view(),
            Self::Planned(planned) if planned.is_empty() => {
                vec![Block::line(format!(
                    "The offsets of connector `{}` are up to date.",
                    planned.id
                ))]
            }
            Self::Planned(planned) => vec![
                Block::Lines(vec![TextLine::from(format!(
                    "[DRY RUN] The offsets of connector `{}` would be changed.",
                    planned.id
                ))]),
                planned.table(),
            ],
        }
    }
}

/// Rejects a connector whose state does not allow a change of offsets.
pub(super) fn check_state(observed: &LiveConnector) -> Result<(), Error> {
    let Some(why) = reason_not_movable(observed.state()) else {
        return Ok(());
    };
    let state = match observed.state() {
        "" => "in no state yet",
        state => state,
    };
    Err(Error::failed(format!(
        "cannot change the offsets of connector `{}`: it is {state}, {why}",
        observed.id()
    ))
    .with_hint(format!(
        "Wait for it with `confluent ebs connector wait {}`, or pause it first.",
        connector_arg(observed.id(), &observed.name)
    )))
}

/// Backs up the offsets, requests the change, and waits for its result.
pub(super) fn apply_change(
    ctx: &Ctx,
    session: &ConnectorSession,
    observed: &LiveConnector,
    offsets: Option<Vec<OffsetItem>>,
    save: &BackupArgs,
    timeout: Duration,
) -> Result<CommandOutput<OffsetChangeOutput>, Error> {
    if ctx.run.cancel.is_cancelled() {
        return Err(Error::new(
            ErrorKind::Interrupted,
            "interrupted before anything was changed",
        ));
    }
    let watch = OffsetWaitOptions {
        timeout,
        interrupt: ctx.run.cancel.clone(),
    };
    let (backup, moved) = ctx.block_on(async {
        let backup = save
            .policy()
            .backup(&ctx.run, &session.connectors, &session.backup_dir, observed, true)
            .await?;
        let moved = session.connectors.alter_offsets(observed, offsets, &watch).await;
        let moved = moved.map_err(|error| match &session.department {
            Some(department) => crate::connectors::errors::explain_denied(Error::from(error), department),
            None => Error::from(error),
        })?;
        Ok((backup, moved))
    })?;
    if let Some(backup) = backup.as_ref().filter(|backup| backup.has_offsets) {
        ctx.ui.info(&format!(
            "Restore the previous offsets with `confluent ebs connector offset update {} --config-file {}`.",
            connector_arg(observed.id(), &observed.name),
            shell_quote(&backup.path.display().to_string())
        ));
    }
    let error = outcome_error(observed, &moved.status, moved.interrupted);
    if error.is_none() {
        ctx.ui.info(&format!(
            "Confluent Cloud restarts the connector automatically. Wait until it runs with `confluent ebs connector wait {}`.",
            connector_arg(observed.id(), &observed.name)
        ));
    }
    let status = OffsetStatusOutput::new(observed, moved.status).with_backup(backup.map(|backup| backup.path));
    let report = CommandOutput::new(OffsetChangeOutput::Applied(status));
    Ok(match error {
        Some(error) => report.with_error(error),
        None => report,
    })
}

/// Returns the error for a change that was not applied.
fn outcome_error(observed: &LiveConnector, status: &OffsetsStatus, interrupted: bool) -> Option<Error> {
    let id = observed.id();
    match status.status.phase.as_str() {
        "APPLIED" => None,
        "FAILED" => {
            let why = status.status.message.as_deref().filter(|why| !why.is_empty());
            let why = why.unwrap_or("no reason given");
            Some(Error::failed(format!(
                "failed to change the offsets of connector `{id}`: {why}"
            )))
        }
        phase => {
            let phase = if phase.is_empty() { "in an unknown phase" } else { phase };
            let kind = if interrupted {
                ErrorKind::Partial
            } else {
                ErrorKind::Failed
            };
            let lead = if interrupted { "interrupted: " } else { "" };
            let message = format!("{lead}the offset change of connector `{id}` is {phase}");
            Some(Error::new(kind, message).with_hint(format!(
                "Check its status with `confluent ebs connector offset status describe {}`.",
                connector_arg(observed.id(), &observed.name)
            )))
        }
    }
}
