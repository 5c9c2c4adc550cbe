//! Defaults of a department for a connector's configuration.

use std::collections::BTreeMap;

use super::definition::ConnectorDefinition;
use crate::{
    api::connect::ConfigValidation,
    catalog::{ConnectorDirection, catalog, topics::report_topic},
    error::Error,
    session::ConnectorSession,
};

/// Keys of the topics to which sinks report records (docs/reference/connect.md#common-configuration-keys), with the
/// word in the name of the topic that a department gets. The default topics are shared by all departments.
pub const REPORT_TOPICS: [(&str, &str); 3] = [
    ("errors.deadletterqueue.topic.name", "dlq"),
    ("reporter.error.topic.name", "error"),
    ("reporter.result.topic.name", "success"),
];

/// Default that was added to a configuration.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct AddedDefault {
    /// Configuration key that was not set.
    pub config: String,
    /// Value; never a secret.
    pub value: String,
    /// Reason why the key was added.
    pub why: &'static str,
}

/// Adds the defaults of the department: service account, number of tasks, and the topics to which a sink
/// reports records.
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
    for (key, word) in REPORT_TOPICS {
        let is_taken = match catalog().plugin(&file.class) {
            Some(plugin) => plugin.direction == ConnectorDirection::Sink && plugin.key(key).is_some(),
            // Most sinks have a dead letter queue, and few have reports.
            None => key == REPORT_TOPICS[0].0 && file.class.to_ascii_lowercase().contains("sink"),
        };
        if is_taken && !file.config.contains_key(key) {
            let why = "a topic of your department; the default topic is shared by all departments";
            let prefix = session.department.as_ref().map(|department| &department.prefix);
            let topic = report_topic(prefix, &file.name, word);
            add(&mut file.config, key, topic, why);
        }
    }
    Ok(added)
}

/// Returns whether `key` names a topic to which sinks report records.
pub fn is_report_topic(key: &str) -> bool {
    REPORT_TOPICS.iter().any(|(known, _)| *known == key)
}

/// Removes added report topics whose keys the plugin does not know. Returns whether any was removed.
pub fn drop_unknown_default(
    config: &mut BTreeMap<String, String>,
    added: &mut Vec<AddedDefault>,
    validation: &ConfigValidation,
) -> bool {
    if validation.configs.is_empty() {
        return false;
    }
    let before = added.len();
    added.retain(|line| {
        let is_report = is_report_topic(&line.config);
        let is_known = || {
            validation
                .configs
                .iter()
                .any(|known| known.definition.name == line.config)
        };
        let keeps = !is_report || is_known();
        if !keeps {
            config.remove(&line.config);
        }
        keeps
    });
    added.len() < before
}
