//! Secrets that are too short or too ordinary to be redacted everywhere: a message about their key is shown without
//! them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    REDACTED,
    registry::{SecretMatcher, collect_ordinary, collect_secrets, replace_ranges},
};
use crate::catalog::{
    secret::is_masked_value,
    weak_secret::{OrdinaryValues, is_weak_secret},
};

/// Weak secrets of a configuration, by key.
#[derive(Clone, Default)]
pub struct WeakSecrets(BTreeMap<String, String>);

impl WeakSecrets {
    /// Returns the weak secrets of a configuration.
    pub fn new(config: &BTreeMap<String, String>, is_secret: impl Fn(&str) -> bool) -> Self {
        let ordinary: OrdinaryValues = config
            .iter()
            .filter(|(key, _)| !is_secret(key))
            .map(|(_, value)| value)
            .collect();
        let secrets = config.iter().filter(|(key, _)| is_secret(key));
        let mut weak = Self::default();
        secrets.for_each(|(key, value)| weak.add(key, value, &ordinary));
        weak
    }

    /// Returns the weak secrets of a JSON body, by the names of their fields.
    pub(crate) fn from_body(body: &[u8]) -> Self {
        let mut weak = Self::default();
        let Ok(document) = serde_json::from_slice::<Value>(body) else {
            return weak;
        };
        let mut ordinary = OrdinaryValues::default();
        collect_ordinary(&document, &mut |value| ordinary.add(value));
        collect_secrets(&document, &mut |key, value| weak.add(key, value, &ordinary));
        weak
    }

    fn add(&mut self, key: &str, value: &str, ordinary: &OrdinaryValues) {
        if !value.is_empty() && !is_masked_value(value) && is_weak_secret(value, ordinary) {
            self.0.insert(key.to_owned(), value.to_owned());
        }
    }

    /// Returns `message` without the weak secrets whose keys it names. `about` is the key of a message that does not
    /// repeat it.
    #[must_use]
    pub fn redact(&self, about: Option<&str>, message: &str) -> String {
        let mut message = message.to_owned();
        for (key, value) in &self.0 {
            if about != Some(key.as_str()) && !message.contains(key.as_str()) {
                continue;
            }
            let names: Vec<(usize, usize)> = message
                .match_indices(key.as_str())
                .map(|(at, name)| (at, at + name.len()))
                .collect();
            let mut found = SecretMatcher::default()
                .with_patterns(vec![value.clone()])
                .find(&message);
            found.retain(|(from, to)| {
                let in_name = names.iter().any(|name| name.0 <= *from && *to <= name.1);
                !in_name && is_whole_word(&message, *from, *to)
            });
            message = replace_ranges(&message, &found, |_| REDACTED.into()).into_owned();
        }
        message
    }
}

/// Returns whether neither end of a range is inside of a word, so that `a` is not found in `table`.
fn is_whole_word(text: &str, from: usize, to: usize) -> bool {
    let is_inside = |before: Option<char>, after: Option<char>| {
        let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
        is_word(before) && is_word(after)
    };
    let found = &text[from..to];
    !is_inside(text[..from].chars().next_back(), found.chars().next())
        && !is_inside(found.chars().next_back(), text[to..].chars().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::secret::is_secret_name;

    #[test]
    fn only_a_message_about_the_key_loses_the_value() {
        let config = [
            ("function.key", "pin"),
            ("connection.password", "claims-orders"),
            ("topics", "claims-orders,claims-more"),
            ("datadog.api.key", "canary-1"),
            ("aws.secret.access.key", "****"),
        ];
        let config = config.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
        let weak = WeakSecrets::new(&config, is_secret_name);
        for (about, message, expected) in [
            (
                None,
                "Invalid value pin for configuration function.key: a spinning top",
                "Invalid value [redacted] for configuration function.key: a spinning top",
            ),
            (
                Some("function.key"),
                "\"pin\" is too short",
                "\"[redacted]\" is too short",
            ),
            (
                None,
                "topic claims-orders not found, pin it",
                "topic claims-orders not found, pin it",
            ),
            (
                None,
                "connection.password: claims-orders is wrong",
                "connection.password: [redacted] is wrong",
            ),
            (
                Some("function.key"),
                "\"function.key\" is required",
                "\"function.key\" is required",
            ),
            // Found by the registry.
            (Some("datadog.api.key"), "canary-1 is wrong", "canary-1 is wrong"),
        ] {
            assert_eq!(weak.redact(about, message), expected);
        }
        let body = br#"{"name": "claims-orders", "config": {"function.key": "p\"n"}}"#;
        let escaped = r#"{"function.key":"p\"n"}"#;
        assert_eq!(
            WeakSecrets::from_body(body).redact(None, escaped),
            r#"{"function.key":"[redacted]"}"#
        );
    }
}
