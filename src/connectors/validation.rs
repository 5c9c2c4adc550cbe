//! Validation of a configuration by Confluent Cloud.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    definition::ConnectorDefinition,
    errors::PartialResult,
    preparation::{ConnectorListing, ConnectorPreparation, PreparationGoal},
    secrets::SecretSources,
};
use crate::{
    api::connect::{ConfigValidation, ValidateConfig},
    catalog::{
        catalog,
        secret::{Secrecy, is_secret_name, secrecy},
    },
    error::Error,
    hint::shell_quote,
    redact::{OrdinaryValues, SecretRegistry, WeakSecrets},
    resources::connector::{diagnosis, is_mask},
    session::{ConnectorSession, RunContext},
};

/// Validates a configuration with the plugin; `None` if Confluent Cloud cannot validate it.
pub async fn validate_with_service(
    session: &ConnectorSession,
    class: &str,
    config: BTreeMap<String, String>,
) -> Result<Option<ConfigValidation>, Error> {
    // Confluent Cloud cannot validate custom connectors (docs/reference/connect.md#validate-a-configuration).
    if config
        .get("confluent.connector.type")
        .is_some_and(|kind| kind == "CUSTOM")
    {
        return Ok(None);
    }
    let request = ValidateConfig {
        cluster_path: session.connectors.cluster_path.clone(),
        plugin: class.to_owned(),
        config,
    };
    match session.connectors.client.send(&request).await {
        Ok(answered) => {
            let mut validation = redact_validation(
                answered.value,
                class,
                &request.config,
                session.connectors.client.secrets(),
            );
            drop_errors_of_masks(&mut validation, &request.config);
            Ok(Some(validation))
        }
        // The same endpoint responded before, so the error means that it does not know the plugin.
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Redacts the secrets of the sent configuration: the service repeats values in its messages.
fn redact_validation(
    mut validation: ConfigValidation,
    class: &str,
    sent: &BTreeMap<String, String>,
    secrets: &SecretRegistry,
) -> ConfigValidation {
    let (facts, said) = (catalog(), secret_keys(&validation).collect::<BTreeSet<_>>());
    let plugin = facts.plugin(class);
    let is_secret = |key: &str| match secrecy(facts, plugin, key) {
        Secrecy::Secret | Secrecy::Likely => true,
        Secrecy::MaskedOnly(_) => is_secret_name(key),
        Secrecy::NotSecret => is_secret_name(key) || said.contains(key),
    };
    // The service knows secret keys of custom and new plugins that the catalog does not.
    let open = sent.iter().filter(|(key, _)| !is_secret(key));
    let mut ordinary: OrdinaryValues = open.map(|(_, value)| value).collect();
    ordinary.extend(diagnosis::rules().map(|rule| rule.id));
    for value in said.iter().filter_map(|key| sent.get(key)) {
        secrets.add_unless_ordinary(value, &ordinary);
    }
    let weak = WeakSecrets::new(sent, is_secret);
    for config in &mut validation.configs {
        let key = &config.definition.name;
        let texts = config
            .value
            .errors
            .iter_mut()
            .chain(&mut config.value.recommended_values);
        texts.for_each(|text| *text = weak.redact(Some(key), &secrets.redact(text)));
    }
    validation
}

/// Removes errors about masks, which are validated as if they were the secrets that they stand for.
fn drop_errors_of_masks(validation: &mut ConfigValidation, sent: &BTreeMap<String, String>) {
    let masked = validation.configs.iter_mut().filter(|config| {
        let value = sent.get(&config.definition.name);
        value.is_some_and(|value| is_mask(value))
    });
    for config in masked.filter(|config| !config.value.errors.is_empty()) {
        config.value.errors.clear();
        validation.error_count = validation.error_count.saturating_sub(1);
    }
}

/// Keys that the plugin calls secret.
pub fn secret_keys(validation: &ConfigValidation) -> impl Iterator<Item = String> + '_ {
    validation
        .configs
        .iter()
        .filter(|config| config.definition.value_type == "PASSWORD")
        .map(|config| config.definition.name.clone())
}

/// Validation errors of a key.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ConfigValidationError {
    /// Configuration key that the errors are about.
    pub config: String,
    /// Error messages of Confluent Cloud about the key.
    pub errors: Vec<String>,
    /// Allowed values, if the plugin lists them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recommended_values: Vec<String>,
}

