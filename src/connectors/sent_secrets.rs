//! Secrets of a change to an existing connector: sent, not sent, or sent back as masks. Stored secrets are readable only
//! as masks, so they cannot be compared with the desired ones (docs/reference/connect.md#secrets-and-masks).

use super::preparation::PreparedConnector;
use crate::{
    catalog::secret::variable_for,
    error::Error,
    hint::{connector_arg, shell_quote},
    plan::ConnectorPlan,
    resources::connector::{FieldDiff, LiveConnector, SecretChange, diff_configs, is_mask},
    session::Options,
    text::{count_noun, join_code},
};

/// What a create does if the connector exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExistingConnectorPolicy {
    /// It must be identical, apart from secrets.
    Keep,
    /// It is updated if a key other than a secret differs.
    Update,
    /// It is updated even if only secrets may differ. The keys must be secrets of the file; empty means all secrets.
    UpdateSecrets(Vec<String>),
}

impl PreparedConnector {
    /// Returns the differences that `plan` contains, with the references to new secrets.
    pub fn field_diffs(&self, plan: &ConnectorPlan) -> Vec<FieldDiff> {
        let mut diffs = plan.field_diffs(&self.desired.name).to_vec();
        for diff in diffs.iter_mut().filter(|diff| diff.secret.is_some()) {
            diff.reference = self.references.get(&diff.config).cloned();
        }
        diffs
    }

    /// Returns the keys of secrets that the existing connector stores and the desired configuration sets again.
    pub fn incomparable_secrets(&self) -> Vec<String> {
        let Some(observed) = &self.observed else {
            return Vec::new();
        };
        let stored = &observed.expanded.info.config;
        let diffs = diff_configs(stored, &self.desired.config, &self.desired.secret_keys);
        let unknown = diffs
            .into_iter()
            .filter(|diff| diff.secret == Some(SecretChange::Unknown));
        unknown.map(|diff| diff.config).collect()
    }

    /// Returns the keys whose masks are sent back.
    pub fn masked_keys(&self) -> Vec<String> {
        let masked = self.desired.config.iter().filter(|(_, value)| is_mask(value));
        masked.map(|(key, _)| key.clone()).collect()
    }

    /// Checks that `keys` are secrets of the configuration.
    pub fn require_secrets(&self, keys: &[String]) -> Result<(), Error> {
        let is_secret = |key: &String| self.desired.secret_keys.contains(key) && self.desired.config.contains_key(key);
        let other: Vec<&String> = keys.iter().filter(|key| !is_secret(key)).collect();
        if other.is_empty() {
            return Ok(());
        }
        let noun = if other.len() == 1 {
            "is not a secret"
        } else {
            "are not secrets"
        };
        Err(Error::usage(format!("{} {noun} in the file", join_code(&other))))
    }
}

/// Returns a note about secrets that are not sent because no other key differs.
pub fn not_sent_note(keys: &[String], policy: &ExistingConnectorPolicy) -> String {
    let flags = match policy {
        ExistingConnectorPolicy::Keep => "--or-update --send-secrets",
        _ => "--send-secrets",
    };
    let them = if keys.len() == 1 { "it" } else { "them" };
    format!(
        "secrets cannot be compared; {} not sent: {}. Send {them} with `{flags}`.",
        keys.len(),
        join_code(keys)
    )
}

/// Returns a note about secrets that are sent with an update.
pub fn sent_note(keys: &[String]) -> String {
    format!(
        "The update sends {}: {}.",
        count_noun(keys.len(), "secret"),
        join_code(keys)
    )
}

/// Returns a note about masks that an update sends back. That the service keeps the stored secrets is an assumption
/// (docs/reference/connect.md#secrets-and-masks).
pub fn masked_note(keys: &[String]) -> String {
    let (go, secrets) = match keys.len() {
        1 => ("goes", "secret"),
        _ => ("go", "secrets"),
    };
    format!(
        "{} {go} back masked, as it was read; Confluent Cloud is expected to keep the stored {secrets}.",
        join_code(keys)
    )
}

/// Returns a hint for a change that failed after it sent the masks of `keys`.
pub fn set_again_hint(options: &Options, observed: &LiveConnector, keys: &[String]) -> String {
    let pairs: Vec<String> = keys
        .iter()
        .map(|key| format!("{key}=${{env:{}}}", variable_for(key)))
        .collect();
    let update = options.suggest(&format!(
        "connector update {} --config {}",
        connector_arg(observed.id(), &observed.name),
        shell_quote(&pairs.join(","))
    ));
    format!(
        "If the error is a wrong password, the service did not keep the stored secrets: set them again with `{update}`."
    )
}
