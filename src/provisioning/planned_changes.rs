//! Planned changes as parts of an outcome.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::{
    model::DepartmentCode,
    plan::{Action, PlannedChange, PlannedOperation},
    text::count_noun,
};

/// Changes of a plan in order of execution.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(transparent)]
pub struct PlannedChanges(pub Vec<PlannedChange>);

/// Planned change of a service account, grant or API key, for display.
#[derive(Debug)]
pub struct ChangeRow<'a> {
    /// Kind of change.
    pub action: Action,
    /// Kind of object, followed by the object from general to specific.
    pub columns: Vec<&'a str>,
    /// Reason, unless it is obvious.
    pub reason: Option<&'a str>,
    /// Old and new description of an updated service account.
    pub description: Option<(&'a str, &'a str)>,
}

impl PlannedChanges {
    /// Whether there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the departments with changes, in the order of the changes.
    #[must_use]
    pub fn departments(&self) -> Vec<&DepartmentCode> {
        let mut departments: Vec<&DepartmentCode> = self.0.iter().map(|change| &change.department).collect();
        departments.dedup();
        departments
    }

    /// Returns the changes of a department, without probes and deliveries, which follow from the keys.
    #[must_use]
    pub fn rows(&self, department: &DepartmentCode) -> Vec<ChangeRow<'_>> {
        let is_consequence = |change: &PlannedChange| {
            matches!(
                change.operation,
                PlannedOperation::Prove { .. } | PlannedOperation::HandOver { .. }
            )
        };
        let own = self.0.iter().filter(|change| change.department == *department);
        own.filter(|change| !is_consequence(change))
            .map(ChangeRow::new)
            .collect()
    }

    /// Counts the changes at the service by action: for each, the kinds of objects as nouns with their numbers, accounts
    /// first and keys last.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<Action, Vec<(&'static str, usize)>> {
        let mut counts = BTreeMap::new();
        for PlannedChange { action, operation, .. } in &self.0 {
            if operation.is_remote() {
                *counts.entry((*action, operation.rank(), operation.noun())).or_default() += 1;
            }
        }
        let mut totals: BTreeMap<Action, Vec<_>> = BTreeMap::new();
        for ((action, _, noun), count) in counts {
            totals.entry(action).or_default().push((noun, count));
        }
        totals
    }

    /// Whether a change is at the service.
    #[must_use]
    pub fn is_remote(&self) -> bool {
        self.0.iter().any(|change| change.operation.is_remote())
    }

    /// Returns a sentence with the number of changes at the service by action and kind of object; empty without any.
    #[must_use]
    pub fn describe_totals(&self) -> String {
        let describe = |(action, counts): (Action, Vec<(&str, usize)>)| {
            let verb = match action {
                Action::Create => "to create",
                Action::Update => "to update",
                Action::Replace => "to replace",
                Action::Delete => "to delete",
            };
            let counts = counts.into_iter().map(|(noun, count)| count_noun(count, noun));
            format!("{} {verb}", format_list(&counts.collect::<Vec<_>>()))
        };
        let parts: Vec<String> = self.totals().into_iter().map(describe).collect();
        match parts.as_slice() {
            [] => String::new(),
            parts => parts.join("; ") + ".",
        }
    }

    /// Counts the changes of a department at the service.
    #[must_use]
    pub fn count_remote(&self, department: &DepartmentCode) -> usize {
        let own = self.0.iter().filter(|change| change.department == *department);
        own.filter(|change| change.operation.is_remote()).count()
    }
}

/// Joins parts, such as `3 service accounts, 8 role bindings and 2 API keys`.
fn format_list(parts: &[String]) -> String {
    match parts.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

impl<'a> ChangeRow<'a> {
    fn new(change: &'a PlannedChange) -> Self {
        // The reason for a new account or key is obvious.
        let is_obvious = matches!(
            change.operation,
            PlannedOperation::CreateAccount { .. } | PlannedOperation::CreateKey { .. }
        );
        let mut columns = vec![change.operation.kind()];
        columns.extend(change.what.columns());
        Self {
            action: change.action,
            columns,
            reason: (!is_obvious).then_some(change.why.as_str()),
            description: match &change.operation {
                PlannedOperation::UpdateAccount { from, to, .. } => Some((from, to)),
                _ => None,
            },
        }
    }
}
