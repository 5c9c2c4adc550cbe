//! Removal of a department's connectors, the first step of offboarding: connectors fail without their service account.

use std::{collections::BTreeMap, ops::ControlFlow, time::Duration};

use crate::{
    api::connect::{ClusterPath, ExpandedConnector},
    apply::RunEvent,
    client::ClientError,
    connectors::{BackupFile, BackupPolicy, execute},
    error::{Error, ErrorKind, ResultExt},
    hint::Hint,
    model::Department,
    plan::{ConnectorPlan, Teardown},
    provisioning::Reconciliation,
    resources::{
        connector::{ConnectorClient, LiveConnector},
        poll,
    },
    session::RunContext,
    text,
};

/// Timeout for a deleted connector to disappear from the connector list, which takes up to 30 s
/// (docs/reference/connect.md#delete-a-connector).
const REMOVAL_TIMEOUT: Duration = Duration::from_mins(3);

/// Policy for the connectors of a department: whether to delete them, and how to back them up.
#[derive(Clone, Debug)]
pub struct ConnectorRemoval {
    /// Whether to delete the connectors of the department.
    pub delete: bool,
    /// Backup of each connector before its deletion.
    pub backup: BackupPolicy,
}

/// Connectors that have the prefix of a department or run under its service accounts.
pub(super) struct DepartmentConnectors {
    connectors: ConnectorClient,
    /// Connectors with the prefix of the department.
    pub(super) own: Vec<LiveConnector>,
    /// Connectors without the prefix that run under a service account of the department.
    pub(super) dependent: Vec<LiveConnector>,
}

/// Lists the connectors of the cluster and selects the ones that depend on the department.
pub(super) async fn observe_connectors(
    run: &RunContext,
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
        history_dir: None,
        interrupt: run.cancel.clone(),
    };
    let list = connectors.list().await;
    let list = list
        .map_err(Error::from)
        .map_err(|error| error.context("cannot list the connectors of the department"))
        .hint("Offboarding requires the list, because deleting a service account stops its connectors.")?;
    let runs_as = |connector: &ExpandedConnector| {
        let account = connector.info.config.get("kafka.service.account.id");
        account.is_some_and(|account| down.accounts.iter().any(|own| own.id.as_str() == account))
    };
    let select = |matches: &dyn Fn(&str, &ExpandedConnector) -> bool| -> Vec<LiveConnector> {
        list.iter()
            .filter(|(name, now)| matches(name, now))
            .map(|(name, now)| LiveConnector {
                name: name.clone(),
                expanded: now.clone(),
            })
            .collect()
    };
    Ok(DepartmentConnectors {
        own: select(&|name, _| department.prefix.owns(name)),
        dependent: select(&|name, now| !department.prefix.owns(name) && runs_as(now)),
        connectors,
    })
}

impl ConnectorRemoval {
    /// Refuses the offboarding if connectors block it.
    ///
    /// # Errors A connector of another department depends on the department, or the department has connectors and the
    /// policy keeps them.
    pub(super) fn check(&self, department: &Department, connectors: &DepartmentConnectors) -> Result<(), Error> {
        if !connectors.dependent.is_empty() {
            let names: Vec<&str> = connectors
                .dependent
                .iter()
                .map(|observed| observed.name.as_str())
                .collect();
            return Err(Error::refused(format!(
                "refused; nothing was changed: {} of other departments use a service account of department `{}`: {}",
                text::count_noun(names.len(), "connector"),
                department.code,
                text::join_code(&names)
            ))
            .with_hint("First move these connectors to another service account, or delete them."));
        }
        if connectors.own.is_empty() || self.delete {
            return Ok(());
        }
        let names: Vec<&str> = connectors.own.iter().map(|observed| observed.name.as_str()).collect();
        Err(Error::refused(format!(
            "refused; nothing was changed: department `{}` still has {}: {}",
            department.code,
            text::count_noun(names.len(), "connector"),
            text::join_code(&names)
        ))
        .with_hint("Pass `--delete-connectors` to back up their configurations and offsets and to delete them.")
        .with_hint("Topics are kept in either case."))
    }

    /// Backs up and deletes the department's connectors, and waits until they are no longer listed. Returns the
    /// backups.
    pub(super) async fn delete(
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
                .context("cannot delete all connectors; the access of the department is unchanged")
                .with_hint(Hint::rerun()));
        }
        self.wait_until_removed(run, connectors).await?;
        Ok(backup)
    }

    async fn wait_until_removed(&self, run: &RunContext, connectors: &DepartmentConnectors) -> Result<(), Error> {
        let progress = run.reporter.start_progress();
        progress.on_event(&RunEvent::Phase {
            name: "Wait until the deleted connectors are no longer listed",
            total: 0,
        });
        let attempt = || async {
            let list: BTreeMap<String, ExpandedConnector> = match connectors.connectors.list().await {
                Ok(list) => list,
                Err(error) => return ControlFlow::Break(Err(error)),
            };
            let is_listed = |connector: &&LiveConnector| {
                list.get(&connector.name)
                    .is_some_and(|now| now.id == connector.expanded.id)
            };
            let listed: Vec<&str> = connectors
                .own
                .iter()
                .filter(is_listed)
                .map(|connector| connector.name.as_str())
                .collect();
            match listed.is_empty() {
                true => ControlFlow::Break(Ok::<(), ClientError>(())),
                false => ControlFlow::Continue(listed),
            }
        };
        match poll(&connectors.connectors.clock, &run.cancel, REMOVAL_TIMEOUT, attempt).await {
            Ok(removed) => Ok(removed?),
            Err(end) => {
                let message = format!("connectors deleted but still listed: {}", text::join_code(&end.last));
                Err(Error::new(ErrorKind::Partial, message)
                    .with_hint("Wait a few minutes until the deletions have propagated.")
                    .with_hint(Hint::rerun()))
            }
        }
    }
}
