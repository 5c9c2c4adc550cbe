//! The connectors of a department that goes: they go first, while their account still lives.

use std::{collections::BTreeMap, time::Duration};

use super::Reconciliation;
use crate::{
    api::connect::{ClusterPath, ExpandedConnector},
    connectors::{BackupFile, BackupPolicy, execute},
    error::{Error, ErrorKind, ResultExt},
    model::Department,
    plan::{ConnectorPlan, Teardown},
    resources::connector::{ConnectorClient, LiveConnector},
    session::RunContext,
    text,
};

/// How long a deleted connector may stay in the lists: up to half a minute was seen
/// (docs/reference/connect.md#delete-a-connector).
const REMOVAL_TIMEOUT: Duration = Duration::from_mins(3);

/// Whether connectors are removed, and how they are backed up.
#[derive(Clone, Debug)]
pub struct ConnectorRemoval {
    /// Remove the connectors of the department.
    pub delete: bool,
    /// Backups before the removal.
    pub backup: BackupPolicy,
}

/// The connectors that matter.
pub struct DepartmentConnectors {
    connectors: ConnectorClient,
    /// Those of the prefix.
    pub own: Vec<LiveConnector>,
    /// Others that run under an account of the department.
    pub dependent: Vec<LiveConnector>,
}

/// Looks at the connectors of the cluster.
pub async fn observe_connectors(
    reconciliation: &Reconciliation<'_>,
    department: &Department,
    down: &Teardown,
) -> Result<DepartmentConnectors, Error> {
    let address = &reconciliation.observed.snapshot.address;
    let connectors = ConnectorClient {
        client: reconciliation.session.client.clone(),
        cluster_path: ClusterPath {
            environment: address.environment.clone(),
            cluster: address.cluster.clone(),
        },
        clock: reconciliation.session.clock.clone(),
    };
    let list = connectors.list().await;
    let list = list
        .map_err(Error::from)
        .map_err(|error| error.context("which connectors the department has could not be looked at"))
        .hint("An account is not removed while connectors may run under it.")?;
    let runs_as = |connector: &ExpandedConnector| {
        let account = connector.info.config.get("kafka.service.account.id");
        account.is_some_and(|account| down.accounts.iter().any(|own| own.id.as_str() == account))
    };
    let chosen = |of: &dyn Fn(&str, &ExpandedConnector) -> bool| -> Vec<LiveConnector> {
        list.iter()
            .filter(|(name, now)| of(name, now))
            .map(|(name, now)| LiveConnector {
                name: name.clone(),
                expanded: now.clone(),
            })
            .collect()
    };
    Ok(DepartmentConnectors {
        own: chosen(&|name, _| department.prefix.owns(name)),
        dependent: chosen(&|name, now| !department.prefix.owns(name) && runs_as(now)),
        connectors,
    })
}

impl ConnectorRemoval {
    /// Refuses to go on while connectors are in the way.
    pub fn check(&self, department: &Department, connectors: &DepartmentConnectors) -> Result<(), Error> {
        if !connectors.dependent.is_empty() {
            let names: Vec<&str> = connectors
                .dependent
                .iter()
                .map(|observed| observed.name.as_str())
                .collect();
            return Err(Error::refused(format!(
                "nothing was changed: {} of others run under the department's service account: {}",
                text::count_noun(names.len(), "connector"),
                text::join_quoted(&names)
            ))
            .with_hint("Give them another account, or delete them, first: they would stop without a word."));
        }
        if connectors.own.is_empty() || self.delete {
            return Ok(());
        }
        let names: Vec<&str> = connectors.own.iter().map(|observed| observed.name.as_str()).collect();
        Err(Error::refused(format!(
            "nothing was changed: department \"{}\" still has {}: {}",
            department.code,
            text::count_noun(names.len(), "connector"),
            text::join_quoted(&names)
        ))
        .with_hint("`--delete-connectors` saves their configurations and offsets, and removes them.")
        .with_hint("Their topics stay in any case."))
    }

    /// Saves and removes the department's connectors, and waits until the lists show them no more.
    pub async fn delete(
        &self,
        run: &RunContext,
        reconciliation: &Reconciliation<'_>,
        department: &Department,
        connectors: &DepartmentConnectors,
    ) -> Result<Vec<BackupFile>, Error> {
        let mut backup = Vec::new();
        let mut plan = ConnectorPlan::default();
        for connector in &connectors.own {
            let folder = &reconciliation.session.state_paths.backups;
            backup.extend(
                self.backup
                    .backup(run, &connectors.connectors, folder, connector, true)
                    .await?,
            );
            plan.delete(Some(&department.code), connector);
        }
        if plan.is_empty() {
            return Ok(backup);
        }
        let journal = reconciliation
            .session
            .connector_journal_path(&connectors.connectors.cluster_path);
        let execution = execute(
            run,
            &connectors.connectors,
            &journal,
            "offboard",
            &plan,
            Duration::ZERO,
            Duration::ZERO,
        )
        .await?;
        if let Some(error) = execution.into_error(None, &plan) {
            return Err(error
                .context("the connectors were not all removed, so the department's access stays as it is")
                .with_hint("Run the same command again: it does the rest and nothing twice."));
        }
        self.wait_until_removed(run, connectors).await?;
        Ok(backup)
    }

    async fn wait_until_removed(&self, run: &RunContext, connectors: &DepartmentConnectors) -> Result<(), Error> {
        let clock = &connectors.connectors.clock;
        let begun = clock.now();
        loop {
            let list: BTreeMap<String, ExpandedConnector> = connectors.connectors.list().await?;
            let left: Vec<&str> = connectors
                .own
                .iter()
                .filter(|observed| {
                    list.get(&observed.name)
                        .is_some_and(|now| now.id == observed.expanded.id)
                })
                .map(|observed| observed.name.as_str())
                .collect();
            if left.is_empty() {
                return Ok(());
            }
            if run.cancel.is_cancelled() || clock.elapsed_since(begun) > REMOVAL_TIMEOUT {
                return Err(Error::new(
                    ErrorKind::Partial,
                    format!("{} asked to go and still listed", text::join_quoted(&left)),
                )
                .with_hint("Run the same command again in a few minutes: it does the rest and nothing twice."));
            }
            clock.sleep(Duration::from_secs(3)).await;
        }
    }
}
