//! Converts a connector file to a request: defaults, secrets, quota check and validation by the plugin.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use super::definition::ConnectorDefinition;
use crate::{
    api::connect::{ConfigValidation, ExpandedConnector, ValidateConfig},
    catalog::{
        ConnectorDirection, ValueReference, catalog,
        secret::{Secrecy, secrecy},
    },
    client::ClientError,
    config::references::{ReferenceError, SecretResolver},
    error::{Error, ErrorKind},
    hint::Advice,
    quota::{
        ClusterUsage, CurrentConnector, DepartmentUsage, QuotaDecision, QuotaRequest, counted_tasks, decide, tasks_max,
    },
    redact::{ConfigRedactor, is_secret_name},
    resources::connector::{LiveConnector, is_mask},
    session::{ConnectorSession, DepartmentContext, RunContext},
};

/// Key of the dead letter queue of sinks (docs/reference/connect.md#common-configuration-keys).
const DEAD_LETTER_TOPIC_KEY: &str = "errors.deadletterqueue.topic.name";

/// Default that was added to a configuration.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AddedDefault {
    /// Key.
    pub config: String,
    /// Value; never a secret.
    pub value: String,
    /// Reason.
    pub why: &'static str,
}

/// Adds the defaults of the department: service account, number of tasks, and dead letter queue of a sink.
pub async fn apply_defaults(
    session: &ConnectorSession,
    file: &mut ConnectorDefinition,
) -> Result<Vec<AddedDefault>, Error> {
    let mut added = Vec::new();
    let mut add = |config: &mut BTreeMap<String, String>, key: &str, value: String, why: &'static str| {
        config.insert(key.to_owned(), value.clone());
        added.push(AddedDefault {
            config: key.to_owned(),
            value,
            why,
        });
    };
    let names_identity = ["kafka.auth.mode", "kafka.api.key", "kafka.service.account.id"]
        .iter()
        .any(|key| file.config.contains_key(*key));
    let account_missing = file
        .config
        .get("kafka.auth.mode")
        .is_some_and(|mode| mode == "SERVICE_ACCOUNT")
        && !file.config.contains_key("kafka.service.account.id");
    if !names_identity || account_missing {
        let account = session.find_runtime_account().await?.ok_or_else(|| {
            Error::failed("unknown runtime account of your department")
                .with_hint("Set `kafka.service.account.id` in the file, or ask the platform team for a new profile.")
        })?;
        if !names_identity {
            let why = "the connector runs as a service account, without an API key";
            add(&mut file.config, "kafka.auth.mode", "SERVICE_ACCOUNT".to_owned(), why);
        }
        let why = "runtime account of your department";
        add(&mut file.config, "kafka.service.account.id", account.to_string(), why);
    }
    if !file.config.contains_key("tasks.max") {
        add(
            &mut file.config,
            "tasks.max",
            "1".to_owned(),
            "a quota counts at least one task",
        );
    }
    let takes_dead_letters = match catalog().plugin(&file.class) {
        Some(plugin) => plugin.direction == ConnectorDirection::Sink && plugin.key(DEAD_LETTER_TOPIC_KEY).is_some(),
        None => file.class.to_ascii_lowercase().contains("sink"),
    };
    if takes_dead_letters && !file.config.contains_key(DEAD_LETTER_TOPIC_KEY) {
        let why = "a topic of your department; the default topic is shared by all departments";
        add(
            &mut file.config,
            DEAD_LETTER_TOPIC_KEY,
            format!("{}-dlq", file.name),
            why,
        );
    }
    Ok(added)
}

/// Removes an added default that the plugin does not know.
pub fn drop_unknown_default(
    config: &mut BTreeMap<String, String>,
    added: &mut Vec<AddedDefault>,
    validation: &ConfigValidation,
) {
    let known = |key: &str| validation.configs.iter().any(|config| config.definition.name == key);
    let is_default = added.iter().any(|line| line.config == DEAD_LETTER_TOPIC_KEY);
    if is_default && !validation.configs.is_empty() && !known(DEAD_LETTER_TOPIC_KEY) {
        config.remove(DEAD_LETTER_TOPIC_KEY);
        added.retain(|line| line.config != DEAD_LETTER_TOPIC_KEY);
    }
}

