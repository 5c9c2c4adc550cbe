//! Differences between files and connectors that nobody planned.

use serde::Serialize;

use super::plan::{GitopsPlan, ItemAction, LiveFact};
use crate::resources::connector::FieldDiff;

/// Drift of a department in a stage.
#[derive(Clone, Debug, Serialize)]
pub struct DepartmentDrift {
    /// Code of the department: the name of its file without `.toml`.
    pub department: String,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Connectors whose configuration differs from the file.
    pub changed: Vec<ChangedConnector>,
    /// Connectors that a file describes and that do not exist.
    pub missing: Vec<String>,
    /// Connectors that still exist, although their file has `state: absent`.
    pub not_deleted: Vec<String>,
    /// Connectors that are paused or running by hand, although the file sets the other state.
    pub state: Vec<LiveFact>,
    /// Connectors without a file.
    pub unmanaged: Vec<LiveFact>,
    /// Failed connectors with a file. Failures do not count as drift: `status` and `connector explain` report them.
    pub failed: Vec<LiveFact>,
    /// Connectors that cannot be compared, such as those of another account.
    pub conflicts: Vec<String>,
}

/// Connector whose configuration differs from the file.
#[derive(Clone, Debug, Serialize)]
pub struct ChangedConnector {
    /// Name of the connector.
    pub name: String,
    /// Differences: the old value is that of the service, the new one that of the file.
    pub fields: Vec<FieldDiff>,
}

impl DepartmentDrift {
    /// Returns the drift that `plan` would remove.
    #[must_use]
    pub fn from_plan(plan: &GitopsPlan) -> Self {
        let names = |action: ItemAction| {
            let items = plan.items.iter().filter(move |item| item.action == action);
            items.map(|item| item.address.name.clone()).collect::<Vec<_>>()
        };
        let by_hand = [names(ItemAction::Pause), names(ItemAction::Resume)].concat();
        let changed = plan
            .items
            .iter()
            .filter(|item| matches!(item.action, ItemAction::Update | ItemAction::Replace))
            .map(|item| ChangedConnector {
                name: item.address.name.clone(),
                fields: item.fields.iter().filter(|field| field.is_certain()).cloned().collect(),
            });
        let states = plan.states.iter();
        Self {
            department: plan.department.clone(),
            stage: plan.stage.clone(),
            changed: changed.collect(),
            missing: names(ItemAction::Create),
            not_deleted: names(ItemAction::Delete),
            state: states
                .clone()
                .filter(|live| by_hand.contains(&live.name))
                .cloned()
                .collect(),
            unmanaged: plan.unmanaged.clone(),
            failed: states.filter(|live| live.state == "FAILED").cloned().collect(),
            conflicts: plan
                .conflicts
                .iter()
                .filter_map(|conflict| conflict.connector.clone())
                .collect(),
        }
    }

    /// Returns whether files and connectors agree. A failed connector is no drift.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty()
            && self.missing.is_empty()
            && self.not_deleted.is_empty()
            && self.state.is_empty()
            && self.unmanaged.is_empty()
            && self.conflicts.is_empty()
    }
}
