//! Offsets of a connector: read, or changed by a request that is planned first, so that the caller can show it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;
use serde_json::Value;

use super::{
    backup::BackupPolicy,
    errors::{PartialResult, explain_change_error},
    selectors,
};
use crate::{
    api::connect::{OffsetItem, OffsetsStatus},
    error::{Error, ErrorKind, ResultExt},
    hint::connector_arg,
    model::ConnectorState,
    resources::connector::{
        LiveConnector,
        offsets::{OffsetWaitOptions, find_problems, reason_not_movable, unknown_partitions},
    },
    session::{ConnectorSession, RunContext},
};

/// Partition with its current and its new offset.
#[derive(Debug, Serialize)]
pub struct OffsetMove {
    /// Partition of the source or topic.
    pub partition: Value,
    /// Current offset; `None` for a partition that the connector does not know yet.
    pub now: Option<Value>,
    /// New offset; `None` to start from the beginning.
    pub then: Option<Value>,
}

/// Change of the offsets of a connector.
#[derive(Debug, Serialize)]
pub struct OffsetChange {
    /// Id of the connector.
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// Id or name, whichever the user wrote.
    #[serde(skip)]
    pub shown_name: String,
    /// Whether the change is only shown.
    pub dry_run: bool,
    /// Partitions that change.
    pub offsets: Vec<OffsetMove>,
}

/// Planned change of offsets.
pub struct PlannedOffsetChange {
    /// Result for the user: the connector, and the partitions that change.
    pub change: OffsetChange,
    /// Connector as observed before the change.
    pub observed: LiveConnector,
    /// Offsets of the request; `None` to delete all.
    desired: Option<Vec<OffsetItem>>,
}

/// File with new offsets.
pub struct OffsetsFile {
    path: PathBuf,
    offsets: Vec<OffsetItem>,
}

impl OffsetsFile {
    /// Reads a list of partitions and offsets, or an object with the field `offsets`. Numbers stay numbers, because
    /// strings break source connectors (docs/reference/connect.md#offsets).
    ///
    /// # Errors
    /// The file is unreadable, or has another format or no offset.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let shown = path.display();
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{shown}`"))?;
        let text = text.trim_start_matches('\u{feff}');
        let value: Value = serde_json::from_str(text).with_context(|| format!("cannot read `{shown}`"))?;
        let list = match value {
            Value::Object(mut fields) => fields.remove("offsets").unwrap_or_default(),
            list => list,
        };
        let offsets: Vec<OffsetItem> = serde_json::from_value(list).map_err(|_| {
            Error::failed(format!(
                "invalid offsets file `{shown}`: no list of partitions and offsets"
            ))
            .with_hint("Write `[{\"partition\": {…}, \"offset\": {…}}]`, as in the output of `confluent ebs connector offset describe -o json`.")
        })?;
        if offsets.is_empty() {
            return Err(Error::failed(format!(
                "invalid offsets file `{shown}`: the list is empty"
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            offsets,
        })
    }

    /// Checks the new offsets against the current ones. Warns about unknown partitions.
    fn check(&self, run: &RunContext, observed: &LiveConnector, now: &[OffsetItem]) -> Result<(), Error> {
        let problems = find_problems(now, &self.offsets);
        if !problems.is_empty() {
            let path = self.path.display();
            let message = format!("invalid offsets file `{path}`: {}", problems.join("; "));
            return Err(Error::failed(message).with_hint(format!(
                "Show the format of the offsets with `confluent ebs connector offset describe {} -o json`.",
                connector_arg(observed.id(), &observed.name)
            )));
        }
        for partition in unknown_partitions(now, &self.offsets) {
            run.warn(format!(
                "connector `{}` has no partition {partition}; the offset may have no effect",
                observed.name
            ));
        }
        Ok(())
    }
}

