//! What a department may use. Confluent Cloud has no such limit (docs/reference/quotas.md#no-quota-per-department); it
//! is ours.

use serde::{Deserialize, Serialize};

/// The limits of one department in one stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepartmentQuota {
    /// Connectors, in any state.
    pub connectors: u32,
    /// Tasks over all connectors.
    pub tasks: u32,
    /// `tasks.max` of one connector.
    pub tasks_per_connector: u32,
    /// The plugins it may use, by `connector.class`; `["*"]` is all of them.
    pub plugins: Vec<String>,
}

impl DepartmentQuota {
    /// Whether `plugin` may be used.
    #[must_use]
    pub fn allows_plugin(&self, plugin: &str) -> bool {
        self.plugins.iter().any(|allowed| allowed == "*" || allowed == plugin)
    }
}
