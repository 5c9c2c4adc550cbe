//! Plans for connectors: create, update or delete connectors, then wait for them. Pure: takes desired and observed
//! connectors and returns ordered changes.
//!
//! Only the request ([`DesiredConnector`]) contains secrets. A plan that is written or displayed contains only
//! differences, which have no secret values.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Action;
use crate::{
    model::DepartmentCode,
    resources::connector::{DesiredConnector, FieldDiff, LiveConnector, diff_configs, wait::WaitGoal},
};

/// Operation on a connector with everything needed to apply it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum ConnectorOperation {
    /// Create the connector.
    Create {
        /// Connector as its configuration file describes it.
        #[serde(skip)]
        desired: Box<DesiredConnector>,
    },
    /// Replace the whole configuration.
    Update {
        /// Connector that must still be unchanged.
        #[serde(skip)]
        observed: Box<LiveConnector>,
        /// Connector as its configuration file describes it.
        #[serde(skip)]
        desired: Box<DesiredConnector>,
    },
    /// Delete the connector.
    Delete {
        /// Connector that must still be unchanged.
        #[serde(skip)]
        observed: Box<LiveConnector>,
    },
    /// Pause the connector as soon as it runs: the service cannot create a paused connector.
    Pause,
    /// Wait for the connector.
    Await {
        /// State to wait for.
        goal: WaitGoal,
        /// Whether to wait for the settle time, because the service may still reject the change after accepting it.
        #[serde(skip)]
        waits_for_settle: bool,
    },
}

/// One change of a connector plan.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectorChange {
    /// Department of the connector, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<DepartmentCode>,
    /// Name of the connector.
    pub name: String,
    /// Kind of change; `None` if the connector is only waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Differences in the configuration; for secrets only the fact that they differ.
    pub fields: Vec<FieldDiff>,
    /// Indexes of the changes that must be done first.
    pub needs: Vec<usize>,
    /// What the change does to the connector.
    #[serde(flatten)]
    pub operation: ConnectorOperation,
}

impl ConnectorChange {
    /// Returns the change as one line of progress: `create connector claims-orders`.
    #[must_use]
    pub fn label(&self) -> String {
        let verb = match &self.operation {
            ConnectorOperation::Create { .. } => "create",
            ConnectorOperation::Update { .. } => "update",
            ConnectorOperation::Delete { .. } => "delete",
            ConnectorOperation::Pause => "pause",
            ConnectorOperation::Await { goal, .. } => return format!("wait until connector {} is {goal}", self.name),
        };
        format!("{verb} connector {}", self.name)
    }
}

/// Ordered changes of connectors.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ConnectorPlan {
    /// Changes; each one comes after the changes that it needs.
    pub changes: Vec<ConnectorChange>,
}

/// A connector of the desired name exists with another configuration.
#[derive(Clone, Debug)]
pub struct ConnectorConflict {
    /// Differences between the observed and the desired configuration; secrets cannot be compared.
    pub fields: Vec<FieldDiff>,
}