/// Plans to set the offsets of the connector with the id or name `selector` to those of `file`, or to delete them.
///
/// # Errors
/// There is no such connector, its state allows no change, or the file does not match its current offsets.
pub async fn plan_offset_change(
    run: &RunContext,
    session: &ConnectorSession,
    selector: &str,
    file: Option<OffsetsFile>,
    dry_run: bool,
) -> Result<PlannedOffsetChange, Error> {
    selectors::reject_foreign_names(session.department.as_ref(), &[selector.to_owned()])?;
    let observed = selectors::find(session, selector).await?;
    check_state(&observed)?;
    let now = session.connectors.offsets(&observed).await?.offsets;
    if let Some(file) = &file {
        file.check(run, &observed, &now)?;
    }
    let desired = file.map(|file| file.offsets);
    let change = OffsetChange {
        id: observed.id().to_owned(),
        name: observed.name.clone(),
        shown_name: selectors::shown_name(&observed, &[selector.to_owned()]),
        dry_run,
        offsets: diff_offsets(&now, desired.as_deref()),
    };
    Ok(PlannedOffsetChange {
        change,
        observed,
        desired,
    })
}

/// Returns the partitions that change from `now` to `desired`, or to the beginning.
fn diff_offsets(now: &[OffsetItem], desired: Option<&[OffsetItem]>) -> Vec<OffsetMove> {
    let Some(desired) = desired else {
        let reset = |item: &OffsetItem| OffsetMove {
            partition: item.partition.clone(),
            now: Some(item.offset.clone()),
            then: None,
        };
        return now.iter().map(reset).collect();
    };
    let current = |partition: &Value| now.iter().find(|item| item.partition == *partition);
    let moves = desired.iter().map(|item| OffsetMove {
        partition: item.partition.clone(),
        now: current(&item.partition).map(|known| known.offset.clone()),
        then: Some(item.offset.clone()),
    });
    moves.filter(|change| change.now != change.then).collect()
}

/// Rejects a connector whose state does not allow a change of offsets.
fn check_state(observed: &LiveConnector) -> Result<(), Error> {
    let Some(why) = reason_not_movable(observed.state()) else {
        return Ok(());
    };
    let state = match observed.state() {
        ConnectorState::Unreported => "in no state yet",
        state => state.as_str(),
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

impl PlannedOffsetChange {
    /// Backs up the offsets, requests the change, and waits for its result.
    ///
    /// # Errors
    /// The backup or the request fails. A change that is not applied in time is in the field `error` of the returned
    /// value.
    pub async fn apply(
        self,
        run: &RunContext,
        session: &ConnectorSession,
        backup: &BackupPolicy,
        timeout: Duration,
    ) -> Result<PartialResult<OffsetRequestStatus>, Error> {
        if run.cancel.is_cancelled() {
            return Err(Error::new(
                ErrorKind::Interrupted,
                "interrupted before anything was changed",
            ));
        }
        let observed = &self.observed;
        let backup = backup
            .backup(run, &session.connectors, &session.backup_dir, observed, true)
            .await?;
        let options = wait_options(run, timeout);
        let requested = session.connectors.alter_offsets(observed, self.desired, &options).await;
        let requested = requested.map_err(|error| explain_change_error(error.into(), session.department.as_ref()))?;
        if let Some(backup) = backup.as_ref().filter(|backup| backup.has_offsets) {
            let restore = backup.restore_command("connector offset update", observed.id());
            run.info(format!("Restore the previous offsets with `{restore}`."));
        }
        let error = outcome_error(observed, &requested.status, requested.interrupted);
        if error.is_none() {
            run.info(format!(
                "Confluent Cloud restarts the connector automatically. Wait until it runs with `confluent ebs connector wait {}`.",
                connector_arg(observed.id(), &observed.name)
            ));
        }
        let mut status = OffsetRequestStatus::new(observed, requested.status);
        status.backup = backup.map(|backup| backup.path);
        Ok(PartialResult {
            value: Some(status),
            error,
        })
    }
}

fn wait_options(run: &RunContext, timeout: Duration) -> OffsetWaitOptions {
    OffsetWaitOptions {
        timeout,
        interrupt: run.cancel.clone(),
    }
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
            let (kind, lead) = if interrupted {
                (ErrorKind::Partial, "interrupted: ")
            } else {
                (ErrorKind::Failed, "")
            };
            let message = format!("{lead}the offset change of connector `{id}` is {phase}");
            Some(Error::new(kind, message).with_hint(format!(
                "Check its status with `confluent ebs connector offset status describe {}`.",
                connector_arg(observed.id(), &observed.name)
            )))
        }
    }
}

