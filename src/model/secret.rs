//! Secrets: readable only through `expose`, overwritten in memory when dropped.

use secrecy::{ExposeSecret, SecretString};

/// Secret half of an API key. `Debug` shows no value; it implements neither `Display` nor `Serialize`.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// Returns the plain text. Callers: the `Authorization` header, the profile store, `--show-secrets`.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn debug_output_contains_no_secret() {
        assert!(!format!("{:?}", super::Secret::new("cflt-canary")).contains("canary"));
    }
}