/// Replaces references with secrets. Returns the keys that hold secrets.
pub async fn resolve_secrets(
    run: &RunContext,
    prompt: &dyn Fn(&str) -> Option<String>,
    session: &ConnectorSession,
    class: &str,
    config: &mut BTreeMap<String, String>,
    secrets_dir: Option<&Path>,
) -> Result<BTreeSet<String>, Error> {
    let facts = catalog();
    let plugin = facts.plugin(class);
    let guarded = |key: &&String| secrecy(facts, plugin, key).must_be_hidden() || is_secret_name(key);
    let mut secret: BTreeSet<String> = config.keys().filter(guarded).cloned().collect();
    let refers = |value: &String| ValueReference::occurs_in(value);
    if plugin.is_none() && config.iter().any(|(key, value)| refers(value) && !secret.contains(key)) {
        // The plugin reports which keys are secret (docs/reference/connect.md#validate-a-configuration).
        let about = BTreeMap::from([("connector.class".to_owned(), class.to_owned())]);
        if let Some(validation) = validate_with_service(session, class, about).await? {
            secret.extend(secret_keys(&validation));
        }
    }
    let listed = session
        .department
        .as_ref()
        .map_or(&[][..], |department| &department.secret_variables);
    let resolver = SecretResolver {
        variable: &|name| run.variable(name),
        allowed_variables: listed,
        secrets_dir,
        prompt,
    };
    let mut failures = Vec::new();
    for (key, value) in config.iter_mut() {
        match resolver.resolve(key, value, secret.contains(key)) {
            Ok(Some(resolved)) => {
                resolved.expose().clone_into(value);
                secret.insert(key.clone());
            }
            Ok(None) => {}
            Err(error) => failures.push(error),
        }
    }
    match failures.is_empty() {
        true => Ok(secret),
        false => Err(unresolved_references_error(&failures)),
    }
}

fn unresolved_references_error(failures: &[ReferenceError]) -> Error {
    let messages: Vec<String> = failures.iter().map(ToString::to_string).collect();
    let kind = match failures.iter().any(ReferenceError::is_policy_violation) {
        true => ErrorKind::Refused,
        false => ErrorKind::Failed,
    };
    let mut error = Error::new(kind, messages.join("; "));
    for hint in failures.iter().flat_map(Advice::hints) {
        if !error.hints.contains(&hint) {
            error.hints.push(hint);
        }
    }
    error
}

/// Rejects masked values, which were copied from the output of Confluent Cloud.
pub fn reject_masked(config: &BTreeMap<String, String>, allowed: impl Fn(&str) -> bool) -> Result<(), Error> {
    let masked: Vec<&String> = config
        .iter()
        .filter(|(key, value)| is_mask(value) && !allowed(key))
        .map(|(key, _)| key)
        .collect();
    if masked.is_empty() {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} a mask instead of a secret",
        match masked.len() {
            1 => format!("{} holds", crate::text::join_code(&masked)),
            _ => format!("{} hold", crate::text::join_code(&masked)),
        }
    ))
    .with_hint("Refer to the secret, such as `${env:EBS_SECRET_DB_PASSWORD}`."))
}

/// Evaluates the quota of the department for this change.
pub fn evaluate_quota(
    session: &ConnectorSession,
    department: &DepartmentContext,
    list: &BTreeMap<String, ExpandedConnector>,
    file: &ConnectorDefinition,
    observed: Option<&LiveConnector>,
) -> Result<QuotaDecision, Error> {
    let tasks = tasks_max(&file.config).map_err(|error| Error::refused(error.to_string()))?;
    let usage = DepartmentUsage::from_connectors(list, &department.prefix);
    let cluster = ClusterUsage::from_connectors(list, &department.prefix, session.is_platform_scope);
    let current = observed.map(|observed| CurrentConnector {
        tasks: counted_tasks(&observed.expanded.info.config, observed.expanded.status.tasks.len()),
        plugin: observed.class().to_owned(),
    });
    let request = QuotaRequest {
        name: &file.name,
        plugin: &file.class,
        tasks,
        current,
    };
    Ok(decide(
        &department.quota,
        &usage,
        cluster,
        session.task_ceiling,
        &request,
    ))
}

