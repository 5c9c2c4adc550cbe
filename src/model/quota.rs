//! Quota of a department. Confluent Cloud has no such limit (docs/reference/quotas.md#no-quota-per-department); this
//! program enforces it.

use serde::{Deserialize, Serialize};

use super::Throughput;

/// Limits of one department in one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartmentQuota {
    /// Maximum number of connectors, in any state.
    pub connectors: u32,
    /// Maximum number of tasks of all connectors.
    pub tasks: u32,
    /// Maximum `tasks.max` of one connector.
    pub tasks_per_connector: u32,
    /// Allowed plugins by `connector.class`; `["*"]` allows all.
    pub plugins: Vec<String>,
    /// Maximum throughput of its connectors, which the cluster enforces. Without one, it is excluded from hashes, so that
    /// the profiles of such departments stay the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throughput: Option<Throughput>,
}

impl DepartmentQuota {
    /// Whether `plugin` is allowed.
    #[must_use]
    pub fn allows_plugin(&self, plugin: &str) -> bool {
        self.plugins.iter().any(|allowed| allowed == "*" || allowed == plugin)
    }
}
