//! Redaction of secrets in JSON and text. A value is secret because of its field name, not because of its content; a
//! value that was secret once is redacted in all later texts.

pub mod text_redactor;

pub use text_redactor::TextRedactor;

use std::collections::BTreeMap;

use serde_json::Value;

use crate::catalog::secret::{is_masked_value, is_password_key};

/// Replacement for a secret.
pub(crate) const REDACTED: &str = "[redacted]";

/// Returns whether a field or configuration key of this name holds a secret: `spec.secret`, tokens, passwords, and
/// connector keys that are secret by name, regardless of case and separators; and every PASSWORD key of any plugin.
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "privatekey",
        "keyfile",
        "credential",
        "jaas",
        "authorization",
        "connectionstring",
        "accesskey",
        "accountkey",
        "sharedkey",
    ];
    let plain: String = name
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    WORDS.iter().any(|word| plain.contains(word)) || is_password_key(name)
}

/// Minimum length of a secret that is redacted in texts. Shorter values would garble them.
const MIN_SECRET_LENGTH: usize = 6;

/// Redacts what the service says about a configuration that was sent to it: its messages repeat values.
pub struct ConfigRedactor {
    secrets: SecretSet,
    /// Secrets shorter than [`MIN_SECRET_LENGTH`], by key.
    short: BTreeMap<String, String>,
}

impl ConfigRedactor {
    /// Returns a redactor for the values of `config` whose keys are secret.
    pub fn new(config: &BTreeMap<String, String>, is_secret: impl Fn(&str) -> bool) -> Self {
        let mut redactor = Self {
            secrets: SecretSet::default(),
            short: BTreeMap::new(),
        };
        let secrets = config
            .iter()
            .filter(|(key, value)| is_secret(key) && !is_masked_value(value));
        for (key, value) in secrets {
            if value.len() < MIN_SECRET_LENGTH {
                redactor.short.insert(key.clone(), value.clone());
            }
            redactor.secrets.add(value.clone());
        }
        redactor
    }

    /// Returns a message about `key` without secrets. A message that repeats a short secret is replaced as a whole.
    pub fn redact(&self, key: &str, message: &str) -> String {
        let message = self.secrets.redact(message);
        match self.short.get(key) {
            Some(short) if !short.is_empty() && message.contains(short.as_str()) => {
                format!("{REDACTED} (the message repeats the value)")
            }
            _ => message,
        }
    }
}

/// Secrets known within one call.
#[derive(Default)]
pub(crate) struct SecretSet(Vec<String>);

impl SecretSet {
    pub(crate) fn new(known: Vec<String>) -> Self {
        let mut secrets = Self::default();
        for text in known {
            secrets.add(text);
        }
        secrets
    }

    fn add(&mut self, text: String) {
        // Short values under a secret name, such as `true` or a number, are flags; redacting them elsewhere would
        // garble the text.
        if text.len() >= MIN_SECRET_LENGTH && !self.0.contains(&text) {
            self.0.push(text);
            // Longer secrets come first: a secret may contain another one.
            self.0.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// Collects the secrets of a body.
    pub(crate) fn add_from_body(&mut self, body: &[u8]) {
        if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
            self.redact_json(&mut value);
        }
    }

    /// Redacts every secret of `value` and remembers it.
    pub(crate) fn redact_json(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                // `{"name": "aws.secret.access.key", "value": "…"}` is how validation responses name configuration
                // keys.
                let names_secret = ["name", "key"]
                    .iter()
                    .any(|field| fields.get(*field).and_then(Value::as_str).is_some_and(is_secret_name));
                for (name, inner) in fields.iter_mut() {
                    let secret = is_secret_name(name) || (names_secret && name == "value");
                    match secret {
                        true => self.redact_all(inner),
                        false => self.redact_json(inner),
                    }
                    // Free text of the service: log lines.
                    if let Value::String(text) = inner
                        && ["message", "stacktrace"].contains(&name.as_str())
                    {
                        *text = TextRedactor::default().redact(text).into_owned();
                    }
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_json(item)),
            Value::String(text) => {
                let struck = self.redact(text);
                if struck != *text {
                    *text = struck;
                }
            }
            _ => {}
        }
    }

