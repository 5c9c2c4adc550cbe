//! Who is calling: a Cloud API key, or headers that stand for one. The `Authorization` header is built here only.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue, header::AUTHORIZATION};

use crate::model::Secret;

/// A Cloud API key with its secret, and where they came from.
#[derive(Clone, Debug)]
pub struct BasicCredentials {
    /// The public half.
    pub key: String,
    /// The secret half.
    pub secret: Secret,
    /// Where both came from.
    pub source: CredentialSource,
}

/// Where credentials came from; `-v` names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// A profile, by name or file.
    Profile(String),
    /// An environment variable, by name.
    Environment(&'static str),
    /// The sandbox: as whom.
    Sandbox(String),
    /// A key that was made in this very run; what it is for.
    Issued(String),
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(name) => write!(out, "profile {name}"),
            Self::Environment(name) => write!(out, "environment {name}"),
            Self::Sandbox(who) => write!(out, "sandbox {who}"),
            Self::Issued(what) => write!(out, "key just made for {what}"),
        }
    }
}

/// How a request says who sends it.
#[derive(Clone, Debug)]
pub enum Auth {
    /// HTTP Basic with an API key.
    Basic(BasicCredentials),
    /// A token that was exchanged for a key.
    Bearer(Secret),
    /// Headers as they are, for services that know the caller otherwise.
    Headers(Vec<(HeaderName, HeaderValue)>),
}

impl Auth {
    /// Where the credentials came from, if they came from somewhere.
    #[must_use]
    pub fn source(&self) -> Option<&CredentialSource> {
        match self {
            Self::Basic(credentials) => Some(&credentials.source),
            Self::Bearer(_) | Self::Headers(_) => None,
        }
    }

    /// The public half of the key, if there is one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Basic(credentials) => Some(&credentials.key),
            Self::Bearer(_) | Self::Headers(_) => None,
        }
    }

    /// Adds what says who is calling to `headers`, marked so that nothing prints it.
    pub(super) fn apply(&self, headers: &mut HeaderMap) {
        match self {
            Self::Basic(BasicCredentials { key, secret, .. }) => {
                let encoded = STANDARD.encode(format!("{key}:{}", secret.expose()));
                let mut value = HeaderValue::try_from(format!("Basic {encoded}"))
                    .expect("base64 holds no character a header refuses");
                value.set_sensitive(true);
                headers.insert(AUTHORIZATION, value);
            }
            Self::Bearer(token) => {
                // A token that is no header value is none of the service's: the refusal says so.
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

    /// The texts that must never be shown, whatever they turn up in.
    pub(super) fn secrets(&self) -> Vec<String> {
        match self {
            Self::Basic(BasicCredentials { key, secret, .. }) => vec![
                secret.expose().to_owned(),
                STANDARD.encode(format!("{key}:{}", secret.expose())),
            ],
            Self::Bearer(token) => vec![token.expose().to_owned()],
            Self::Headers(_) => Vec::new(),
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
