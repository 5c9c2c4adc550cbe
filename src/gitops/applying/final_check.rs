//! The last read of an apply: whether its changes are in force.

use std::time::Duration;

use crate::{
    catalog::catalog,
    error::Error,
    gitops::plan::compare::compare_config,
    resources::{
        connector::{DesiredConnector, FieldDiff},
        sleep_or_cancel,
    },
    session::{ConnectorSession, RunContext},
};

/// Returns the names of the written connectors that are not as they were written: the service knows no conditional writes,
/// so that two applies at once can overwrite each other between their last read and their write.
///
/// # Errors
/// The connectors cannot be listed.
pub(super) async fn find_overwritten(
    run: &RunContext,
    session: &ConnectorSession,
    mut pending: Vec<DesiredConnector>,
) -> Result<Vec<String>, Error> {
    /// Waits between the reads: a list can lag behind a write (docs/reference/connect.md#timing-of-states).
    const WAITS: [u64; 3] = [1, 3, 10];
    let client = &session.connectors;
    for wait in WAITS.map(Some).into_iter().chain([None]) {
        if pending.is_empty() {
            break;
        }
        let list = client.list().await?;
        pending.retain(|desired| {
            list.get(&desired.name).is_none_or(|live| {
                let fields = compare_config(catalog(), &live.info.config, &desired.config, &desired.secret_keys);
                fields.iter().any(FieldDiff::is_certain)
            })
        });
        if let Some(wait) = wait.filter(|_| !pending.is_empty()) {
            // Without the waits, a list that lags would look like a change by somebody else.
            if !sleep_or_cancel(&client.clock, &run.cancel, Duration::from_secs(wait)).await {
                return Ok(Vec::new());
            }
        }
    }
    Ok(pending.into_iter().map(|desired| desired.name).collect())
}
