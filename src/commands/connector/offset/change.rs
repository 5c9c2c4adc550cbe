//! What `offset update` and `offset delete` have in common: the guards before, the wait after.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use super::status::RequestStatus;
use crate::{
    api::connect::{OffsetItem, OffsetsStatus},
    commands::{
        Ctx, Report,
        connector::{create, saving::SaveArgs},
        session::DepartmentSession,
    },
    error::{Error, ErrorKind},
    hint::{typed, word},
    render::{Block, Cell, Line, Table, Viewable},
    resources::connector::{
        Seen,
        offsets::{Watch, cannot_be_moved},
    },
};

/// One partition, where it is and where it will be.
#[derive(Debug, Serialize)]
pub(super) struct Move {
    partition: Value,
    /// Nothing when the connector does not know the partition yet.
    now: Option<Value>,
    /// Nothing when it begins from the start.
    then: Option<Value>,
}

/// A change that is to be.
#[derive(Debug, Serialize)]
pub(in crate::commands::connector) struct Planned {
    id: String,
    name: String,
    dry_run: bool,
    /// Only the partitions that change.
    offsets: Vec<Move>,
}

impl Planned {
    /// From where `seen` is `now` to `wanted`, or to the beginning.
    pub(super) fn of(seen: &Seen, now: &[OffsetItem], wanted: Option<&[OffsetItem]>, dry_run: bool) -> Self {
        let at = |partition: &Value| now.iter().find(|item| item.partition == *partition);
        let offsets = match wanted {
            None => now
                .iter()
                .map(|item| Move {
                    partition: item.partition.clone(),
                    now: Some(item.offset.clone()),
                    then: None,
                })
                .collect(),
            Some(wanted) => wanted
                .iter()
                .map(|item| Move {
                    partition: item.partition.clone(),
                    now: at(&item.partition).map(|known| known.offset.clone()),
                    then: Some(item.offset.clone()),
                })
                .filter(|change| change.now != change.then)
                .collect(),
        };
        Self {
            id: seen.id().to_owned(),
            name: seen.name.clone(),
            dry_run,
            offsets,
        }
    }

    /// Whether everything is already where it is wanted.
    pub(super) fn is_nothing(&self) -> bool {
        self.offsets.is_empty()
    }

    /// What changes.
    pub(super) fn table(&self) -> Block {
        let mut table = Table::new(["Partition", "Now", "Then"]);
        for change in &self.offsets {
            let text = |value: &Option<Value>, none: &str| value.as_ref().map_or(none.to_owned(), fields);
            table.push([
                Cell::Text(fields(&change.partition)),
                Cell::Text(text(&change.now, "(unknown)")),
                Cell::Text(text(&change.then, "(beginning)")),
            ]);
        }
        Block::Table(table)
    }
}

/// `kafka_topic=orders kafka_partition=0`, which breaks between fields.
fn fields(value: &Value) -> String {
    let Some(fields) = value.as_object() else {
        return value.to_string();
    };
    let fields = fields.iter().map(|(key, value)| match value.as_str() {
        Some(text) => format!("{key}={text}"),
        None => format!("{key}={value}"),
    });
    fields.collect::<Vec<_>>().join(" ")
}

/// What a command answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(in crate::commands::connector) enum Changed {
    /// What would be done.
    Planned(Planned),
    /// What became of it.
    Done(RequestStatus),
}

impl Viewable for Changed {
    fn view(&self) -> Vec<Block> {
        match self {
            Self::Done(status) => status.view(),
            Self::Planned(planned) if planned.is_nothing() => {
                vec![Block::line(format!("Connector \"{}\" is already there.", planned.id))]
            }
            Self::Planned(planned) => vec![
                Block::Lines(vec![Line::from(format!(
                    "[DRY RUN] The offsets of connector \"{}\" would be changed.",
                    planned.id
                ))]),
                planned.table(),
            ],
        }
    }
}

/// Refuses a connector that cannot be moved in its state.
pub(super) fn refuse_state(seen: &Seen) -> Result<(), Error> {
    let Some(why) = cannot_be_moved(seen.state()) else {
        return Ok(());
    };
    let state = match seen.state() {
        "" => "in no state yet",
        state => state,
    };
    Err(Error::failed(format!(
        "the offsets of connector \"{}\" cannot be changed: it is {state}, {why}",
        seen.id()
    ))
    .with_hint(format!(
        "Wait for it with `confluent ebs connector wait {}`, or pause it first.",
        typed(seen.id(), &seen.name)
    )))
}

/// Saves where the connector is, asks for the change, and looks what becomes of it.
pub(super) fn change(
    ctx: &Ctx,
    session: &DepartmentSession,
    seen: &Seen,
    offsets: Option<Vec<OffsetItem>>,
    save: &SaveArgs,
    timeout: Duration,
) -> Result<Report<Changed>, Error> {
    if ctx.interrupt.is_wished() {
        return Err(Error::new(
            ErrorKind::Interrupted,
            "interrupted before anything was changed",
        ));
    }
    let watch = Watch {
        timeout,
        interrupt: ctx.interrupt.clone(),
    };
    let (saved, moved) = ctx.block_on(async {
        let saved = save.save(ctx, &session.connectors, &session.saved, seen, true).await?;
        let moved = session.connectors.move_to(seen, offsets, &watch).await;
        let moved = moved.map_err(|error| match &session.tenant {
            Some(tenant) => create::explain(Error::from(error), tenant),
            None => Error::from(error),
        })?;
        Ok((saved, moved))
    })?;
    if let Some(saved) = saved.as_ref().filter(|saved| saved.offsets) {
        ctx.ui.note(&format!(
            "Put the former offsets back with `confluent ebs connector offset update {} --config-file {}`.",
            typed(seen.id(), &seen.name),
            word(&saved.path.display().to_string())
        ));
    }
    let error = outcome(seen, &moved.status, moved.interrupted);
    if error.is_none() {
        ctx.ui.note(&format!(
            "The service starts it again by itself: `confluent ebs connector wait {}` tells whether it runs.",
            typed(seen.id(), &seen.name)
        ));
    }
    let status = RequestStatus::of(seen, moved.status).saved_as(saved.map(|saved| saved.path));
    let report = Report::new(Changed::Done(status));
    Ok(match error {
        Some(error) => report.with_error(error),
        None => report,
    })
}

/// What the end of a change means.
fn outcome(seen: &Seen, status: &OffsetsStatus, interrupted: bool) -> Option<Error> {
    let id = seen.id();
    match status.status.phase.as_str() {
        "APPLIED" => None,
        "FAILED" => {
            let why = status.status.message.as_deref().filter(|why| !why.is_empty());
            let why = why.unwrap_or("the service does not say why");
            Some(Error::failed(format!(
                "the offsets of connector \"{id}\" were not changed: {why}"
            )))
        }
        phase => {
            let phase = if phase.is_empty() { "not known" } else { phase };
            let kind = if interrupted {
                ErrorKind::Partial
            } else {
                ErrorKind::Failed
            };
            let lead = if interrupted { "interrupted: " } else { "" };
            let message = format!("{lead}the change of the offsets of connector \"{id}\" is {phase}");
            Some(Error::new(kind, message).with_hint(format!(
                "See what became of it with `confluent ebs connector offset status describe {}`.",
                typed(seen.id(), &seen.name)
            )))
        }
    }
}
