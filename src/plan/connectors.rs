//! Plans of connectors: one or many are made, changed or removed, and then waited for. Pure: what is wanted and what was
//! seen come in, ordered changes come out.
//!
//! Secrets stand only in what is sent ([`Wanted`]); a plan that is written down or shown holds the differences, which have
//! none.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Action;
use crate::{
    model::DepartmentCode,
    resources::connector::{DesiredConnector, FieldDiff, LiveConnector, diff_configs, wait::WaitGoal},
};

/// What is done to a connector, with all that is needed to do it.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "operation", rename_all = "snake_case")]
pub enum ConnectorOperation {
    /// Make it.
    Create {
        /// As what.
        #[serde(skip)]
        desired: Box<DesiredConnector>,
    },
    /// Replace its whole configuration.
    Update {
        /// What it must still be.
        #[serde(skip)]
        observed: Box<LiveConnector>,
        /// What it becomes.
        #[serde(skip)]
        desired: Box<DesiredConnector>,
    },
    /// Remove it.
    Delete {
        /// What it must still be.
        #[serde(skip)]
        observed: Box<LiveConnector>,
    },
    /// Let it rest as soon as it runs: the service knows no connector that is paused from its first moment.
    Pause,
    /// Wait until it is there.
    Await {
        /// The state that is waited for.
        goal: WaitGoal,
        /// Whether a change may still be refused after it seems to be in force.
        #[serde(skip)]
        waits_for_settle: bool,
    },
}

/// One change of a plan of connectors.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectorChange {
    /// The department it is for, if it is for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub department: Option<DepartmentCode>,
    /// The connector.
    pub name: String,
    /// What happens to it; nothing when it is only waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// What differs; of secrets only that they do.
    pub fields: Vec<FieldDiff>,
    /// The changes that must be done first.
    pub needs: Vec<usize>,
    /// What is done.
    #[serde(flatten)]
    pub operation: ConnectorOperation,
}

impl ConnectorChange {
    /// The change as one line of progress: `create connector claims-orders`.
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

/// What is done to connectors, in order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ConnectorPlan {
    /// The changes; the needs of each stand before it.
    pub changes: Vec<ConnectorChange>,
}

/// A connector of that name is there, and is another than the one that is to be made.
#[derive(Clone, Debug)]
pub struct ConnectorConflict {
    /// What is not the same, as far as one can see.
    pub fields: Vec<FieldDiff>,
}

impl ConnectorPlan {
    /// Whether nothing would be written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.action.is_none())
    }

    /// What would differ in a connector, when the plan makes or changes it.
    #[must_use]
    pub fn field_diffs(&self, name: &str) -> &[FieldDiff] {
        let changes = self.changes.iter();
        let mut fields = changes
            .filter(|change| change.name == name)
            .map(|change| change.fields.as_slice());
        fields.find(|fields| !fields.is_empty()).unwrap_or_default()
    }

    /// Makes a connector, or goes on with the one that is there and is as it is wanted: an earlier try.
    ///
    /// # Errors
    /// When there is another one of that name.
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

    /// Replaces the configuration of a connector, unless it is known to be the same.
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

    /// Removes a connector.
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

    /// The steps from what is there to the state that is wanted.
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
        if goal == WaitGoal::Paused && observed.is_none_or(|seen| seen.state() != "PAUSED") {
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
        now.status.connector.state = state.to_owned();
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
        assert!(!plan.is_empty(), "a secret that is named again may be another one");
        let shown = serde_json::to_string(&plan).unwrap() + &format!("{plan:?}");
        assert!(!shown.contains("canary"), "{shown}");
    }
}
