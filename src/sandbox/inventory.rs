//! Inventory for tests: all existing objects, even if lists do not contain them yet.

use super::{
    Sandbox, SandboxError,
    state::{ClientQuotaRecord, ConnectorRecord},
    view::ResponseView,
};
use crate::{
    api::{iam, keys, mds},
    model::{AclBinding, ApiKeyId, ClientQuota},
};

impl Sandbox {
    fn read_all<T>(&self, of: impl FnOnce(ResponseView<'_>) -> Vec<T>) -> Result<Vec<T>, SandboxError> {
        self.read_state(|state, _| {
            of(ResponseView {
                state,
                base: "http://127.0.0.1",
            })
        })
    }

    /// Returns all service accounts.
    pub fn accounts(&self) -> Result<Vec<iam::ServiceAccount>, SandboxError> {
        self.read_all(|view| {
            let all = view.state.accounts.values().filter(|found| found.lifetime.exists());
            all.map(|found| view.account(found)).collect()
        })
    }

    /// Returns all role bindings.
    pub fn bindings(&self) -> Result<Vec<mds::RoleBindingObject>, SandboxError> {
        self.read_all(|view| {
            let all = view.state.bindings.values().filter(|found| found.lifetime.exists());
            all.map(|found| view.binding(found)).collect()
        })
    }

    /// Returns the ACLs of all clusters.
    pub fn acls(&self) -> Result<Vec<AclBinding>, SandboxError> {
        self.read_all(|view| {
            let clusters = view.state.clusters.keys();
            let all = clusters.flat_map(|cluster| view.state.acls_in(cluster));
            let all = all.filter(|found| found.lifetime.exists());
            all.map(|found| found.acl.clone()).collect()
        })
    }

    /// Returns the client quotas of all clusters.
    pub fn client_quotas(&self) -> Result<Vec<ClientQuota>, SandboxError> {
        self.read_all(|view| {
            let all = view.state.client_quotas.values();
            all.filter_map(ClientQuotaRecord::client_quota).collect()
        })
    }

    /// Returns all API keys, without secrets.
    pub fn keys(&self) -> Result<Vec<keys::ApiKey>, SandboxError> {
        self.read_all(|view| {
            let all = view.state.keys.values().filter(|found| found.lifetime.exists());
            all.map(|found| view.key(found)).collect()
        })
    }

    /// Returns the names of the connectors of all clusters.
    pub fn connectors(&self) -> Result<Vec<String>, SandboxError> {
        self.read_all(|view| {
            let all = view.state.connectors.values().filter(|found| found.lifetime.exists());
            all.map(|found: &ConnectorRecord| found.name.clone()).collect()
        })
    }

    /// Returns whether `secret` is the secret of an API key.
    pub fn secret_matches(&self, key: &ApiKeyId, secret: &str) -> Result<bool, SandboxError> {
        self.read_state(|state, _| {
            state
                .key(key.as_str())
                .is_some_and(|found| found.secret.matches(secret))
        })
    }
}
