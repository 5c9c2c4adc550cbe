//! What nobody could yet try about Connect: the switches of this half.

use serde::{Deserialize, Serialize};

/// Unconfirmed behaviour of Connect. `docs/assumptions.md` lists each with the probe that settles it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectAssumptions {
    /// C1: creating a connector whose name is taken is 409; otherwise 400 (docs/reference/connect.md#connector-names).
    pub taken_name_is_conflict: bool,
    /// C2: more tasks than a cluster carries is 402; otherwise 400.
    pub task_ceiling_is_payment_required: bool,
    /// C3: a mask that comes back with an update keeps the stored secret (docs/reference/connect.md#secrets-and-masks);
    /// otherwise it becomes the secret.
    pub mask_keeps_secret: bool,
    /// C4: a FAILED connector can be restarted (docs/reference/connect.md#restart); otherwise that is 400, as for every
    /// state but RUNNING.
    pub failed_restartable: bool,
    /// C5: a plugin that does not exist is 500 when a configuration is checked, as it is at creation
    /// (docs/reference/connect.md#create-a-connector); otherwise 404.
    pub unknown_plugin_is_server_error: bool,
    /// C6: a sink fails when a topic that it names does not exist; otherwise it waits for it, RUNNING.
    pub missing_topic_fails: bool,
    /// Q8: roles on topics let a sink make its dead letter queue; otherwise the queue must be there before it
    /// (docs/reference/rbac.md#roles-of-a-connectors-account, CC-39052).
    pub dead_letters_by_role: bool,
    /// C7: the name of a deleted connector is taken until it has left the lists
    /// (docs/reference/connect.md#delete-a-connector).
    pub deleted_name_stays_reserved: bool,
}

impl Default for ConnectAssumptions {
    fn default() -> Self {
        Self {
            taken_name_is_conflict: true,
            task_ceiling_is_payment_required: true,
            mask_keeps_secret: true,
            failed_restartable: false,
            unknown_plugin_is_server_error: true,
            missing_topic_fails: true,
            dead_letters_by_role: true,
            deleted_name_stays_reserved: true,
        }
    }
}
