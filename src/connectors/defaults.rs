//! Defaults of a department for a connector's configuration.

use std::collections::BTreeMap;

use super::definition::ConnectorDefinition;
use crate::{
    api::connect::ConfigValidation,
    catalog::{ConnectorDirection, catalog},
    error::Error,
    session::ConnectorSession,
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
    let identity_keys = ["kafka.auth.mode", "kafka.api.key", "kafka.service.account.id"];
    let names_identity = identity_keys.iter().any(|key| file.config.contains_key(*key));
    let account_missing = file
        .config
        .get("kafka.auth.mode")
        .is_some_and(|mode| mode == "SERVICE_ACCOUNT")
        && !file.config.contains_key("kafka.service.account.id");
    if !names_identity || account_missing {
        let account = session.find_runtime_account().await?.ok_or_else(|| {
            Error::failed("unknown runtime account of your department").with_hint(format!(
                "Set `kafka.service.account.id` in the file, or ask {} for a new profile.",
                session.platform_team()
            ))
        })?;
        if !names_identity {
            let why = "the connector runs as a service account, without an API key";
            add(&mut file.config, "kafka.auth.mode", "SERVICE_ACCOUNT".to_owned(), why);
        }
        let why = "runtime account of your department";
        add(&mut file.config, "kafka.service.account.id", account.to_string(), why);
    }
    if !file.config.contains_key("tasks.max") {
        let why = "a quota counts at least one task";
        add(&mut file.config, "tasks.max", "1".to_owned(), why);
    }
    let takes_dead_letters = match catalog().plugin(&file.class) {
        Some(plugin) => plugin.direction == ConnectorDirection::Sink && plugin.key(DEAD_LETTER_TOPIC_KEY).is_some(),
        None => file.class.to_ascii_lowercase().contains("sink"),
    };
    if takes_dead_letters && !file.config.contains_key(DEAD_LETTER_TOPIC_KEY) {
        let why = "a topic of your department; the default topic is shared by all departments";
        let topic = format!("{}-dlq", file.name);
        add(&mut file.config, DEAD_LETTER_TOPIC_KEY, topic, why);
    }
    Ok(added)
}

/// Removes the added dead letter queue if the plugin does not know its key. Returns whether it was removed.
pub fn drop_unknown_default(
    config: &mut BTreeMap<String, String>,
    added: &mut Vec<AddedDefault>,
    validation: &ConfigValidation,
) -> bool {
    let mut known = validation.configs.iter().map(|config| &config.definition.name);
    let is_default = added.iter().any(|line| line.config == DEAD_LETTER_TOPIC_KEY);
    if !is_default || validation.configs.is_empty() || known.any(|key| key == DEAD_LETTER_TOPIC_KEY) {
        return false;
    }
    config.remove(DEAD_LETTER_TOPIC_KEY);
    added.retain(|line| line.config != DEAD_LETTER_TOPIC_KEY);
    true
}
