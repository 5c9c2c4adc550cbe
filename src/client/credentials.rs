//! Credentials of a request: an API key, a token, or fixed headers. Only this module builds the `Authorization` header.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};

use crate::{model::Secret, redact::SecretRegistry};

/// API key with its secret and source.
#[derive(Clone, Debug)]
pub struct BasicCredentials {
    /// Key id (public).
    pub key: String,
    /// Key secret.
    pub secret: Secret,
    /// Source of both.
    pub source: CredentialSource,
}

/// Source of credentials, shown with `-v`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// Profile, by name or file.
    Profile(String),
    /// Environment variable, by name.
    Environment(&'static str),
    /// Sandbox, with the principal it acts as.
    Sandbox(String),
    /// Key created in this run, with its purpose.
    Issued(String),
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(name) => write!(out, "profile {name}"),
            Self::Environment(name) => write!(out, "environment variable {name}"),
            Self::Sandbox(who) => write!(out, "sandbox {who}"),
            Self::Issued(what) => write!(out, "new key for {what}"),
        }
    }
}

/// Authentication of a request.
#[derive(Clone, Debug)]
pub enum Auth {
    /// HTTP Basic with an API key.
    Basic(BasicCredentials),
    /// Bearer token obtained for an API key.
    Bearer(Secret),
    /// Fixed headers, for services that identify the caller in another way.
    Headers(Vec<(HeaderName, HeaderValue)>),
}

impl Auth {
    /// Returns the source of the credentials, if known.
    #[must_use]
    pub fn source(&self) -> Option<&CredentialSource> {
        match self {
            Self::Basic(credentials) => Some(&credentials.source),
            Self::Bearer(_) | Self::Headers(_) => None,
        }
    }

    /// Returns the key id, if there is one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Basic(credentials) => Some(&credentials.key),
            Self::Bearer(_) | Self::Headers(_) => None,
        }
    }

    /// Adds the authentication headers to `headers`, marked as sensitive so that they are never printed.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        match self {
            Self::Basic(BasicCredentials { key, secret, .. }) => {
                let encoded = STANDARD.encode(format!("{key}:{}", secret.expose()));
                let mut value =
                    HeaderValue::try_from(format!("Basic {encoded}")).expect("base64 is a valid header value");
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            Self::Bearer(token) => {
                // A token that is not a valid header value is not sent; the service then returns 401.
                if let Ok(mut value) = HeaderValue::try_from(format!("Bearer {}", token.expose())) {
                    value.set_sensitive(true);
                    headers.insert(AUTHORIZATION, value);
                }
            }
            Self::Headers(given) => {
                for (name, value) in given {
                    let mut value = value.clone();
                    value.set_sensitive(true);
                    headers.insert(name, value);
                }
            }
        }
    }

    /// Registers the secret.
    pub(super) fn register(&self, secrets: &SecretRegistry) {
        match self {
            Self::Basic(BasicCredentials { key, secret, .. }) => secrets.add_pair(key, secret.expose()),
            Self::Bearer(token) => secrets.add(token.expose()),
            // The headers of the sandbox name a principal.
            Self::Headers(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_basic_header_is_sensitive_and_debug_hides_the_secret() {
        let auth = Auth::Basic(BasicCredentials {
            key: "KEY".into(),
            secret: Secret::new("canary"),
            source: CredentialSource::Profile("claims-operator".into()),
        });
        let mut headers = HeaderMap::new();
        auth.apply(&mut headers);
        let value = &headers[AUTHORIZATION];
        assert!(value.is_sensitive());
        // `printf KEY:canary | base64`
        assert_eq!(value.as_bytes(), b"Basic S0VZOmNhbmFyeQ==");
        assert!(!format!("{auth:?} {headers:?}").contains("canary"));
        assert!(!format!("{headers:?}").contains("S0VZ"));
        assert_eq!(auth.source().unwrap().to_string(), "profile claims-operator");
    }
}