impl ConnectorPlan {
    /// Returns whether the plan writes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.action.is_none())
    }

    /// Returns the differences of a connector that the plan creates or updates.
    #[must_use]
    pub fn field_diffs(&self, name: &str) -> &[FieldDiff] {
        let changes = self.changes.iter();
        let mut fields = changes
            .filter(|change| change.name == name)
            .map(|change| change.fields.as_slice());
        fields.find(|fields| !fields.is_empty()).unwrap_or_default()
    }

    /// Plans to create a connector, or only to wait for it if an identical one exists from an earlier run.
    ///
    /// # Errors
    /// When a connector of that name exists with another configuration.
    pub fn create(
        &mut self,
        department: Option<&DepartmentCode>,
        desired: DesiredConnector,
        observed: Option<&LiveConnector>,
        goal: Option<WaitGoal>,
    ) -> Result<(), ConnectorConflict> {
        let name = desired.name.clone();
        if let Some(seen) = observed {
            let fields = diff_configs(&seen.expanded.info.config, &desired.config, &desired.secret_keys);
            if fields.iter().any(FieldDiff::is_certain) {
                return Err(ConnectorConflict { fields });
            }
            self.push_wait_steps(department, &name, Some(seen), goal, None);
            return Ok(());
        }
        let fields = diff_configs(&BTreeMap::new(), &desired.config, &desired.secret_keys);
        let wanted = Box::new(desired);
        let made = self.push(ConnectorChange {
            department: department.cloned(),
            name: name.clone(),
            action: Some(Action::Create),
            fields,
            needs: Vec::new(),
            operation: ConnectorOperation::Create { desired: wanted },
        });
        self.push_wait_steps(department, &name, None, goal, Some(made));
        Ok(())
    }

    /// Plans to replace the configuration of a connector unless it is identical.
    pub fn update(
        &mut self,
        department: Option<&DepartmentCode>,
        desired: DesiredConnector,
        observed: &LiveConnector,
        goal: Option<WaitGoal>,
    ) {
        let fields = diff_configs(&observed.expanded.info.config, &desired.config, &desired.secret_keys);
        let name = observed.name.clone();
        let mut changed = None;
        if !fields.iter().all(FieldDiff::is_same) {
            changed = Some(self.push(ConnectorChange {
                department: department.cloned(),
                name: name.clone(),
                action: Some(Action::Update),
                fields,
                needs: Vec::new(),
                operation: ConnectorOperation::Update {
                    observed: Box::new(observed.clone()),
                    desired: Box::new(desired),
                },
            }));
        }
        self.push_wait_steps(department, &name, Some(observed), goal, changed);
    }

    /// Plans to delete a connector.
    pub fn delete(&mut self, department: Option<&DepartmentCode>, observed: &LiveConnector) {
        let fields = diff_configs(&observed.expanded.info.config, &BTreeMap::new(), &BTreeSet::new());
        self.push(ConnectorChange {
            department: department.cloned(),
            name: observed.name.clone(),
            action: Some(Action::Delete),
            fields,
            needs: Vec::new(),
            operation: ConnectorOperation::Delete {
                observed: Box::new(observed.clone()),
            },
        });
    }

    /// Appends the steps that lead to the state `goal`.
    fn push_wait_steps(
        &mut self,
        department: Option<&DepartmentCode>,
        name: &str,
        observed: Option<&LiveConnector>,
        goal: Option<WaitGoal>,
        after: Option<usize>,
    ) {
        let Some(goal) = goal else { return };
        let mut needs: Vec<usize> = after.into_iter().collect();
        if goal == WaitGoal::Paused && observed.is_none_or(|seen| !seen.state().is_paused()) {
            let pause = self.push(ConnectorChange {
                department: department.cloned(),
                name: name.to_owned(),
                action: Some(Action::Update),
                fields: Vec::new(),
                needs,
                operation: ConnectorOperation::Pause,
            });
            needs = vec![pause];
        }
        self.push(ConnectorChange {
            department: department.cloned(),
            name: name.to_owned(),
            action: None,
            fields: Vec::new(),
            needs,
            operation: ConnectorOperation::Await {
                goal,
                waits_for_settle: goal == WaitGoal::Running && observed.is_some() && after.is_some(),
            },
        });
    }

    fn push(&mut self, change: ConnectorChange) -> usize {
        self.changes.push(change);
        self.changes.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::connect::ExpandedConnector;

    fn config(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn desired(pairs: &[(&str, &str)]) -> DesiredConnector {
        DesiredConnector {
            name: "claims-a".to_owned(),
            config: config(pairs),
            offsets: None,
            secret_keys: BTreeSet::from(["database.password".to_owned()]),
        }
    }

    fn observed(state: &str, pairs: &[(&str, &str)]) -> LiveConnector {
        let mut now = ExpandedConnector::default();
        now.info.config = config(pairs);
        now.status.connector.state = state.into();
        LiveConnector {
            name: "claims-a".to_owned(),
            expanded: now,
        }
    }

    fn steps(plan: &ConnectorPlan) -> Vec<(String, Vec<usize>)> {
        let step = |change: &ConnectorChange| (change.label(), change.needs.clone());
        plan.changes.iter().map(step).collect()
    }

    fn step(label: &str, needs: &[usize]) -> (String, Vec<usize>) {
        (label.to_owned(), needs.to_vec())
    }

    #[test]
    fn creating_a_connector_creates_it_and_then_waits() {
        let mut plan = ConnectorPlan::default();
        plan.create(None, desired(&[("tasks.max", "1")]), None, Some(WaitGoal::Running))
            .unwrap();
        let expected = [
            step("create connector claims-a", &[]),
            step("wait until connector claims-a is RUNNING", &[0]),
        ];
        assert_eq!(steps(&plan), expected);
        assert!(!plan.is_empty());
        let mut plan = ConnectorPlan::default();
        plan.create(None, desired(&[]), None, Some(WaitGoal::Paused)).unwrap();
        let expected = [
            step("create connector claims-a", &[]),
            step("pause connector claims-a", &[0]),
            step("wait until connector claims-a is PAUSED", &[1]),
        ];
        assert_eq!(steps(&plan), expected);
    }

    #[test]
    fn creating_an_identical_connector_only_waits_and_a_different_one_is_refused() {
        let there = observed(
            "RUNNING",
            &[("tasks.max", "1"), ("database.password", "****************")],
        );
        let same = [("tasks.max", "1"), ("database.password", "canary")];
        let mut plan = ConnectorPlan::default();
        plan.create(None, desired(&same), Some(&there), Some(WaitGoal::Running))
            .unwrap();
        assert!(plan.is_empty());
        assert_eq!(steps(&plan), [step("wait until connector claims-a is RUNNING", &[])]);
        let other = [("tasks.max", "2"), ("database.password", "canary")];
        let differs = ConnectorPlan::default()
            .create(None, desired(&other), Some(&there), None)
            .unwrap_err();
        assert!(differs.fields.iter().any(|field| field.config == "tasks.max"));
    }

    #[test]
    fn an_update_without_differences_writes_nothing_and_a_plan_contains_no_secret() {
        let there = observed(
            "PAUSED",
            &[("tasks.max", "1"), ("database.password", "****************")],
        );
        let kept = [("tasks.max", "1"), ("database.password", "****************")];
        let mut plan = ConnectorPlan::default();
        plan.update(None, desired(&kept), &there, None);
        assert!(plan.is_empty() && plan.changes.is_empty());
        plan.update(
            None,
            desired(&[("tasks.max", "1"), ("database.password", "canary")]),
            &there,
            None,
        );
        assert!(!plan.is_empty(), "a secret that is specified again may differ");
        let shown = serde_json::to_string(&plan).unwrap() + &format!("{plan:?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
