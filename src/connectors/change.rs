//! Options of a change of a connector, and hints after a failed one.

use std::time::Duration;

use super::{
    backup::{BackupFile, BackupPolicy},
    execution::{ConnectorExecution, execute},
};
use crate::{
    error::Error,
    plan::ConnectorPlan,
    resources::connector::{LiveConnector, WaitGoal},
    session::{ConnectorSession, RunContext},
};

/// How a planned change is applied.
#[derive(Clone, Debug)]
pub struct ChangeOptions {
    /// Whether the change is only shown.
    pub dry_run: bool,
    /// State to wait for; `None` does not wait.
    pub wait: Option<WaitGoal>,
    /// Timeout of the wait.
    pub timeout: Duration,
    /// How long a changed connector is watched before it counts as running.
    pub settle_time: Duration,
    /// Backup of the previous configuration.
    pub backup: BackupPolicy,
}

impl ChangeOptions {
    pub(super) async fn execute(
        &self,
        run: &RunContext,
        session: &ConnectorSession,
        command: &str,
        plan: &ConnectorPlan,
    ) -> Result<ConnectorExecution, Error> {
        let (client, journal) = (&session.connectors, &session.journal_path);
        execute(run, client, journal, command, plan, self.timeout, self.settle_time).await
    }
}

/// Adds hints to restore the previous configuration after a failed change.
pub(super) fn add_rollback_hints(error: Error, former: &LiveConnector, backup: Option<&BackupFile>) -> Error {
    let Some(backup) = backup else {
        return error.with_hint("To roll back, update with the previous configuration and set its secrets again.");
    };
    let restore = backup.restore_command("connector update", former.id());
    let hints = [format!("Roll back with `{restore}`.")]
        .into_iter()
        .chain(backup.secrets_hint());
    hints.fold(error, Error::with_hint)
}
