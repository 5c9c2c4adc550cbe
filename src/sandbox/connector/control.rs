//! Control of connectors: faults on request, and information for tests that the API does not return.

use jiff::Timestamp;

use super::{ArmedConnectorFault, ConnectorFault, evaluation::ConnectorEvaluator, plugins::SandboxPlugin};
use crate::sandbox::{
    Sandbox, SandboxError,
    state::{SandboxState, StateChange},
};

/// Returns the changes that update the history of all connectors with that name. Needed before and after a fault
/// changes.
fn history_changes(state: &SandboxState, connector: &str, now: Timestamp) -> Vec<StateChange> {
    let all = state.connectors.values();
    let named = all.filter(|found| found.name == connector && found.lifetime.exists());
    named
        .filter_map(|found| {
            let cluster = state.clusters.get(&found.cluster)?;
            let evaluator = ConnectorEvaluator {
                state,
                cluster,
                address: state.address(cluster),
                now,
                new_topics: Vec::new(),
            };
            evaluator
                .with_updated_history(found, &evaluator.evaluate(found))
                .map(StateChange::Connector)
        })
        .collect()
}

impl Sandbox {
    /// Returns the active connector faults.
    pub fn connector_faults(&self) -> Result<Vec<ArmedConnectorFault>, SandboxError> {
        self.read_state(|state, _| state.connector_faults.clone())
    }

    /// Makes the connector with that name fail from now on, even if it is created later; `None` clears the fault. A
    /// connector that is created later has the fault only if its plugin can. Returns whether anything changed.
    ///
    /// # Errors
    /// No existing connector with that name can have the fault.
    pub fn set_connector_fault(&self, connector: &str, kind: Option<ConnectorFault>) -> Result<bool, SandboxError> {
        let since = self.now()?;
        if let Some(kind) = kind {
            self.check_fault_fits(connector, kind)?;
        }
        let mut changed = false;
        self.apply_changes(|state| {
            let mut faults = state.connector_faults.clone();
            faults.retain(|armed| armed.connector != connector);
            changed = kind.is_some() || faults.len() < state.connector_faults.len();
            faults.extend(kind.map(|kind| ArmedConnectorFault {
                connector: connector.to_owned(),
                kind,
                since,
            }));
            let mut changes = history_changes(state, connector, since);
            changes.push(StateChange::ConnectorFaults(faults));
            changes
        })?;
        self.apply_changes(|state| history_changes(state, connector, since))?;
        Ok(changed)
    }

    fn check_fault_fits(&self, connector: &str, kind: ConnectorFault) -> Result<(), SandboxError> {
        let classes: Vec<String> = self.read_state(|state, _| {
            let named = state.connectors.values().filter(|found| found.name == connector);
            let existing = named.filter(|found| found.lifetime.exists());
            existing.map(|found| found.class().to_owned()).collect()
        })?;
        let fits = |class: &String| kind.fits(&SandboxPlugin::find_or_unknown(class));
        match classes.first() {
            Some(class) if !classes.iter().any(fits) => {
                let plugin = SandboxPlugin::find_or_unknown(class);
                let fitting = ConnectorFault::ALL.iter().filter(|kind| kind.fits(&plugin));
                let fitting: Vec<&str> = fitting.map(|kind| kind.name()).collect();
                Err(SandboxError::Setting(format!(
                    "a connector of plugin `{class}` cannot fail with `{kind}`; its faults are {}",
                    fitting.join(", ")
                )))
            }
            _ => Ok(()),
        }
    }

    /// Returns whether `secret` is the stored value of a PASSWORD key of a connector.
    pub fn connector_secret_matches(&self, connector: &str, key: &str, secret: &str) -> Result<bool, SandboxError> {
        self.read_state(|state, _| {
            let mut all = state.connectors.values();
            let found = all.find(|found| found.name == connector && found.lifetime.exists());
            found.is_some_and(|found| found.secrets.get(key).is_some_and(|digest| digest.matches(secret)))
        })
    }
}