    /// Redacts everything below a secret name, whatever its type.
    fn redact_all(&mut self, value: &mut Value) {
        match value {
            Value::Null => {}
            Value::Array(items) => items.iter_mut().for_each(|item| self.redact_all(item)),
            Value::Object(fields) => fields.values_mut().for_each(|inner| self.redact_all(inner)),
            Value::String(text) => {
                self.add(std::mem::take(text));
                REDACTED.clone_into(text);
            }
            other => *other = REDACTED.into(),
        }
    }

    /// Returns `text` with all known secrets redacted.
    pub(crate) fn redact(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, secret| match text.contains(secret.as_str()) {
                true => text.replace(secret.as_str(), REDACTED),
                false => text,
            })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secret_names_match_regardless_of_case_and_separators() {
        for name in [
            "secret",
            "api_secret",
            "refresh_token",
            "connection.password",
            "aws.secret.access.key",
            "snowflake.private.key",
            "gcs.credentials.json",
            "Authorization",
            "sasl.jaas.config",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["display_name", "owner", "kafka.auth.mode", "tasks.max", "id", "topics"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn messages_about_a_configuration_lose_its_secrets_and_nothing_else() {
        let config = [
            ("azure.eventhubs.sas.key", "canary-1"),
            ("connection.password", "canary-1-and-more"),
            ("function.key", "pin"),
            ("topics", "orders-canary"),
            ("aws.secret.access.key", "****************"),
        ];
        let config = config.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let redactor = ConfigRedactor::new(&config, is_secret_name);
        let redact = |key, message| redactor.redact(key, message);
        assert_eq!(
            redact("topics", "canary-1-and-more at canary-1 is no orders-canary"),
            "[redacted] at [redacted] is no orders-canary"
        );
        assert_eq!(
            redact("function.key", "`pin` is too short"),
            "[redacted] (the message repeats the value)"
        );
        assert_eq!(redact("topics", "a spinning top"), "a spinning top");
        assert_eq!(
            redact("function.key", "\"function.key\" is required"),
            "\"function.key\" is required"
        );
    }

    #[test]
    fn password_keys_of_the_catalog_are_secret_whatever_their_names() {
        let mut secrets = SecretSet::default();
        secrets
            .add_from_body(br#"{"name": "x", "config": {"azure.eventhubs.sas.key": "canary-1", "topics": "orders"}}"#);
        assert_eq!(secrets.redact("canary-1 of orders"), "[redacted] of orders");
    }

    #[test]
    fn secrets_are_redacted_at_any_depth_and_wherever_they_occur_again() {
        let mut secrets = SecretSet::new(vec!["own-canary".into()]);
        let mut value = json!({
            "spec": { "secret": "canary-1", "display_name": "fine" },
            "config": { "connection.password": "canary-2", "tasks.max": "1", "gcs.credentials": { "a": ["canary-3", 7] } },
            "configs": [{ "value": { "name": "db.password", "value": "canary-4", "errors": [] } }],
            "later": "the password canary-2 is wrong, and so is own-canary",
            "token": null,
            "data": [{ "message": "a.password = canary-5", "exception": { "stacktrace": "password=canary-6" } }],
        });
        secrets.redact_json(&mut value);
        let shown = value.to_string();
        assert!(!shown.contains("canary"), "{shown}");
        assert_eq!(value["spec"]["display_name"], "fine");
        assert_eq!(value["config"]["tasks.max"], "1");
        assert_eq!(value["token"], Value::Null);
        assert_eq!(secrets.redact("canary-4 is bad"), "[redacted] is bad");
    }
}
