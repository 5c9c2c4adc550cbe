//! Configuration file of the Confluent CLI, `~/.confluent/config.json`: read only, and no secret of it is kept
//! (docs/reference/cli.md#configuration-file).

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use crate::clock::Clock;

/// The Confluent CLI rewrites the file in place without a lock, so a read can return a truncated file.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(100);

/// Configuration file with its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliConfig {
    /// Path of the file.
    pub path: PathBuf,
    /// State of the file.
    pub state: CliConfigState,
}

/// State of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CliConfigState {
    /// The file does not exist.
    Missing,
    /// The file cannot be read, with the reason; the reason never quotes its content.
    Unreadable(String),
    /// The file was read.
    Read(CliConfigFacts),
}

/// Relevant settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CliConfigFacts {
    /// Whether plugins are disabled.
    pub disable_plugins: Option<bool>,
    /// Cluster of each stored Kafka API key, by key id.
    pub kafka_keys: BTreeMap<String, String>,
}

impl CliConfig {
    /// Reads the file below the home folder `home`.
    pub async fn load(home: &Path, clock: &Clock) -> Self {
        let path = home.join(".confluent").join("config.json");
        let mut state = read_state(&path);
        for _ in 1..TRIES {
            if !matches!(state, CliConfigState::Unreadable(_)) {
                break;
            }
            clock.sleep(PAUSE).await;
            state = read_state(&path);
        }
        Self { path, state }
    }

    /// Returns the cluster of a key, if the Confluent CLI has stored it as a Kafka API key.
    #[must_use]
    pub fn cluster_for_key(&self, key: &str) -> Option<&str> {
        match &self.state {
            CliConfigState::Read(facts) => facts.kafka_keys.get(key).map(String::as_str),
            _ => None,
        }
    }
}

fn read_state(path: &Path) -> CliConfigState {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => CliConfigState::Missing,
        Err(error) => CliConfigState::Unreadable(error.to_string()),
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(config) => CliConfigState::Read(parse_facts(&config)),
            // The parser's message can quote the content.
            Err(error) => CliConfigState::Unreadable(format!("invalid JSON at line {}", error.line())),
        },
    }
}

fn parse_facts(config: &Value) -> CliConfigFacts {
    let mut kafka_keys = BTreeMap::new();
    for context in object_values(&config["contexts"]) {
        let kafka = &context["kafka_cluster_context"];
        // Contexts of a login group clusters by environment, contexts of an API key do not.
        let by_environment =
            object_values(&kafka["kafka_environment_contexts"]).map(|each| &each["kafka_cluster_infos"]);
        for clusters in by_environment.chain([&kafka["kafka_cluster_configs"]]) {
            for (id, cluster) in clusters.as_object().into_iter().flatten() {
                for key in cluster["api_keys"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(key, _)| key)
                {
                    kafka_keys.insert(key.clone(), id.clone());
                }
            }
        }
    }
    CliConfigFacts {
        disable_plugins: config["disable_plugins"].as_bool(),
        kafka_keys,
    }
}

fn object_values(map: &Value) -> impl Iterator<Item = &Value> {
    map.as_object().into_iter().flatten().map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::clock::VirtualTime;

    fn read_config(text: Option<&str>) -> (CliConfig, Duration) {
        let home = tempfile::tempdir().unwrap();
        if let Some(text) = text {
            std::fs::create_dir(home.path().join(".confluent")).unwrap();
            std::fs::write(home.path().join(".confluent/config.json"), text).unwrap();
        }
        let clock = Clock::new(VirtualTime::starting_at(Timestamp::UNIX_EPOCH));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let config = runtime.block_on(CliConfig::load(home.path(), &clock));
        (config, clock.elapsed_since(Timestamp::UNIX_EPOCH))
    }

    // The structure of the file: docs/reference/cli.md#configuration-file.
    #[test]
    fn settings_and_key_ids_are_read_without_secrets() {
        let text = r#"{
            "disable_plugins": true, "disable_updates": "canary", "something_new": [1, {}],
            "contexts": {
                "login-a@example.com-https://confluent.cloud": { "kafka_cluster_context": {
                    "environment_context": true,
                    "kafka_environment_contexts": { "env-1": { "kafka_cluster_infos": { "lkc-1": {
                        "api_keys": { "KAFKAKAFKAKAFKA1": { "api_key": "KAFKAKAFKAKAFKA1", "api_secret": "canary" } }
                    } } } }
                } },
                "api-key": { "kafka_cluster_context": { "kafka_cluster_configs": { "lkc-2": {
                    "api_keys": { "KAFKAKAFKAKAFKA2": { "api_secret": "canary" } }
                } } } }
            },
            "context_states": { "x": { "auth_token": "canary" } }
        }"#;
        let (config, waited) = read_config(Some(text));
        assert_eq!(waited, Duration::ZERO);
        assert_eq!(config.cluster_for_key("KAFKAKAFKAKAFKA1"), Some("lkc-1"));
        assert_eq!(config.cluster_for_key("KAFKAKAFKAKAFKA2"), Some("lkc-2"));
        assert_eq!(config.cluster_for_key("OTHEROTHEROTHER1"), None);
        assert!(matches!(&config.state, CliConfigState::Read(facts) if facts.disable_plugins == Some(true)));
        assert!(!format!("{config:?}").contains("canary"));
    }

    #[test]
    fn a_partially_written_file_is_read_again_and_never_quoted() {
        for text in ["{ \"disable_plugins\": fa", "{ \"auth_token\": canary }", ""] {
            let (config, waited) = read_config(Some(text));
            assert!(
                matches!(&config.state, CliConfigState::Unreadable(why) if why == "invalid JSON at line 1" || why == "invalid JSON at line 0")
            );
            assert_eq!(waited, PAUSE * (TRIES - 1));
            assert!(!format!("{config:?}").contains("canary"));
        }
        assert_eq!(read_config(None).0.state, CliConfigState::Missing);
        for odd in ["[]", "null", "{ \"contexts\": [1], \"disable_plugins\": \"canary\" }"] {
            let expected = CliConfigState::Read(CliConfigFacts::default());
            assert_eq!(read_config(Some(odd)).0.state, expected, "{odd}");
        }
    }
}
