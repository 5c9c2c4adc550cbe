//! Deletion of connectors, after a backup of their configurations and offsets.

use std::time::Duration;

use serde::Serialize;

use super::{
    backup::{BackupFile, BackupPolicy},
    errors::PartialResult,
    execution::execute,
    selectors::shown_name,
};
use crate::{
    error::Error,
    plan::ConnectorPlan,
    resources::connector::LiveConnector,
    session::{ConnectorSession, RunContext},
};

/// Result of a deletion of several connectors.
#[derive(Debug, Serialize)]
pub struct DeletedConnectors {
    /// Whether the connectors would be deleted.
    pub dry_run: bool,
    /// Connectors in the order of the request.
    pub connectors: Vec<DeletedConnector>,
}

/// Connector that was deleted, or would be deleted by a dry run.
#[derive(Debug, Serialize)]
pub struct DeletedConnector {
    /// Id of the connector (`lcc-…`).
    pub id: String,
    /// Name of the connector.
    pub name: String,
    /// Id or name, whichever the user wrote.
    #[serde(skip)]
    pub shown_name: String,
    /// Effect of creating a connector of the same name again.
    pub if_recreated: &'static str,
    /// Backup of the configuration and offsets; `None` if none was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<BackupFile>,
}

impl DeletedConnector {
    fn new(observed: &LiveConnector, written: &[String], backup: Option<BackupFile>) -> Self {
        Self {
            id: observed.id().to_owned(),
            name: observed.name.clone(),
            shown_name: shown_name(observed, written),
            if_recreated: restart_note(observed),
            backup,
        }
    }
}

impl DeletedConnectors {
    /// Returns the result of a dry run.
    pub fn planned(observed: &[LiveConnector], written: &[String]) -> Self {
        let planned = observed
            .iter()
            .map(|observed| DeletedConnector::new(observed, written, None));
        Self {
            dry_run: true,
            connectors: planned.collect(),
        }
    }
}

/// Backs up and deletes the connectors in `observed`, which the user selected as `written`.
///
/// # Errors
/// A backup fails, so that nothing is deleted. Connectors that cannot be deleted are in the field `error` of the
/// returned value.
pub async fn delete(
    run: &RunContext,
    session: &ConnectorSession,
    observed: &[LiveConnector],
    written: &[String],
    backup: &BackupPolicy,
) -> Result<PartialResult<DeletedConnectors>, Error> {
    let department = session.department.as_ref();
    let (client, folder) = (&session.connectors, &session.backup_dir);
    let mut plan = ConnectorPlan::default();
    let mut backups = Vec::new();
    for connector in observed {
        backups.push(backup.backup(run, client, folder, connector, true).await?);
        plan.delete(department.map(|department| &department.code), connector);
    }
    let (journal, none) = (&session.journal_path, Duration::ZERO);
    let execution = execute(run, client, journal, "connector delete", &plan, none, none).await?;
    let steps = observed.iter().zip(backups).enumerate();
    let connectors: Vec<DeletedConnector> = steps
        .filter(|(place, _)| execution.is_done(*place))
        .map(|(_, (observed, backup))| DeletedConnector::new(observed, written, backup))
        .collect();
    let deleted = DeletedConnectors {
        dry_run: false,
        connectors,
    };
    Ok(PartialResult {
        value: (!deleted.connectors.is_empty()).then_some(deleted),
        error: execution.into_error(department, &plan),
    })
}

/// Returns the effect of recreating the connector without offsets: a new id, and with it a new consumer group or a new
/// place for its source position (docs/reference/connect.md#connector-names).
pub fn restart_note(observed: &LiveConnector) -> &'static str {
    match observed.direction().to_ascii_lowercase().as_str() {
        "sink" => "reads its topics from the beginning",
        "source" => "reads its source from the beginning",
        _ => "starts from the beginning",
    }
}
