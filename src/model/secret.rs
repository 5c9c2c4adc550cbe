//! A secret: readable only where it is asked for by name, and overwritten in memory when dropped.

use secrecy::{ExposeSecret, SecretString};

/// The secret half of an API key, from the wire to the file. `Debug` shows nothing; there is no `Display`, and it does
/// not serialise.
#[derive(Clone, Debug)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a secret into custody.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret in clear. Callers: the `Authorization` header, the hand-over's sink, `--show-secrets`.
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