/// Returns the validation errors by key.
pub fn validation_errors(validation: &ConfigValidation) -> Vec<ConfigValidationError> {
    let wrong = validation
        .configs
        .iter()
        .filter(|config| !config.value.errors.is_empty());
    wrong
        .map(|config| ConfigValidationError {
            config: if config.value.name.is_empty() {
                config.definition.name.clone()
            } else {
                config.value.name.clone()
            },
            errors: config.value.errors.clone(),
            recommended_values: config.value.recommended_values.clone(),
        })
        .collect()
}

/// Returns the error for an invalid configuration.
pub fn reject_invalid(session: &ConnectorSession, class: &str, validation: &ConfigValidation) -> Result<(), Error> {
    let complaints = validation_errors(validation);
    if complaints.is_empty() && validation.error_count == 0 {
        return Ok(());
    }
    let messages: Vec<String> = complaints
        .iter()
        .map(|complaint| format!("{}: {}", complaint.config, complaint.errors.join(", ")))
        .collect();
    let mut error = Error::failed(format!("invalid configuration: {}", messages.join("; ")));
    for complaint in complaints
        .iter()
        .filter(|complaint| !complaint.recommended_values.is_empty())
    {
        let values = complaint.recommended_values.join(", ");
        error = error.with_hint(format!("`{}` must be one of: {values}.", complaint.config));
    }
    let plugin = shell_quote(class);
    let describe = session.options.suggest(&format!("connector plugin describe {plugin}"));
    Err(error.with_hint(format!("Show the keys of the plugin with `{describe}`.")))
}

/// Result of a validation without a change.
#[derive(Debug, serde::Serialize)]
pub struct ValidatedConfiguration {
    /// Name of the connector.
    pub name: String,
    /// Class of the plugin.
    pub plugin: String,
    /// Number of errors that the service counts.
    pub error_count: u32,
    /// Errors by key.
    pub errors: Vec<ConfigValidationError>,
}

impl ValidatedConfiguration {
    /// Returns whether the service found no errors.
    pub fn is_valid(&self) -> bool {
        self.error_count == 0 && self.errors.is_empty()
    }
}

/// Validates the connector `definition` with Confluent Cloud.
///
/// # Errors
/// A step of the preparation fails, or the service cannot validate the plugin. An invalid configuration is an error of
/// the result.
pub async fn validate_definition(
    run: &RunContext,
    session: &ConnectorSession,
    secrets: SecretSources<'_>,
    definition: ConnectorDefinition,
) -> Result<PartialResult<ValidatedConfiguration>, Error> {
    let mut preparation = ConnectorPreparation {
        run,
        session,
        secrets,
        listing: ConnectorListing::default(),
    };
    let prepared = preparation.prepare(definition, PreparationGoal::Validate).await?;
    let Some(validation) = prepared.validation else {
        let list = session.options.suggest("connector plugin list");
        return Err(Error::failed(format!(
            "Confluent Cloud cannot validate the configuration: it does not know plugin `{}`",
            prepared.class
        ))
        .with_hint(format!("List plugins with `{list}`.")));
    };
    let validated = ValidatedConfiguration {
        name: prepared.desired.name,
        plugin: prepared.class,
        error_count: validation.error_count,
        errors: validation_errors(&validation),
    };
    let wrong = match validated.errors.len() {
        0 => "no keys are wrong".to_owned(),
        1 => "1 key is wrong".to_owned(),
        count => format!("{count} keys are wrong"),
    };
    let error = (!validated.is_valid()).then(|| {
        Error::failed(format!(
            "invalid configuration of connector `{}`: {wrong}",
            validated.name
        ))
    });
    Ok(PartialResult {
        value: Some(validated),
        error,
    })
}
