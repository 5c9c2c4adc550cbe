//! Change of a connector in a plan.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{risk::Risk, short_id};
use crate::{
    gitops::{file_tree::ConnectorAddress, settings::ConfiguredState},
    resources::connector::FieldDiff,
};

/// Version of the format of plans. Another version gives all items another id.
pub const PLAN_FORMAT: u32 = 1;

/// What happens to a connector. The order is that of the changes of a plan: deletions are last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ItemAction {
    /// Create the connector.
    Create,
    /// Replace its configuration.
    Update,
    /// Pause the connector.
    Pause,
    /// Resume the paused connector.
    Resume,
    /// Create a connector in place of another one, which is deleted.
    Replace,
    /// Delete the connector.
    Delete,
}

impl ItemAction {
    /// Returns the name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Replace => "replace",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for ItemAction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// Change of a connector.
#[derive(Clone, Debug, Serialize)]
pub struct PlanItem {
    /// Id: a hash of everything that decides what the change does.
    pub id: String,
    /// Department, stage and name.
    pub address: ConnectorAddress,
    /// Action that an apply executes on the connector.
    pub action: ItemAction,
    /// Id of the connector that is changed or deleted; `None` for a new one.
    pub lcc: Option<String>,
    /// Name of the connector that is replaced, if it differs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// State to which a new connector is led, if its file sets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_state: Option<ConfiguredState>,
    /// SHA-256 of the configuration and the state in the file, with its references; `None` if the change sends no configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_hash: Option<String>,
    /// Differences; of secrets only their references.
    pub fields: Vec<FieldDiff>,
    /// Risk of the change, which decides whether it needs an approval.
    pub risk: Risk,
    /// Reasons of the risk.
    pub reasons: Vec<String>,
}

/// Everything that decides what an item does, in the order in which it is hashed.
#[derive(Serialize)]
struct HashedItem<'a> {
    format: u32,
    address: &'a ConnectorAddress,
    action: ItemAction,
    lcc: Option<&'a str>,
    replaces: Option<&'a str>,
    config_hash: Option<&'a str>,
    fields: &'a [FieldDiff],
    risk: Risk,
    policies: &'a str,
    catalog: &'a str,
}

impl PlanItem {
    /// Sets the id. `policies` and `catalog` identify the rules that judged the item.
    pub(super) fn seal(&mut self, policies: &str, catalog: &str) {
        let hashed = HashedItem {
            format: PLAN_FORMAT,
            address: &self.address,
            action: self.action,
            lcc: self.lcc.as_deref(),
            replaces: self.replaces.as_deref(),
            config_hash: self.config_hash.as_deref(),
            fields: &self.fields,
            risk: self.risk,
            policies,
            catalog,
        };
        // Serialization of plain data with text keys cannot fail.
        self.id = short_id(&serde_json::to_string(&hashed).unwrap_or_default());
    }
}