/// Status of an offset request with the fields of the Confluent CLI.
#[derive(Debug, Serialize)]
pub struct OffsetRequestStatus {
    /// Id of the connector.
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// `PATCH` or `DELETE`.
    pub request_type: String,
    /// Time of the request.
    pub requested_at: String,
    /// Phase as named by the service.
    pub phase: String,
    /// Message of the service.
    pub message: String,
    /// Time when the change was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied_at: Option<String>,
    /// Offsets that the request asked for.
    pub requested_offsets: Vec<OffsetItem>,
    /// Offsets before the change.
    pub previous_offsets: Vec<OffsetItem>,
    /// Backup file to restore the previous offsets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<PathBuf>,
}

impl OffsetRequestStatus {
    fn new(observed: &LiveConnector, status: OffsetsStatus) -> Self {
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            request_type: status.request.request_type,
            requested_at: status.request.requested_at,
            phase: status.status.phase,
            message: status.status.message.unwrap_or_default(),
            applied_at: status.applied_at,
            requested_offsets: status.request.offsets.unwrap_or_default(),
            // Absent after a reset.
            previous_offsets: status.previous_offsets.unwrap_or_default(),
            backup: None,
        }
    }
}

/// Returns the last offset request of the connector with the id or name `selector`.
///
/// # Errors
/// There is no such connector, or no request.
pub async fn last_offset_request(session: &ConnectorSession, selector: &str) -> Result<OffsetRequestStatus, Error> {
    let observed = selectors::find(session, selector).await?;
    let Some(status) = session.connectors.last_offsets_request(&observed).await? else {
        let update = session.options.suggest("connector offset update ID");
        let message = format!("no offset request for connector `{}`", observed.id());
        return Err(Error::failed(message).with_hint(format!("Change its offsets with `{update}`.")));
    };
    Ok(OffsetRequestStatus::new(&observed, status))
}

/// Offsets of a connector with the fields of the Confluent CLI.
#[derive(Debug, Serialize)]
pub struct OffsetSnapshot {
    /// Id of the connector.
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// One entry for each partition.
    pub offsets: Vec<OffsetItem>,
    /// Time of the snapshot, in the format of the service.
    pub metadata: Value,
}

/// Reads the offsets of the connector with the id or name `selector` until they are at most `threshold` old.
///
/// # Errors
/// The request fails. Offsets that are still older after `timeout` are in the field `error` of the returned value.
pub async fn read_offsets(
    run: &RunContext,
    session: &ConnectorSession,
    selector: &str,
    threshold: Duration,
    timeout: Duration,
) -> Result<PartialResult<OffsetSnapshot>, Error> {
    let connector = selectors::find(session, selector).await?;
    let options = wait_options(run, timeout);
    let observed = session
        .connectors
        .observe_offsets(&connector, threshold, &options)
        .await?;
    let stale = observed.age.filter(|age| *age > threshold).map(|age| {
        let kind = if run.cancel.is_cancelled() {
            ErrorKind::Interrupted
        } else {
            ErrorKind::Failed
        };
        let message = format!(
            "the offsets of connector `{}` are {} s old, which exceeds {} s",
            connector.id(),
            age.as_secs(),
            threshold.as_secs()
        );
        Error::new(kind, message)
            .with_hint("Confluent Cloud updates the offsets while the connector runs; retry later.")
            .with_hint("Accept older offsets with `--staleness-threshold`.")
    });
    Ok(PartialResult {
        value: Some(OffsetSnapshot {
            id: connector.id().to_owned(),
            name: connector.name,
            offsets: observed.offsets.offsets,
            metadata: observed.offsets.metadata,
        }),
        error: stale,
    })
}
