//! Plan of a department in a stage: what must change so that the service has what the files describe.
//!
//! Pure: the same files and the same connectors give the same plan with the same id. The plan contains no secrets, only
//! references to them.

pub mod compare;
mod department_plan;
mod item;
mod post_plan_quota;
pub mod risk;

pub use department_plan::{DesiredFile, GitopsPlanInput, SentSecret, plan_department, sends_config};
pub use item::{ItemAction, PLAN_FORMAT, PlanItem};
pub use risk::Risk;

use serde::Serialize;

use crate::{
    diag::{Finding, has_errors},
    manifest::gitops::FreezeWindow,
    model::ownership::sha256_hex,
};

/// Length of ids of plans and items, in hexadecimal digits: 128 bits.
const ID_LENGTH: usize = 32;

/// Plan of a department in a stage.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GitopsPlan {
    /// Version of the format.
    pub format: u32,
    /// Code of the department: the name of its file without `.toml`.
    pub department: String,
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Id of the plan; `None` if the plan contains errors, conflicts or violated policies, so it cannot be applied.
    pub id: Option<String>,
    /// Changes in the order in which they are applied.
    pub items: Vec<PlanItem>,
    /// Names of the connectors that match their files.
    pub unchanged: Vec<String>,
    /// Names of the connectors with `state: absent` that do not exist anymore.
    pub deleted: Vec<String>,
    /// Connectors of the department without a file, which no command changes.
    pub unmanaged: Vec<LiveFact>,
    /// Connectors without a file that the department lists as unmanaged.
    pub released: Vec<LiveFact>,
    /// Freeze of the stage, which prevents an apply; `None` outside of a freeze. It does not change the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<FreezeWindow>,
    /// Connectors that the plan must not change.
    pub conflicts: Vec<PlanProblem>,
    /// Errors that prevent an apply of the plan.
    pub errors: Vec<PlanProblem>,
    /// Violated policies, at the keys of the files. An error prevents an apply of the plan.
    pub policies: Vec<Finding>,
    /// What could not be checked, with the reason.
    pub not_checked: Vec<PlanProblem>,
    /// Number of keys with secrets, which cannot be compared.
    pub secrets_not_compared: usize,
    /// States of the connectors that have a file, for `drift`.
    #[serde(skip)]
    pub states: Vec<LiveFact>,
}

/// Connector of the service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LiveFact {
    /// Name of the connector.
    pub name: String,
    /// Id of the connector (`lcc-…`).
    pub lcc: String,
    /// State as reported by Confluent Cloud, such as `RUNNING`.
    pub state: String,
}

/// Problem of a connector, or of the whole plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct PlanProblem {
    /// Name of the connector; `None` for the whole plan.
    pub connector: Option<String>,
    /// Description of the problem, without the name of the connector.
    pub message: String,
    /// How to solve the problem; `None` without a suggestion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl PlanProblem {
    pub(in crate::gitops) fn new(connector: &str, message: impl Into<String>) -> Self {
        Self {
            connector: Some(connector.to_owned()),
            message: message.into(),
            fix: None,
        }
    }

    pub(in crate::gitops) fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl GitopsPlan {
    /// Returns whether the service has what the files describe.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Returns whether errors, conflicts or violated policies prevent an apply of the plan.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        !self.conflicts.is_empty() || !self.errors.is_empty() || has_errors(&self.policies)
    }

    /// Returns the highest risk of its changes.
    #[must_use]
    pub fn risk(&self) -> Option<Risk> {
        self.items.iter().map(|item| item.risk).max()
    }

    /// Sets the id, or removes it from a plan with errors. Nothing but the items, the department and the stage decides
    /// it: no states, other connectors, quotas or times.
    pub fn seal(&mut self) {
        let mut ids: Vec<&str> = self.items.iter().map(|item| item.id.as_str()).collect();
        ids.sort_unstable();
        let text = format!("{PLAN_FORMAT}\n{}\n{}\n{}", self.department, self.stage, ids.join("\n"));
        self.id = (!self.is_refused()).then(|| short_id(&text));
    }
}

fn short_id(text: &str) -> String {
    let mut id = sha256_hex(text.as_bytes());
    id.truncate(ID_LENGTH);
    id
}

#[cfg(test)]
mod tests;