/// Rejects an increase of tasks if the key may not list connectors, because the usage cannot be counted.
pub fn check_task_growth(
    department: &DepartmentContext,
    file: &ConnectorDefinition,
    observed: &LiveConnector,
    list: ClientError,
) -> Result<(), Error> {
    let desired = tasks_max(&file.config).map_err(|error| Error::refused(error.to_string()))?;
    let now = counted_tasks(&observed.expanded.info.config, observed.expanded.status.tasks.len());
    match desired > now {
        true => Err(Error::from(list).context(format!(
            "cannot check {desired} tasks instead of {now} against the quota of department `{}`",
            department.code
        ))),
        false => Ok(()),
    }
}

/// Warns if the department is over quota after a create, because of a concurrent create: Confluent Cloud does not
/// enforce the limit (docs/reference/quotas.md#no-quota-per-department).
pub async fn warn_over_quota(run: &RunContext, session: &ConnectorSession, department: &DepartmentContext) {
    // The connector exists already, so a failure here is ignored.
    let Ok(list) = session.connectors.list().await else {
        return;
    };
    let usage = DepartmentUsage::from_connectors(&list, &department.prefix);
    let limits = &department.quota;
    if usage.connectors > limits.connectors || usage.tasks > limits.tasks {
        run.warn(format!(
            "department `{}` now uses {} of {} connectors and {} of {} tasks, because of concurrent creates; delete \
             the connectors over quota",
            department.code, usage.connectors, limits.connectors, usage.tasks, limits.tasks
        ));
    }
}

/// Returns the error of a refused quota decision, with each remedy once.
pub fn check_quota(department: &DepartmentContext, decision: &QuotaDecision) -> Result<(), Error> {
    if decision.allowed {
        return Ok(());
    }
    let messages: Vec<&str> = decision.denials.iter().map(|denial| denial.message.as_str()).collect();
    let mut error = Error::refused(format!(
        "refused by the quota of department `{}`: {}",
        department.code,
        messages.join("; ")
    ));
    for remedy in decision.denials.iter().flat_map(|denial| &denial.remedies) {
        if !error.hints.iter().any(|hint| hint.as_str() == remedy) {
            error = error.with_hint(remedy.clone());
        }
    }
    if let Some(issued) = department.quota_issued {
        error = error.with_hint(format!("The limits are from the profile of {issued}."));
    }
    Err(error)
}

/// Validates a configuration with the plugin; `None` if Confluent Cloud cannot validate it.
pub async fn validate_with_service(
    session: &ConnectorSession,
    class: &str,
    config: BTreeMap<String, String>,
) -> Result<Option<ConfigValidation>, Error> {
    let place = session.connectors.cluster_path.clone();
    // Confluent Cloud cannot validate custom connectors (docs/reference/connect.md#validate-a-configuration).
    if config
        .get("confluent.connector.type")
        .is_some_and(|kind| kind == "CUSTOM")
    {
        return Ok(None);
    }
    let request = ValidateConfig {
        cluster_path: place,
        plugin: class.to_owned(),
        config,
    };
    match session.connectors.client.send(&request).await {
        Ok(answered) => Ok(Some(redact_validation(answered.value, class, &request.config))),
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
) -> ConfigValidation {
    let (facts, said) = (catalog(), secret_keys(&validation).collect::<BTreeSet<_>>());
    let plugin = facts.plugin(class);
    let is_secret = |key: &str| match secrecy(facts, plugin, key) {
        Secrecy::Secret | Secrecy::Likely => true,
        Secrecy::MaskedOnly(_) => is_secret_name(key),
        Secrecy::NotSecret => is_secret_name(key) || said.contains(key),
    };
    let redactor = ConfigRedactor::new(sent, is_secret);
    for config in &mut validation.configs {
        let key = &config.definition.name;
        let texts = config
            .value
            .errors
            .iter_mut()
            .chain(&mut config.value.recommended_values);
        texts.for_each(|text| *text = redactor.redact(key, text));
    }
    validation
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
    /// Key.
    pub config: String,
    /// Error messages.
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
            config: match config.value.name.is_empty() {
                true => config.definition.name.clone(),
                false => config.value.name.clone(),
            },
            errors: config.value.errors.clone(),
            recommended_values: config.value.recommended_values.clone(),
        })
        .collect()
}

/// Returns the error for an invalid configuration.
pub fn reject_invalid(session: &ConnectorSession, validation: &ConfigValidation) -> Result<(), Error> {
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
    let describe = session.options.suggest("connector plugin describe PLUGIN");
    Err(error.with_hint(format!("Show the keys of a plugin with `{describe}`.")))
}
