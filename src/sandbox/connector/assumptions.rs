//! Assumptions about Connect.

use serde::{Deserialize, Serialize};

/// Unconfirmed behaviour of Connect. `docs/assumptions.md` lists each assumption with the API call that confirms or
/// refutes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectAssumptions {
    /// C1: creating a connector with an existing name returns 409; otherwise 400
    /// (docs/reference/connect.md#connector-names).
    pub taken_name_is_conflict: bool,
    /// C2: exceeding the task limit of a cluster returns 402; otherwise 400.
    pub task_ceiling_is_payment_required: bool,
    /// C3: an update with a masked value keeps the stored secret (docs/reference/connect.md#secrets-and-masks);
    /// otherwise the mask becomes the secret.
    pub mask_keeps_secret: bool,
    /// C4: a FAILED connector can be restarted (docs/reference/connect.md#restart); otherwise a restart returns 400, as
    /// in all other states except RUNNING.
    pub failed_restartable: bool,
    /// C5: validating a configuration of an unknown plugin returns 500, as creation does
    /// (docs/reference/connect.md#create-a-connector); otherwise 404.
    pub unknown_plugin_is_server_error: bool,
    /// C6: a sink fails if one of its topics does not exist; otherwise it is RUNNING and waits for the topic.
    pub missing_topic_fails: bool,
    /// Q8: roles on topics allow a sink to create its dead letter queue; otherwise the topic must exist before
    /// (docs/reference/rbac.md#roles-of-a-connectors-account, CC-39052).
    pub dead_letters_by_role: bool,
    /// C7: the name of a deleted connector stays reserved until the connector disappears from the lists
    /// (docs/reference/connect.md#delete-a-connector).
    pub deleted_name_stays_reserved: bool,
    /// C8: client quotas apply to connectors that run as a service account of the quota
    /// (docs/reference/quotas.md#client-quotas).
    pub client_quotas_apply: bool,
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
            client_quotas_apply: true,
        }
    }
}
