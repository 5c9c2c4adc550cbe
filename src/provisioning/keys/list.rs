//! List of API keys.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    error::{Error, ErrorKind},
    model::{ApiKeyId, DepartmentCode, Listing, ObservedKey, OwnershipTag, Principal},
    provisioning::{AclLookup, ProvisioningOptions, Reconciliation, find_department},
    resources::api_key::ApiKeyStatus,
    session::{PlatformSession, RunContext},
};

/// Input of a list of keys.
#[derive(Debug)]
pub struct KeysListInput {
    /// Department codes; none for all.
    pub departments: Vec<DepartmentCode>,
    /// Folders of profiles and evidence.
    pub options: ProvisioningOptions,
}

/// Row of a key.
#[derive(Debug, Serialize)]
pub struct KeyListRow {
    /// Name of the stage in `ebs.toml`, such as `prod`.
    pub stage: String,
    /// Code of the department: the name of its file without `.toml`.
    pub department: DepartmentCode,
    /// Name of the persona in the template, such as `operator`.
    pub persona: String,
    /// Id of the service account.
    pub service_account: String,
    /// Id of the API key, without its secret.
    pub api_key: ApiKeyId,
    /// `cloud`, or the id of a cluster or Schema Registry.
    pub resource: String,
    /// Creation time; `None` if the API does not report it.
    pub created_at: Option<Timestamp>,
    /// Age in days.
    pub age_days: Option<i64>,
    /// Time of the last probe with the key, from the evidence.
    pub probed_at: Option<Timestamp>,
    /// Days since the last probe.
    #[serde(skip)]
    pub probed_days: Option<i64>,
    /// Whether a profile with the key was delivered, and whether the key is recorded.
    pub state: ApiKeyStatus,
}

/// Lists the keys of departments.
///
/// # Errors
/// A department is unknown, or the keys cannot be listed.
pub async fn list_keys(
    run: &RunContext,
    session: &PlatformSession,
    input: KeysListInput,
) -> Result<Vec<KeyListRow>, Error> {
    for code in &input.departments {
        find_department(session, code)?;
    }
    let reconciliation = Reconciliation::observe(run, session, &[], input.options, AclLookup::Skip).await?;
    let snapshot = &reconciliation.observed.snapshot;
    if let Some(reason) = snapshot.unknown.get(&Listing::ApiKeys) {
        let message = format!("unknown: {} could not be listed ({reason})", Listing::ApiKeys);
        return Err(Error::new(ErrorKind::Denied, message)
            .with_hint("Use the provisioner's API key: it owns the departments' accounts and can list their keys."));
    }
    let recorded = reconciliation.recorded_keys();
    let days_since = |at: Timestamp| snapshot.taken_at.duration_since(at).as_hours() / 24;
    let new_row = |account: String, tag: &OwnershipTag, key: &ObservedKey| {
        let probed_at = recorded.get(&key.id).map(|recorded| recorded.proved_at);
        KeyListRow {
            stage: tag.stage.clone(),
            department: tag.department.clone(),
            persona: tag.persona.clone(),
            service_account: account,
            api_key: key.id.clone(),
            resource: key.resource.clone(),
            created_at: key.created_at,
            age_days: key.created_at.map(days_since),
            probed_at,
            probed_days: probed_at.map(days_since),
            state: reconciliation.known_keys.classify(key),
        }
    };
    let mut rows = Vec::new();
    for account in &snapshot.accounts {
        let Some(tag) = account.tag().filter(|tag| tag.stage == session.stage_name) else {
            continue;
        };
        if !input.departments.is_empty() && !input.departments.contains(&tag.department) {
            continue;
        }
        let owner = Principal::ServiceAccount(account.id.clone());
        let keys = snapshot.keys_of(&owner);
        rows.extend(keys.map(|key| new_row(account.id.to_string(), &tag, key)));
    }
    rows.sort_by(|a, b| {
        let order = |row: &KeyListRow| (row.department.clone(), row.persona.clone(), row.created_at);
        order(a).cmp(&order(b)).then_with(|| a.api_key.cmp(&b.api_key))
    });
    Ok(rows)
}
